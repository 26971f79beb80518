"""Clusters that go on from an earlier run's, of points made by hand."""

import dataclasses

import numpy as np
import pyarrow as pa
from scipy.stats import ortho_group

from components.sequence_clusterer.choice.selection import select_clustering
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.lasting.continuation import continue_clusters
from components.sequence_clusterer.lasting.last_clusters import LastClusters, clustering_settings

DIM = 8

CONFIG = ClusteringConfig(normalize=False, restarts=2, min_cluster_users=10)

# Another encoder: the same users elsewhere, mirrored, and at another scale.
ROTATION = 3.0 * ortho_group.rvs(DIM, random_state=1)


def points_of(groups, seed=0):
    """[(axis or centre, users)] -> points in the new encoder's space."""
    rng = np.random.default_rng(seed)
    parts = []
    for centre, users in groups:
        place = np.eye(DIM)[centre] if isinstance(centre, int) else np.asarray(centre)
        parts.append(place + rng.normal(0, 0.1, (users, DIM)))
    return (np.concatenate(parts) @ ROTATION).astype(np.float32)


def users_named(prefix, n):
    return [f"{prefix}{i}" for i in range(n)]


def last_run(clusters, config=CONFIG, **changes):
    """{lasting number: user ids} -> what a run left."""
    ids = sorted(clusters)
    k = len(ids)
    users = [user for number in ids for user in clusters[number]]
    labels = np.repeat(np.arange(k), [len(clusters[number]) for number in ids])
    left = LastClusters(
        uri="/last",
        algorithm="kmeans",
        settings=clustering_settings(config),
        ids=np.array(ids),
        next_id=max(ids) + 1,
        separated=~np.eye(k, dtype=bool),
        names=[f"name of {number}" for number in ids],
        user_ids=pa.array(users),
        labels=labels,
    )
    return dataclasses.replace(left, **changes)


def go_on(groups, users, last, config=CONFIG, max_clusters=5):
    points = points_of(groups)
    selection = select_clustering(points, config, max_clusters)
    return continue_clusters(points, pa.array(users), selection, last, config, max_clusters)
