"""`cohortrec benchmark --events`: the papers' protocol on a log with times, in several orders.

The protocol holds out each user's last item. Where several events share a time, which of them is
the last is the file's choice. So the benchmark is run once in the order of the file, and once in
each of several orders of these events that are drawn. An order is a sequence file, and a run of it
is a benchmark like any other, in a run directory of its own: the split that the pipeline makes of a
log with times holds out whole instants and would not be that of the papers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading.sources import event_sources
from tfx_pipeline.benchmark.benchmark import PRESET, RESULTS
from tfx_pipeline.benchmark.protocol import OF_LOGS, check_protocol
from tfx_pipeline.local.run_directory import RunDirectory
from tfx_pipeline.paths.inputs import InputError, event_files
from tfx_pipeline.settings.run_config import RunConfig, load_config
from tfx_pipeline.terminal.console import Console
from trainer.whole_files import write_whole

FOLDER = "draws"
SEQUENCES = "sequences.txt"
# A log's format is found out, unlike that of the preset's sequence files, and is read as it stands.
_OF_LOG = ("data.format=auto", "data.tie_order=log")


def compose_log(
    events: Sequence[str], items: str | None, seed: int | None, overrides: Sequence[str]
) -> RunConfig:
    """The settings of a benchmark of a log with times.

    Args:
        events: files of the log.
        items: items file, or None.
        seed: of everything random; the default one when None.
        overrides: `section.key=value` each. Those of `data` say how the log is read.

    Raises:
        ConfigError: a setting is unknown or does not fit, or leaves the protocol.
    """
    given: dict[str, Any] = {"events": tuple(events), "items": (items,) if items else ()}
    if seed is not None:
        given["seed"] = seed
    config = load_config([PRESET], None, [*_OF_LOG, *overrides], **given)
    check_protocol(config, load_config([PRESET], None, _OF_LOG), OF_LOGS)
    return config


def sequence_data(config: RunConfig) -> DataConfig:
    """The section `data` of the runs of each order, and of the items file: that of the preset.

    Args:
        config: from `compose_log`.
    """
    return load_config([PRESET], None, [f"data.seed={config.data.seed}"]).data


def refuse_sequences(config: RunConfig) -> None:
    """Refuses a log without times.

    Args:
        config: from `compose_log`.

    Raises:
        InputError: the log consists of sequence files.
    """
    first = event_sources(event_files(config.run.events), config.data)[0]
    if first.format == "sequences":
        raise InputError(
            f"{first.path!r} is a sequence file, whose items have an order but no times; give it "
            "with --sequences"
        )


def run_draws(
    config: RunConfig, draws: int, data_set: str, directory: RunDirectory, console: Console
) -> dict[str, Any]:
    """Runs the benchmark in every order, shows the figures and writes them to `benchmark.json`.

    Args:
        config: from `compose_log`.
        draws: how many orders are drawn, besides that of the file.
        data_set: its name; decides which published results are shown.
        directory: gets `benchmark.json`, and a run directory for each order below `draws/`. What an
            earlier call finished there comes from its cache.
        console: where to print.

    Returns:
        The content of `benchmark.json`.

    Raises:
        InputError: an input cannot be read, or another run uses the directory.
        DataError: the log cannot be used.
        ComponentFailure: a component failed, in the order that was announced last.
    """
    from tfx_pipeline.benchmark.benchmark import run_benchmark
    from tfx_pipeline.benchmark.draw_summary import summarize
    from tfx_pipeline.benchmark.draw_tables import show_draws, show_log
    from tfx_pipeline.benchmark.event_orders import FILE

    folder = directory.root / FOLDER
    with directory.locked():
        log = _write_orders(config, draws, folder)
        show_log(log, console)
        runs = {}
        for name in (FILE, *map(str, range(1, draws + 1))):
            title = "The file's order" if name == FILE else f"Draw {name} of {draws:,}"
            console.heading(f"{title}, in {folder / name}")
            of_order = _of_order(config, folder / name / SEQUENCES)
            runs[name] = run_benchmark(of_order, data_set, RunDirectory(folder / name), console)
        summary = summarize(runs)
        show_log(log, console)
        show_draws(summary, draws, console)
        results = directory.root / RESULTS
        console.line()
        console.line(f"Figures  {results}")
        content = {
            "data_set": data_set,
            "seed": config.run.seed,
            "draws": draws,
            "log": log,
            **summary,
            "runs": {name: f"{FOLDER}/{name}/{RESULTS}" for name in runs},
            "config": config.model_dump(mode="json"),
        }
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        results.write_text(text, encoding="utf-8")
    return content


def _write_orders(config: RunConfig, draws: int, folder: Path) -> dict[str, Any]:
    """Writes a sequence file for each order, and tells about the log.

    Returns:
        `test_targets` (`TiedTargets` with its share), and `tie_order`, `times_are_days` and
        `dropped` as in `data_quality.json`.
    """
    from components.behavior_example_gen.steps.whole_log import read_whole_log
    from tfx_pipeline.benchmark import event_orders

    folder.mkdir(exist_ok=True)
    sources = event_sources(event_files(config.run.events), config.data)
    log = read_whole_log(sources, config.data, str(folder.resolve()))
    event_orders.check_ids(log.events)
    for name, events in event_orders.orders(log.events, draws, config.data.seed):
        (folder / name).mkdir(exist_ok=True)
        write_whole(folder / name / SEQUENCES, event_orders.sequence_text(events))
    targets = event_orders.tied_targets(log.events)
    return {
        "test_targets": {**asdict(targets), "share": targets.share},
        "tie_order": log.tie_order.to_json(),
        "times_are_days": log.times_are_days,
        "dropped": log.dropped,
    }


def _of_order(config: RunConfig, sequences: Path) -> RunConfig:
    """The settings of the run of one order."""
    run = config.run.model_copy(update={"events": (str(sequences),)})
    return config.model_copy(update={"run": run, "data": sequence_data(config)})
