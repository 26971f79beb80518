"""Renders the report page of a finished run again."""

from __future__ import annotations

from pathlib import Path

from tfx_pipeline.dag import nodes
from tfx_pipeline.local.run_directory import RunDirectory
from tfx_pipeline.paths.inputs import InputError


def render_again(run_dir: Path) -> Path:
    """Renders the page of the newest run that got as far as its report.

    Args:
        run_dir: the run directory; its page is replaced.

    Returns:
        The page.

    Raises:
        InputError: if this is no run directory, or no run in it got so far.
    """
    directory = RunDirectory(run_dir)
    if not directory.database.is_file():
        raise InputError(f"{str(run_dir)!r} is no run directory: it has no metadata.db")
    # Only now, because they load TFX.
    from components.artifacts import Report
    from components.run_report.executor import Executor
    from tfx_pipeline.local.metadata import RunMetadata

    metadata = RunMetadata(directory.database)
    execution = metadata.latest(nodes.REPORT)
    if execution is None:
        raise InputError(f"no run in {str(run_dir)!r} got as far as its report; run it again")
    parameters = metadata.parameters(execution)
    if "gates_config" not in parameters:
        raise InputError(f"{str(run_dir)!r} was made by an earlier release; run it again")
    page = Report()
    page.uri = str(directory.report.parent)
    Executor().Do(metadata.inputs(execution), {"report": [page]}, parameters)
    return directory.report
