"""Drift: what became of the clusters from one moment to a later one, told by their users.

The rules are those of MONIC (Spiliopoulou et al. 2006, "MONIC: modeling and monitoring cluster
transitions"), for users who are known at both moments. The overlap of an old cluster X with a new
one Y is the share of X's users who are in Y.

- X *survives* as Y if overlap(X, Y) > .5 and no other old cluster does so in the same Y.
- X is *merged* into Y if overlap(X, Y) > .5 and another one is as well.
- X is *split* into several Y if none takes more than half of it, but those with overlap >= .25 each
  take half of it together.
- X *vanished* otherwise: its users are scattered.
- Y *appeared* if no old cluster survives in it, is merged into it or is split into it.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from components.sequence_clusterer.evaluation_record import ClusterTransitions

SURVIVAL_OVERLAP = 0.5
SPLIT_OVERLAP = 0.25


@dataclasses.dataclass(frozen=True)
class Transitions:
    """What became of the old clusters.

    Attributes:
        users: how many users are compared.
        flows: int64 [K + 1, K' + 1] users by old and new cluster; last row and column: noise.
        overlaps: float64 [K, K'] share of an old cluster's users in each new one; 0 where the old
            cluster has no users.
        survived: old cluster to the new one that it is.
        merged: new cluster to the old ones that went into it, two at least.
        split: old cluster to the new ones that it went into, two at least.
        vanished: old clusters that are scattered; an empty one is not listed.
        appeared: new clusters with users that no old one became.
    """

    users: int
    flows: np.ndarray
    overlaps: np.ndarray
    survived: dict[int, int]
    merged: dict[int, list[int]]
    split: dict[int, list[int]]
    vanished: list[int]
    appeared: list[int]

    @property
    def left(self) -> float:
        """Share of users who did not go where their cluster went.

        With their cluster went the users of a surviving or merged cluster who are in the new
        one that it became, those of a split one who are in one of its parts, and noise that still
        is noise.
        """
        along = [(old, new) for old, new in self.survived.items()]
        along += [(old, new) for new, olds in self.merged.items() for old in olds]
        along += [(old, new) for old, news in self.split.items() for new in news]
        stayed = sum(int(self.flows[old, new]) for old, new in [*along, (-1, -1)])
        return 1.0 - stayed / self.users

    def to_record(self) -> ClusterTransitions:
        """The part of `evaluation.json`."""
        return ClusterTransitions(
            users=self.users,
            left=self.left,
            flows=self.flows.tolist(),
            survived=self.survived,
            merged=self.merged,
            split=self.split,
            vanished=self.vanished,
            appeared=self.appeared,
            in_words=self.in_words(),
        )

    def in_words(self) -> list[str]:
        """A sentence for every transition, old clusters by number."""
        words = [
            f"Cluster {old} lives on as cluster {new} ({self.overlaps[old, new]:.0%} of its users)."
            for old, new in self.survived.items()
        ]
        words += [
            f"Clusters {_and(olds)} merged into cluster {new}." for new, olds in self.merged.items()
        ]
        words += [
            f"Cluster {old} split into clusters {_and(news)}." for old, news in self.split.items()
        ]
        words += [f"Cluster {old} vanished: its users are scattered." for old in self.vanished]
        words += [f"Cluster {new} appeared." for new in self.appeared]
        return words


def find_transitions(
    before: np.ndarray, after: np.ndarray, k_before: int, k_after: int
) -> Transitions:
    """Compares the clusters of the same users at two moments.

    Args:
        before: int64 [n] in [-1, k_before), the users' old clusters; -1 is noise.
        after: int64 [n] in [-1, k_after), their new clusters, in the same order.
        k_before: the number of old clusters.
        k_after: the number of new clusters.

    Raises:
        ValueError: the two do not have the same length, or it is zero.
    """
    if before.shape != after.shape or not len(before):
        raise ValueError(
            f"transitions need the labels of the same users at both moments; got {len(before)} old "
            f"and {len(after)} new ones"
        )
    flows = flow_matrix(before, after, k_before, k_after)
    sizes = flows[:k_before].sum(axis=1)
    overlaps = flows[:k_before, :k_after] / np.maximum(sizes, 1)[:, np.newaxis]
    became: dict[int, list[int]] = {}
    split: dict[int, list[int]] = {}
    vanished = []
    for old in np.flatnonzero(sizes).tolist():
        row = overlaps[old]
        parts = np.flatnonzero(row >= SPLIT_OVERLAP).tolist()
        if row.size and row.max() > SURVIVAL_OVERLAP:
            became.setdefault(int(row.argmax()), []).append(old)
        elif len(parts) > 1 and row[parts].sum() >= SURVIVAL_OVERLAP:
            split[old] = parts
        else:
            vanished.append(old)
    reached = set(became) | {new for news in split.values() for new in news}
    populated = np.flatnonzero(flows[:, :k_after].sum(axis=0)).tolist()
    return Transitions(
        users=len(before),
        flows=flows,
        overlaps=overlaps,
        survived={olds[0]: new for new, olds in became.items() if len(olds) == 1},
        merged={new: olds for new, olds in became.items() if len(olds) > 1},
        split=split,
        vanished=vanished,
        appeared=[new for new in populated if new not in reached],
    )


def flow_matrix(before: np.ndarray, after: np.ndarray, k_before: int, k_after: int) -> np.ndarray:
    """Users by old and new cluster, int64 [k_before + 1, k_after + 1]; noise (-1) comes last."""
    rows = np.where(before < 0, k_before, before)
    columns = np.where(after < 0, k_after, after)
    shape = (k_before + 1, k_after + 1)
    cells = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return cells.reshape(shape).astype(np.int64)


def _and(clusters: list[int]) -> str:
    """Numbers in a sentence: "1, 2 and 5"."""
    *others, last = [str(cluster) for cluster in clusters]
    return f"{', '.join(others)} and {last}" if others else last
