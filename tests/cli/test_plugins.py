"""Commands of other distributions are there when they are installed, and load when they are called."""

import sys
import types
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from gisgrid.cli import plugins


@pytest.fixture
def installed(monkeypatch):
    """Pretend that distributions offer these commands."""

    def offer(**values):
        entries = EntryPoints(
            EntryPoint(name=name, value=value, group=plugins.GROUP)
            for name, value in values.items()
        )
        monkeypatch.setattr(plugins, "entry_points", lambda group: entries.select(group=group))

    return offer


@pytest.fixture
def module(monkeypatch):
    found = types.ModuleType("city_commands")
    monkeypatch.setitem(sys.modules, "city_commands", found)
    return found


def test_serve_without_the_server_says_what_to_install(gisgrid, installed):
    installed()
    code, out, err = gisgrid("serve", "--port", "1")
    assert (code, out) == (2, "")
    assert err == (
        "error: gisgrid serve needs gisgrid-server, which is not installed here; "
        "install it, for example pip install gisgrid-server\n"
    )
    assert "serve" in gisgrid("--help")[1]


def test_demo_without_the_server_says_so_before_it_makes_a_city(gisgrid, installed, tmp_path):
    installed()
    code, _, err = gisgrid("demo", "--data", tmp_path / "d")
    assert (code, "needs gisgrid-server" in err) == (2, True)
    assert not (tmp_path / "d").exists()


def test_a_plugin_is_listed_without_being_loaded(gisgrid, installed):
    installed(weather="no_such_module:weather")
    code, out, _ = gisgrid("--help")
    assert (code, "weather" in out) == (0, True)


def test_a_plugin_runs_with_its_options_and_its_help(gisgrid, installed, module):
    heard = []

    def greet(name: str, loud: bool = False) -> None:
        """Greet somebody."""
        heard.append((name, loud))

    module.greet = greet
    installed(greet="city_commands:greet")
    assert gisgrid("greet", "Li", "--loud")[0] == 0
    assert heard == [("Li", True)]
    code, out, _ = gisgrid("greet", "--help")
    assert (code, "Greet somebody." in out, "--loud" in out) == (0, True, True)
    code, _, err = gisgrid("greet")
    assert (code, "error: Missing argument" in err) == (2, True)


def test_a_plugin_that_cannot_be_loaded_is_said(gisgrid, installed):
    installed(serve="no_such_module:serve")
    code, _, err = gisgrid("serve")
    assert code == 2
    assert "gisgrid serve cannot be loaded from no_such_module:serve" in err


def test_gisgrid_s_own_commands_go_first(gisgrid, installed, module, layers_dir):
    installed(describe="city_commands:nothing")
    code, out, _ = gisgrid("describe", "--layers", layers_dir)
    assert (code, "communities" in out) == (0, True)


def test_demo_serves_the_city_it_has_made(gisgrid, installed, module, demo_data):
    heard = []
    module.serve = lambda **said: heard.append(said)
    installed(serve="city_commands:serve")
    words = ("--issues", "2000", "--years", "1", "--seed", "3", "--port", "8123", "--host", "::1")
    assert gisgrid("demo", "--data", demo_data, *words)[0] == 0
    (said,) = heard
    assert (said["data"], said["host"], said["port"]) == (demo_data, "::1", 8123)
    assert (said["layers"] / "catalogue.toml").exists()
