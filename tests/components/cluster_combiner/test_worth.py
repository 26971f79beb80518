"""What the clusters are worth, from values whose differences are known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from components.cluster_combiner.worth import judge, lifts, overall, recommend, verdict
from trainer.evaluation.metrics import BASKET_PRIMARY, paired_difference

USERS = 2000


def value(model):
    """The column with a model's primary measure."""
    return f"{model}_{BASKET_PRIMARY}"


def table(split="test", **gains):
    """NDCG@10 of models that put the item first for a further share of each cluster's users.

    `combiner=(0.1, 0.0)`: of cluster 0's users a tenth more than under the global encoder have it
    in the first place and not beyond the tenth, of cluster 1's none; negative shares lose it.
    """
    rng = np.random.default_rng(3)
    cluster = np.arange(USERS) % 2
    base = np.where(rng.random(USERS) < 0.3, 1.0, 0.0)
    columns = {"split": [split] * USERS, "cluster": cluster, value("global"): base}
    for model, shares in gains.items():
        share = np.array(shares)[cluster]
        changed = rng.random(USERS) < np.abs(share)
        columns[value(model)] = np.where(changed, np.where(share > 0, 1.0, 0.0), base)
    return pl.DataFrame(columns)


def test_lifts_are_paired_and_by_cluster():
    found = lifts(table(routed=(0.1, -0.2), combiner=(0.1, 0.0)), "test")
    by_cluster = {(x.model, x.cluster): x for x in found}
    assert by_cluster["routed", 0].effect == "helps"
    assert by_cluster["routed", 1].effect == "hurts"
    assert by_cluster["combiner", 1].effect == "makes no difference"
    assert by_cluster["combiner", 1].mean == 0.0
    whole = by_cluster["combiner", None]
    # A tenth of half the users, those of them who did not have it already, gain one NDCG each.
    assert whole.mean == pytest.approx(0.05 * 0.7, abs=0.01)
    assert whole.low < whole.mean < whole.high
    assert whole.relative == pytest.approx(whole.mean / 0.3, rel=0.1)
    assert whole.users == USERS
    assert by_cluster["combiner", 0].users == USERS / 2


def test_the_intervals_of_many_clusters_hold_together():
    rng = np.random.default_rng(0)
    # The specialists change what a user sees at random: neither better nor worse.
    ranks = pl.DataFrame(
        {
            "split": ["test"] * 40_000,
            "cluster": np.repeat(np.arange(200), 200),
            value("global"): rng.permutation(np.tile([1.0, 0.0], 20_000)),
            value("routed"): rng.permutation(np.tile([1.0, 0.0], 20_000)),
        }
    )
    by_cluster = [x for x in lifts(ranks, "test") if x.cluster is not None]
    assert {x.effect for x in by_cluster} == {"makes no difference"}
    means = np.array([x.mean for x in by_cluster])
    lone = [x for x in lifts(ranks.filter(pl.col("cluster") == 0), "test") if x.cluster is None]
    # Ten of 200 would be beyond the interval that a cluster has when it is the only one.
    assert (abs(means) > lone[0].high - lone[0].mean).sum() > 3


def test_only_models_in_the_table_are_compared():
    found = lifts(table(routed=(0, 0), combiner=(0, 0)), "test")
    assert {(x.model, x.against) for x in found} == {("routed", "global"), ("combiner", "global")}
    assert overall(found, "combiner", "continued") is None
    assert lifts(table(routed=(0, 0), combiner=(0, 0)), "validation")[0].users == 0


@pytest.mark.parametrize(
    ("gains", "used", "expected", "word"),
    [
        ({"combiner": (0.2, 0.2)}, True, "combination", "better than the global encoder"),
        (
            {"combiner": (0.2, 0.2), "random_combiner": (0.01, 0.01), "continued": (0.01, 0.01)},
            True,
            "combination",
            "trained on",
        ),
        ({"combiner": (0.2, 0.2), "random_combiner": (0.2, 0.2)}, True, "global", "random"),
        (
            {"combiner": (0.1, 0.1), "random_combiner": (0, 0), "continued": (0.2, 0.2)},
            True,
            "train longer",
            "not clearly better than the global encoder trained on",
        ),
        ({"combiner": (0.0, 0.0)}, True, "global", "not clearly better than the global encoder"),
        ({"combiner": (0.0, 0.0)}, False, "global", "uses no specialist"),
        ({"combiner": (0, 0), "continued": (0.2, 0.2)}, False, "train longer", "no specialist"),
    ],
)
def test_clusters_are_recommended_only_if_nothing_cheaper_does_as_well(gains, used, expected, word):
    choice, why = recommend(lifts(table("validation", **gains), "validation"), used)
    assert (choice, word in why) == (expected, True), why


