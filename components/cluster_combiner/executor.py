"""Executor of ClusterCombiner."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import tensorflow as tf
import tensorflow_transform as tft
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.cluster_combiner.comparison import ENCODER, rank_models, serve_global, summarise
from components.cluster_combiner.config import CombinerConfig
from components.cluster_combiner.controls import Controls, score_controls
from components.cluster_combiner.fitting import Fit, combine, fit_strengths
from components.cluster_combiner.index import index_cells
from components.cluster_combiner.item_counts import training_counts
from components.cluster_combiner.latency import serving_milliseconds
from components.cluster_combiner.scored import Scored, score
from components.cluster_combiner.transitions import TransitionsFit, fit_transitions
from components.cluster_combiner.worth import (
    COMBINATION,
    CONTINUED,
    RANDOM_COMBINER,
    RANDOM_ROUTED,
    judge,
)
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.clusters.mixture import Mixture
from trainer.config import ServingConfig
from trainer.data.histories import read_histories
from trainer.data.item_transitions import count_transitions
from trainer.encoder.encoder import BehaviorEncoder
from trainer.inference.own_members import OwnMembers
from trainer.progress import progress
from trainer.raw_history import TEST, TRAIN, VALIDATION
from trainer.serving.export import load_encoder, save_recommender
from trainer.serving.recommender import Recommender
from trainer.serving.warmup import write_warmup
from trainer.training.memory import release_memory

_WARMUP_HISTORIES = 8
_SPLITS = (VALIDATION, TEST)
_METRICS = ("users", "ndcg@10", "hr@10")
"""What a model says about itself wherever it is taken."""

Queries = dict[str, dict[str, np.ndarray]]
"""Split to model to queries float32 [users, width]."""


class Executor(base_executor.BaseExecutor):
    """Fits the combination, compares the models, decides, exports."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the combined SavedModel and the comparison.

        Args:
            input_dict: see `ClusterCombiner`.
            output_dict: `model`, `comparison`.
            exec_properties: see `ClusterCombiner`.
        """
        release_memory()
        config = CombinerConfig.from_json(exec_properties["config"])
        serving = ServingConfig.from_json(exec_properties["serving"])
        seed = exec_properties["seed"]
        graph = tft.TFTransformOutput(_uri(input_dict, "transform_graph"))
        geometry = ClusterGeometry.load(_uri(input_dict, "clusters"))
        encoder = _encoder(input_dict, "encoder_model")
        towers = [_encoder(input_dict, f"specialist_{k}").tower for k in range(geometry.clusters)]
        own = [OwnMembers(tower, encoder.tower) for tower in towers]
        files = {split: _files(input_dict, "examples", split) for split in _SPLITS}

        def fitted(scored: Scored) -> Fit:
            return fit_strengths(
                scored.queries,
                scored.membership,
                scored.histories,
                encoder.catalogue,
                encoder.own_events,
                scored.scorer.ranks,
                config,
                seed,
            )

        per_user = config.specialists_per_user
        scored = {s: score(files[s], graph, encoder, own, geometry, per_user) for s in _SPLITS}
        transitions = _transitions(input_dict, graph, encoder, scored[VALIDATION], config, seed)
        if transitions.transitions is not None:
            scored = {s: x.with_transitions(transitions.transitions) for s, x in scored.items()}
        fit = fitted(scored[VALIDATION])
        queries = _queries(scored, fit, "routed", "combiner")
        controls = _controls(input_dict, encoder, geometry.clusters)
        if controls is not None:
            _add_controls(queries, files, controls, scored, fitted, seed)
        if transitions.transitions is not None:
            for split in _SPLITS:
                queries[split][ENCODER] = scored[split].queries[0]
        counts = training_counts(_files(input_dict, "histories", TRAIN), graph, encoder.new_items)
        table = pl.concat(
            [
                rank_models(
                    split,
                    scored[split].histories,
                    scored[split].scorer,
                    scored[split].clusters,
                    {"global": scored[split].queries[0], **queries[split]},
                    encoder,
                    counts,
                )
                for split in _SPLITS
            ]
        )
        worth = judge(table, used=fit.kept)
        if fit.kept and worth["recommendation"] != COMBINATION:
            fit = fit.refused(worth["why"])
            table = serve_global(table)
        shown = ", ".join(f"{strength:.2f}" for strength in fit.fitted)
        progress.info("strengths of the specialists: %s; %s", shown, fit.reason)
        for sentence in [*worth["verdict"]["sentences"], f"advice: {worth['why']}"]:
            progress.info("%s", sentence)

        weights = _mean_weights(fit, scored[TEST])
        cells = index_cells(encoder, queries[VALIDATION]["combiner"], serving, seed)
        served = Recommender(
            graph,
            encoder,
            towers,
            Mixture(geometry, fit.strengths, per_user),
            *(serving.top_k, cells, transitions.transitions),
        )
        model = artifact_utils.get_single_instance(output_dict["model"])
        directory = path_utils.serving_model_dir(model.uri)
        identity = save_recommender(
            served,
            directory,
            {
                "kind": "combined",
                "clusters": geometry.clusters,
                "weights_mean": weights,
                "metrics": _test_metrics(table),
            },
            f"{_uri(input_dict, 'items')}/items.parquet" if input_dict.get("items") else None,
        )
        model.set_string_custom_property("id", identity)
        requests = _some_records(files[VALIDATION])
        write_warmup(directory, requests)

        recommenders = {
            "global encoder": served
            if not fit.kept
            else Recommender(
                graph,
                encoder,
                top_k=serving.top_k,
                cells=cells,
                transitions=transitions.transitions,
            )
        }
        if fit.fitted.any():
            mixture = Mixture(geometry, fit.fitted, per_user)
            recommenders["combination"] = (
                served
                if fit.kept
                else Recommender(
                    *(graph, encoder, towers, mixture),
                    *(serving.top_k, cells, transitions.transitions),
                )
            )
        worth["serving_ms"] = {
            name: serving_milliseconds(recommender, requests)
            for name, recommender in recommenders.items()
        }
        _write_comparison(
            artifact_utils.get_single_uri(output_dict["comparison"]),
            *(table, fit, transitions, weights, worth),
        )


def _uri(input_dict: dict[str, list[Any]], name: str) -> str:
    return artifact_utils.get_single_uri(input_dict[name])


def _encoder(input_dict: dict[str, list[Any]], name: str) -> BehaviorEncoder:
    return load_encoder(path_utils.serving_model_dir(_uri(input_dict, name)))


def _files(input_dict: dict[str, list[Any]], name: str, split: str) -> list[str]:
    folder = artifact_utils.get_split_uri(input_dict[name], split)
    return sorted(str(path) for path in fileio.glob(f"{folder}/*"))


def _transitions(
    input_dict: dict[str, list[Any]],
    graph: tft.TFTransformOutput,
    encoder: BehaviorEncoder,
    validation: Scored,
    config: CombinerConfig,
    seed: int,
) -> TransitionsFit:
    """Transitions of the training histories, weighed on the validation users."""
    if not config.transitions:
        return TransitionsFit.none("combiner.transitions=false")
    training = read_histories(_files(input_dict, "histories", TRAIN), graph, encoder.new_items)
    counted = count_transitions(training, encoder.catalogue.items)
    fit = fit_transitions(
        counted, validation.scorer, validation.histories, validation.queries[0], seed
    )
    progress.info("item transitions: %s", fit.record["reason"])
    return fit


def _controls(
    input_dict: dict[str, list[Any]], encoder: BehaviorEncoder, clusters: int
) -> Controls | None:
    """The trained controls, None where the pipeline has none."""
    if not input_dict.get(CONTINUED):
        return None

    def own(name: str) -> OwnMembers:
        return OwnMembers(_encoder(input_dict, name).tower, encoder.tower)

    return Controls([own(f"random_{k}") for k in range(clusters)], own(CONTINUED))


def _queries(scored: dict[str, Scored], fit: Fit, routed: str, combiner: str) -> Queries:
    """Queries of a partition's two models, under the names given."""
    test = scored[TEST]
    combined = {
        # Validation users were fitted on; their cross-fitted combination was not.
        VALIDATION: fit.crossfit_queries,
        TEST: combine(test.queries, test.membership, fit.strengths),
    }
    return {s: {routed: scored[s].routed(), combiner: combined[s]} for s in _SPLITS}


