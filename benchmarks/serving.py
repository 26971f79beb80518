"""How fast the SavedModel answers, beside the least that the same work can cost.

Usage: python benchmarks/serving.py RUN_DIR --output FILE [--items 0 100000 1000000]
                                    [--batches 1 8 64] [--rounds 3] [--seconds 4]
                                    [--transitions]

Asks `serving_default` for the histories of the run's test users, one client that waits for each
answer, in this process, on one catalogue after the other (0: the run's own; larger ones are made
up, see `enlarged_catalogue.py`, with two members, as the encoder is configured by itself there).
Beside it stand, in turns, so that a load from elsewhere hits all alike:

floor     NumPy: the queries' matrix product with the item table, and argpartition
encoder   the signature `embed`: from the request to the query, without retrieval

Prints p50, p99 and histories a second of each, what the targets ask for, and what became of hostile
requests. The encoder is the run's; clusters play no part here, and item transitions do only with
`--transitions`, which weighs them anew on the run's validation users. Made-up items follow nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import trainer  # noqa: F401, I001 (first: it throws the Keras switches)
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from enlarged_catalogue import enlarged, with_members
from hostile_requests import ask_all
from tfx.utils import path_utils

from tfx_pipeline.dag import nodes
from components.cluster_combiner.transitions import fit_transitions
from tfx_pipeline.local.metadata import RunMetadata
from trainer.serving.cell_index import RECALLED, build_cells
from trainer.config import ServingConfig
from trainer.encoder.encoder import BehaviorEncoder
from trainer.serving.export import load_encoder, save_recommender
from trainer.raw_history import TEST, TRAIN, VALIDATION
from trainer.data.histories import Histories, read_histories
from trainer.data.item_transitions import ItemTransitions, count_transitions
from trainer.serving.recommender import Recommender
from trainer.evaluation.scorer import Scorer

LARGE = 20_000
"""Above this an encoder has two members by itself (`DataFacts.members`)."""
HISTORIES = 4096
SIDES = ("floor", "encoder", "exact", "approximate")


def served(recommender: Recommender, folder: str) -> dict[str, Callable[..., Any]]:
    """The signatures of its SavedModel, written and read back."""
    save_recommender(recommender, folder, {"kind": "benchmark"})
    model = tf.saved_model.load(folder)
    # The signatures hold no reference to the model's variables.
    return {**model.signatures, "model": model}


def in_turns(
    sides: dict[str, Callable[[tf.Tensor], Any]],
    batches: list[tf.Tensor],
    rounds: int,
    seconds: float,
) -> dict[str, list[list[float]]]:
    """Seconds of each request, by side and turn; a turn lasts `seconds` and three requests."""
    for ask in sides.values():
        ask(batches[0])
    seen: dict[str, list[list[float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, ask in sides.items():
            times: list[float] = []
            until = time.perf_counter() + seconds
            while time.perf_counter() < until or len(times) < 3:
                began = time.perf_counter()
                ask(batches[len(times) % len(batches)])
                times.append(time.perf_counter() - began)
            seen[name].append(times)
    return seen


def measure(
    sides: dict[str, Callable[[tf.Tensor], Any]],
    batches: list[tf.Tensor],
    rounds: int,
    seconds: float,
) -> dict[str, dict[str, float]]:
    """Latencies of all sides, in turns.

    Returns:
        For each side p50_ms, p99_ms and histories a second; medians of the rounds.
    """
    size = int(batches[0].shape[0])
    return {
        name: {
            "p50_ms": 1e3 * float(np.median([np.median(times) for times in turns])),
            "p99_ms": 1e3 * float(np.median([np.quantile(times, 0.99) for times in turns])),
            "histories_per_second": float(np.median([size / np.mean(times) for times in turns])),
            "requests": sum(map(len, turns)),
        }
        for name, turns in in_turns(sides, batches, rounds, seconds).items()
    }


def recall(exact: Any, approximate: Any, batches: list[tf.Tensor]) -> float:
    """Share of the best items of the exact lists that the approximate ones have."""
    shares = []
    for batch in batches:
        lists = [side(examples=batch)["item_ids"].numpy() for side in (exact, approximate)]
        shares += [np.isin(a[:RECALLED], b[:RECALLED]).mean() for a, b in zip(*lists, strict=True)]
    return float(np.mean(shares))


def one_catalogue(
    encoder: BehaviorEncoder,
    graph: tft.TFTransformOutput,
    records: list[bytes],
    transitions: ItemTransitions | None,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    """All figures of one catalogue."""
    table = encoder.as_of_log_end().catalogue.table().numpy()[1:]
    with tempfile.TemporaryDirectory() as folder:
        exact = Recommender(graph, encoder, transitions=transitions)
        models = {"exact": served(exact, f"{folder}/exact")}
        embed = models["exact"]["embed"]
        # The first half decides on the cells, the second half is measured.
        queries = np.concatenate(
            [
                embed(examples=tf.constant(records[at : at + 256]))["embedding"].numpy()
                for at in range(0, len(records) // 2, 256)
            ]
        )
        result: dict[str, Any] = {
            "items": len(table),
            "width": table.shape[1] - 1,
            "transitions": transitions is not None,
        }
        if len(table) > LARGE:
            began = time.perf_counter()
            extended = np.pad(queries, [(0, 0), (0, 1)], constant_values=1.0)
            cells = build_cells(table, extended, ServingConfig().index_recall, seed=1)
            result["index"] = {
                "seconds": time.perf_counter() - began,
                "cells": len(cells.centres),
                "probes": cells.probes,
                "read": cells.read,
            }
            approximate = Recommender(graph, encoder, cells=cells, transitions=transitions)
            models["approximate"] = served(approximate, f"{folder}/approximate")
    measured = records[len(records) // 2 :]
    if "approximate" in models:
        sample = [tf.constant(measured[at : at + 64]) for at in range(0, 512, 64)]
        sides = (models[name]["serving_default"] for name in ("exact", "approximate"))
        result["index"]["recall"] = recall(*sides, sample)

    # The floor's clock starts at the query, so the queries are made beforehand.
    known: dict[tuple[bytes, int], np.ndarray] = {}

    def prepare(batch: tf.Tensor) -> None:
        query = embed(examples=batch)["embedding"].numpy()
        known[_key(batch)] = np.pad(query, [(0, 0), (0, 1)], constant_values=1.0)

    def floor(batch: tf.Tensor) -> np.ndarray:
        return np.argpartition(known[_key(batch)] @ table.T, -20, axis=1)

    sides = {
        "floor": floor,
        "encoder": lambda batch: embed(examples=batch)["embedding"].numpy(),
        **{
            name: lambda batch, ask=model["serving_default"]: ask(examples=batch)[
                "item_ids"
            ].numpy()
            for name, model in models.items()
        },
    }
    result["batches"] = {}
    for size in arguments.batches:
        count = min(len(measured) // size, 200)
        batches = [tf.constant(measured[at * size : (at + 1) * size]) for at in range(count)]
        for batch in batches:
            prepare(batch)
        figures = measure(sides, batches, arguments.rounds, arguments.seconds)
        result["batches"][size] = figures
        show(len(table), size, figures)
    lists = models["exact"]["serving_default"](examples=tf.constant(measured[:1]))["item_ids"]
    known = [item.decode() for item in lists.numpy()[0].tolist()]
    result["hostile"] = ask_all(models["exact"], known)
    return result


def weighed_transitions(
    run: RunMetadata, encoder: BehaviorEncoder, graph: tft.TFTransformOutput
) -> ItemTransitions | None:
    """What ClusterCombiner would add to this encoder, None where it brings nothing."""

    def histories(split: str) -> Histories:
        return read_histories(split_files(run, split), graph, encoder.new_items)

    validation = histories(VALIDATION)
    counted = count_transitions(histories(TRAIN), encoder.catalogue.items)
    scorer = Scorer(encoder, validation)
    return fit_transitions(counted, scorer, validation, scorer.queries(), seed=1).transitions


def artifact(run: RunMetadata, node: str, key: str) -> str:
    """Where a node's latest output is."""
    execution = run.latest(node)
    if execution is None:
        raise SystemExit(f"the run has no finished {node}")
    return str(execution.artifacts[key][0])


