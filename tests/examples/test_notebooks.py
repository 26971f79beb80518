"""The notebooks run from top to bottom and show what their text says."""

import re
import sys

import nbclient
import nbformat
import pytest

from tests.helpers.repository import REPOSITORY

pytestmark = pytest.mark.e2e

EXAMPLES = REPOSITORY / "examples"
SECONDS_PER_CELL = 600
"""Far more than a cell takes, for machines that do something else as well."""


def shown_by(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """All text that the cells of a notebook print, run by the interpreter of this test."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = nbformat.read(EXAMPLES / name, as_version=4)
    # Coalesced: the kernel may send what one print writes in several messages.
    client = nbclient.NotebookClient(
        notebook, timeout=SECONDS_PER_CELL, kernel_name="python3", coalesce_streams=True
    )
    manager = client.create_kernel_manager()
    assert manager.kernel_spec
    manager.kernel_spec.argv[0] = sys.executable
    client.execute(cwd=str(EXAMPLES))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs
    )


def test_first_run(monkeypatch):
    shown = shown_by("first_run.ipynb", monkeypatch)
    for text in (
        "the cluster and the history",
        "K=2 (kmeans). Clusters found",
        "against the global encoder",
        "pushed as version",
    ):
        assert text in shown
    answer = shown[shown.rindex("history: ") :].split("rank")[1]
    assert re.findall(r"^ +(\d) +i\d{3} ", answer, re.MULTILINE) == list("12345")


def test_walkthrough(monkeypatch):
    shown = shown_by("walkthrough.ipynb", monkeypatch)
    for text in (
        "view teapot, cart teapot, view strainer, view green-tea",
        "purchase strainer",
        "K=2 (kmeans). Clusters found",
        "combination",
    ):
        assert text in shown


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.ipynb")))
def test_notebooks_are_kept_without_outputs(name):
    cells = nbformat.read(EXAMPLES / name, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
