"""`cohortrec benchmark`: measured as the research papers do."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tfx_pipeline.commands.exit_codes import OK
from tfx_pipeline.commands.parsing import Commands, positive, run_directory
from tfx_pipeline.commands.settings_options import add_overrides

if TYPE_CHECKING:
    from tfx_pipeline.local.run_directory import RunDirectory
    from tfx_pipeline.terminal.console import Console

    Measure = Callable[[str, RunDirectory, Console], dict[str, Any]]

_DRAWS = 3


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command."""
    parser = commands.add_parser(
        "benchmark",
        help="measure the pipeline under the protocol of the research papers",
        description="Runs the whole pipeline on a sequence file (one user a line: "
        "user item1 item2 …, oldest first): leave-one-out, all items ranked, seen items left out. "
        "Prints the figures with their intervals and the cost of each stage. The gates only warn. "
        "A log with times is measured several times: in the order of its file, and with the order "
        "of events of equal time drawn.",
    )
    log = parser.add_mutually_exclusive_group(required=True)
    log.add_argument("--sequences", metavar="FILE", help="sequence file")
    log.add_argument(
        "--events",
        metavar="FILE",
        nargs="+",
        help="log with times: CSV, Parquet or JSON Lines; folders and globs work",
    )
    parser.add_argument(
        "--draws",
        metavar="N",
        type=positive,
        help=f"with --events: how many orders are drawn (default: {_DRAWS})",
    )
    parser.add_argument(
        "--items", metavar="FILE", help="items file with item_id and title, text, category or brand"
    )
    parser.add_argument(
        "--output", metavar="DIR", type=run_directory, required=True, help="run directory"
    )
    parser.add_argument("--seed", metavar="N", type=int, help="seed of everything random")
    parser.add_argument(
        "--name", help="what the data set is called (default: the end of the file's path)"
    )
    add_overrides(parser)
    parser.set_defaults(command=_benchmark)
    return parser


def _benchmark(arguments: argparse.Namespace) -> int:
    # Before anything is imported that takes its time.
    print("Checking the settings and the files …", flush=True)
    from tfx_pipeline.benchmark.benchmark import data_set_name
    from tfx_pipeline.commands.kubernetes_client import import_client
    from tfx_pipeline.local.run_directory import RunDirectory
    from tfx_pipeline.terminal.console import quiet_terminal

    of_log = arguments.events is not None
    measure = _of_log(arguments) if of_log else _of_sequences(arguments)
    directory = RunDirectory(arguments.output)
    directory.claim()
    arguments.log = directory.log
    first = arguments.events[0] if of_log else arguments.sequences
    data_set = data_set_name(first, arguments.name)
    with quiet_terminal(arguments.log, echo=arguments.debug) as console:
        console.line("Loading TensorFlow and TFX …", style="dim")
        import_client()
        measure(data_set, directory, console)
    return OK


def _of_sequences(arguments: argparse.Namespace) -> Measure:
    """Checks settings and files, and returns what is to be run."""
    from tfx_pipeline.benchmark.benchmark import compose, run_benchmark
    from trainer.settings import ConfigError

    if arguments.draws is not None:
        raise ConfigError("--draws is for --events: a sequence file has one order and no times")
    config = compose(arguments.sequences, arguments.items, arguments.seed, arguments.overrides)
    # Only now, because it loads the readers.
    from tfx_pipeline.local.input_checks import check_inputs

    check_inputs(config, "sequences")
    return functools.partial(run_benchmark, config)


def _of_log(arguments: argparse.Namespace) -> Measure:
    """The same for a log with times."""
    from tfx_pipeline.benchmark.draws import (
        compose_log,
        refuse_sequences,
        run_draws,
        sequence_data,
    )
    from tfx_pipeline.local.input_checks import check_inputs

    config = compose_log(arguments.events, arguments.items, arguments.seed, arguments.overrides)
    check_inputs(config, of_items=sequence_data(config))
    refuse_sequences(config)
    return functools.partial(run_draws, config, arguments.draws or _DRAWS)
