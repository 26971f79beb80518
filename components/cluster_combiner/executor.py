"""Executor of ClusterCombiner."""

from __future__ import annotations

import io
import json
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import tensorflow as tf
import tensorflow_transform as tft
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.cluster_combiner.comparison import Ranks, rank_table, summarise
from components.cluster_combiner.config import CombinerConfig
from components.cluster_combiner.fitting import Fit, combine, fit_strengths
from components.cluster_combiner.item_counts import training_counts
from trainer.baskets import Baskets
from trainer.callbacks import progress
from trainer.config import ServingConfig
from trainer.encoder import BehaviorEncoder
from trainer.export import load_encoder, save_recommender
from trainer.histories import TEST, TRAIN, VALIDATION
from trainer.input import Histories, read_histories
from trainer.membership import ClusterGeometry
from trainer.memory import release_memory
from trainer.metrics import BASKET_CUTOFFS
from trainer.mixture import Mixture
from trainer.recommender import Recommender
from trainer.scoring import Scorer
from trainer.warmup import write_warmup

_WARMUP_HISTORIES = 8


class _Scored(NamedTuple):
    """A split seen through all encoders."""

    histories: Histories
    scorer: Scorer
    queries: np.ndarray
    clusters: np.ndarray
    membership: np.ndarray


class Executor(base_executor.BaseExecutor):
    """Fits the combination, compares the models, exports."""

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
        graph = tft.TFTransformOutput(_uri(input_dict, "transform_graph"))
        geometry = ClusterGeometry.load(_uri(input_dict, "clusters"))
        encoder = _encoder(input_dict, "encoder_model")
        specialists = [_encoder(input_dict, f"specialist_{k}") for k in range(geometry.clusters)]
        encoders = [encoder, *specialists]

        validation = _score(_files(input_dict, "examples", VALIDATION), graph, encoders, geometry)
        fit = fit_strengths(
            validation.queries,
            validation.membership,
            validation.histories,
            encoder.catalogue,
            encoder.own_events,
            validation.scorer.ranks,
            config,
            exec_properties["seed"],
        )
        shown = ", ".join(f"{strength:.2f}" for strength in fit.fitted)
        progress.info("strengths of the specialists: %s; %s", shown, fit.reason)
        test = _score(_files(input_dict, "examples", TEST), graph, encoders, geometry)
        weights = _write_comparison(
            artifact_utils.get_single_uri(output_dict["comparison"]),
            encoder,
            training_counts(_files(input_dict, "histories", TRAIN), graph, encoder.new_items),
            validation,
            test,
            fit,
        )

        model = artifact_utils.get_single_instance(output_dict["model"])
        directory = path_utils.serving_model_dir(model.uri)
        recommender = Recommender(
            graph,
            encoder,
            [specialist.tower for specialist in specialists],
            Mixture(geometry, fit.strengths),
            serving.top_k,
        )
        identity = save_recommender(
            recommender,
            directory,
            {"kind": "combined", "clusters": geometry.clusters, "weights_mean": weights},
        )
        model.set_string_custom_property("id", identity)
        write_warmup(directory, _some_records(_files(input_dict, "examples", VALIDATION)))
        if input_dict.get("items"):
            fileio.copy(
                f"{_uri(input_dict, 'items')}/items.parquet",
                f"{directory}/assets.extra/items.parquet",
                overwrite=True,
            )


def _uri(input_dict: dict[str, list[Any]], name: str) -> str:
    return artifact_utils.get_single_uri(input_dict[name])


def _encoder(input_dict: dict[str, list[Any]], name: str) -> BehaviorEncoder:
    return load_encoder(path_utils.serving_model_dir(_uri(input_dict, name)))


def _files(input_dict: dict[str, list[Any]], name: str, split: str) -> list[str]:
    folder = artifact_utils.get_split_uri(input_dict[name], split)
    return sorted(str(path) for path in fileio.glob(f"{folder}/*"))


