"""Profiles of clusters, counted by hand."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from components.sequence_clusterer.meaning.profiles import add_titles, profile_clusters
from components.sequence_clusterer.sample.fit_sample import HISTORY_SCHEMA

HOUR, DAY = 3_600, 86_400


@pytest.fixture
def histories():
    """Four users of cluster 0 who buy tea in the morning, four of cluster 1, coffee at night."""
    rows = []
    for user in range(8):
        late = user >= 4
        start = (22 if late else 8) * HOUR
        rows.append(
            {
                "user": user,
                "item_ids": ["bread", "coffee" if late else "tea", "bread"],
                "actions": ["purchase", "purchase", "view" if late else "purchase"],
                "timestamps": [start, start + DAY, start + (4 if late else 2) * DAY],
                "prices": [-1.0, 8.0 if late else 3.0, -1.0],
                "quantities": None,
                "categories": ["bakery", "drinks" if late else "", "bakery"],
            }
        )
    return rows


def profiles_of(rows, labels):
    table = pa.Table.from_pylist(rows[:3]), pa.Table.from_pylist(rows[3:])
    users = np.array([row["user"] for row in rows])
    return profile_clusters(table, users, np.asarray(labels))


def test_what_sets_a_cluster_apart(histories):
    tea, coffee = profiles_of(histories, [0] * 4 + [1] * 4)
    assert (tea["cluster"], tea["users"], tea["share"]) == (0, 4, 0.5)
    assert [(i["item_id"], i["share"], i["lift"]) for i in tea["top_items"]] == [
        ("tea", 1.0, 2.0),
        ("bread", 1.0, 1.0),
    ]
    assert coffee["top_items"][0]["item_id"] == "coffee"
    assert tea["events_per_user_median"] == 3
    assert (tea["span_days_median"], coffee["span_days_median"]) == (2.0, 4.0)
    assert tea["actions"] == {"purchase": 1.0}
    assert coffee["actions"] == pytest.approx({"purchase": 2 / 3, "view": 1 / 3})
    assert (tea["price_median"], coffee["price_median"]) == (3.0, 8.0)
    assert tea["hours"][8] == 1.0
    assert coffee["hours"][22] == 1.0
    assert len(tea["hours"]) == 24


def test_unknown_categories_do_not_count(histories):
    tea, coffee = profiles_of(histories, [0] * 4 + [1] * 4)
    (bakery,) = tea["top_categories"]
    assert (bakery["category"], bakery["share"]) == ("bakery", 1.0)
    assert bakery["lift"] == pytest.approx(1 / ((1 + 2 / 3) / 2))
    assert coffee["top_categories"][0]["category"] == "drinks"
    assert coffee["top_categories"][0]["share"] == pytest.approx(1 / 3)


def test_rare_items_are_not_shown(histories):
    histories[0]["item_ids"][1] = "caviar"
    tea, _ = profiles_of(histories, [0] * 4 + [1] * 4)
    assert "caviar" not in [item["item_id"] for item in tea["top_items"]]


def test_without_prices_and_categories(histories):
    for row in histories:
        row["prices"] = row["categories"] = None
    table = pa.Table.from_pylist(histories, HISTORY_SCHEMA)
    (profile,) = profile_clusters([table], np.arange(8), np.zeros(8, np.int64))
    assert profile["price_median"] is None
    assert profile["top_categories"] == []


def test_a_cluster_of_one_user(histories):
    _, single = profiles_of(histories, [0] * 7 + [1])
    assert single["users"] == 1
    assert single["top_items"][0]["item_id"] == "coffee"


def test_users_of_no_cluster_count_among_all(histories):
    (tea,) = profiles_of(histories, [0] * 4 + [-1] * 4)
    assert (tea["cluster"], tea["users"], tea["share"]) == (0, 4, 0.5)
    first = tea["top_items"][0]
    assert (first["item_id"], first["share"], first["lift"]) == ("tea", 1.0, 2.0)


def test_titles(histories):
    profiles = profiles_of(histories, [0] * 4 + [1] * 4)
    add_titles(profiles, pl.DataFrame({"item_id": ["tea", "bread"], "title": ["Green tea", None]}))
    assert [item["title"] for item in profiles[0]["top_items"]] == ["Green tea", ""]
    add_titles(profiles, None)
    assert profiles[0]["top_items"][0]["title"] == ""
