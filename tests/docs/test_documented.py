"""Everything a user can name has its paragraph, and what the README says works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
READMES = {name: (PROJECT / name).read_text("utf8") for name in ("README.md", "README.zh-CN.md")}


def gisgrid(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "gisgrid.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def commands():
    """Every command that `gisgrid` knows, as its help lists them."""
    listed = gisgrid("--help").stdout
    return tuple(
        re.findall(r"^  ([a-z][a-z-]+) {2,}\S", listed.split("Commands:")[1], re.MULTILINE)
    )


COMMANDS = commands()


def test_the_commands_are_found():
    assert {"hotspots", "ingest", "validate-grids", "serve"} <= set(COMMANDS)


@pytest.mark.parametrize("name", READMES)
def test_the_readme_begins_with_the_two_commands(name):
    first = re.search(r"```sh\n(.*?)```", READMES[name], re.DOTALL)
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == [
        "make demo",
        "make test",
    ]
    assert READMES[name].index("```sh") < 200


def test_both_readmes_show_the_same_commands_addresses_and_pictures():
    def things(text):
        code = re.findall(r"```(?:sh|js)\n(.*?)```", text, re.DOTALL)
        commands = [re.split(r"\s+#", line)[0] for block in code for line in block.splitlines()]
        return (
            commands,
            re.findall(r"`(/[^`]*)`", text),
            len(re.findall(r"!\[", text)),
            re.findall(r"^## ", text, re.MULTILINE),
        )

    assert things(READMES["README.md"]) == things(READMES["README.zh-CN.md"])


@pytest.mark.parametrize("name", READMES)
def test_every_link_of_the_readme_leads_somewhere(name):
    links = [link for link in re.findall(r"\]\(([^)]+)\)", READMES[name]) if "://" not in link]
    assert links
    assert [link for link in links if not (PROJECT / link).exists()] == []


@pytest.mark.parametrize("name", READMES)
def test_the_planner_s_cell_runs(name):
    code = re.search(r"```python\n(.*?)```", READMES[name], re.DOTALL)[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = gisgrid(command, "--help")
    assert done.returncode == 0, done.stderr
    options = set(re.findall(r"(--[a-z-]+)", done.stdout))
    assert "--help" in options
    assert len(done.stdout) > 200


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_guide(command):
    guide = (PROJECT / "docs" / "guides" / "commands.md").read_text("utf8")
    assert f"## gisgrid {command}" in guide


def test_every_option_is_in_the_guide():
    guide = (PROJECT / "docs" / "guides" / "commands.md").read_text("utf8")
    for command in COMMANDS:
        section = guide.split(f"## gisgrid {command}\n")[1].split("\n## ")[0]
        options = set(re.findall(r"(--[a-z][a-z-]+)", gisgrid(command, "--help").stdout)) - {
            "--help"
        }
        assert {option for option in options if option not in section} == set(), command


def test_every_setting_of_the_server_is_in_the_guide():
    from gisgrid_server.settings import Settings

    guide = (PROJECT / "docs" / "guides" / "server.md").read_text("utf8")
    assert [
        name for name in Settings.model_fields if f"`GISGRID_{name.upper()}`" not in guide
    ] == []


def test_every_error_is_in_the_guide():
    from gisgrid import errors

    guide = (PROJECT / "docs" / "guides" / "errors.md").read_text("utf8")
    kinds = [
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    assert len(kinds) > 5
    assert [name for name in kinds if f"`{name}`" not in guide] == []


def test_every_decision_is_dated():
    pages = sorted((PROJECT / "docs" / "decisions").glob("0*.md"))
    assert len(pages) >= 4
    for page in pages:
        assert re.search(r"^\d{4}-\d{2}-\d{2}$", page.read_text("utf8"), re.MULTILINE), page.name
