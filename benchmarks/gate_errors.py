"""How often the gates err: a worse model is pushed, an equal one refused, a better one blocked.

Usage: python benchmarks/gate_errors.py [--ranks FILE] [--runs 1000] [--seed 0] [--output FILE]

Draws the users' NDCG@10 under two models again and again and asks the functions that the gates use.
A user's value comes from the test users of `--ranks` (a run's ranks.parquet, column `global`);
without a file from a stated mixture: 27 % of the users have their next item among the first ten,
with probability 1 / rank. Both models then differ from that in one of two ways that stand for a
training of its own:

- *redrawn*: for a share of the users, each model has the value of another user, drawn at random;
- *shifted*: each model multiplies every user's rank by a factor of its own, log-normal.

A worse model has in addition lost 5 % of its users' items, a better one gained for some.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import stdtrit

from trainer.evaluation.chance import above_zero_p_value, holm
from trainer.evaluation.metrics import bootstrap_interval, mean_interval

Values = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int64]
Pair = Callable[[np.random.Generator, int], tuple[Values, Values]]

MARGIN, CONFIDENCE, CLUSTER_MARGIN = 0.05, 0.95, 0.01
USERS = (30, 139, 1_000, 2_071, 10_000)
HITS = 0.27
"""Of the mixture; then NDCG@10 is about .16, as in a grocery shop."""


def ndcg(ranks: npt.NDArray[np.floating[Any]] | Ranks) -> Values:
    """NDCG@10 of one item at each rank."""
    return np.where(ranks <= 10, 1 / np.log2(ranks + 1.0), 0.0)


def mixture(rng: np.random.Generator) -> Ranks:
    """Ranks of 10,000 users, if no run's are given."""
    weights = 1 / np.arange(1, 11)
    within = rng.choice(np.arange(1, 11), 10_000, p=weights / weights.sum())
    beyond = np.exp(rng.uniform(np.log(11), np.log(5_000), 10_000)).astype(np.int64)
    return np.where(rng.random(10_000) < HITS, within, beyond)


def redrawn(ranks: Ranks, share: float) -> Pair:
    """Pairs of equally good models; see above."""
    known = ndcg(ranks)

    def pair(rng: np.random.Generator, users: int) -> tuple[Values, Values]:
        both = np.tile(known[rng.integers(0, known.size, users)], (2, 1))
        other = rng.random(both.shape) < share
        both[other] = known[rng.integers(0, known.size, int(other.sum()))]
        return both[0], both[1]

    return pair


def shifted(ranks: Ranks, spread: float) -> Pair:
    """Pairs of equally good models; see above."""

    def pair(rng: np.random.Generator, users: int) -> tuple[Values, Values]:
        drawn = ranks[rng.integers(0, ranks.size, users)]
        factors = np.exp(rng.normal(0, spread, (2, users)))
        first, second = ndcg(np.maximum(np.round(drawn * factors), 1))
        return first, second

    return pair


def worse(pair: Pair, loss: float) -> Pair:
    """The candidate loses the items of a share of its users."""

    def losing(rng: np.random.Generator, users: int) -> tuple[Values, Values]:
        candidate, served = pair(rng, users)
        return np.where(rng.random(users) < loss, 0.0, candidate), served

    return losing


def better(pair: Pair, gain: float) -> Pair:
    """The candidate puts the item first for a share of all users."""

    def gaining(rng: np.random.Generator, users: int) -> tuple[Values, Values]:
        candidate, served = pair(rng, users)
        return np.where(rng.random(users) < gain, 1.0, candidate), served

    return gaining


def is_above(values: Values, lowest: float) -> float:
    """The p-value that the gates use, from equal users together."""
    distinct, counts = np.unique(values, return_counts=True)
    return above_zero_p_value(distinct, lowest, counts)


def passes(candidate: Values, served: Values) -> bool:
    """The gate on all users against a served model: `least_change` is at least minus the margin."""
    share = 1 - MARGIN
    return is_above(candidate - share * served, -share) <= 1 - CONFIDENCE


def passes_t(candidate: Values, served: Values) -> bool:
    """The same with Student's t, which the gate would use if it were safe with few users."""
    contrast = candidate - (1 - MARGIN) * served
    error = contrast.std(ddof=1) / np.sqrt(contrast.size)
    return bool(contrast.mean() > stdtrit(contrast.size - 1, CONFIDENCE) * error)


def is_higher(candidate: Values, served: Values) -> bool:
    """What the gate asked for before it knew chance."""
    return bool(candidate.mean() > served.mean())


def beats(candidate: Values, served: Values) -> bool:
    """The gate on all users against a free baseline."""
    return is_above(candidate - served, -1.0) <= 1 - CONFIDENCE


