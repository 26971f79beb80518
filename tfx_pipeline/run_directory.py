"""The files of one run directory."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tfx_pipeline.inputs import METADATA_FILE


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """Where a run keeps what it makes."""

    root: Path

    @property
    def log(self) -> Path:
        """Everything that TensorFlow, Beam and TFX said."""
        return self.root / "logs" / "run.log"

    @property
    def database(self) -> Path:
        """ML Metadata."""
        return self.root / METADATA_FILE

    @property
    def serving(self) -> Path:
        """Where models are pushed to, a numbered folder each."""
        return self.root / "serving"

    @property
    def report(self) -> Path:
        """The report page."""
        return self.root / "report" / "index.html"

    @property
    def record(self) -> Path:
        """Versions, settings, data and node states of the latest run."""
        return self.root / "run.json"

    @property
    def metrics(self) -> Path:
        """Every figure that the run printed."""
        return self.root / "metrics.json"