def split_files(run: RunMetadata, split: str) -> list[str]:
    """The histories of a split."""
    folder = Path(artifact(run, nodes.INGESTION, "examples"), f"Split-{split}")
    return sorted(map(str, folder.glob("*")))


def _key(batch: tf.Tensor) -> tuple[bytes, int]:
    """Names a batch: batches of one size do not overlap."""
    return batch.numpy()[0], len(batch)


def show(items: int, size: int, figures: dict[str, dict[str, float]]) -> None:
    """Prints one batch size."""
    for name, figure in figures.items():
        print(
            f"{items:>9,} items  batch {size:>2}  {name:11}  p50 {figure['p50_ms']:8.2f} ms  "
            f"p99 {figure['p99_ms']:8.2f} ms  {figure['histories_per_second']:9,.0f} histories/s",
            flush=True,
        )
    bound = 3 * figures["floor"]["p50_ms"] + figures["encoder"]["p50_ms"]
    print(f"{'':26} exact is {figures['exact']['p50_ms'] / bound:.2f} of 3 floors and the encoder")
    if "approximate" in figures:
        rate = {name: figure["histories_per_second"] for name, figure in figures.items()}
        times = rate["approximate"] / rate["exact"]
        print(f"{'':26} approximate: {times:.1f} times the histories a second", flush=True)


def main() -> None:
    """Runs the benchmark; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, metavar="RUN_DIR")
    parser.add_argument("--items", type=int, nargs="+", default=[0, 100_000, 1_000_000])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each side and round")
    parser.add_argument("--transitions", action="store_true", help="with item transitions")
    parser.add_argument("--output", type=Path, required=True, help="where the figures go, as JSON")
    arguments = parser.parse_args()
    run = RunMetadata(arguments.run / "metadata.db")
    model = artifact(run, nodes.ENCODER_TRAINER, "model")
    trained = load_encoder(path_utils.serving_model_dir(model))
    graph = tft.TFTransformOutput(artifact(run, nodes.TRANSFORM, "transform_graph"))
    dataset = tf.data.TFRecordDataset(split_files(run, TEST), "GZIP")
    records = [record.numpy() for record in dataset.take(HISTORIES)]
    transitions = weighed_transitions(run, trained, graph) if arguments.transitions else None
    results = []
    for items in arguments.items:
        members = 2 if items > LARGE else trained.members
        encoder = enlarged(with_members(trained, members), items, seed=1)
        results.append(one_catalogue(encoder, graph, records, transitions, arguments))
        if "index" in results[-1]:
            print("{items:,} items, index: {index}".format(**results[-1]), flush=True)
    for row in results[0]["hostile"]:
        print(
            "hostile: {request:25} {seconds:6.2f} s  {memory_mb:6.0f} MB  {outcome}".format(**row)
        )
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
