"""The stand-in grocery has customers of six short baskets in one window."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from benchmarks.short_grocery import BASKETS, DAY, START, WINDOW, short_histories


@pytest.fixture
def purchases() -> pl.DataFrame:
    """Two households: 13 baskets of ten items within a year, and five baskets."""
    start = datetime(2017, 1, 1)
    return pl.DataFrame(
        [
            (household, 100 * household + basket, item, start + timedelta(days=27 * basket))
            for household, baskets in ((1, 13), (2, 5))
            for basket in range(baskets)
            for item in range(basket, basket + 10)
        ],
        schema=["household_id", "basket_id", "product_id", "transaction_timestamp"],
        orient="row",
    )


def test_a_household_becomes_customers_of_six_baskets(purchases):
    log = short_histories(purchases, customers=10)
    assert log["user_id"].unique().sort().to_list() == ["1-0", "1-1"]
    for _, customer in log.group_by("user_id"):
        times = set(customer["timestamp"].to_list())
        assert len(times) == BASKETS
        assert all(time % DAY == 0 and START <= time <= START + WINDOW for time in times)
    sizes = log.group_by("user_id", "timestamp").len()["len"].to_list()
    assert 2 <= min(sizes) <= max(sizes) <= 10


def test_items_stay_in_the_order_of_their_baskets(purchases):
    first = short_histories(purchases, customers=10).filter(pl.col("user_id") == "1-0")
    assert max(map(int, first["item_id"].to_list())) < 15  # the sixth basket ends with item 14


def test_the_same_seed_gives_the_same_log(purchases):
    one, other = (short_histories(purchases, customers=1) for _ in range(2))
    assert one.equals(other)
    assert one["user_id"].n_unique() == 1