def cluster_blocks(candidate: Values, served: Values, clusters: int) -> bool:
    """Whether any of some equally large clusters refuses the candidate."""
    beyond = np.array_split(served - candidate - CLUSTER_MARGIN, clusters)
    p_values = [is_above(part, -1 - CLUSTER_MARGIN) for part in beyond]
    return min(holm(p_values)) <= 1 - CONFIDENCE


def share(
    rule: Callable[[Values, Values], bool], pair: Pair, users: int, runs: int, seed: int
) -> float:
    """In what share of the runs a rule says yes."""
    rng = np.random.default_rng([seed, users])
    return sum(rule(*pair(rng, users)) for _ in range(runs)) / runs


def whole(ranks: Ranks, runs: int, seed: int) -> list[dict[str, Any]]:
    """The gates on all users."""
    kinds = {
        "redrawn 2 %": redrawn(ranks, 0.02),
        "redrawn 10 %": redrawn(ranks, 0.10),
        "redrawn 30 %": redrawn(ranks, 0.30),
        "shifted .3": shifted(ranks, 0.3),
    }
    rows = []
    for name, pair in kinds.items():
        for users in USERS:
            lost = worse(pair, MARGIN)
            candidate, served = pair(np.random.default_rng(seed), 200_000)
            rows.append(
                {
                    "training": name,
                    "users": users,
                    "sd / NDCG": float((candidate - served).std() / served.mean()),
                    "5 % worse pushed": share(passes, lost, users, runs, seed),
                    "by t": share(passes_t, lost, users, runs, seed),
                    "as before": share(is_higher, lost, users, runs, seed),
                    "equal refused": 1 - share(passes, pair, users, runs, seed),
                    "equal refused by t": 1 - share(passes_t, pair, users, runs, seed),
                    "equal beats": share(beats, pair, users, runs, seed),
                }
            )
            print(_line(rows[-1]), flush=True)
    return rows


def clusters(ranks: Ranks, runs: int, seed: int) -> list[dict[str, Any]]:
    """A model that is better for everybody, and one that fails a cluster."""
    rows = []
    pair = redrawn(ranks, 0.30)
    for users, parts in ((1_000, 20), (2_071, 4), (2_071, 20), (10_000, 20)):

        def blocks(candidate: Values, served: Values, parts: int = parts) -> bool:
            return cluster_blocks(candidate, served, parts)

        size = users // parts

        def fails_one(rng: np.random.Generator, users: int, size: int = size) -> Any:
            candidate, served = pair(rng, users)
            candidate[:size] = np.where(rng.random(size) < 0.5, 0.0, candidate[:size])
            return candidate, served

        rows.append(
            {
                "users": users,
                "clusters": parts,
                "better blocked": share(blocks, better(pair, 0.01), users, runs, seed),
                "equal blocked": share(blocks, pair, users, runs, seed),
                "half of one cluster lost, blocked": share(blocks, fails_one, users, runs, seed),
            }
        )
        print(_line(rows[-1]), flush=True)
    return rows


def effects(ranks: Ranks, runs: int, seed: int) -> list[dict[str, Any]]:
    """How often "helps" or "hurts" is said of two equally good models."""
    pair = shifted(ranks, 0.3)
    rows = []
    for users in (5, 12, 30, 60, 139):
        row: dict[str, Any] = {"users": users}
        for among, confidence in ((1, 0.95), (4, 1 - 0.05 / 4)):
            for name, interval in (("t", mean_interval), ("bootstrap", bootstrap_interval)):

                def differ(a: Values, b: Values, i: Any = interval, c: float = confidence) -> bool:
                    found = i(a - b, c)
                    return bool(found.low > 0 or found.high < 0)

                row[f"{name}, {among} tests"] = share(differ, pair, users, runs, seed)
        rows.append(row)
        print(_line(row), flush=True)
    return rows


def _line(row: dict[str, Any]) -> str:
    cells = (f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
    return " | ".join(cells)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=Path, help="ranks.parquet of a run; else a mixture")
    parser.add_argument("--runs", type=int, default=1_000, help="runs of each line")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    given = parser.parse_args()
    if given.ranks:
        test = pl.read_parquet(given.ranks).filter(pl.col("split") == "test")
        ranks = test["global"].to_numpy()
    else:
        ranks = mixture(np.random.default_rng(given.seed))
    print(f"{ranks.size} users, NDCG@10 {ndcg(ranks).mean():.4f}", flush=True)
    found = {
        "whole": whole(ranks, given.runs, given.seed),
        "clusters": clusters(ranks, given.runs // 4, given.seed),
        "effects": effects(ranks, given.runs // 2, given.seed),
    }
    if given.output:
        given.output.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
