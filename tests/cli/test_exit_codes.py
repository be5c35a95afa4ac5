"""A user's mistake is one sentence on standard error and exit code 2; nobody sees a traceback unasked."""

import os
import signal
import subprocess
import sys
import time

import pytest

from gisgrid.cli import app as app_module
from gisgrid.cli import commands


def test_all_is_well_is_0(process):
    done = process("--version")
    assert (done.returncode, done.stdout.split()[0], done.stderr) == (0, "gisgrid", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["chek"], "No such command 'chek'"),
        (["check", "--laiers", "x"], "No such option"),
        (["check", "--layers", "nowhere"], "there is no folder of layers 'nowhere', which --layers names"),
        (["check", "--layers", "{layers}", "--data", "nowhere"], "there is no data folder 'nowhere'"),
        (["build", "--layers", "nowhere"], "there is no folder of layers 'nowhere'"),
        (["describe", "comunities", "--layers", "{layers}"], "no layer 'comunities' among {n} layers; did you mean 'communities'?"),
        (["build", "communities", "--layers", "{layers}", "--data", "."], "'communities' is a source, which is given and not made"),
        (["init"], "Missing argument"),
        (["demo", "--issues", "7"], "--issues"),
        (["demo", "--port", "99999"], "--port"),
        (["describe", "--language", "fr", "--layers", "{layers}"], "'fr' is not one of"),
    ],
)  # fmt: skip
def test_a_user_s_mistake_is_2_and_one_sentence(*, gisgrid, layers_dir, tmp_path, monkeypatch, n_layers, words, sentence):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, out, err = gisgrid(*(word.format(layers=layers_dir) for word in words))
    assert (code, out) == (2, "")
    assert sentence.format(n=n_layers) in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_mistake_in_a_process_of_its_own_is_the_same(process, layers_dir, tmp_path):
    done = process("check", "--layers", layers_dir, "--data", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: there is no data folder")
    assert "Traceback" not in done.stderr


def test_a_wrong_key_is_2_with_a_sentence_per_mistake(gisgrid, tmp_path):
    gisgrid("init", tmp_path / "city")
    path = tmp_path / "city" / "layers" / "communities" / "layer.toml"
    path.write_text(
        path.read_text("utf8").replace("title =", "titel =").replace("minzoom", "minzom"), "utf8"
    )
    code, _, err = gisgrid(
        "check", "--layers", path.parents[1], "--data", tmp_path / "city" / "data"
    )
    assert code == 2
    assert err.count("error: ") == err.count("\n") == 2
    assert "has the key 'titel' that no rule knows; did you mean 'title'?" in err


def test_debug_shows_where_an_error_comes_from(gisgrid, process, monkeypatch):
    code, _, err = gisgrid("check", "--layers", "nowhere", "--debug")
    assert code == 2
    assert "Traceback" in err
    assert "error: there is no folder" in err
    code, _, err = gisgrid("--debug", "check", "--layers", "nowhere")
    assert (code, "Traceback" in err) == (2, True)
    done = process("check", "--layers", "nowhere", GISGRID_DEBUG="1")
    assert (done.returncode, "Traceback" in done.stderr) == (2, True)


def test_a_mistake_of_gisgrid_itself_is_70_and_asks_for_a_report(gisgrid, monkeypatch):
    def broken(**_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(app_module, "app", broken)
    code, _, err = gisgrid("check")
    assert code == 70
    assert "(TypeError" in err or "(ZeroDivisionError: by nothing)" in err
    assert "--debug" in err


def test_faults_are_1(gisgrid, layers_dir, tmp_path, n_layers):
    code, out, _ = gisgrid("check", "--layers", layers_dir, "--data", tmp_path)
    assert code == 1
    assert f"{n_layers} faults in {n_layers} of {n_layers} layers" in out


def test_layers_that_wait_are_1(gisgrid, layers_dir, tmp_path):
    code, out, _ = gisgrid("build", "--layers", layers_dir, "--data", tmp_path)
    assert code == 1
    assert "waiting" in out


def test_no_command_shows_the_help(gisgrid):
    code, out, err = gisgrid()
    assert code in {0, 2}
    assert "Commands:" in out + err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a child alone")
def test_interrupted_is_130_without_a_traceback(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-m", "gisgrid.cli", "demo", "--data", str(tmp_path / "d"), "--issues", "2000000",
         "--years", "5", "--no-serve"],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        record = tmp_path / "d" / "city.json"
        until = time.monotonic() + 120
        while not record.exists() and child.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == 130
    assert err.strip().endswith("interrupted")
    assert "Traceback" not in err
    # What was begun is known as the demonstration's own, so that it can be begun again.
    assert [path.name for path in (tmp_path / "d").iterdir() if not path.name.startswith(".")] == [
        "city.json"
    ]


def test_a_reader_that_goes_away_is_no_mistake(layers_dir):
    words = [sys.executable, "-m", "gisgrid.cli", "describe", "--json", "--layers", str(layers_dir)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    child.wait(timeout=60)
    assert "Traceback" not in err
    assert "error" not in err


def test_every_command_says_what_it_does_in_chinese_too():
    for name in ("init", "check", "build", "describe", "demo"):
        assert any("\u4e00" <= sign <= "\u9fff" for sign in getattr(commands, name).__doc__)
