"""ClusterCombiner as a TFX component."""

from __future__ import annotations

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, component_spec, standard_artifacts
from tfx.types.channel import Channel

from components.artifacts import ClusterModel, ItemCatalogue, ModelComparison
from components.cluster_combiner import executor
from components.cluster_combiner.config import CombinerConfig
from trainer.behavior_config import BehaviorConfig
from trainer.config import ServingConfig
from trainer.evaluation_config import EvaluationConfig

MAX_SPECIALISTS = 64


class ClusterCombinerSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters; see `ClusterCombiner`."""

    PARAMETERS = {
        "config": component_spec.ExecutionParameter(type=str),
        "serving": component_spec.ExecutionParameter(type=str),
        "evaluation": component_spec.ExecutionParameter(type=str),
        "behavior_head": component_spec.ExecutionParameter(type=str),
        "seed": component_spec.ExecutionParameter(type=int),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    # One name per specialist: `dsl.union` of a list of channels does not compile for Kubeflow.
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "histories": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "later_events": component_spec.ChannelParameter(
            type=standard_artifacts.Examples, optional=True
        ),
        "encoder_model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "clusters": component_spec.ChannelParameter(type=ClusterModel),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "items": component_spec.ChannelParameter(type=ItemCatalogue, optional=True),
        **{
            name: component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True)
            for k in range(MAX_SPECIALISTS)
            for name in (f"specialist_{k}", f"random_{k}")
        },
        "continued": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "comparison": component_spec.ChannelParameter(type=ModelComparison),
        "judged": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }


class ClusterCombiner(base_component.BaseComponent):
    """Fits H_c = sum_k w_k H_k and exports it for TF Serving.

    Outputs:
        model: Model with its signatures, see docs/reference/signatures.md.
        comparison: ModelComparison, every model ranked on the same validation and test users.
        judged: Examples, the split test with what the best free baseline recommends to each user
            (`free_item_ids`), for the Evaluator.
    """

    SPEC_CLASS = ClusterCombinerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: BaseChannel,
        histories: BaseChannel,
        encoder_model: BaseChannel,
        clusters: BaseChannel,
        transform_graph: BaseChannel,
        config: CombinerConfig,
        serving: ServingConfig,
        seed: int,
        evaluation: EvaluationConfig | None = None,
        behavior_head: BehaviorConfig | None = None,
        later_events: BaseChannel | None = None,
        items: BaseChannel | None = None,
        code_version: str = "",
        **models: BaseChannel,
    ):
        """Makes the node.

        Args:
            examples: SequenceClusterer's, with the splits validation and test.
            histories: BehaviorExampleGen's; item counts and transitions come from the split train.
            encoder_model: the global encoder's Model.
            clusters: the ClusterModel.
            transform_graph: what the encoder was trained with.
            config: how strengths are fitted.
            serving: length of the lists.
            seed: of folds and batches.
            evaluation: what models are asked for; default `EvaluationConfig()`.
            behavior_head: what the behaviour head foresees; default `BehaviorConfig()`, no head.
            later_events: BehaviorExampleGen's, for the behaviour head; None without one.
            items: the ItemCatalogue; its titles travel with the exported model.
            code_version: changes when the code does, so that the cache notices.
            **models: `specialist_0` … `specialist_{n-1}`, Models by cluster; perhaps the controls
                `random_0` … `random_{n-1}`, Models by part of the random partition, and
                `continued`, the global encoder trained on.
        """
        super().__init__(
            ClusterCombinerSpec(
                examples=examples,
                histories=histories,
                encoder_model=encoder_model,
                clusters=clusters,
                transform_graph=transform_graph,
                items=items,
                config=config.to_json(),
                serving=serving.to_json(),
                evaluation=(evaluation or EvaluationConfig()).to_json(),
                behavior_head=(behavior_head or BehaviorConfig()).to_json(),
                later_events=later_events,
                seed=seed,
                code_version=code_version,
                model=Channel(type=standard_artifacts.Model),
                comparison=Channel(type=ModelComparison),
                judged=Channel(type=standard_artifacts.Examples),
                **models,
            )
        )
