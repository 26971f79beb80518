"""Executor of BehaviorExampleGen."""

from __future__ import annotations

import contextlib
import json
import logging
import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.behavior_example_gen.arrow_files import read_tables, to_arrow, write_table
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.files import open_reading, open_writing
from components.behavior_example_gen.reading.sources import Source, event_sources, item_sources
from components.behavior_example_gen.steps import catalogue, quality, quarantine
from components.behavior_example_gen.steps.beam_pipeline import Ingestion, build
from components.behavior_example_gen.steps.history_step import LOG
from components.behavior_example_gen.steps.scratch import Scratch
from trainer.behavior_config import BehaviorConfig
from trainer.errors import DataError
from trainer.evaluation_config import EvaluationConfig
from trainer.raw_history import SPLITS, TEST, TRAIN, VALIDATION
from trainer.settings import ConfigError

LATER_SPLITS = (VALIDATION, TEST)
"""Splits of the output `later_events`."""

# What the user reads on the terminal.
_progress = logging.getLogger("cohortrec.progress")


class Executor(base_beam_executor.BaseBeamExecutor):
    """Turns an event log into histories."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Reads, cleans, splits and writes.

        Args:
            input_dict: empty.
            output_dict: `examples`, `data_quality` and `items`, one artifact each; `later_events`
                where there is a behaviour head.
            exec_properties: see `BehaviorExampleGenSpec`.

        Raises:
            DataError: the input cannot be used. TFX removes the outputs of a failed execution;
                the quarantine is then kept beside them (the message says where).
        """
        del input_dict
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        report = artifact_utils.get_single_instance(output_dict["data_quality"])
        items = artifact_utils.get_single_instance(output_dict["items"])
        config = DataConfig.from_json(exec_properties["config"])
        evaluation = EvaluationConfig.from_json(exec_properties["evaluation"])
        behavior_actions = json.loads(exec_properties["behavior_actions"])
        events_from = event_sources(json.loads(exec_properties["input_files"]), config)
        items_from = item_sources(json.loads(exec_properties["items_files"]), config)
        _check_task(evaluation, events_from, config)
        _check_behavior(behavior_actions, events_from, config)
        scratch = Scratch(f"{examples.uri}/scratch")
        rejected = _beside(report.uri)
        split_folders = {name: f"{examples.uri}/Split-{name}" for name in SPLITS}
        later_folders = _later_folders(output_dict.get("later_events", []))
        for folder in (*split_folders.values(), *later_folders.values(), report.uri, items.uri):
            fileio.makedirs(folder)
        scratch.create()
        try:
            known_items, notes = catalogue.read_items(items_from, config.decimal_mark)
            if items_from:
                write_table(
                    known_items.select("item_id", "title", item_category="category"),
                    scratch.known_items,
                )
            job = Ingestion(
                events_from, config, evaluation, scratch, split_folders, behavior_actions,
                later_folders, f"{rejected}/{quarantine.NAME}", bool(items_from),
            )  # fmt: skip
            self._run(job)
            with open_reading(scratch.reports) as stream:
                reports = pickle.loads(stream.read())
            used = read_tables([scratch.used_items])
            trained = used.filter(pl.col("part") == TRAIN)
            quality.check_histories(reports, trained.height, config)
            quarantine.merge(scratch.quarantine_parts(), f"{report.uri}/{quarantine.NAME}")
            if coverage := catalogue.coverage_note(known_items, used.filter(pl.col("part") == LOG)):
                notes.append(coverage)
            notes = [*_source_notes(events_from, items_from, config), *notes]
            account = quality.describe(reports, events_from, used, notes, config, evaluation)
            account.write(report.uri)
            _write_items(
                catalogue.complete(known_items, trained, read_tables([scratch.attributes])),
                f"{items.uri}/{catalogue.NAME}",
            )
        except DataError:
            parts = scratch.quarantine_parts()
            if parts:
                fileio.makedirs(rejected)
                quarantine.merge(parts, f"{rejected}/{quarantine.NAME}")
            raise
        finally:
            fileio.rmtree(scratch.folder)
        _declare(examples, SPLITS)
        for later in output_dict.get("later_events", []):
            _declare(later, tuple(later_folders))
        for line in quality.summary(account, f"{report.uri}/{quarantine.NAME}"):
            _progress.info("%s", line)

    def _run(self, job: Ingestion) -> None:
        """Runs the Beam pipeline; a DataError of a worker comes out as one.

        Raises:
            DataError: raised in a step.
        """
        try:
            with _quiet_data_errors(), self._make_beam_pipeline() as pipeline:
                build(pipeline, job)
        except Exception:
            message = job.scratch.noted_failure()
            if message is None:
                raise
            raise DataError(message) from None


@contextlib.contextmanager
def _quiet_data_errors() -> Iterator[None]:
    """Keeps Beam from logging a DataError with its traceback: the message is for the user."""

    def is_no_data_error(record: logging.LogRecord) -> bool:
        return not isinstance(record.msg, DataError)

    logger = logging.getLogger("apache_beam.runners.common")
    logger.addFilter(is_no_data_error)
    try:
        yield
    finally:
        logger.removeFilter(is_no_data_error)


def _beside(uri: str) -> str:
    """A folder beside an artifact's own, which TFX does not remove with it."""
    parent, _, name = uri.rstrip("/").rpartition("/")
    return f"{parent}/rejected-{name}"


def _check_task(evaluation: EvaluationConfig, events: list[Source], config: DataConfig) -> None:
    """Checks here too, because a run of a compiled pipeline may change the task.

    Raises:
        ConfigError: the split or the log has no periods.
    """
    if evaluation.task == "next_period" and events[0].format == "sequences":
        raise ConfigError(
            f"evaluation.task=next_period needs times, and {events[0].path} is a sequence file "
            "(data.format), which has none; leave evaluation.task=auto"
        )
    evaluation.check_against(config.split)


def _check_behavior(actions: Sequence[str], events: list[Source], config: DataConfig) -> None:
    """Checks the log and the split against the behaviour head, if there is one.

    Raises:
        ConfigError: the log has no times, or the split no window.
    """
    BehaviorConfig(actions=tuple(actions)).check_against(config.split)
    if actions and events[0].format == "sequences":
        raise ConfigError(
            f"behavior_head.actions needs actions and times, and {events[0].path} is a sequence "
            "file (data.format), which has none; leave behavior_head.actions empty"
        )


def _later_folders(artifacts: Sequence[types.Artifact]) -> dict[str, str]:
    """Where histories through a split's window go, by split; empty without the output."""
    return {name: f"{artifact.uri}/Split-{name}" for artifact in artifacts for name in LATER_SPLITS}


def _declare(examples: types.Artifact, splits: Sequence[str]) -> None:
    """Says in an artifact which splits it has, and in which form."""
    examples.split_names = artifact_utils.encode_split_names(list(splits))
    examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)


def _source_notes(events: list[Source], items: list[Source], config: DataConfig) -> list[str]:
    notes = list(dict.fromkeys(note for source in [*events, *items] for note in source.notes))
    if events[0].format == "sequences":
        notes.append("sequence files have an order but no times: timestamps count the events")
        if config.split != "leave_one_out":
            notes.append("without times the split is leave_one_out")
    return notes


def _write_items(items: pl.DataFrame, path: str) -> None:
    with open_writing(path) as stream:
        pq.write_table(to_arrow(items), stream)
