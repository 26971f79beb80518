"""RunReport: the TFX node that writes the page of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import (
    ClusterEvaluation,
    DataQuality,
    ItemCatalogue,
    ModelComparison,
    Report,
)
from components.gates.config import GatesConfig
from components.run_report import executor

MAX_SPECIALISTS = 64


class RunReportSpec(types.ComponentSpec):
    """Inputs, parameters and output of RunReport; see the README of this folder.

    The specialists' runs are inputs by name (`specialist_run_0`, …), all optional: a list of
    channels under one name does not compile for Kubeflow.
    """

    PARAMETERS = {
        "run_name": ExecutionParameter(type=str),
        "gates_config": ExecutionParameter(type=str),
        "provenance": ExecutionParameter(type=str, optional=True),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "data_quality": ChannelParameter(type=DataQuality),
        "encoder_run": ChannelParameter(type=standard_artifacts.ModelRun),
        "cluster_evaluation": ChannelParameter(type=ClusterEvaluation),
        "comparison": ChannelParameter(type=ModelComparison),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
        "baseline": ChannelParameter(type=standard_artifacts.Model),
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel, optional=True),
        "items": ChannelParameter(type=ItemCatalogue, optional=True),
        **{
            executor.SPECIALIST_RUN.format(k): ChannelParameter(
                type=standard_artifacts.ModelRun, optional=True
            )
            for k in range(MAX_SPECIALISTS)
        },
    }
    OUTPUTS = {"report": ChannelParameter(type=Report)}


class RunReport(base_component.BaseComponent):
    """Writes one self-contained HTML page (`index.html`) and its figures (`metrics.json`).

    A model that the gates refused gets its report too: the node does not depend on the blessing.
    """

    SPEC_CLASS = RunReportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        *,
        data_quality: types.BaseChannel,
        encoder_run: types.BaseChannel,
        cluster_evaluation: types.BaseChannel,
        comparison: types.BaseChannel,
        evaluation: types.BaseChannel,
        blessing: types.BaseChannel,
        baseline: types.BaseChannel,
        infra_blessing: types.BaseChannel | None = None,
        gates: GatesConfig,
        run_name: str,
        specialist_runs: Sequence[types.BaseChannel] = (),
        pushed_model: types.BaseChannel | None = None,
        items: types.BaseChannel | None = None,
        provenance: Mapping[str, Any] | None = None,
        code_version: str = "",
    ) -> None:
        """Makes the node.

        Args:
            data_quality: DataQuality of BehaviorExampleGen.
            encoder_run: ModelRun of Trainer.encoder.
            cluster_evaluation: ClusterEvaluation of SequenceClusterer.
            comparison: ModelComparison of ClusterCombiner.
            evaluation: ModelEvaluation of the Evaluator.
            blessing: ModelBlessing of the Evaluator.
            baseline: Model of BaselineModel.
            infra_blessing: InfraBlessing of the InfraValidator, where the pipeline has one.
            gates: the settings that the Evaluator's configuration was built from.
            run_name: title of the page.
            specialist_runs: ModelRun of Trainer.cluster_0, Trainer.cluster_1, … in this order.
            pushed_model: PushedModel of the Pusher: where the model went, or why it did not.
            items: ItemCatalogue, for the titles of items.
            provenance: versions, settings and fingerprints, shown as they are (JSON values).
            code_version: fingerprint of the code; a new one makes a new report.

        Raises:
            ValueError: if there are more specialists than the node has inputs for.
        """
        if len(specialist_runs) > MAX_SPECIALISTS:
            raise ValueError(
                f"{len(specialist_runs)} specialist runs given, RunReport takes {MAX_SPECIALISTS}"
            )
        specialists = {
            executor.SPECIALIST_RUN.format(k): channel for k, channel in enumerate(specialist_runs)
        }
        super().__init__(
            spec=RunReportSpec(
                data_quality=data_quality,
                encoder_run=encoder_run,
                cluster_evaluation=cluster_evaluation,
                comparison=comparison,
                evaluation=evaluation,
                blessing=blessing,
                infra_blessing=infra_blessing,
                baseline=baseline,
                pushed_model=pushed_model,
                items=items,
                **specialists,
                run_name=run_name,
                gates_config=gates.to_json(),
                provenance=json.dumps(dict(provenance or {}), sort_keys=True),
                code_version=code_version,
                report=types.Channel(type=Report),
            )
        )
