"""Arrays in a folder: several who write at once leave one whole edition, and none takes away another's draft."""

import multiprocessing

import numpy as np
import pytest

from gisgrid.errors import OutputError
from gisgrid.features import storage

ROUNDS = 20


def _save_often(folder, value):
    for _ in range(ROUNDS):
        storage.save(folder, {"value": value}, {f"a{i}": np.full(2_000, value) for i in range(6)})


def test_processes_that_save_at_once_leave_each_other_whole(tmp_path):
    folder = tmp_path / "shared"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_save_often, args=(folder, value)) for value in (1, 2, 3)]
    for one in writers:
        one.start()
    for one in writers:
        one.join(120)
    assert [one.exitcode for one in writers] == [0, 0, 0]
    about, arrays = storage.open_folder(folder)
    assert len(arrays) == 6
    assert {int(value) for array in arrays.values() for value in array} == {about["value"]}
    assert [path.name for path in folder.glob("arrays-*")] == [about["edition"]]


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path):
    with pytest.raises(OutputError, match=r"features cannot be written to .*make room there"):
        storage.save(tmp_path / "not" / "there", {}, {"a": np.zeros(1)})


def test_a_draft_that_fails_is_taken_away_and_the_old_edition_stays(tmp_path):
    edition = storage.save(tmp_path / "kept", {"n": 1}, {"a": np.arange(3)})
    with pytest.raises(ValueError, match="allow_pickle"):
        storage.save(tmp_path / "kept", {"n": 2}, {"a": np.array([object()])})
    about, arrays = storage.open_folder(tmp_path / "kept")
    assert (about["n"], about["edition"], arrays["a"].tolist()) == (1, edition, [0, 1, 2])
    assert len(list((tmp_path / "kept").glob("arrays-*"))) == 1
