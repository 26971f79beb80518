"""BaselineModel as a TFX component."""

from __future__ import annotations

from typing import Literal

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, component_spec, standard_artifacts
from tfx.types.channel import Channel

from components.baseline_model import executor


class BaselineModelSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters; see `BaselineModel`."""

    PARAMETERS = {
        "push_destination": component_spec.ExecutionParameter(type=str),
        "nonce": component_spec.ExecutionParameter(type=str),
        "against": component_spec.ExecutionParameter(type=str),
        "top_k": component_spec.ExecutionParameter(type=int),
        "exclude_seen": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {"examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {"model": component_spec.ChannelParameter(type=standard_artifacts.Model)}


class BaselineModel(base_component.BaseComponent):
    """Puts the model to beat beside the candidate.

    It takes the place of TFX's Resolver: what is served is read from the push destination itself,
    not from ML Metadata, so a fresh metadata store, a rollback by hand or another orchestrator
    make no difference, and the first push faces a change threshold too.

    Outputs:
        model: Model with the signatures of a trained one, `baseline.json` beside it
            (`components.baseline_model.record.BaselineRecord`), and the string custom properties
            `source` ("served", "own_items" or "popularity") and `version`.
    """

    SPEC_CLASS = BaselineModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: BaseChannel,
        push_destination: str,
        nonce: str,
        against: Literal["served", "free"] = "served",
        top_k: int = 20,
        exclude_seen: bool | Literal["auto"] = "auto",
        code_version: str = "",
    ):
        """Makes the node.

        Args:
            examples: raw histories in the splits train and validation.
            push_destination: folder or URI where the Pusher writes numbered versions.
            nonce: must differ from run to run: the outside world may have changed, so the node
                may never come from the cache.
            against: "free" puts a free baseline there although a model is served. What is served
                is recorded all the same, for the Pusher.
            top_k: length of the lists that a free baseline serves.
            exclude_seen: leave items that the user already has out; "auto" decides from the share
                of repeats in the data.
            code_version: changes when the code does.
        """
        super().__init__(
            BaselineModelSpec(
                examples=examples,
                push_destination=push_destination,
                nonce=nonce,
                against=against,
                top_k=top_k,
                exclude_seen=str(exclude_seen).lower(),
                code_version=code_version,
                model=Channel(type=standard_artifacts.Model),
            )
        )
