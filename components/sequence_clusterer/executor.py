"""Runs the clustering: sample and embed, fit and judge, assign and write."""

from __future__ import annotations

import io
import json
import logging as python_logging
from typing import Any

import numpy as np
import polars as pl
from absl import logging
from sklearn.decomposition import PCA
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import Artifact, artifact_utils
from tfx.utils import io_utils, path_utils

from components.sequence_clusterer.algorithms import Clustering
from components.sequence_clusterer.assignment import (
    output_splits,
    write_cluster_splits,
)
from components.sequence_clusterer.cluster_names import add_names
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.continuation import continue_clusters
from components.sequence_clusterer.continued_clusters import Continuation
from components.sequence_clusterer.embedding import split_files
from components.sequence_clusterer.fit_sample import FitSample, draw_fit_sample
from components.sequence_clusterer.label_agreement import label_agreement
from components.sequence_clusterer.last_clusters import (
    LastClusters,
    clustering_settings,
    write_users,
)
from components.sequence_clusterer.outside_labels import read_outside_labels
from components.sequence_clusterer.period_drift import measure_drift
from components.sequence_clusterer.profiles import add_titles, profile_clusters
from components.sequence_clusterer.random_partition import RandomPartition
from components.sequence_clusterer.selection import select_clustering
from components.sequence_clusterer.space import fit_space
from trainer.histories import SPLITS, TRAIN
from trainer.membership import ClusterGeometry

_MAP_USERS = 5_000
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
        encoder = artifact_utils.get_single_instance(input_dict["encoder_model"])
        model_path = path_utils.serving_model_path(encoder.uri)
        files = {split: split_files(histories, split) for split in SPLITS}

        work = f"{self._get_tmp_dir().rstrip('/')}/fit_sample"
        fileio.makedirs(work)
        sample = draw_fit_sample(self._make_beam_pipeline(), files[TRAIN], model_path, work, config)
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
        names = _write_profiles(evaluation.uri, sample, continuation, catalogue, config)
        clusters = artifact_utils.get_single_instance(output_dict["clusters"])
        _write_cluster_model(clusters, geometry, continuation, names, sample, config)
        drift = measure_drift(
            self._make_beam_pipeline(),
            files[TRAIN],
            model_path,
            work,
            sample,
            selection.algorithm,
            geometry,
            config,
        )
        agreement = _agreement_with_labels(exec_properties, sample, selection.clustering, config)
        _write_evaluation(evaluation.uri, geometry, continuation, drift, sample, config, agreement)
        _write_map(evaluation.uri, points, selection.clustering, config.seed)
        fileio.rmtree(work)

        examples = artifact_utils.get_single_instance(output_dict["examples"])
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
            files,
            model_path,
            config.batch_size,
            geometry,
            partition,
            {
                split: artifact_utils.get_split_uris([examples], split)[0].rstrip("/")
                for split in splits
            },
            unfinished,
        )
        fileio.rmtree(unfinished)


def _write_cluster_model(
    artifact: Artifact,
    geometry: ClusterGeometry,
    continuation: Continuation,
    names: list[str],
    sample: FitSample,
    config: ClusteringConfig,
) -> None:
    """Writes what assigns a user anywhere, and what the next run can go on from."""
    artifact.set_int_custom_property("clusters", geometry.clusters)
    selection = continuation.selection
    sizes = selection.clustering.sizes
    description = {
        "algorithm": selection.algorithm,
        "sizes": sizes,
        "noise": selection.clustering.noise,
        "small_clusters": _small(sizes, config),
        "seed": config.seed,
        "lasting": {
            "ids": continuation.ids.tolist(),
            "next_id": continuation.next_id,
            "names": names,
            "separated": selection.separated.tolist(),
            "settings": clustering_settings(config),
        },
    }
    geometry.save(artifact.uri, description)
    write_users(artifact.uri, sample.user_ids, selection.clustering.labels, continuation.ids)


