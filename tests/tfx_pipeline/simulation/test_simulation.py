"""A simulated log shows what was planted, and nothing else."""

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from tfx_pipeline.simulation import SimulationConfig, simulate
from tfx_pipeline.simulation.draws import draw
from tfx_pipeline.simulation.timetable import DAY, END
from trainer.settings import ConfigError

CATEGORIES = {"categories": 8, "items": 400}


def _simulate(**settings):
    return simulate(SimulationConfig(**{**CATEGORIES, **settings}))


def _share_error(share, count):
    """Four standard errors of a share."""
    return 4 * np.sqrt(share * (1 - share) / count)


def _with_labels(log):
    return log.events.join(log.labels, on="user_id").join(
        log.items.select("item_id", "category"), on="item_id"
    )


def _recovered(log):
    """ARI of k-means on the users' category histograms against the planted labels."""
    counts = (
        _with_labels(log)
        .group_by("user_id", "label", "category")
        .len()
        .pivot("category", index=["user_id", "label"], values="len")
        .fill_null(0)
        .sort("user_id")
    )
    shares = counts.drop("user_id", "label").to_numpy().astype(float)
    points = np.sqrt(shares / shares.sum(axis=1, keepdims=True))
    found = KMeans(log.config.clusters, n_init=5, random_state=1).fit_predict(points)
    return adjusted_rand_score(counts["label"], found)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    settings = {"users": 300, "drift": 0.2, "individuality": 0.2, "repeats": 0.1, "prices": 0.5}
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        _simulate(**settings, seed=seed).write(tmp_path / name)
    files = ("events.csv", "items.csv", "labels.csv", "truth.json")
    one, two, other = (
        [(tmp_path / name / file).read_bytes() for file in files]
        for name in ("one", "two", "other")
    )
    assert one == two
    assert not any(ours == theirs for ours, theirs in zip(one, other, strict=True))


def test_distinct_taste_is_found_by_a_simple_method():
    log = _simulate(users=1500, clusters=3, taste=1.0, noise=0.05, sizes=(3, 2, 1))
    assert _recovered(log) >= 0.95
    assert log.truth["oracle"]["recoverable"]["adjusted_rand_index"] >= 0.95


@pytest.mark.parametrize("settings", [{}, {"individuality": 0.3}, {"hours": 1.0, "prices": 1.0}])
def test_without_distinct_taste_and_habits_there_is_nothing_to_find(settings):
    log = _simulate(users=1500, clusters=3, taste=0.0, habits=0.0, **settings)
    assert abs(_recovered(log)) < 0.02
    distances = log.truth["distances"]
    assert max(distances["items"].values()) == pytest.approx(0, abs=1e-6)
    assert max(distances["next_item"].values()) == pytest.approx(0, abs=1e-6)
    assert log.truth["oracle"]["lift_of_knowing_the_cluster"]["over_latest_item"] == pytest.approx(
        1
    )


def test_disjoint_taste_is_disjoint():
    log = _simulate(users=200, taste=1.0, noise=0.0, habits=1.0, individuality=0.5, repeats=0.2)
    owners = _with_labels(log).group_by("category").agg(pl.col("label").n_unique())
    assert owners["label"].to_list() == [1] * 8


@pytest.mark.parametrize(("habits", "within", "across"), [(0, 1, 1), (0.5, 0.5, 0.25), (1, 1, 0)])
def test_what_follows_an_item_differs_by_cluster_when_asked(habits, within, across):
    """Two events after the same item agree as often as the lists' weights say, times a factor."""
    log = _simulate(users=3000, clusters=2, taste=0.0, habits=float(habits), items=200)
    events = log.events.with_columns(log.origins).join(log.labels, on="user_id")
    events = events.sort("user_id", "timestamp").with_columns(
        before=pl.col("item_id").shift().over("user_id")
    )
    pairs = events.filter(pl.col("origin") == "habit")
    table = pairs.group_by("before", "item_id", "label").len()
    one, other = (
        table.filter(pl.col("label") == label).rename({"len": f"n{label}"}).drop("label")
        for label in (0, 1)
    )
    both = one.join(other, on=["before", "item_id"], how="full", coalesce=True).fill_null(0)
    items = both.group_by("before").agg(
        same=(pl.col("n0") * (pl.col("n0") - 1)).sum(),
        pairs=pl.col("n0").sum() * (pl.col("n0").sum() - 1),
        crossed=(pl.col("n0") * pl.col("n1")).sum(),
        cross_pairs=pl.col("n0").sum() * pl.col("n1").sum(),
    )
    totals = items.sum().row(0, named=True)
    weights = 1 / np.arange(1, 5)
    agreement = (weights**2).sum() / weights.sum() ** 2
    assert totals["same"] / totals["pairs"] == pytest.approx(within * agreement, abs=0.01)
    assert totals["crossed"] / totals["cross_pairs"] == pytest.approx(across * agreement, abs=0.01)


