"""What the clusters are worth, from values whose differences are known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from components.cluster_combiner.worth import lifts, overall, recommend, verdict
from trainer.evaluation.metrics import BASKET_PRIMARY

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
