"""A funnel: views, carts and purchases of what was decided."""

import numpy as np
import polars as pl

from tfx_pipeline.simulation import SimulationConfig, simulate

SHOP = {"users": 400, "items": 200, "categories": 8, "clusters": 2, "events_per_user": 10.0}


def test_without_views_every_event_is_a_purchase():
    log = simulate(SimulationConfig(**SHOP))
    assert log.events["action"].unique().to_list() == ["purchase"]
    assert "funnel" not in log.truth
    assert "beside" not in log.origins


def test_rates_are_those_of_the_settings():
    log = simulate(SimulationConfig(**SHOP, views=3.0, carts=0.6, purchases=0.4))
    decisions = log.truth["log"]["events"]
    counts = dict(log.events.group_by("action").len().iter_rows())
    assert counts == log.truth["funnel"]
    error = 4 / np.sqrt(decisions)
    assert abs(counts["view"] / decisions - 4.0) < 2 * error
    assert abs(counts["cart"] / decisions - 0.6) < error
    assert abs(counts["purchase"] / counts["cart"] - 0.4) < error


def test_only_carted_items_are_bought_and_only_viewed_ones_carted():
    log = simulate(SimulationConfig(**SHOP, views=2.0))
    events = log.events.with_columns(log.origins).sort("user_id", "timestamp")
    gaps = events["timestamp"].diff().filter(events["user_id"] == events["user_id"].shift(1))
    assert gaps.min() > 0
    viewed, carted = set(), set()
    for user, item, action, origin in events.select(
        "user_id", "item_id", "action", "origin"
    ).iter_rows():
        if action == "view":
            viewed.add((user, item))
        else:
            assert origin != "beside"
            assert (user, item) in (viewed if action == "cart" else carted)
            if action == "cart":
                carted.add((user, item))
    # Most of what is viewed is not bought, and others are viewed between cart and purchase.
    bought = events.filter(pl.col("action") == "purchase")
    assert len(bought) < 0.15 * len(events)
    before = events.with_columns(
        same=pl.col("item_id") == pl.col("item_id").shift(1),
        last=pl.col("action").shift(1),
    ).filter(pl.col("action") == "purchase")
    assert (before["last"] == "view").mean() > 0.4
    assert not before.filter(pl.col("last") == "view")["same"].all()


def test_a_funnel_changes_no_decision():
    plain = simulate(SimulationConfig(**SHOP))
    sure = simulate(SimulationConfig(**SHOP, views=2.0, carts=1.0, purchases=1.0))
    bought = sure.events.filter(pl.col("action") == "purchase")
    order = ["user_id", "timestamp"]
    items = [log.sort(order)["item_id"].to_list() for log in (plain.events, bought)]
    assert items[0] == items[1]
    assert plain.truth["oracle"] == sure.truth["oracle"]
