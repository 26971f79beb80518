"""Fitting the specialists' strengths, and judging whether they are worth using.

All strengths start at zero, where the global encoder answers alone. They rise only if the held-out
items become more likely. No encoder was trained on these items. Whether the result is used is
decided by cross-fitting: each half of the users is ranked with strengths fitted on the other half.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from components.cluster_combiner.config import CombinerConfig
from components.cluster_combiner.own_summaries import OwnSummaries
from trainer.clusters.mixture import mixture_weights
from trainer.data.histories import Histories
from trainer.encoder.catalogue import Catalogue
from trainer.encoder.own_items import OwnItems
from trainer.graphs import graph_function
from trainer.training.labelled_queries import LabelledQueries
from trainer.training.objectives import EVEN, full_softmax_loss, target_weights

ValuesOf = Callable[[np.ndarray], np.ndarray]
"""NDCG@10 float64 [users] of combined queries [users, width], see `Scorer.values`."""
_FITTED_TARGETS = 64
"""At most how many of a user's held-out items the likelihood is made of."""


@dataclass(frozen=True)
class Fit:
    """The outcome of fitting.

    Attributes:
        strengths: float32 [K]; all zero if not kept.
        fitted: float32 [K], what fitting on all users gave, kept or not.
        kept: whether the specialists are used.
        figures: a sentence with the two NDCG@10 that decided.
        reason: that sentence and what follows from it.
        crossfit_queries: float32 [users, width], each user combined with strengths that were
            fitted on the others; the global encoder's if not kept.
    """

    strengths: np.ndarray
    fitted: np.ndarray
    kept: bool
    figures: str
    reason: str
    crossfit_queries: np.ndarray

    def refused(self, reason: str) -> Fit:
        """The same fit, with the specialists refused for a reason beyond the fit."""
        return replace(
            self,
            strengths=np.zeros_like(self.strengths),
            kept=False,
            reason=f"{self.figures}, but {reason}: the global encoder serves alone",
        )