def _add_controls(
    queries: Queries,
    files: dict[str, list[str]],
    controls: Controls,
    scored: dict[str, Scored],
    fitted: Callable[[Scored], Fit],
    seed: int,
) -> None:
    """Adds the queries of the controls, the random partition's combined as the clusters' are."""
    seen = {s: score_controls(files[s], controls, scored[s], seed) for s in _SPLITS}
    random = {s: seen[s].random for s in _SPLITS}
    fit = fitted(random[VALIDATION])
    for split, models in _queries(random, fit, RANDOM_ROUTED, RANDOM_COMBINER).items():
        queries[split] |= {**models, CONTINUED: seen[split].continued}


def _mean_weights(fit: Fit, test: Scored) -> list[float]:
    """Mean weight of each encoder over the test users, the global one's first."""
    strengths = fit.strengths.astype(float)
    parts = test.membership.mean(axis=0) * strengths if len(test.clusters) else strengths * 0
    return [float(1.0 - parts.sum()), *parts.astype(float).tolist()]


def _test_metrics(table: pl.DataFrame) -> dict[str, float]:
    """What the served model reached on the test users; empty without any."""
    test = summarise(table)["splits"].get(TEST, {}).get("overall", {})
    return {name: value for name, value in test.get("combiner", {}).items() if name in _METRICS}


def _write_comparison(
    directory: str,
    table: pl.DataFrame,
    fit: Fit,
    transitions: TransitionsFit,
    weights: list[float],
    worth: dict[str, Any],
) -> None:
    """Writes the files of ModelComparison."""
    fileio.makedirs(directory)
    # polars writes from a thread of its own, which TFX's file objects do not bear.
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    with fileio.open(f"{directory}/ranks.parquet", "wb") as file:
        file.write(buffer.getvalue())
    combination = {
        "clusters": len(fit.strengths),
        "kept": fit.kept,
        "reason": fit.reason,
        "weights_mean": weights,
        "parameters": {
            "strengths": fit.strengths.astype(float).tolist(),
            "fitted_strengths": fit.fitted.astype(float).tolist(),
        },
        "transitions": transitions.record,
    }
    for name, content in (
        ("comparison", summarise(table)),
        ("combination", combination),
        ("worth", worth),
    ):
        with fileio.open(f"{directory}/{name}.json", "w") as file:
            file.write(json.dumps(content, indent=1))


def _some_records(files: list[str]) -> list[bytes]:
    records = tf.data.TFRecordDataset(files, compression_type="GZIP").take(_WARMUP_HISTORIES)
    return [record.numpy() for record in records]