def _write_evaluation(
    uri: str,
    geometry: ClusterGeometry,
    continuation: Continuation,
    drift: dict[str, Any],
    sample: FitSample,
    config: ClusteringConfig,
    agreement: dict[str, Any],
) -> None:
    """Writes `evaluation.json`."""
    selection = continuation.selection
    sizes = selection.clustering.sizes
    evaluation = {
        **selection.to_dict(),
        "drift": drift,
        "representation": config.representation,
        "preprocess": geometry.space.settings(),
        "rule": geometry.rule.kind,
        "rule_agreement": selection.clustering.rule_agreement,
        "users": sample.population,
        "sampled": len(sample.users),
        "sizes": sizes,
        "noise": selection.clustering.noise,
        "small_clusters": _small(sizes, config),
        "lasting": continuation.to_dict(),
        **agreement,
    }
    _write_json(f"{uri}/evaluation.json", evaluation)


def _agreement_with_labels(
    exec_properties: dict[str, Any],
    sample: FitSample,
    clustering: Clustering,
    config: ClusteringConfig,
) -> dict[str, Any]:
    """`labels` of `evaluation.json`; nothing when no file is given."""
    path = exec_properties.get("labels_file")
    if not path:
        return {}
    labels = read_outside_labels(path, config.labels_user_column, sample.users, config.seed)
    agreement = label_agreement(labels, clustering.labels, config.seed)
    return {"labels": {"file": path.rpartition("/")[2], **agreement}}


def _write_map(uri: str, points: np.ndarray, clustering: Clustering, seed: int) -> None:
    """Writes `map.parquet`: the two principal components of at most 5 000 users."""
    size = min(len(points), _MAP_USERS)
    shown = np.sort(np.random.default_rng(seed).choice(len(points), size, replace=False))
    components = min(2, size, points.shape[1])
    plane = np.zeros((size, 2), dtype=np.float32)
    if size > 1:
        plane[:, :components] = PCA(components, svd_solver="full").fit_transform(points[shown])
    frame = pl.DataFrame({"x": plane[:, 0], "y": plane[:, 1], "cluster": clustering.labels[shown]})
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    _write_bytes(f"{uri}/map.parquet", buffer.getvalue())


def _write_profiles(
    uri: str,
    sample: FitSample,
    continuation: Continuation,
    catalogue: pl.DataFrame | None,
    config: ClusteringConfig,
) -> list[str]:
    """Writes `profiles.json`; returns the clusters' names."""
    labels = continuation.selection.clustering.labels
    profiles = profile_clusters(sample.histories(), sample.users, labels, config.price_per)
    add_titles(profiles, catalogue)
    add_names(profiles)
    for k, profile in enumerate(profiles):
        profile["lasting_id"] = int(continuation.ids[k])
        profile["last_name"] = continuation.last_name(k)
    _write_json(f"{uri}/profiles.json", {"clusters": profiles, "users": len(sample.users)})
    return [profile["name"] for profile in profiles]


def _catalogue(items: list[Artifact] | None) -> pl.DataFrame | None:
    """The item catalogue, if the component was given one."""
    if not items:
        return None
    with fileio.open(f"{items[0].uri}/items.parquet", "rb") as file:
        return pl.read_parquet(io.BytesIO(file.read()), columns=["item_id", "title"])


def _small(sizes: list[int], config: ClusteringConfig) -> list[int]:
    """Clusters with fewer users than asked for."""
    return [k for k, size in enumerate(sizes) if size < config.min_cluster_users]


def _write_json(path: str, value: dict[str, Any]) -> None:
    io_utils.write_string_file(path, json.dumps(value, indent=2, allow_nan=False))


def _write_bytes(path: str, content: bytes) -> None:
    fileio.makedirs(path.rpartition("/")[0])
    with fileio.open(path, "wb") as file:
        file.write(content)
