"""The controls, which the clusters must beat, scored on the users of a split.

They cost as much to train as the specialists: specialists of a random partition with parts as large
as the clusters, and the global encoder trained for as many steps more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.cluster_combiner.scored import Scored
from trainer.inference.own_members import OwnMembers
from trainer.raw_history import NOISE, RANDOM_PART

_READ_BATCH = 4096


class Controls(NamedTuple):
    """The controls' own members, beside those that they share with the global encoder.

    Attributes:
        random: specialists of the random partition, by part.
        continued: the global encoder trained on.
    """

    random: Sequence[OwnMembers]
    continued: OwnMembers


class ScoredControls(NamedTuple):
    """Their queries for the users of a split.

    Attributes:
        random: the split seen through the random partition: its `clusters` are the parts.
        continued: float32 [users, width].
    """

    random: Scored
    continued: np.ndarray


def score_controls(
    files: Sequence[str], controls: Controls, scored: Scored, seed: int
) -> ScoredControls:
    """Runs the controls over a split.

    Args:
        files: of the split, whose examples say which part a user is in.
        controls: what to run.
        scored: the split as the specialists see it, users in the same order.
        seed: of the memberships in the parts.
    """
    scorer, alone = scored.scorer, scored.queries[0]
    parts = read_parts(files)
    random = scored._replace(
        queries=np.stack([alone, *(scorer.specialist_queries(s, alone) for s in controls.random)]),
        clusters=parts,
        membership=random_membership(parts, scored.clusters, scored.membership, seed),
    )
    return ScoredControls(random, scorer.specialist_queries(controls.continued, alone))


def read_parts(files: Sequence[str]) -> np.ndarray:
    """int64 [users], each user's part of the random partition; -1 for users of no cluster."""
    spec = {RANDOM_PART: tf.io.FixedLenFeature([], tf.int64)}
    dataset = tf.data.TFRecordDataset(sorted(files), "GZIP").batch(_READ_BATCH)
    parts = [tf.io.parse_example(batch, spec)[RANDOM_PART].numpy() for batch in dataset]
    return np.concatenate([*parts, np.zeros(0, np.int64)])


def random_membership(
    parts: np.ndarray, clusters: np.ndarray, membership: np.ndarray, seed: int
) -> np.ndarray:
    """Gives every user of part k the membership of a random user of cluster k.

    Specialists of a random partition are combined with these, so that they are mixed exactly as
    much as those of the clusters are.

    Args:
        parts: int64 [users], part of the random partition; -1 for users of no cluster.
        clusters: int64 [users], cluster; -1 for none.
        membership: float32 [users, K], in the clusters.
        seed: of the draws.

    Returns:
        float32 [users, K]; one-hot for the users of a part whose cluster has no user here.
    """
    rng = np.random.default_rng(seed)
    drawn = np.zeros_like(membership)
    for part in np.unique(parts[parts != NOISE]):
        mine, like = np.flatnonzero(parts == part), np.flatnonzero(clusters == part)
        if len(like):
            drawn[mine] = membership[rng.choice(like, len(mine))]
        else:
            drawn[mine, part] = 1.0
    return drawn