def _score(
    files: list[str],
    graph: tft.TFTransformOutput,
    encoders: list[BehaviorEncoder],
    geometry: ClusterGeometry,
) -> _Scored:
    histories = read_histories(files, graph, encoders[0].new_items)
    scorer = Scorer(encoders[0], histories)
    alone, represented = scorer.queries_and_representations(geometry.representation)
    queries = np.stack(
        [
            alone,
            # A cluster that keeps the global encoder asks for the same as it.
            *(
                alone if _same_tower(e, encoders[0]) else Scorer(e, histories).queries()
                for e in encoders[1:]
            ),
        ]
    )
    return _Scored(
        histories, scorer, queries, geometry.assign(represented), geometry.membership(represented)
    )


def _same_tower(encoder: BehaviorEncoder, other: BehaviorEncoder) -> bool:
    ours, theirs = encoder.tower.get_weights(), other.tower.get_weights()
    return len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))


def _write_comparison(
    directory: str,
    encoder: BehaviorEncoder,
    counts: np.ndarray,
    validation: _Scored,
    test: _Scored,
    fit: Fit,
) -> list[float]:
    """Writes the three files of ModelComparison; returns the mean weights on the test users."""
    # Validation users were fitted on; their cross-fitted combination was not.
    tables = [
        _rank_split(VALIDATION, validation, fit.crossfit_queries, encoder, counts),
        _rank_split(
            TEST, test, combine(test.queries, test.membership, fit.strengths), encoder, counts
        ),
    ]
    table = tables[0].vstack(tables[1])
    strengths = fit.strengths.astype(float)
    parts = test.membership.mean(axis=0) * strengths if len(test.clusters) else strengths * 0
    weights = [float(1.0 - parts.sum()), *parts.astype(float).tolist()]
    fileio.makedirs(directory)
    # polars writes from a thread of its own, which TFX's file objects do not bear.
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    with fileio.open(f"{directory}/ranks.parquet", "wb") as file:
        file.write(buffer.getvalue())
    _write_json(f"{directory}/comparison.json", summarise(table))
    _write_json(
        f"{directory}/combination.json",
        {
            "clusters": len(strengths),
            "kept": fit.kept,
            "reason": fit.reason,
            "weights_mean": weights,
            "parameters": {
                "strengths": strengths.tolist(),
                "fitted_strengths": fit.fitted.astype(float).tolist(),
            },
        },
    )
    return weights


def _rank_split(
    name: str,
    scored: _Scored,
    combined: np.ndarray,
    encoder: BehaviorEncoder,
    counts: np.ndarray,
) -> pl.DataFrame:
    """All models on the users of one split, with `combined` as the combiner's queries."""
    baskets = Baskets.of(scored.histories, encoder.catalogue.items, encoder.exclude_seen)

    def ranks(queries: np.ndarray) -> Ranks:
        next_item = scored.scorer.ranks(queries)
        if not baskets.several:
            return Ranks(next_item, None)
        lists = scored.scorer.lists(queries, max(BASKET_CUTOFFS))
        return Ranks(next_item, baskets.ranks_in(lists))

    # Cluster -1, noise, is routed to the global encoder.
    routed = scored.queries[1 + scored.clusters, np.arange(len(scored.clusters))]
    models = {
        "global": ranks(scored.queries[0]),
        "routed": ranks(routed),
        "combiner": ranks(combined),
    }
    return rank_table(
        name, scored.histories, baskets, counts, scored.clusters, models, encoder.exclude_seen
    )


def _write_json(path: str, content: dict[str, Any]) -> None:
    with fileio.open(path, "w") as file:
        file.write(json.dumps(content, indent=1))


def _some_records(files: list[str]) -> list[bytes]:
    records = tf.data.TFRecordDataset(files, compression_type="GZIP").take(_WARMUP_HISTORIES)
    return [record.numpy() for record in records]
