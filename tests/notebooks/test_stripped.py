"""Notebooks are kept without output, in short cells, numbered by tens and named by their question."""

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted(Path(__file__).parents[2].joinpath("notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_is_named_by_its_question(self, path):
        assert re.fullmatch(r"\d0-[a-z0-9-]+", path.stem)

    def test_has_no_output(self, path):
        cells = [
            cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
        ]
        assert cells
        assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)

    def test_has_short_cells(self, path):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                assert len(cell.source.splitlines()) <= 8, cell.source
