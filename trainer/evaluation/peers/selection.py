"""The peers that were asked for, each with the constants that did best on validation."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.data.histories import Histories
from trainer.evaluation.baselines.baseline import NotApplicable
from trainer.evaluation.baselines.catalogue_order import item_counts
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.popularity import BY_EVENTS, Popularity
from trainer.evaluation.baselines.selection import HeldOut, Measure
from trainer.evaluation.compared_models import ALS, BPR, EASE, GRU, LSTM, NCF, PURE_SVD, title
from trainer.evaluation.constants_search import highest, to_try
from trainer.evaluation.peers.dense_ranks import dense_ranks
from trainer.evaluation.peers.peer import Judge, Peer, PeerModel
from trainer.progress import progress

Integers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.int64]

SEARCH_USERS = 1_000
"""So many validation users decide between constants, and when a training stops."""
_SCORES_AT_ONCE = 8_000_000
"""Scores that are held at once."""


@dataclasses.dataclass(frozen=True)
class CatalogueRanking:
    """How the scores of a model become ranks.

    Items that no training history names stand behind all others: a peer learnt nothing about them.

    Attributes:
        places: int64 [items + 1], the order of equal scores, see `catalogue_places`.
        untrained: bool [items], what no training history names.
    """

    places: Indices
    untrained: np.ndarray

    @classmethod
    def of(cls, training: EventLog, seed: int) -> CatalogueRanking:
        """Equal scores by popularity, and by chance where that is equal too."""
        counts = item_counts(training.item, training.items)
        return cls(Popularity(training, seed).places(BY_EVENTS), counts == 0)

    def ranks(self, model: PeerModel, held_out: HeldOut, exclude_seen: bool) -> Indices:
        """Where the held-out items stand in the catalogue.

        A few users are scored at a time.

        Args:
            model: gives the scores.
            held_out: what the users took next.
            exclude_seen: leave the items of a history out of its ranking.

        Returns:
            int64 [targets], 1-based, see `dense_ranks`.
        """
        splits = np.asarray(held_out.target_splits, np.int64)
        ranks = np.empty(held_out.targets.size, np.int64)
        log = EventLog(held_out.histories, self.untrained.size)
        step = max(1, _SCORES_AT_ONCE // max(1, self.untrained.size))
        for chunk, mine, ends in log.parts(step, splits):
            scores = np.where(self.untrained, -np.inf, model(chunk))
            seen = chunk.distinct if exclude_seen else None
            ranks[mine] = dense_ranks(scores, self.places, held_out.targets[mine], ends, seen)
        return ranks


@dataclasses.dataclass(frozen=True)
class TrainedPeer:
    """One kind with the constants that did best.

    Attributes:
        model: trained on the training histories.
        ranking: of the catalogue.
        constants: chosen on validation.
        value: mean of the measure there; NaN without users.
        tried: how many constants were compared.
    """

    model: PeerModel
    ranking: CatalogueRanking
    constants: Any
    value: float
    tried: int

    def ranks(
        self,
        histories: Histories,
        targets: Integers,
        target_splits: Integers,
        exclude_seen: bool = False,
    ) -> Indices:
        """int64 [targets], as `Baseline.ranks` gives them for one constant."""
        held_out = HeldOut(histories, targets, np.asarray(target_splits, np.int64))
        return self.ranking.ranks(self.model, held_out, exclude_seen)


@dataclasses.dataclass(frozen=True)
class PeerSelection:
    """The peers that were asked for.

    Attributes:
        chosen: by kind.
        left_out: kinds that do not fit the log, and why.
    """

    chosen: dict[str, TrainedPeer]
    left_out: dict[str, str]


def choose_peers(
    kinds: Sequence[str],
    training: Histories,
    validation: HeldOut,
    items: int,
    measure: Measure,
    exclude_seen: bool,
    seed: int,
) -> PeerSelection:
    """Trains every kind with each of its constants and keeps the best.

    Nothing outside is changed, the global seeds neither: with peers and without them a run gives
    the same models.

    Args:
        kinds: of `compared_models.PEERS`.
        training: whole histories of the training split.
        validation: what the users of the validation split took next.
        items: size of the catalogue.
        measure: the higher, the better.
        exclude_seen: leave the items of a history out.
        seed: of every draw; the same seed gives the same choice.

    Raises:
        ImportError: a library that a kind needs is missing, see `library.check_library`.
    """
    log = EventLog(training, items)
    ranking = CatalogueRanking.of(log, seed)
    asked = validation.sample(SEARCH_USERS, seed)

    def value(model: PeerModel, users: HeldOut) -> float:
        return users.mean(measure, ranking.ranks(model, users, exclude_seen))

    chosen, left_out = {}, {}
    for kind in kinds:
        began = time.monotonic()
        try:
            model, constants, best, tried = search(
                _peer(kind, log, seed), lambda model: value(model, asked)
            )
        except NotApplicable as reason:
            left_out[kind] = str(reason)
            progress.info("peer %s is left out: %s", title(kind), reason)
            continue
        if asked is not validation:
            best = value(model, validation)
        chosen[kind] = TrainedPeer(model, ranking, constants, best, tried)
        progress.info(
            "peer %s (%s): validation NDCG@10 %.4f, %.0f s",
            title(kind),
            constants,
            best,
            time.monotonic() - began,
        )
    return PeerSelection(chosen, left_out)


def search(peer: Peer[Any], judge: Judge) -> tuple[PeerModel, Any, float, int]:
    """Trains with the constants that `to_try` names. One model is held beside the best one.

    Args:
        peer: its grid is searched in order.
        judge: the higher, the better; of equal values the first one stays.

    Returns:
        The best model, its constants, their value, and how many constants were tried.
    """
    values: dict[Any, float] = {}
    for constants in to_try(peer.start, peer.grid, values):
        for each in constants:
            other = peer.fit(each, judge)
            values[each] = judge(other)
            if highest(values) == each:
                model = other
    best = highest(values)
    return model, best, values[best], len(values)


def _peer(kind: str, log: EventLog, seed: int) -> Peer[Any]:
    """The kind, ready to be trained.

    A module is imported when it is asked for: two need the library `implicit`, three Keras.
    """
    if log.item.size == 0:
        raise NotApplicable("the training histories name no item of the catalogue")
    if kind == ALS:
        from trainer.evaluation.peers.als import Als

        return Als(log, seed)
    if kind == BPR:
        from trainer.evaluation.peers.bpr import Bpr

        return Bpr(log, seed)
    if kind == PURE_SVD:
        from trainer.evaluation.peers.pure_svd import PureSvd

        return PureSvd(log, seed)
    if kind == EASE:
        from trainer.evaluation.peers.ease import Ease

        return Ease(log, seed)
    if kind == NCF:
        from trainer.evaluation.peers.ncf import Ncf

        return Ncf(log, seed)
    if kind in (GRU, LSTM):
        from trainer.evaluation.peers.recurrent import Gru, Lstm

        return Gru(log, seed) if kind == GRU else Lstm(log, seed)
    raise ValueError(f"{kind!r} is no peer")
