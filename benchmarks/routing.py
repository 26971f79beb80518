"""What two specialists cost a request: the combination beside the global encoder alone.

Usage: python benchmarks/routing.py RUN_DIR --output FILE [--clusters 3 8] [--members 1]
                                    [--batches 1 64] [--rounds 20] [--seconds 0.4]

Asks `serving_default` for the histories of the run's test users, in many short turns, of
SavedModels with the run's encoder: alone, and with K specialists of full strength of which each
user gets two. What a request costs depends on how many there are and on how users spread over
them, not on what they learnt, so that specialists are the encoder with noise and clusters lie
around users drawn by chance, in the space and with the representation of the run's own clusters.

Prints p50 of each, the median over turns of the ratio to the encoder's p50, and sizes on disk.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import trainer  # noqa: F401, I001 (first: it throws the Keras switches)
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from serving import artifact, in_turns, served, split_files
from tfx.utils import path_utils

from tfx_pipeline.dag import nodes
from components.cluster_combiner.config import CombinerConfig
from tfx_pipeline.local.metadata import RunMetadata
from trainer.serving.export import load_encoder
from trainer.raw_history import TEST
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.clusters.mixture import Mixture
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.serving.recommender import Recommender
from trainer.clusters.representation import LAST_STATE
from trainer.encoder.tower_ensemble import members_of

HISTORIES = 4096
PER_USER = CombinerConfig().specialists_per_user


def noisy_specialist(model: str, members: int, rng: np.random.Generator) -> Any:
    """The towers of the encoder in `model`, the first members a little different."""
    tower = load_encoder(model).tower
    for member in members_of(tower)[:members]:
        weights = member.get_weights()
        member.set_weights([w + 1e-3 * rng.standard_normal(w.shape) for w in weights])
    return tower


def clusters_of(
    geometry: ClusterGeometry, users: np.ndarray, clusters: int, rng: np.random.Generator
) -> ClusterGeometry:
    """Clusters around users drawn by chance, each user a prototype.

    Args:
        geometry: whose space and representation are kept.
        users: float32 [n, dim], so represented.
        clusters: how many.
        rng: draws them.
    """
    points = geometry.space.points(users)
    drawn = rng.choice(len(points), clusters, replace=False)
    rule = NearestPrototype.fitted([points[[user]] for user in drawn], points)
    return dataclasses.replace(geometry, rule=rule)


def megabytes(folder: str) -> float:
    """Size of all files below."""
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6


def represented(
    model: dict[str, Callable[..., Any]], records: list[bytes], kind: str
) -> np.ndarray:
    """The users as the clusterer sees them, float32 [n, dim]."""
    name, key = ("embed", "embedding") if kind == LAST_STATE else ("represent", kind)
    parts = [
        model[name](examples=tf.constant(records[at : at + 256]))[key].numpy()
        for at in range(0, len(records), 256)
    ]
    return np.concatenate(parts)


def compare(
    models: dict[str, dict[str, Callable[..., Any]]],
    records: list[bytes],
    size: int,
    rounds: int,
    seconds: float,
) -> dict[str, dict[str, float]]:
    """p50_ms of each model, and `ratio`, the median over turns of p50 by the first model's."""
    count = min(len(records) // size, 200)
    batches = [tf.constant(records[at * size : (at + 1) * size]) for at in range(count)]
    asked = {
        name: lambda batch, ask=model["serving_default"]: ask(examples=batch)["item_ids"].numpy()
        for name, model in models.items()
    }
    for batch in batches[:10]:
        for ask in asked.values():
            ask(batch)
    turns = in_turns(asked, batches, rounds, seconds)
    medians = {name: np.array([np.median(t) for t in times]) for name, times in turns.items()}
    base = medians[next(iter(models))]
    return {
        name: {
            "p50_ms": 1e3 * float(np.median(median)),
            "ratio": float(np.median(median / base)),
            "lowest": float((median / base).min()),
            "highest": float((median / base).max()),
        }
        for name, median in medians.items()
    }


def main() -> None:
    """Runs the benchmark; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, metavar="RUN_DIR")
    parser.add_argument("--clusters", type=int, nargs="+", default=[3, 8])
    parser.add_argument("--members", type=int, default=1, help="that a specialist changes")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.4, help="for each side and round")
    parser.add_argument("--output", type=Path, required=True, help="where the figures go, as JSON")
    arguments = parser.parse_args()
    run = RunMetadata(arguments.run / "metadata.db")
    model = path_utils.serving_model_dir(artifact(run, nodes.ENCODER_TRAINER, "model"))
    encoder = load_encoder(model)
    graph = tft.TFTransformOutput(artifact(run, nodes.TRANSFORM, "transform_graph"))
    geometry = ClusterGeometry.load(artifact(run, nodes.CLUSTERER, "clusters"))
    dataset = tf.data.TFRecordDataset(split_files(run, TEST), "GZIP")
    records = [record.numpy() for record in dataset.take(HISTORIES)]
    rng = np.random.default_rng(1)
    towers = [
        noisy_specialist(model, arguments.members, rng) for _ in range(max(arguments.clusters))
    ]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        alone = served(Recommender(graph, encoder), f"{folder}/encoder")
        kind = geometry.representation
        users = represented(alone, records, kind)
        for clusters in arguments.clusters:
            mixture = Mixture(
                clusters_of(geometry, users, clusters, rng),
                np.ones(clusters, np.float32),
                PER_USER,
            )
            recommender = Recommender(graph, encoder, towers[:clusters], mixture)
            combined = served(recommender, f"{folder}/{clusters}")
            size = megabytes(f"{folder}/{clusters}") / megabytes(f"{folder}/encoder")
            print(f"K={clusters}, {kind}: {size:.2f} times the encoder's size on disk", flush=True)
            result = {"clusters": clusters, "representation": kind, "size": size, "batches": {}}
            for batch in arguments.batches:
                figures = compare(
                    {"encoder": alone, "combined": combined},
                    records,
                    batch,
                    arguments.rounds,
                    arguments.seconds,
                )
                result["batches"][batch] = figures
                show(clusters, batch, figures)
            results.append(result)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(results, indent=1) + "\n")


def show(clusters: int, batch: int, figures: dict[str, dict[str, float]]) -> None:
    """Prints one batch size."""
    alone, combined = figures["encoder"], figures["combined"]
    print(
        f"K={clusters}, batch {batch:>2}: {combined['p50_ms']:.2f} ms, the encoder alone "
        f"{alone['p50_ms']:.2f} ms: {combined['ratio']:.2f} times "
        f"({combined['lowest']:.2f} to {combined['highest']:.2f})",
        flush=True,
    )


if __name__ == "__main__":
    main()
