"""CuratedSchema as a TFX component."""

from __future__ import annotations

import hashlib

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts
from tfx.types.channel import Channel

from components.curated_schema import executor


class CuratedSchemaSpec(component_spec.ComponentSpec):
    """Output and parameter; see `CuratedSchema`."""

    PARAMETERS = {"version": component_spec.ExecutionParameter(type=str)}
    INPUTS: dict[str, component_spec.ChannelParameter] = {}
    OUTPUTS = {"schema": component_spec.ChannelParameter(type=standard_artifacts.Schema)}


class CuratedSchema(base_component.BaseComponent):
    """Puts `schema/history.pbtxt` of the installed project into a Schema artifact.

    TFX's ImportSchemaGen takes a path: that of another machine when a pipeline is compiled for
    Kubeflow, and the same path after the file was edited, so that the cache would not notice.
    """

    SPEC_CLASS = CuratedSchemaSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(self) -> None:
        """Makes the node; the schema's content is part of its cache key."""
        version = hashlib.sha256(executor.history_schema()).hexdigest()[:16]
        super().__init__(
            CuratedSchemaSpec(version=version, schema=Channel(type=standard_artifacts.Schema))
        )
