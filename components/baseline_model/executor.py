"""Executor of BaselineModel."""

from __future__ import annotations

import dataclasses
from typing import Any

from absl import logging
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.baseline_model.free_baselines import choose
from components.baseline_model.record import BaselineRecord
from components.baseline_model.served_version import ServedVersion, find_served, find_stable
from trainer.data.item_popularity import count_items
from trainer.data.repeats import should_exclude_seen
from trainer.evaluation.compared_models import OWN_ITEMS, title
from trainer.raw_history import TRAIN, VALIDATION
from trainer.serving import baseline_recommender
from trainer.settings import ConfigError


class Executor(base_executor.BaseExecutor):
    """Copies the served model, or fits and exports the better free baseline."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the baseline into the output artifact `model`.

        Args:
            input_dict: `examples`, raw histories in the splits train and validation.
            output_dict: `model`.
            exec_properties: see `BaselineModel`.

        Raises:
            ConfigError: `exclude_seen` is not "auto", "true" or "false".
            DataError: nothing is served and the training histories hold no events.
        """
        model = artifact_utils.get_single_instance(output_dict["model"])
        serving_dir = path_utils.serving_model_dir(model.uri)
        destination, against = exec_properties["push_destination"], exec_properties["against"]
        # First: whatever is pushed from here on is found out by the Pusher.
        stable, identity = find_stable(destination)
        served, skipped = find_served(destination) if against == "served" else (None, [])
        for sentence in skipped:
            logging.warning("BaselineModel: %s", sentence)
        if served is not None:
            record = _copy(served, serving_dir)
        else:
            why = "no usable model is served" if against == "served" else "gates.against is free"
            record = _fit(
                input_dict["examples"],
                serving_dir,
                exec_properties["exclude_seen"],
                exec_properties["top_k"],
                why,
            )
        record = dataclasses.replace(
            record,
            skipped=skipped,
            stable=stable,
            stable_identity=identity,
        )
        record.write(model.uri)
        model.set_string_custom_property("source", record.kind)
        model.set_string_custom_property("version", record.version)
        if skipped:
            model.set_string_custom_property("skipped", "; ".join(skipped))
        logging.info("BaselineModel: the model to beat is %s: %s", record.title, record.reason)


def _copy(served: ServedVersion, serving_dir: str) -> BaselineRecord:
    io_utils.copy_dir(served.path, serving_dir)
    return BaselineRecord(
        kind="served",
        version=served.version,
        reason=f"version {served.version} is what the push destination serves",
    )


def _fit(
    examples: list[Any], serving_dir: str, exclude_seen: str, top_k: int, why: str
) -> BaselineRecord:
    if exclude_seen not in ("auto", "true", "false"):
        raise ConfigError(
            f"BaselineModel: exclude_seen must be auto, true or false, not {exclude_seen!r}"
        )
    popularity = count_items(_files(examples, TRAIN))
    without_seen = (
        should_exclude_seen(popularity.repeat_share)
        if exclude_seen == "auto"
        else exclude_seen == "true"
    )
    choice = choose(popularity, _files(examples, VALIDATION), without_seen)
    baseline = baseline_recommender.BaselineRecommender(
        popularity.item_ids,
        popularity.counts,
        own_first=choice.kind == OWN_ITEMS,
        exclude_seen=without_seen,
        top_k=top_k,
    )
    baseline_recommender.export_baseline(baseline, serving_dir, choice.kind)
    return BaselineRecord(
        kind=choice.kind,
        version=baseline.fingerprint(),
        reason=f"{why}; free baseline: {title(choice.kind)} ({choice.reason})",
        validation=choice.metrics,
    )


def _files(examples: list[Any], split: str) -> list[str]:
    folder = artifact_utils.get_split_uri(examples, split)
    return [str(path) for path in fileio.glob(f"{folder}/*")]
