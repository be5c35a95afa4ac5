"""The wheel holds one top-level name, the catalogue and the assets, and its lock files name no index."""

import re
import subprocess
import sys
import tomllib
import zipfile

import pytest


@pytest.fixture(scope="module")
def wheel(project, tmp_path_factory) -> zipfile.ZipFile:
    """The wheel of the core, built from what the project holds."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1], {'--global-option': ['--quiet']}))"
    sources = folder / "sources"
    ignored = {".git", ".venv", ".venv-core", "node_modules", "demo-data", "build", "ci-output"}
    sources.mkdir()
    for path in project.iterdir():
        if path.name not in ignored and not path.name.endswith(".egg-info"):
            (sources / path.name).symlink_to(path)
    done = subprocess.run(
        [sys.executable, "-c", build, str(folder)],
        cwd=sources,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_has_one_top_level_name(wheel):
    names = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"gisgrid"}


def test_every_package_folder_is_in_the_wheel(wheel, project):
    folders = {
        path.parent.relative_to(project).as_posix() for path in (project / "gisgrid").rglob("*.py")
    }
    packed = {name.rsplit("/", 1)[0] for name in wheel.namelist() if name.endswith(".py")}
    assert folders == packed


def test_the_catalogue_travels_in_the_wheel(wheel, layers_dir):
    wanted = {
        f"gisgrid/standard_layers/{path.relative_to(layers_dir).as_posix()}"
        for path in layers_dir.rglob("*.*")
    }
    assert wanted
    assert wanted == {
        name for name in wheel.namelist() if name.startswith("gisgrid/standard_layers/")
    }


def test_the_wheel_carries_leaflet_for_offline_maps(wheel):
    assert {"gisgrid/assets/leaflet.js", "gisgrid/assets/leaflet.css"} <= set(wheel.namelist())


def test_the_core_declares_no_web_framework(project):
    declared = " ".join(
        tomllib.loads((project / "pyproject.toml").read_text("utf8"))["project"]["dependencies"]
    )
    assert not re.search(r"fastapi|starlette|uvicorn", declared)


def test_importing_the_core_loads_no_web_framework():
    code = (
        "import importlib, pkgutil, sys, gisgrid\n"
        "for module in pkgutil.walk_packages(gisgrid.__path__, 'gisgrid.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(sorted({'fastapi', 'starlette', 'uvicorn', 'gisgrid_server'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("lock", ["core", "run", "dev", "node", "uv"])
def test_a_lock_file_has_hashes_and_no_address(project, lock):
    text = (project / "requirements" / f"{lock}.lock").read_text("utf8")
    packages = re.findall(r"^[a-z0-9].*==\S+", text, re.MULTILINE)
    assert packages
    assert "://" not in text
    assert len(re.findall(r"^[a-z0-9].*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(
        packages
    )


def test_the_front_end_lock_file_names_no_address(project):
    lock = (project / "server" / "web" / "package-lock.json").read_text("utf8")
    assert '"integrity"' in lock
    assert '"resolved"' not in lock


def test_no_core_dependency_is_under_the_gpl(project):
    """LGPL is fine for a library that is only imported; GPL and AGPL would bind who uses gisgrid."""
    from importlib.metadata import PackageNotFoundError, metadata

    strong = re.compile(
        r"(?<!L)(?<!Lesser )\bA?GPL|(?<!Lesser )General Public License", re.IGNORECASE
    )
    locked = re.findall(
        r"^([a-z0-9][a-z0-9._-]*)==",
        (project / "requirements" / "run.lock").read_text("utf8"),
        re.MULTILINE,
    )
    seen = 0
    for name in locked:
        try:
            about = metadata(name)
        except PackageNotFoundError:  # a package of another platform, or of the server
            continue
        seen += 1
        says = [about.get("License-Expression") or "", *about.get_all("Classifier", [])]
        if not about.get("License-Expression"):
            says.append(
                (about.get("License") or "").splitlines()[0] if about.get("License") else ""
            )
        licences = " / ".join(
            text
            for text in says
            if "License" in text or not text.startswith(("Programming", "Operating"))
        )
        assert not strong.search(licences.replace("GNU Lesser General Public License", "LGPL")), (
            name,
            licences,
        )
    assert seen > 30
