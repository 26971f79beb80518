"""The component: TFX's ExampleValidator with a stricter executor."""

from __future__ import annotations

from tfx.components import ExampleValidator
from tfx.dsl.components.base import executor_spec

from components.history_validator.executor import Executor


class HistoryValidator(ExampleValidator):
    """Validates the statistics of histories against the curated schema.

    Inputs and outputs are those of `tfx.components.ExampleValidator`: `statistics` and `schema`
    in, `anomalies` out. It fails with `AnomalyError` when a split has an anomaly of severity
    ERROR, so that nothing is trained on data of the wrong form; warnings are only recorded.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
