"""SequenceClusterer as a TFX component."""

from __future__ import annotations

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import BaseChannel, component_spec, standard_artifacts
from tfx.types.channel import Channel

from components.artifacts import ClusterEvaluation, ClusterModel, ItemCatalogue
from components.sequence_clusterer import executor
from components.sequence_clusterer.config import ClusteringConfig


class SequenceClustererSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters; see `SequenceClusterer`."""

    PARAMETERS = {
        "config": component_spec.ExecutionParameter(type=str),
        "max_clusters": component_spec.ExecutionParameter(type=int),
        "random_partition": component_spec.ExecutionParameter(type=int),
        "labels_file": component_spec.ExecutionParameter(type=str),
        "labels_fingerprint": component_spec.ExecutionParameter(type=str),
        "start_from": component_spec.ExecutionParameter(type=str),
        "start_from_fingerprint": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    # TFX wants names that are unique over inputs and outputs: the Examples read are `histories`.
    INPUTS = {
        "histories": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "encoder_model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "items": component_spec.ChannelParameter(type=ItemCatalogue, optional=True),
    }
    OUTPUTS = {
        "clusters": component_spec.ChannelParameter(type=ClusterModel),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "evaluation": component_spec.ChannelParameter(type=ClusterEvaluation),
    }


class SequenceClusterer(base_beam_component.BaseBeamComponent):
    """Embeds users with the encoder, clusters them, and splits the Examples by cluster.

    Outputs:
        clusters: ClusterModel, what assigns a user
            (`trainer.clusters.cluster_geometry.ClusterGeometry.load`), and what the next run goes
            on from (`last_clusters`).
        examples: Examples with `cluster_id`, in the splits validation, test, and for every
            k < max_clusters cluster_{k}_train and cluster_{k}_validation, which may be empty;
            with a random partition also random_{k}_train and random_{k}_validation.
        evaluation: ClusterEvaluation, how the clusters were chosen and what is in them.
    """

    SPEC_CLASS = SequenceClustererSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: BaseChannel,
        encoder_model: BaseChannel,
        config: ClusteringConfig,
        max_clusters: int,
        random_partition: bool = False,
        items: BaseChannel | None = None,
        code_version: str = "",
        labels_file: str = "",
        labels_fingerprint: str = "",
        start_from: str = "",
        start_from_fingerprint: str = "",
    ):
        """Makes the node.

        Args:
            examples: raw histories in the splits train, validation and test.
            encoder_model: a Model whose SavedModel has the `embed` signature.
            config: how to cluster.
            max_clusters: how many per-cluster trainers the pipeline has.
            random_partition: also write the splits of a random partition with parts as large as
                the clusters, to compare with.
            items: the ItemCatalogue, for titles in the profiles.
            code_version: changes when the code does, so that the cache notices.
            labels_file: where the executor finds the file of `config.labels`; "" for none.
            labels_fingerprint: changes when that file does, so that the cache notices.
            start_from: folder of the ClusterModel that the clusters go on from, as
                `config.start_from` resolves to; "" for none.
            start_from_fingerprint: changes when the files there do.

        Raises:
            ConfigError: the configuration does not fit `max_clusters`.
        """
        config.check_against(max_clusters)
        super().__init__(
            SequenceClustererSpec(
                histories=examples,
                encoder_model=encoder_model,
                items=items,
                config=config.to_json(),
                max_clusters=max_clusters,
                random_partition=int(random_partition),
                labels_file=labels_file,
                labels_fingerprint=labels_fingerprint,
                start_from=start_from,
                start_from_fingerprint=start_from_fingerprint,
                code_version=code_version,
                clusters=Channel(type=ClusterModel),
                examples=Channel(type=standard_artifacts.Examples),
                evaluation=Channel(type=ClusterEvaluation),
            )
        )
