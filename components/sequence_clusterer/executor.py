"""Runs the clustering: sample and embed, fit and judge, assign and write."""

from __future__ import annotations

import io
import logging as python_logging
from typing import Any

import polars as pl
from absl import logging
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import Artifact, artifact_utils
from tfx.utils import path_utils

from components.sequence_clusterer.algorithms import Clustering
from components.sequence_clusterer.artifact_files import (
    write_cluster_model,
    write_evaluation,
    write_map,
    write_profiles,
)
from components.sequence_clusterer.assignment.assignment import output_splits, write_cluster_splits
from components.sequence_clusterer.assignment.period_drift import measure_drift
from components.sequence_clusterer.assignment.random_partition import RandomPartition
from components.sequence_clusterer.choice.selection import select_clustering
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.evaluation_record import LabelAgreement
from components.sequence_clusterer.lasting.continuation import continue_clusters
from components.sequence_clusterer.lasting.last_clusters import LastClusters
from components.sequence_clusterer.meaning.label_agreement import label_agreement
from components.sequence_clusterer.meaning.outside_labels import read_outside_labels
from components.sequence_clusterer.sample.embedding import SavedEncoder, split_files
from components.sequence_clusterer.sample.fit_sample import FitSample, draw_fit_sample
from components.sequence_clusterer.sample.space import fit_space
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.raw_history import SPLITS, TRAIN

_progress = python_logging.getLogger("cohortrec.progress")


class Executor(base_beam_executor.BaseBeamExecutor):
    """Executor of SequenceClusterer."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Clusters the users.

        Args:
            input_dict: `histories` (Examples of BehaviorExampleGen), `encoder_model` (Model) and
                perhaps `items` (ItemCatalogue).
            output_dict: `clusters`, `examples`, `evaluation`.
            exec_properties: `config` (JSON of ClusteringConfig), `max_clusters`,
                `random_partition` and perhaps `labels_file` and `start_from`.

        Raises:
            ConfigError: the configuration does not fit `max_clusters`.
            ClusteringError: there is nothing to cluster, or the encoder model, the labels file or
                the clusters to start from are unusable.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = ClusteringConfig.from_json(exec_properties["config"])
        max_clusters = int(exec_properties["max_clusters"])
        config.check_against(max_clusters)
        histories = artifact_utils.get_single_instance(input_dict["histories"])
        model = artifact_utils.get_single_instance(input_dict["encoder_model"])
        encoder = SavedEncoder(path_utils.serving_model_path(model.uri))
        files = {split: split_files(histories, split) for split in SPLITS}

        examples = artifact_utils.get_single_instance(output_dict["examples"])
        # In the output, because TFX's temporary folder may be out of reach of Beam's workers.
        work = f"{examples.uri}/.fit_sample"
        fileio.makedirs(work)
        sample = draw_fit_sample(self._make_beam_pipeline(), files[TRAIN], encoder, work, config)
        space = fit_space(sample.embeddings, config)
        points = space.points(sample.embeddings)
        selection = select_clustering(points, config, max_clusters)
        start_from = exec_properties.get("start_from")
        continuation = continue_clusters(
            points,
            sample.user_ids,
            selection,
            LastClusters.load(start_from) if start_from else None,
            config,
            max_clusters,
        )
        for line in continuation.in_words():
            _progress.info(line)
        selection = continuation.selection
        logging.info("Clusters: %s", selection.reason)
        geometry = ClusterGeometry(space, selection.clustering.rule, config.representation)
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        catalogue = _catalogue(input_dict.get("items"))
        names = write_profiles(evaluation.uri, sample, continuation, catalogue, config)
        clusters = artifact_utils.get_single_instance(output_dict["clusters"])
        write_cluster_model(clusters, geometry, continuation, names, sample, config)
        drift = measure_drift(
            self._make_beam_pipeline(),
            files=files[TRAIN],
            encoder=encoder,
            directory=work,
            sample=sample,
            algorithm=selection.algorithm,
            geometry=geometry,
            config=config,
        )
        agreement = _agreement_with_labels(exec_properties, sample, selection.clustering, config)
        write_evaluation(evaluation.uri, geometry, continuation, drift, sample, config, agreement)
        write_map(evaluation.uri, points, selection.clustering, config.seed)
        fileio.rmtree(work)

        partition = None
        if exec_properties["random_partition"]:
            partition = RandomPartition(selection.clustering.sizes, config.seed)
        splits = output_splits(max_clusters, partition is not None)
        unfinished = f"{examples.uri}/.unfinished"
        fileio.makedirs(unfinished)
        examples.split_names = artifact_utils.encode_split_names(splits)
        examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)
        write_cluster_splits(
            self._make_beam_pipeline(),
            files=files,
            encoder=encoder,
            batch_size=config.batch_size,
            geometry=geometry,
            partition=partition,
            split_directories={
                split: artifact_utils.get_split_uris([examples], split)[0].rstrip("/")
                for split in splits
            },
            temporary=unfinished,
        )
        fileio.rmtree(unfinished)


def _agreement_with_labels(
    exec_properties: dict[str, Any],
    sample: FitSample,
    clustering: Clustering,
    config: ClusteringConfig,
) -> LabelAgreement | None:
    """`labels` of `evaluation.json`; None when no file is given."""
    path = exec_properties.get("labels_file")
    if not path:
        return None
    labels = read_outside_labels(path, config.labels_user_column, sample.users, config.seed)
    name = path.rpartition("/")[2]
    return label_agreement(labels, clustering.labels, config.seed, name)


def _catalogue(items: list[Artifact] | None) -> pl.DataFrame | None:
    """The item catalogue, if the component was given one."""
    if not items:
        return None
    with fileio.open(f"{items[0].uri}/items.parquet", "rb") as file:
        return pl.read_parquet(io.BytesIO(file.read()), columns=["item_id", "title"])
