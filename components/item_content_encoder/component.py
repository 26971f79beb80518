"""ItemContentEncoder as a TFX component."""

from __future__ import annotations

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, component_spec, standard_artifacts
from tfx.types.channel import Channel

from components.artifacts import ItemCatalogue
from components.item_content_encoder import executor
from components.item_content_encoder.config import ContentConfig
from components.item_content_encoder.weights import weights_fingerprint


class ItemContentEncoderSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters; see `ItemContentEncoder`."""

    PARAMETERS = {
        "config": component_spec.ExecutionParameter(type=str),
        "weights_fingerprint": component_spec.ExecutionParameter(type=str),
        "cache": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {"items": component_spec.ChannelParameter(type=ItemCatalogue)}
    OUTPUTS = {"content": component_spec.ChannelParameter(type=standard_artifacts.Model)}


class ItemContentEncoder(base_component.BaseComponent):
    """Encodes the items' texts with a pretrained BERT, each text once.

    Outputs:
        content: a Model whose serving folder holds `trainer.data.item_content.ItemContent`. It is a
            Model because that is what a standard Trainer takes beside its data, as `base_model`.
    """

    SPEC_CLASS = ItemContentEncoderSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self, items: BaseChannel, config: ContentConfig, cache: str, code_version: str = ""
    ):
        """Makes the node. The weights are read once, for their fingerprint, if they are here.

        Args:
            items: the ItemCatalogue.
            config: which BERT, and how much of a text.
            cache: folder or URI for the vectors of texts, which outlives the run.
            code_version: changes when the code does.
        """
        super().__init__(
            ItemContentEncoderSpec(
                items=items,
                config=config.to_json(),
                weights_fingerprint=weights_fingerprint(config.weights),
                cache=cache,
                code_version=code_version,
                content=Channel(type=standard_artifacts.Model),
            )
        )
