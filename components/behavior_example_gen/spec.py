"""Inputs, outputs and parameters of BehaviorExampleGen."""

from __future__ import annotations

from tfx.types import component_spec, standard_artifacts

from components.artifacts import DataQuality, ItemCatalogue


class BehaviorExampleGenSpec(component_spec.ComponentSpec):
    """Every parameter is text: part of the cache key, and fit for any orchestrator."""

    PARAMETERS = {
        # JSON lists of paths, globs or folders.
        "input_files": component_spec.ExecutionParameter(type=str),
        "items_files": component_spec.ExecutionParameter(type=str),
        # JSON of DataConfig.
        "config": component_spec.ExecutionParameter(type=str),
        # JSON of EvaluationConfig.
        "evaluation": component_spec.ExecutionParameter(type=str),
        # JSON list, the setting `behavior_head.actions`.
        "behavior_actions": component_spec.ExecutionParameter(type=str),
        # Hash of the files' contents: new data is a new execution.
        "input_fingerprint": component_spec.ExecutionParameter(type=str),
        # Hash of this code: new code is one too.
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: dict[str, component_spec.ChannelParameter] = {}
    OUTPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "data_quality": component_spec.ChannelParameter(type=DataQuality),
        "items": component_spec.ChannelParameter(type=ItemCatalogue),
        "later_events": component_spec.ChannelParameter(
            type=standard_artifacts.Examples, optional=True
        ),
    }
