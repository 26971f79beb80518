"""A simulated log and its truth, as tables and as files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfx_pipeline.paths.inputs import InputError, make_writable
from tfx_pipeline.simulation.assortment import item_ids
from tfx_pipeline.simulation.choices import ORIGINS
from tfx_pipeline.simulation.draws import Draws, draw
from tfx_pipeline.simulation.funnel import ACTIONS, PURCHASE, draw_funnel
from tfx_pipeline.simulation.settings import SimulationConfig
from tfx_pipeline.simulation.truth import truth

EVENTS, ITEMS, LABELS, TRUTH = "events.csv", "items.csv", "labels.csv", "truth.json"
BESIDE = "beside"
"""Origin of what was viewed beside a decided item."""
_PRICE_RANGE = 4.0
"""The dearest price level over the cheapest at `prices` = 1."""
_PAID_SPREAD = 0.05
_MORE_THAN_ONE = 0.3


@dataclass(frozen=True)
class SimulatedLog:
    """What a shop would have, and what only its maker knows.

    Attributes:
        config: the settings.
        events: user_id, item_id, timestamp (Int64, epoch seconds), action, session_id, price,
            quantity; in order of time.
        items: item_id, title, category, price.
        labels: user_id, label (the cluster at the end of the period); with drift also
            label_before and label_after.
        truth: the content of `truth.json`.
        origins: one of `choices.ORIGINS` for each row of `events`: why the item was taken; with a
            funnel also `BESIDE`.
    """

    config: SimulationConfig
    events: pl.DataFrame
    items: pl.DataFrame
    labels: pl.DataFrame
    truth: dict[str, Any]
    origins: pl.Series

    def write(self, directory: Path) -> None:
        """Writes `events.csv` (times in ISO 8601), `items.csv`, `labels.csv` and `truth.json`.

        The last of them is written last: a folder that has it is complete.

        Raises:
            InputError: see `claim_directory`.
        """
        claim_directory(directory)
        times = pl.from_epoch("timestamp", "s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.events.with_columns(times).write_csv(directory / EVENTS, float_precision=2)
        self.items.write_csv(directory / ITEMS, float_precision=2)
        self.labels.write_csv(directory / LABELS)
        content = json.dumps(self.truth, indent=2) + "\n"
        (directory / TRUTH).write_text(content, encoding="utf-8")


def claim_directory(directory: Path) -> None:
    """Makes the folder that a log is written to.

    Raises:
        InputError: it holds files already, or cannot be written to.
    """
    if directory.is_dir() and any(directory.iterdir()):
        raise InputError(
            f"{str(directory)!r} is not empty, and nothing in it is overwritten; "
            "choose another --output, or remove the folder first"
        )
    make_writable(directory)


def simulate(config: SimulationConfig) -> SimulatedLog:
    """Draws a log. The same settings always give the same log.

    Takes about 300 bytes an event, and 12 s (K + 1) bytes an item for the successors.
    """
    draws, chance = draw(config)
    figures = truth(draws, chance)
    labels = draws.population.after
    columns = {"user_id": _user_ids(config.users), "label": labels}
    if config.drift:
        columns |= {"label_before": draws.population.before, "label_after": labels}
    events = _purchases(draws, chance)
    origins = pl.Series("origin", ORIGINS).gather(draws.choices.origins)
    if config.views:
        events, origins = _through_funnel(draws, events, origins, chance)
        figures["funnel"] = dict(events.group_by("action").len().sort("action").iter_rows())
    order = np.lexsort((events["user_id"].to_numpy(), events["timestamp"].to_numpy()))
    return SimulatedLog(
        config,
        events[order],
        draws.model.assortment.frame(),
        pl.DataFrame(columns),
        figures,
        origins.gather(order),
    )


def _purchases(draws: Draws, chance: np.random.Generator) -> pl.DataFrame:
    """Every decision as a purchase, in the order of the draws."""
    config, timetable, items = draws.model.config, draws.timetable, draws.choices.items
    sessions = pl.Series(timetable.sessions).cast(pl.String)
    # Price levels lie evenly on a logarithmic scale, around the list price.
    levels = np.linspace(-0.5, 0.5, config.clusters) if config.clusters > 1 else np.zeros(1)
    exponents = config.prices * np.log(_PRICE_RANGE) * levels[timetable.clusters]
    exponents += chance.normal(0, _PAID_SPREAD, len(items))
    prices = np.maximum(np.round(draws.model.assortment.prices[items] * np.exp(exponents), 2), 0.01)
    quantities = 1 + chance.poisson(_MORE_THAN_ONE, len(items))
    return pl.DataFrame(
        {
            "user_id": pl.Series(_user_ids(config.users)).gather(timetable.users),
            "item_id": pl.Series(item_ids(config.items)).gather(items),
            "timestamp": timetable.times,
            "action": pl.repeat(PURCHASE, len(items), eager=True),
            "session_id": "s" + sessions,
            "price": prices,
            "quantity": quantities,
        }
    )


def _through_funnel(
    draws: Draws, purchases: pl.DataFrame, origins: pl.Series, chance: np.random.Generator
) -> tuple[pl.DataFrame, pl.Series]:
    """The events of all decisions, and why their items were taken.

    A decided item has its price and quantity in all of its events; others have the list price.
    """
    funnel = draw_funnel(draws, chance)
    listed = draws.model.assortment.prices[funnel.items]
    rows = purchases[funnel.decisions]
    events = rows.with_columns(
        item_id=pl.Series(item_ids(draws.model.config.items)).gather(funnel.items),
        timestamp=funnel.times,
        action=pl.Series(ACTIONS).gather(funnel.actions),
        price=pl.Series(np.where(funnel.decided, rows["price"].to_numpy(), listed)),
        quantity=pl.Series(np.where(funnel.decided, rows["quantity"].to_numpy(), 1)),
    )
    why = (
        origins.gather(funnel.decisions)
        .to_frame()
        .select(
            pl.when(pl.Series(funnel.decided))
            .then("origin")
            .otherwise(pl.lit(BESIDE))
            .alias("origin")
        )
    )
    return events, why["origin"]


def _user_ids(count: int) -> list[str]:
    width = len(str(count))
    return [f"u{number:0{width}}" for number in range(1, count + 1)]
