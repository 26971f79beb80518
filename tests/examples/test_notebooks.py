"""The notebooks run from top to bottom, and show what their text says."""

import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

from tests.helpers.repository import REPOSITORY

pytestmark = pytest.mark.e2e

EXAMPLES = REPOSITORY / "examples"
SECONDS_PER_CELL = 600
"""Far more than a cell takes, on machines that do something else as well."""


def executed(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Everything that the cells of a notebook print, run by the interpreter of this test."""
    kernels = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]}
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = nbformat.read(EXAMPLES / name, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=SECONDS_PER_CELL, kernel_name="python3")
    client.create_kernel_manager()
    client.km.kernel_spec.argv = kernels["argv"]
    client.execute(cwd=str(EXAMPLES))
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )


def test_first_run(monkeypatch):
    shown = executed("first_run.ipynb", monkeypatch)
    assert "Clusters found" in shown
    assert "pushed as version" in shown
    assert "Routing every user to a specialist" in shown
    assert shown.rstrip().count("\n  5 ") or "    5 " in shown


def test_walkthrough(monkeypatch):
    shown = executed("walkthrough.ipynb", monkeypatch)
    assert "view teapot, cart teapot, view strainer, view green-tea" in shown
    assert "combination" in shown
    assert "Clusters found" in shown


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_without_outputs(path: Path):
    cells = nbformat.read(path, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
