"""What the repository must not hold: machine paths, index hosts, big or generated files."""

import re
import subprocess

import pytest


@pytest.fixture(scope="module")
def tracked(project):
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=project, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no git checkout, so what is tracked cannot be listed")
    return [
        project / name for name in listed.stdout.split("\0") if name and (project / name).is_file()
    ]


def texts(paths):
    for path in paths:
        try:
            yield path, path.read_text("utf8")
        except UnicodeDecodeError:
            continue


def test_no_tracked_file_is_over_500_kb(tracked):
    assert [str(path) for path in tracked if path.stat().st_size > 500_000] == []


def test_no_tracked_file_names_a_path_of_a_machine(tracked):
    machine = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w")
    assert [str(path) for path, text in texts(tracked) if machine.search(text)] == []


def test_the_big_generated_folders_are_not_tracked(tracked, project):
    generated = ("gisgrid/assets/", "server/gisgrid_server/static/", "demo-data/", "ci-output/")
    names = [path.relative_to(project).as_posix() for path in tracked]
    assert [name for name in names if name.startswith(generated) or "node_modules/" in name] == []


def test_the_changelog_and_the_licence_are_there(project):
    assert (project / "CHANGELOG.md").read_text("utf8").startswith("# Changelog")
    assert "Apache License" in (project / "LICENSE").read_text("utf8")
