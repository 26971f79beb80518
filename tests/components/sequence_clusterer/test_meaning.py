"""What is called a trait, what a cluster is called, on planted behaviour."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from components.sequence_clusterer.meaning.behaviour_counts import BehaviourCounts
from components.sequence_clusterer.meaning.cluster_names import add_names
from components.sequence_clusterer.meaning.profiles import add_titles, profile_clusters
from components.sequence_clusterer.sample.fit_sample import HISTORY_SCHEMA

HOUR, DAY, WEEK = 3_600, 86_400, 604_800
MONDAY = 1_704_067_200  # 1 January 2024
SHELVES = {"snacks": "GROCERY / SNACKS", "bread": "GROCERY / BREAD", "milk": "DAIRY / MILK"}


def shopper(rng, user, chances=(1, 1, 1), visits=10, basket=4, hours=(6, 24), price=2.0):
    """A user whose items are drawn from the three shelves with these chances."""
    days = np.sort(rng.choice(70, visits, replace=False))
    times = [MONDAY + day * DAY + int(rng.integers(*hours)) * HOUR for day in days.tolist()]
    chances = np.array(chances) / sum(chances)
    shelves = rng.choice(list(SHELVES), visits * basket, p=chances).tolist()
    return {
        "user": user,
        "item_ids": [f"{shelf}{rng.integers(20)}" for shelf in shelves],
        "actions": ["purchase"] * len(shelves),
        "timestamps": np.repeat(times, basket).tolist(),
        "prices": rng.gamma(4.0, price / 4, len(shelves)).tolist(),
        "quantities": [1.0] * len(shelves),
        "categories": [SHELVES[shelf] for shelf in shelves],
    }


def profiled(rows, labels, **settings):
    table = pa.Table.from_pylist(rows, HISTORY_SCHEMA)
    batches = [table.slice(0, 70), table.slice(70)]
    users = np.array([row["user"] for row in rows])
    profiles = profile_clusters(batches, users, np.asarray(labels), **settings)
    add_titles(profiles, None)
    add_names(profiles)
    return profiles


def traits(profile, kind):
    return {trait["value"]: trait for trait in profile["traits"] if trait["kind"] == kind}


@pytest.fixture(scope="module")
def planted():
    """Eighty like everybody, forty in the evening, after snacks, with small and dear baskets."""
    rng = np.random.default_rng(5)
    rows = [shopper(rng, user) for user in range(80)]
    rows += [
        shopper(rng, user, (4, 1, 1), basket=2, hours=(18, 24), price=5.0)
        for user in range(80, 120)
    ]
    return rows, [0] * 80 + [1] * 40


def test_planted_traits_are_found_and_make_the_name(planted):
    everybody, evening = profiled(*planted)
    assert evening["name"].startswith("evening shoppers · snacks · ")
    assert set(traits(evening, "category")) == {"GROCERY / SNACKS"}
    assert set(traits(evening, "day_part")) == {1, 2, 3}
    assert traits(evening, "day_part")[3]["lift"] > 1.2 > traits(evening, "day_part")[2]["lift"]
    snacks = evening["top_categories"][0]
    assert snacks["significant"]
    assert snacks["share"] == pytest.approx(4 / 6, abs=0.05)
    assert snacks["lift_ci"][0] < snacks["lift"] < snacks["lift_ci"][1]
    assert {"basket_size", "events"} <= set(traits(evening, "measure"))
    assert evening["tests"]["measures"][0]["value"] == "basket_size"
    assert len(evening["tests"]["hours"]) == 18  # nobody shops between midnight and six
    assert "GROCERY / SNACKS" not in traits(everybody, "category")
    assert all(trait["q_value"] <= 0.05 for trait in evening["traits"])


def test_random_clusters_have_no_traits(planted):
    rows, _ = planted
    for seed in range(5):
        labels = np.random.default_rng(seed).integers(0, 3, len(rows))
        profiles = profiled(rows, labels)
        assert [profile["traits"] for profile in profiles] == [[], [], []]
        assert profiles[2]["name"] == "cluster 2 (no distinguishing traits)"


def test_a_busy_user_counts_as_one():
    """One user of the cluster takes nothing but milk, a thousand times; no one else prefers it."""
    rng = np.random.default_rng(6)
    rows = [shopper(rng, user) for user in range(60)]
    rows[0] = shopper(rng, 0, (0, 0, 1), visits=50, basket=20)
    cluster, _ = profiled(rows, [0] * 30 + [1] * 30)
    (milk,) = [c for c in cluster["top_categories"] if c["category"] == "DAIRY / MILK"]
    assert milk["lift"] < 1.1
    assert not milk["significant"]


def test_a_busy_cluster_does_not_prefer_everything():
    """Its users have every item more often, but not as a larger part of what they take."""
    rng = np.random.default_rng(7)
    rows = [shopper(rng, user, visits=5, basket=2) for user in range(60)]
    rows += [shopper(rng, user, visits=30, basket=4) for user in range(60, 120)]
    _, busy = profiled(rows, [0] * 60 + [1] * 60)
    assert busy["top_items"][0]["lift"] > 1.3
    assert not any(item["significant"] for item in busy["top_items"])
    assert not traits(busy, "item")
    assert "events" in traits(busy, "measure")


def test_items_that_a_cluster_prefers(planted):
    rows, labels = planted
    rows = [
        {**row, "item_ids": ["caviar"] * 3 + row["item_ids"][3:]} if label else row
        for row, label in zip(rows, labels, strict=True)
    ]
    _, evening = profiled(rows, labels)
    caviar = traits(evening, "item")["caviar"]
    assert caviar["share"] == 1.0
    assert caviar["lift"] == pytest.approx(3.0)
    assert evening["top_items"][0]["significant"]


def test_noise_is_no_cluster_but_counts_among_all_users(planted):
    rows, labels = planted
    noisy = [-1] * 40 + labels[40:]
    everybody, evening = profiled(rows, noisy)
    assert (everybody["users"], evening["users"]) == (40, 40)
    assert evening["share"] == pytest.approx(1 / 3)
    before = profiled(rows, labels)[1]
    assert evening["top_categories"][0] == before["top_categories"][0]
    assert evening["tests"]["hours"][-1]["lift"] == before["tests"]["hours"][-1]["lift"]


def test_one_cluster_is_compared_with_nobody(planted):
    rows, labels = planted
    (profile,) = profiled(rows, [0] * len(labels))
    assert profile["name"] == "cluster 0 (no distinguishing traits)"
    assert profile["top_categories"][0]["lift"] == 1.0
    assert profile["top_categories"][0]["lift_ci"] is None


def test_the_order_of_the_histories_does_not_matter(planted):
    rows, labels = planted
    order = np.random.default_rng(8).permutation(len(rows))
    mixed = profiled([rows[n] for n in order], [labels[n] for n in order])
    assert mixed == profiled(rows, labels)


def test_without_times_nothing_is_said_about_them(planted):
    rows, labels = planted
    rows = [{**row, "timestamps": list(range(len(row["timestamps"])))} for row in rows]
    _, evening = profiled(rows, labels)
    assert evening["tests"]["hours"] == evening["tests"]["day_parts"] == []
    tested = {measure["value"] for measure in evening["tests"]["measures"]}
    assert tested == {"events", "repeat_share", "spend", "price_level"}
    assert evening["name"] == "snacks · high prices"


def measured(price_per="unit", **columns):
    """The measures of one user of three visits with one, one and two events."""
    row = {
        "user": 1,
        "item_ids": ["a", "a", "b", "c"],
        "actions": ["purchase", "view", "purchase", "purchase"],
        "timestamps": [MONDAY, MONDAY + 5 * DAY, MONDAY + 2 * WEEK, MONDAY + 2 * WEEK],
        "prices": [3.0, 9.0, 4.0, -1.0],
        "quantities": [2.0, 5.0, -1.0, 1.0],
        "categories": None,
        **columns,
    }
    counts = BehaviourCounts(pl.DataFrame({"user": [1], "cluster": [0]}), price_per)
    counts.add(pa.Table.from_pylist([row], HISTORY_SCHEMA))
    return counts.users().row(0, named=True)


def test_measures_by_hand():
    user = measured()
    assert (user["events"], user["baskets"], user["basket_size"]) == (4, 3, pytest.approx(4 / 3))
    assert (user["repeat_share"], user["weekend_share"]) == (0.25, 0.25)
    assert user["events_per_week"] == 2.0
    assert user["days"] == 14.0
    # Views cost nothing, an unknown price is left out, an unknown quantity is one.
    assert user["spend"] == 3.0 * 2 + 4.0
    assert user["basket_value"] == 5.0
    assert user["price_level"] == 4.0


def test_the_price_may_be_that_of_the_event():
    user = measured("event")
    assert user["spend"] == 3.0 + 4.0
    assert user["price_level"] == pytest.approx(9 / 5)


def test_spend_without_purchases():
    assert measured(actions=["click"] * 4)["spend"] == 3.0 * 2 + 9.0 * 5 + 4.0
    assert measured(actions=["click", "order"] * 2)["spend"] is None
    assert measured(prices=None)["spend"] is None


def named(*profiles):
    made = [
        {"cluster": k, "traits": [{"reach": 0.9, **trait} for trait in traits]}
        for k, traits in enumerate(profiles)
    ]
    add_names(made)
    return [profile["name"] for profile in made]


def trait(kind, value, lift=2.0, **more):
    return {"kind": kind, "value": value, "lift": lift, **more}


def test_names_take_the_most_certain_of_each_kind():
    (name,) = named(
        [
            trait("measure", "basket_size", 0.5),
            trait("category", "GROCERY / SOFT DRINKS"),
            trait("category", "electronics.video_games"),
            trait("category", "GROCERY / BEER"),
            trait("day_part", 1, 0.4),
            trait("measure", "weekend_share", 0.6),
            trait("day_part", 3),
            trait("measure", "spend", 0.5),
        ]
    )
    assert name == "weekday shoppers · soft drinks, video games · small baskets"


def test_names_from_titles_where_there_are_no_categories():
    assert named([trait("item", "17", title="Green Tea")], [trait("item", "18", title="")]) == [
        "green tea",
        "item 18",
    ]


def test_what_few_of_a_cluster_do_does_not_name_it():
    (name,) = named([trait("category", "CAVIAR", reach=0.02)])
    assert name == "cluster 0 (no distinguishing traits)"


def test_names_are_different():
    tea = trait("category", "DRINKS / TEA")
    assert named([tea], [trait("category", "GARDEN / TEA")], [tea]) == [
        "drinks / tea (cluster 0)",
        "garden / tea",
        "drinks / tea (cluster 2)",
    ]
