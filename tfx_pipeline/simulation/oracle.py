"""How well the next item can be foretold at best: what lift there can be at most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tfx_pipeline.simulation.beliefs import after_history, after_latest_item
from tfx_pipeline.simulation.draws import Draws

USERS = 2_000
"""Users at whose last event the oracles are asked; more would cost time and little else."""
K = 10
_CELLS = 4_000_000
"""Most scores in memory at once."""


def sample_users(draws: Draws, chance: np.random.Generator) -> np.ndarray:
    """Int64 [n]: at most `USERS` random users, sorted."""
    users = len(draws.population.lengths)
    return np.sort(chance.choice(users, min(USERS, users), replace=False))


def oracle_figures(draws: Draws, users: np.ndarray) -> dict[str, Any]:
    """Expected HR@10 and NDCG@10 of the users' last items, for oracles that know more and more.

    Every oracle knows the model and its parameters. It ranks all items (seen ones included) by
    their probability as far as it knows; the figures are expectations over the next item under
    the truth, so that they carry no noise of what happened to be bought, only that of the sample
    of histories.

    Args:
        draws: the draws.
        users: int64 [n], from `sample_users`.

    Returns:
        `users`; for each oracle `ndcg_at_10`, `hr_at_10` and the standard error of the former;
        `lift_of_knowing_the_cluster`, ratios of NDCG@10; `recoverable`, see `_recoverable`, None
        for one cluster or a log with individuality. See the README for the oracles.
    """
    config = draws.model.config
    individual = config.individuality > 0
    beliefs = {"latest_item": after_latest_item(draws, users)}
    if not individual:
        beliefs["history"] = after_history(draws, users)
    last = draws.last_events(users)
    beliefs["cluster"] = np.eye(config.clusters)[draws.timetable.clusters[last]]
    names = ["popularity", *beliefs, *(["user"] if individual else [])]
    gains: dict[str, list[np.ndarray]] = {name: [] for name in names}
    shares = np.bincount(draws.timetable.clusters, minlength=config.clusters) @ draws.item_shares
    for part in _parts(len(users), len(draws.model.assortment)):
        scores = {
            name: next_item(draws, users[part], belief[part], belief[part] @ draws.model.mixes)
            for name, belief in beliefs.items()
        }
        scores["popularity"] = np.broadcast_to(shares, scores["cluster"].shape)
        if individual:
            mixes = draws.choices.mixes[draws.choices.rows[last[part]]]
            scores["user"] = next_item(draws, users[part], beliefs["cluster"][part], mixes)
        truth = scores["user" if individual else "cluster"]
        for name in names:
            gains[name].append(_gains(scores[name], truth))
    figures = {name: _figures(np.concatenate(parts)) for name, parts in gains.items()}
    known = figures["cluster"]["ndcg_at_10"]
    return {
        "users": len(users),
        **figures,
        "recoverable": None if individual or config.clusters == 1 else _recoverable(beliefs),
        "lift_of_knowing_the_cluster": {
            f"over_{name}": known / figures[name]["ndcg_at_10"]
            for name in ("latest_item", "history")
            if name in figures
        },
    }


def _recoverable(beliefs: dict[str, np.ndarray]) -> dict[str, float]:
    """How well the best guess from each history finds the clusters: no method can do better.

    Returns:
        `accuracy`, the expected share of right guesses; `adjusted_rand_index` of the guesses.
    """
    from sklearn.metrics import adjusted_rand_score

    known, posterior = beliefs["cluster"].argmax(axis=1), beliefs["history"]
    return {
        "accuracy": float(posterior.max(axis=1).mean()),
        "adjusted_rand_index": float(adjusted_rand_score(known, posterior.argmax(axis=1))),
    }


def _parts(users: int, items: int) -> Iterator[slice]:
    step = max(1, _CELLS // items)
    for start in range(0, users, step):
        yield slice(start, start + step)


def next_item(draws: Draws, users: np.ndarray, belief: np.ndarray, mixes: np.ndarray) -> np.ndarray:
    """The distribution of the users' last items, given what came before.

    Args:
        draws: the draws.
        users: int64 [n].
        belief: float64 [n, K], probabilities of the clusters, for the habits.
        mixes: float64 [n, C], expected category mixes.

    Returns:
        float64 [n, V].
    """
    model, config, habits = draws.model, draws.model.config, draws.model.habits
    items, rows = draws.choices.items, np.arange(len(users))[:, None]
    latest = items[draws.last_events(users) - 1]
    free = (1 - config.noise) * (1 - config.repeats)
    result = free * (1 - config.follows) * model.item_tastes(mixes)
    result += config.noise * model.assortment.popularity
    # The successors in one list are different items, and each row is another user.
    result[rows, habits.shared[latest]] += free * config.follows * habits.shared_weights
    for cluster in range(config.clusters):
        weights = free * config.follows * belief[:, cluster, None] * habits.own_weights
        result[rows, habits.own[cluster][latest]] += weights
    if config.repeats:
        events, owners = draws.histories(users)
        share = (1 - config.noise) * config.repeats / np.bincount(owners)[owners]
        np.add.at(result, (owners, items[events]), share)
    return np.asarray(result)


def _gains(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Expected NDCG@10 and HR@10 of each user: float64 [n, 2]."""
    k = min(K, scores.shape[1])
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    ranked = np.take_along_axis(best, order, axis=1)
    probable = np.take_along_axis(truth, ranked, axis=1)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    return np.column_stack([probable @ discounts, probable.sum(axis=1)])


def _figures(gains: np.ndarray) -> dict[str, float]:
    ndcg, rate = gains.mean(axis=0)
    spread = gains[:, 0].std(ddof=1) if len(gains) > 1 else 0.0
    return {
        "ndcg_at_10": float(ndcg),
        "hr_at_10": float(rate),
        "ndcg_standard_error": float(spread / np.sqrt(len(gains))),
    }