def combine(queries: np.ndarray, membership: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """H_c float32 [users, width] of queries [K + 1, users, width], the global encoder's first."""
    weights = mixture_weights(tf.constant(membership), tf.constant(strengths, tf.float32)).numpy()
    return np.einsum("uk,kud->ud", weights, queries).astype(np.float32)


def fit_strengths(
    *,
    queries: np.ndarray,
    membership: np.ndarray,
    histories: Histories,
    catalogue: Catalogue,
    own_events: int,
    values_of: ValuesOf,
    config: CombinerConfig,
    seed: int,
) -> Fit:
    """Fits on all users, cross-fits on halves, decides.

    Args:
        queries: float32 [K + 1, users, width].
        membership: float32 [users, K].
        histories: the users, with their held-out items.
        catalogue: scores the items; not changed.
        own_events: window of the user's own items, 0 if they are not scored.
        values_of: what the users' lists are worth.
        config: steps and so on.
        seed: of folds and batches.
    """
    held_out = _known_targets(histories, catalogue.items)
    usable = np.flatnonzero(held_out.any(axis=1))
    rng = np.random.default_rng(seed)
    if len(usable) > config.fit_users:
        usable = np.sort(rng.choice(usable, config.fit_users, replace=False))
    fold = rng.integers(0, 2, len(histories))
    estimator = _Estimator(
        queries=queries,
        membership=membership,
        histories=histories,
        targets=held_out,
        catalogue=catalogue,
        own_events=own_events,
        config=config,
        seed=seed,
    )
    combined = np.empty_like(queries[0])
    if (queries[1:] == queries[:1]).all():
        # No specialist differs from the global encoder: no strength changes anything.
        usable = usable[:0]
    for half in (0, 1):
        strengths = estimator.fit(usable[fold[usable] != half])
        users = fold == half
        combined[users] = combine(queries[:, users], membership[users], strengths)
    fitted = estimator.fit(usable)

    together, alone = np.nanmean(values_of(combined)), np.nanmean(values_of(queries[0]))
    kept = bool(fitted.max(initial=0.0) > 0 and together > alone)
    verdict = "specialists are used" if kept else "the global encoder serves alone"
    figures = (
        f"cross-fitted validation NDCG@10 {together:.4f} against {alone:.4f} of the global encoder"
    )
    return Fit(
        strengths=fitted if kept else np.zeros_like(fitted),
        fitted=fitted,
        kept=kept,
        figures=figures,
        reason=f"{figures}: {verdict}",
        crossfit_queries=combined if kept else queries[0],
    )


class _Estimator:
    """Maximum-likelihood strengths in [0, 1] by projected Adam; the graph is traced once."""

    def __init__(
        self,
        *,
        queries: np.ndarray,
        membership: np.ndarray,
        histories: Histories,
        targets: np.ndarray,
        catalogue: Catalogue,
        own_events: int,
        config: CombinerConfig,
        seed: int,
    ) -> None:
        self._queries = tf.constant(queries)
        self._membership = tf.constant(membership)
        self._targets = targets
        self._own = OwnSummaries(histories, own_events) if own_events else None
        self._catalogue = catalogue
        self._config = config
        self._seed = seed
        self._strengths = tf.Variable(tf.zeros([membership.shape[1]]))
        # Users differ in how many own items they have, so that rows and width are left open.
        signature = [tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, None], tf.int32)]
        if self._own is not None:
            signature.append(OwnSummaries.signature)
        self._gradient = graph_function(self._batch_gradient, input_signature=signature)

    def fit(self, users: np.ndarray) -> np.ndarray:
        """Strengths float32 [K] fitted on the given rows."""
        self._strengths.assign(tf.zeros_like(self._strengths))
        if len(users) == 0:
            return self._strengths.numpy()
        rng = np.random.default_rng(self._seed)
        mean = np.zeros(self._strengths.shape, np.float32)
        square = np.zeros_like(mean)
        shuffled = np.zeros(0, users.dtype)
        for step in range(1, self._config.steps + 1):
            if len(shuffled) == 0:
                shuffled = rng.permutation(users)
            rows, shuffled = np.split(shuffled, [self._config.batch_size])
            gradient = self._gradient(*self._inputs(rows)).numpy()
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.99 * square + 0.01 * gradient**2
            move = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
            rate = self._config.learning_rate * (1 - step / (self._config.steps + 1))
            self._strengths.assign(np.clip(self._strengths.numpy() - rate * move, 0.0, 1.0))
        return self._strengths.numpy()

    def _inputs(self, rows: np.ndarray) -> tuple[Any, ...]:
        own = () if self._own is None else (self._own.of(rows),)
        return tf.constant(rows, tf.int32), tf.constant(self._targets[rows], tf.int32), *own

    def _batch_gradient(
        self, rows: tf.Tensor, targets: tf.Tensor, own: OwnItems | None = None
    ) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._strengths)
            weights = mixture_weights(tf.gather(self._membership, rows), self._strengths)
            query = tf.einsum("bk,kbd->bd", weights, tf.gather(self._queries, rows, axis=1))
            batch = LabelledQueries(query, targets, [target_weights(targets, EVEN)], own)
            loss = full_softmax_loss(self._catalogue, batch)
        return tape.gradient(loss, self._strengths)


def _known_targets(histories: Histories, items: int) -> np.ndarray:
    """int32 [users, m]: each user's held-out items that can be recommended; 0 elsewhere."""
    sizes = np.diff(histories.target_splits)
    place = np.arange(len(histories.targets)) - np.repeat(histories.target_splits[:-1], sizes)
    known = (histories.targets <= items) & (place < _FITTED_TARGETS)
    users = np.repeat(np.arange(len(histories)), sizes)
    targets = np.zeros((len(histories), int(place[known].max(initial=0)) + 1), np.int32)
    targets[users[known], place[known]] = histories.targets[known]
    return targets