def test_the_verdict_says_for_whom():
    found = lifts(table(combiner=(0.3, -0.1), random_combiner=(0, 0), continued=(0.3, 0.3)), "test")
    result = verdict(found, used=True)
    assert result.effect == "helps"
    assert result.helps == [0]
    assert result.hurts == [1]
    assert result.beats == {"random_combiner": True, "continued": False}
    text = " ".join(result.sentences)
    for part in (
        "Combining the specialists helps: +",
        "users of cluster 0 are served better",
        "users of cluster 1 are served worse",
        "worse than the global encoder trained on",
    ):
        assert part in text, text


def test_without_a_combination_routing_is_judged():
    result = verdict(lifts(table(routed=(-0.3, -0.3)), "test"), used=False)
    assert result.judged == "routed"
    assert result.effect == "hurts"
    assert verdict([], used=True).effect is None


def few(users, split):
    """Every user is served better by the combination and by every control."""
    models = ("routed", "combiner", "continued", "random_routed", "random_combiner")
    columns = {"split": [split] * users, "cluster": [0] * users, value("global"): [0.3] * users}
    better = {value(model): [0.6 if model == "combiner" else 0.5] * users for model in models}
    return pl.DataFrame(columns | better)


@pytest.mark.parametrize("users", [1, 12, 29])
def test_too_few_users_are_no_reason_to_serve_anything_but_the_global_encoder(users):
    choice, why = recommend(lifts(few(users, "validation"), "validation"), used=True)
    assert choice == "global"
    assert why == f"too few validation users ({users}) to say; at least 30 are needed"
    judged = judge(pl.concat([few(users, split) for split in ("validation", "test")]), used=True)
    assert judged.recommendation == "global"
    assert judged.verdict.effect is None
    assert not judged.verdict.helps
    assert not judged.verdict.beats
    assert judged.verdict.sentences == [
        f"There are too few test users ({users}) to say; at least 30 are needed."
    ]
    assert {x.effect for x in judged.splits["test"]} == {"too few users"}


def test_thirty_users_are_enough():
    assert recommend(lifts(few(30, "validation"), "validation"), used=True)[0] == "combination"
    assert verdict(lifts(few(30, "test"), "test"), used=True).effect == "helps"


def test_a_small_cluster_gets_no_verdict_and_narrows_no_other():
    large = pl.concat(
        [
            table(combiner=(0.2, 0.2)),
            few(29, "test").select(
                "split", value("global"), value("combiner"), cluster=pl.lit(7, pl.Int64)
            ),
        ],
        how="diagonal_relaxed",
    )
    by_cluster = {x.cluster: x for x in lifts(large, "test") if x.cluster is not None}
    assert by_cluster[7].effect == "too few users"
    assert verdict(list(by_cluster.values()) + lifts(large, "test"), used=True).helps == [0, 1]
    alone = {x.cluster: x for x in lifts(table(combiner=(0.2, 0.2)), "test")}
    assert by_cluster[0].low == alone[0].low


@pytest.mark.parametrize("users", [30, 60])
def test_equal_models_seldom_seem_different(users):
    """As rare as stated: 5 %, and 5 % / 4 among four clusters."""
    rng = np.random.default_rng(users)
    different = np.zeros(2)
    runs = 1500
    for _ in range(runs):
        place = rng.integers(1, 6, users)
        two = [
            np.where(
                rng.random(users) < 0.6, np.clip(place + rng.integers(-2, 3, users), 1, 10), 50
            )
            for _ in range(2)
        ]
        for i, confidence in enumerate((0.95, 1 - 0.05 / 4)):
            found = paired_difference(*two, confidence=confidence)
            different[i] += found.low > 0 or found.high < 0
    assert different[0] / runs < 0.065
    assert different[1] / runs < 0.02
