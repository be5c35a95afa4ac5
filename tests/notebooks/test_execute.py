"""Every notebook runs from its first cell to its last, offline, and shows what it promises."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

PROJECT = Path(__file__).parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.mark.filterwarnings(
    "default"
)  # the kernel's own machinery warns; the cells' warnings are errors of theirs
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_a_map_and_a_figure(path, monkeypatch):
    monkeypatch.setitem(os.environ, "MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    shown = [
        output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    ]
    kinds = {kind for output in shown for kind in output.get("data", {})}
    assert {"image/png", "text/html"} <= kinds
    assert not [output for output in shown if output.get("name") == "stderr"], (
        "a cell wrote to stderr"
    )
    html = "".join(
        output["data"]["text/html"] for output in shown if "text/html" in output.get("data", {})
    )
    assert "leaflet" in html.lower()
    assert 'src="http' not in html
    assert 'href="http' not in html.replace('xmlns="http', "")
    out = PROJECT / "ci-output"
    if os.environ.get("CI"):
        out.mkdir(exist_ok=True)
        nbformat.write(notebook, out / path.name)
