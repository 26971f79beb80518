"""The files of the component's artifacts: cluster model, evaluation, map and profiles."""

from __future__ import annotations

import numpy as np
import polars as pl
from sklearn.decomposition import PCA
from tfx.types import Artifact

from components.sequence_clusterer.algorithms import Clustering
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.evaluation_record import (
    DriftRecord,
    EvaluationRecord,
    LabelAgreement,
)
from components.sequence_clusterer.lasting.continued_clusters import Continuation
from components.sequence_clusterer.lasting.last_clusters import clustering_settings, write_users
from components.sequence_clusterer.meaning.cluster_names import add_names
from components.sequence_clusterer.meaning.profiles import add_titles, profile_clusters
from components.sequence_clusterer.profiles_record import ClusterProfile, ProfilesRecord
from components.sequence_clusterer.sample.fit_sample import FitSample
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.uri_files import write_parquet

_MAP_USERS = 5_000


def write_cluster_model(
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


def write_evaluation(
    uri: str,
    geometry: ClusterGeometry,
    continuation: Continuation,
    drift: DriftRecord,
    sample: FitSample,
    config: ClusteringConfig,
    labels: LabelAgreement | None,
) -> None:
    """Writes `evaluation.json`."""
    selection = continuation.selection
    sizes = selection.clustering.sizes
    EvaluationRecord(
        **dict(selection.to_record()),
        drift=drift,
        representation=config.representation,
        preprocess=geometry.space.settings(),
        rule=geometry.rule.kind,
        rule_agreement=selection.clustering.rule_agreement,
        users=sample.population,
        sampled=len(sample.users),
        sizes=sizes,
        noise=selection.clustering.noise,
        small_clusters=_small(sizes, config),
        lasting=continuation.to_record(),
        **({} if labels is None else {"labels": labels}),
    ).write(uri)


def write_map(uri: str, points: np.ndarray, clustering: Clustering, seed: int) -> None:
    """Writes `map.parquet`: the two principal components of at most 5 000 users."""
    size = min(len(points), _MAP_USERS)
    shown = np.sort(np.random.default_rng(seed).choice(len(points), size, replace=False))
    components = min(2, size, points.shape[1])
    plane = np.zeros((size, 2), dtype=np.float32)
    if size > 1:
        plane[:, :components] = PCA(components, svd_solver="full").fit_transform(points[shown])
    frame = pl.DataFrame({"x": plane[:, 0], "y": plane[:, 1], "cluster": clustering.labels[shown]})
    write_parquet(f"{uri}/map.parquet", frame)


def write_profiles(
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
    described = [ClusterProfile.model_validate(profile) for profile in profiles]
    ProfilesRecord(clusters=described, users=len(sample.users)).write(uri)
    return [profile["name"] for profile in profiles]


def _small(sizes: list[int], config: ClusteringConfig) -> list[int]:
    """Clusters with fewer users than asked for."""
    return [k for k, size in enumerate(sizes) if size < config.min_cluster_users]
