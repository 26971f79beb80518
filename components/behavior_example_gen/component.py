"""The TFX component: event log in, one tf.Example per user history out."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts

from components.artifacts import DataQuality, ItemCatalogue
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.executor import Executor
from components.behavior_example_gen.spec import BehaviorExampleGenSpec
from trainer.evaluation_config import EvaluationConfig


class BehaviorExampleGen(base_beam_component.BaseBeamComponent):
    """Reads event logs (CSV, Parquet, JSON Lines, sequence files), cleans and splits them.

    Outputs:
        examples: splits train, validation and test of raw histories (`schema/history.pbtxt`).
        data_quality: what was read, kept and dropped; the quarantine.
        items: the catalogue.
        later_events: only with `behavior_actions`. Histories that go on through the windows of
            validation and test; `first_target` is their first event of the window.
    """

    SPEC_CLASS = BehaviorExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        input_files: Sequence[str],
        items_files: Sequence[str] = (),
        config: DataConfig | None = None,
        evaluation: EvaluationConfig | None = None,
        behavior_actions: Sequence[str] = (),
        input_fingerprint: str = "",
        code_version: str = "",
    ) -> None:
        """Makes the node.

        Args:
            input_files: event logs: paths, globs or folders.
            items_files: items files, the same.
            config: rules; default `DataConfig()`.
            evaluation: what is held out; default `EvaluationConfig()`.
            behavior_actions: what the behaviour head foresees; none without one.
            input_fingerprint: hash of the files' content; new content reads them again.
            code_version: changes when the code does.
        """
        spec = BehaviorExampleGenSpec(
            input_files=json.dumps(list(input_files)),
            items_files=json.dumps(list(items_files)),
            config=(config or DataConfig()).to_json(),
            evaluation=(evaluation or EvaluationConfig()).to_json(),
            behavior_actions=json.dumps(list(behavior_actions)),
            input_fingerprint=input_fingerprint,
            code_version=code_version,
            examples=channel.Channel(type=standard_artifacts.Examples),
            data_quality=channel.Channel(type=DataQuality),
            items=channel.Channel(type=ItemCatalogue),
            later_events=(
                channel.Channel(type=standard_artifacts.Examples) if behavior_actions else None
            ),
        )
        super().__init__(spec=spec)
