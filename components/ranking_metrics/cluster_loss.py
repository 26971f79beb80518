"""Whether NDCG@k fell in some cluster by more than is allowed, and not by chance.

A cluster of 200 users has a standard error of about .02 in NDCG@10: a threshold on the plain
difference would refuse every second model there for nothing. And of twenty clusters one seems to
lose at a level of 5 % although none does. So the p-values of the clusters are corrected for the
number of clusters that are judged (Holm).

TFMA gives a metric the users of one slice and no other slice's. Whether any cluster lost is
therefore asked of *all* users, whose clusters the metric tells apart itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from tensorflow_model_analysis import metrics
from tensorflow_model_analysis.proto import config_pb2

from components.ranking_metrics.paired import (
    CountPairs,
    PairedMetric,
    Pairs,
    columns,
    paired_computations,
)
from trainer.evaluation.chance import above_zero_p_value, holm


class ClusterLoss(PairedMetric):
    """P-values of a loss in NDCG@k that is larger than allowed.

    Two metrics of the candidate, both of TFMA's kind "difference", so that a change threshold
    applies to the second:

    - `basket_ndcg@k_loss_p_value`: of "the users of this slice lose no more than is allowed".
    - `basket_ndcg@k_cluster_p_value`: the smallest of the clusters in this slice that have enough
      users, corrected for their number; 1 without any.
    """

    def __init__(self, k: int, max_loss: float, min_users: int):
        """Names the metric after k.

        Args:
            k: cut-off of NDCG@k.
            max_loss: of NDCG@k, that is allowed.
            min_users: clusters with fewer users are not judged.
        """
        super().__init__(
            _computations,
            name=f"basket_ndcg@{k}_cluster_p_value",
            k=k,
            max_loss=max_loss,
            min_users=min_users,
        )


def _computations(
    name: str,
    k: int,
    max_loss: float,
    min_users: int,
    eval_config: config_pb2.EvalConfig,
    model_names: Sequence[str],
    example_weighted: bool = False,
) -> list[Any]:
    return paired_computations(
        [f"basket_ndcg@{k}_loss_p_value", name],
        k,
        lambda keys: _LossPValues(keys, max_loss, min_users),
        eval_config,
        model_names,
        example_weighted,
    )


class _LossPValues(CountPairs):
    """See `ClusterLoss`."""

    def __init__(self, keys: Sequence[metrics.MetricKey], max_loss: float, min_users: int):
        super().__init__(keys)
        self._max_loss, self._min_users = max_loss, min_users

    def figures(self, pairs: Pairs) -> Sequence[float]:
        clusters: dict[int, Pairs] = defaultdict(Counter)
        for pair, users in pairs.items():
            clusters[pair.cluster][pair] += users
        judged = [part for part in clusters.values() if part.total() >= self._min_users]
        return self._p_value(pairs), min(
            holm([self._p_value(part) for part in judged]), default=1.0
        )

    def _p_value(self, pairs: Pairs) -> float:
        candidate, baseline, counts = columns(pairs)
        beyond = baseline - candidate - self._max_loss
        return above_zero_p_value(beyond, -1.0 - self._max_loss, counts)
