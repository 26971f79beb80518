"""The clusters of a run that may go on from the last one's, and what became of these."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from components.sequence_clusterer.choice.selection import Selection
from components.sequence_clusterer.evaluation_record import (
    ChosenAnew,
    ClusterChange,
    LastingClusters,
    LastRun,
)
from components.sequence_clusterer.lasting.last_clusters import LastClusters

How = Literal["first", "continued", "matched", "afresh"]


@dataclasses.dataclass(frozen=True)
class Continuation:
    """The clusters of this run and what they have to do with the last one's.

    Attributes:
        selection: the clustering, its clusters in the order of `ids`.
        ids: int64 [K], lasting numbers, rising.
        next_id: a number above every one that was ever given.
        how: "continued", "matched" or "afresh" as in `continuation`; "first" where there is nothing
            to go on from.
        reason: for the reader of the report.
        last: the last run's clusters, None for "first".
        common: users of the sample who were in a cluster of the last run.
        found_again: adjusted Rand index by which the old clusters are in the new space; None where
            it was not measured.
        changes: what happened to each cluster.
        flows: int64 [K_old, K] common users by old and new cluster; None without a comparison.
        new_users: int64 [K] users of the sample who were in none of the old clusters.
        anew: what would have been chosen without the last run, for "continued" only.
    """

    selection: Selection
    ids: np.ndarray
    next_id: int
    how: How
    reason: str = ""
    last: LastClusters | None = None
    common: int = 0
    found_again: float | None = None
    changes: list[ClusterChange] = dataclasses.field(default_factory=list)
    flows: np.ndarray | None = None
    new_users: np.ndarray | None = None
    anew: ChosenAnew | None = None

    def last_name(self, cluster: int) -> str | None:
        """What a cluster of this run was called in the last one; None if it was not there."""
        if self.last is None:
            return None
        old = np.flatnonzero(self.last.ids == self.ids[cluster])
        return self.last.names[int(old[0])] if len(old) else None

    def to_record(self) -> LastingClusters:
        """The part `lasting` of `evaluation.json`."""
        ids = self.ids.tolist()
        if self.last is None:
            return LastingClusters(ids=ids, how=self.how, reason=self.reason)
        return LastingClusters(
            ids=ids,
            how=self.how,
            reason=self.reason,
            last=LastRun(
                uri=self.last.uri,
                ids=self.last.ids.tolist(),
                names=self.last.names,
                users=len(self.last.user_ids),
            ),
            common_users=self.common,
            found_again=self.found_again,
            changes=self.changes,
            flows=None if self.flows is None else self.flows.tolist(),
            new_users=None if self.new_users is None else self.new_users.tolist(),
            anew=self.anew,
        )

    def in_words(self) -> list[str]:
        """What the person who waits for the run should know; nothing on a first run."""
        news = [change.words for change in self.changes if change.kind != "kept"]
        return [self.reason, *news] if self.reason else []
