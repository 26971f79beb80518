"""ExampleValidator that stops the pipeline on an anomaly that matters."""

from components.history_validator.component import HistoryValidator

__all__ = ["HistoryValidator"]
