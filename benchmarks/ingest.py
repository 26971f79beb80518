"""Ingestion at scale: N synthetic events through BehaviorExampleGen, beside polars alone.

Usage: python benchmarks/ingest.py [--events 10000000] [--format csv|parquet] [--folder DIR]

Writes the log into a temporary folder (not timed), ingests it in a process of its own, then lets
polars do de-duplication, sort and group-by on the same file in another, and prints time, events
per second, peak memory and CPU time (with imports) of both. Exits with 1 if the ingestion of 10 M
events or fewer takes more than 3 minutes or 8 GB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

_CHUNK = 1_000_000
_EVENTS_PER_USER = 10
_ITEMS = 100_000
_START, _SECONDS = 1_672_531_200, 365 * 86_400
_DUPLICATES = 0.01
_LIMIT_SECONDS, _LIMIT_GB = 180, 8.0


def make_log(path: Path, events: int, form: str, seed: int = 0) -> None:
    """Writes a log: skewed users and items, three actions, prices, 1 % exact duplicates."""
    rng = np.random.default_rng(seed)
    users = max(2, events // _EVENTS_PER_USER)
    activity = rng.lognormal(0, 0.8, users)
    per_user = np.cumsum(activity / activity.sum())
    popularity = 1 / (np.arange(_ITEMS) + 20.0)
    per_item = np.cumsum(popularity / popularity.sum())
    parts = []
    for index, start in enumerate(range(0, events, _CHUNK)):
        count = min(_CHUNK, events - start)
        user = np.minimum(np.searchsorted(per_user, rng.random(count)), users - 1)
        item = np.minimum(np.searchsorted(per_item, rng.random(count)), _ITEMS - 1)
        low, high = (_START + _SECONDS * edge // events for edge in (start, start + count))
        frame = pl.DataFrame(
            {
                "user_id": user,
                "item_id": item,
                "timestamp": np.sort(rng.integers(low, max(high, low + 1), count)),
                "action": rng.choice(3, count, p=[0.8, 0.1, 0.1]),
                "price": np.round(rng.lognormal(3, 1, count), 2),
            }
        )
        repeated = frame.head(int(count * _DUPLICATES))
        frame = pl.concat([frame.head(count - repeated.height), repeated])
        frame = frame.with_columns(
            pl.format("user-{}", pl.col("user_id")).alias("user_id"),
            pl.format("item-{}", pl.col("item_id")).alias("item_id"),
            pl.from_epoch("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("timestamp"),
            pl.col("action").replace_strict({0: "view", 1: "cart", 2: "purchase"}),
        )
        part = path.with_suffix(f".part{index}")
        if form == "csv":
            frame.write_csv(part, include_header=index == 0)
        else:
            frame.write_parquet(part)
        parts.append(part)
    if form == "csv":
        with path.open("wb") as out:
            for part in parts:
                out.write(part.read_bytes())
    else:
        pl.scan_parquet(parts).sink_parquet(path)
    for part in parts:
        part.unlink()


def ingest(path: str, folder: str) -> dict[str, int]:
    """Runs the executor of BehaviorExampleGen on one file."""
    import components  # noqa: F401, I001 (first: it quiets TensorFlow)
    from tfx.types import standard_artifacts

    from components.artifacts import DataQuality, ItemCatalogue
    from components.behavior_example_gen.config import DataConfig
    from components.behavior_example_gen.executor import Executor
    from trainer.evaluation_config import EvaluationConfig

    outputs = {
        "examples": [standard_artifacts.Examples()],
        "data_quality": [DataQuality()],
        "items": [ItemCatalogue()],
    }
    for name, [artifact] in outputs.items():
        artifact.uri = f"{folder}/{name}/1"
    properties = {
        "input_files": json.dumps([path]),
        "items_files": "[]",
        "config": DataConfig().to_json(),
        "evaluation": EvaluationConfig().to_json(),
        "behavior_actions": "[]",
    }
    start = time.monotonic()
    Executor().Do({}, outputs, properties)
    seconds = time.monotonic() - start
    account = json.loads(Path(folder, "data_quality/1/data_quality.json").read_text())
    return {"seconds": seconds, "histories": sum(account["split"]["histories"].values())}


def polars_alone(path: str, folder: str) -> dict[str, int]:
    """De-duplication, sort and group-by in memory: no cleaning, no splits, nothing written."""
    del folder
    start = time.monotonic()
    log = pl.read_csv(path) if path.endswith(".csv") else pl.read_parquet(path)
    histories = (
        log.unique()
        .sort("timestamp")
        .group_by("user_id", maintain_order=True)
        .agg("item_id", "action", "timestamp", "price")
    )
    return {"seconds": time.monotonic() - start, "histories": histories.height}


def measured(
    work: Callable[[str, str], dict[str, int]], path: str, folder: str
) -> dict[str, float]:
    """Runs a function in a fresh process; adds its peak memory in GB and its CPU seconds."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(work, path, folder, sending))
    process.start()
    sending.close()
    try:
        return receiving.recv()
    except EOFError:
        raise SystemExit(f"{work.__name__} failed; see above") from None
    finally:
        process.join()


def _report(work: Callable[[str, str], dict[str, int]], path: str, folder: str, pipe) -> None:
    result = work(path, folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    pipe.send(
        {**result, "peak_gb": used.ru_maxrss / (1 << 20), "cpu": used.ru_utime + used.ru_stime}
    )


def main() -> int:
    """Runs the benchmark; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--folder", help="where to put the log and the output (default: temporary)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder, f"log.{arguments.format}")
        make_log(path, arguments.events, arguments.format)
        print(
            f"{arguments.events:,} events of {arguments.events // _EVENTS_PER_USER:,} users, "
            f"{arguments.format}, {path.stat().st_size / 1e6:,.0f} MB, "
            f"{len(os.sched_getaffinity(0))} cores"
        )
        results = {}
        for name, work in (("cohortrec", ingest), ("polars alone", polars_alone)):
            results[name] = measured(work, str(path), folder)
            result = results[name]
            print(
                f"{name:13} {result['seconds']:7.1f} s  "
                f"{arguments.events / result['seconds']:12,.0f} events/s  "
                f"peak {result['peak_gb']:5.2f} GB  {result['cpu']:6.1f} CPU s  "
                f"{result['histories']:12,.0f} histories"
            )
    ours = results["cohortrec"]
    print(f"ratio of the times {ours['seconds'] / results['polars alone']['seconds']:.1f}")
    if arguments.events <= 10_000_000 and (
        ours["seconds"] > _LIMIT_SECONDS or ours["peak_gb"] > _LIMIT_GB
    ):
        print(f"over the limit of {_LIMIT_SECONDS} s and {_LIMIT_GB} GB")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