def test_sizes_and_drift_are_exact():
    log = _simulate(users=1001, clusters=3, sizes=(3, 2, 1), drift=0.25)
    labels = log.labels
    assert labels["label_before"].value_counts().sort("label_before")["count"].to_list() == [
        500, 334, 167,
    ]  # fmt: skip
    assert (labels["label_before"] != labels["label_after"]).sum() == 250
    assert labels["label"].equals(labels["label_after"].alias("label"))
    zipf = _simulate(users=1100, clusters=3, sizes=1.0).truth["clusters"]["users_before"]
    assert zipf == [600, 300, 200]
    assert set(_simulate(users=100).labels.columns) == {"user_id", "label"}


def test_users_move_to_the_others_by_size():
    labels = _simulate(users=12_000, clusters=3, sizes=(3, 2, 1), drift=1.0).labels
    from_third = labels.filter(pl.col("label_before") == 2)["label_after"]
    assert set(from_third) == {0, 1}
    assert abs(from_third.mean() - 0.4) < _share_error(0.4, len(from_third))


def test_users_who_drift_change_in_the_middle():
    log = _simulate(users=400, clusters=2, taste=1.0, noise=0.0, drift=0.5, repeats=0.0)
    labels = log.labels.filter(pl.col("label_before") != pl.col("label_after"))
    middle = END - 183 * DAY
    assert log.truth["clusters"]["drift_time"] == "2024-07-02T00:00:00Z"
    events = _with_labels(log).filter(log.origins == "taste")
    categories = {
        label: set(
            events.filter(pl.col("label_before") == label, pl.col("timestamp") < middle)["category"]
        )
        for label in (0, 1)
    }
    assert not categories[0] & categories[1]
    late = events.join(labels, on="user_id", how="semi").filter(pl.col("timestamp") >= middle)
    for label in (0, 1):
        assert set(late.filter(pl.col("label_after") == label)["category"]) <= categories[label]


def test_shares_of_the_origins():
    log = _simulate(users=3000, noise=0.2, repeats=0.25, follows=0.4)
    first = log.events.select(pl.col("timestamp").rank("ordinal").over("user_id") == 1).to_series()
    assert set(log.origins.filter(first).to_list()) == {"noise", "taste"}
    later = log.origins.filter(~first)
    expected = {"noise": 0.2, "repeat": 0.8 * 0.25, "habit": 0.6 * 0.4, "taste": 0.6 * 0.6}
    for origin, share in expected.items():
        assert abs((later == origin).mean() - share) < _share_error(share, len(later))
    # Noise is popularity alone: as frequent in every cluster's own categories as outside them.
    noise = log.events.filter(log.origins == "noise")
    top = log.items["item_id"][int(np.argmax(_popularity(log)))]
    share = _popularity(log).max()
    assert abs((noise["item_id"] == top).mean() - share) < _share_error(share, noise.height)


def _popularity(log):
    return draw(log.config)[0].model.assortment.popularity


def test_repeats_take_own_items():
    log = _simulate(users=300, repeats=0.5, noise=0.0, follows=0.0, taste=0.0)
    seen = log.events.select(
        pl.col("timestamp").rank("ordinal").over("user_id", "item_id") > 1
    ).to_series()
    assert seen.filter(log.origins == "repeat").all()


@pytest.mark.parametrize(("mean", "shape"), [(3.0, 2.0), (10.0, 1.0), (40.0, 20.0)])
def test_lengths(mean, shape):
    log = _simulate(users=4000, events_per_user=mean, length_shape=shape)
    lengths = log.events.group_by("user_id").len()["len"].to_numpy()
    assert len(lengths) == 4000
    assert lengths.min() >= 3
    variance = (mean - 3) + (mean - 3) ** 2 / shape
    assert abs(lengths.mean() - mean) <= 4 * np.sqrt(variance / 4000)
    assert lengths.var() == pytest.approx(variance, rel=0.25)


