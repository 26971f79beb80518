"""RunReport: one self-contained HTML page of a run, with data, training, clusters and results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.run_report.component import RunReport

__all__ = ["RunReport"]


def __getattr__(name: str) -> Any:
    """Loads the node on first use: rendering a page again needs neither TFX nor its 15 seconds."""
    if name != "RunReport":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from components.run_report.component import RunReport

    return RunReport
