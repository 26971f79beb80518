"""The users of a split as the global encoder and the specialists represent them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.clusters.mixture import strongest
from trainer.data.histories import Histories
from trainer.evaluation.scorer import Scorer
from trainer.inference.own_members import OwnMembers


class Scored(NamedTuple):
    """The queries of all encoders for the users of a split.

    Attributes:
        histories: the users, with their held-out items.
        scorer: ranks items for them.
        queries: float32 [K + 1, users, width], the global encoder's first.
        clusters: int64 [users]; -1 for noise.
        membership: float32 [users, K]; zero except for the clusters that count for a user.
    """

    histories: Histories
    scorer: Scorer
    queries: np.ndarray
    clusters: np.ndarray
    membership: np.ndarray

    def routed(self) -> np.ndarray:
        """float32 [users, width], the specialist's query; for noise the global encoder's."""
        return self.queries[1 + self.clusters, np.arange(len(self.clusters))]


def score(
    scorer: Scorer,
    specialists: Sequence[OwnMembers],
    geometry: ClusterGeometry,
    per_user: int,
) -> Scored:
    """Runs all encoders over a split.

    Args:
        scorer: of the split's users and the global encoder.
        specialists: the own members of each; members shared with the encoder are run once for all.
        geometry: of the K clusters.
        per_user: how many clusters of each user count.
    """
    alone, represented = scorer.queries_and_representations(geometry.representation)
    queries = np.stack([alone, *(scorer.specialist_queries(s, alone) for s in specialists)])
    membership = strongest(geometry.membership(represented), per_user).numpy()
    return Scored(scorer.histories, scorer, queries, geometry.assign(represented), membership)