def test_times_and_sessions():
    log = _simulate(users=500, days=31, events_per_user=60, session_events=3.0)
    events = log.events
    assert events["timestamp"].is_sorted()
    assert events["timestamp"].min() >= END - 31 * DAY
    assert events["timestamp"].max() < END + DAY
    weeks = (events["timestamp"] - (END - 31 * DAY)) // (7 * DAY)
    per_week = np.bincount(weeks.to_numpy())[:4] / events.height
    assert per_week == pytest.approx(7 / 31, abs=0.03)
    sessions = events.group_by("session_id").agg(pl.len(), pl.col("user_id").n_unique())
    assert (sessions["user_id"] == 1).all()
    # The user's last event cuts a session off, so that they are a little shorter than asked.
    assert 2.7 < sessions["len"].mean() < 3.0


def test_times_keep_the_order_that_was_drawn():
    """Also where sessions overlap: a habit's event comes right after the one that it follows."""
    config = SimulationConfig(**CATEGORIES, users=300, days=7, events_per_user=100.0)
    timetable = draw(config)[0].timetable
    same_user = np.diff(timetable.users) == 0
    assert np.diff(timetable.times)[same_user].min() > 0
    assert (np.diff(timetable.users) >= 0).all()


def test_hours_and_prices_differ_when_asked():
    plain, distinct = (
        _with_labels(_simulate(users=1000, clusters=2, hours=value, prices=value))
        for value in (0.0, 1.0)
    )
    for events, apart in ((plain, False), (distinct, True)):
        at_night = events.group_by("label").agg(
            (pl.col("timestamp") // 3600 % 24 < 4).mean().alias("share")
        )
        assert (at_night["share"].max() - at_night["share"].min() > 0.2) == apart
        paid = (
            events.group_by("item_id", "label")
            .agg(pl.col("price").mean())
            .pivot("label", index="item_id", values="price")
            .drop_nulls()
        )
        ratio = (paid["1"] / paid["0"]).median()
        assert ratio == pytest.approx(4.0 if apart else 1.0, rel=0.05)


def test_a_setting_leaves_other_parts_as_they_are():
    one = _simulate(users=200, taste=0.0)
    other = _simulate(users=200, taste=1.0)
    same = ["user_id", "timestamp", "session_id"]
    assert one.events.select(same).equals(other.events.select(same))
    assert one.items.equals(other.items)
    assert one.labels.equals(other.labels)
    assert not one.events["item_id"].equals(other.events["item_id"])


def test_one_cluster_has_no_distances():
    log = _simulate(users=100, clusters=1)
    assert log.truth["distances"] == {"items": None, "next_item": None}
    assert log.truth["oracle"]["lift_of_knowing_the_cluster"]["over_latest_item"] == 1
    assert log.truth["oracle"]["recoverable"] is None
    assert log.labels["label"].unique().to_list() == [0]


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"clusters": 9}, ["'categories'", "9 clusters need at least 9 categories"]),
        ({"sizes": (1, 2)}, ["'sizes'", "2 sizes for 4 clusters"]),
        ({"sizes": (1, 2, 3, 0)}, ["'sizes'", "above 0"]),
        ({"sizes": -1.0}, ["'sizes'", "exponent"]),
        ({"users": 3}, ["'sizes'", "3 users are too few"]),
        ({"users": 50, "sizes": 4.0}, ["'sizes'", "more equal sizes"]),
        ({"clusters": 1, "drift": 0.1}, ["'drift'", "only one"]),
        ({"items": 167}, ["'items'", "at least 168 items"]),
        ({"items": 20, "habits": 0.0}, ["'items'", "at least 40 items"]),
        ({"taste": 1.1}, ["'taste'", "1.1"]),
        ({"noise": float("nan")}, ["'noise'"]),
        ({"follows": 1.0}, ["'follows'"]),
        ({"events_per_user": 2.0}, ["'events_per_user'"]),
        ({"days": 1}, ["'days'"]),
        ({"tatse": 0.1}, ["'tatse'", "did you mean 'taste'"]),
    ],
)
def test_settings_that_cannot_be(settings, parts):
    with pytest.raises(ConfigError) as error:
        SimulationConfig.from_dict({**CATEGORIES, **settings})
    for part in parts:
        assert part in str(error.value)


def test_the_smallest_shop():
    log = simulate(
        SimulationConfig(users=1, clusters=1, items=2, categories=1, successors=1, habits=0.0)
    )
    assert log.events.height >= 3
    assert log.truth["oracle"]["popularity"]["hr_at_10"] == pytest.approx(1)
