"""`cohortrec benchmark`: measured as the research papers do."""

from __future__ import annotations

import argparse

from tfx_pipeline.commands.exit_codes import OK
from tfx_pipeline.commands.parsing import Commands, run_directory
from tfx_pipeline.commands.settings_options import add_overrides


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command."""
    parser = commands.add_parser(
        "benchmark",
        help="measure the pipeline under the protocol of the research papers",
        description="Runs the whole pipeline on a sequence file (one user a line: "
        "user item1 item2 …, oldest first): leave-one-out, all items ranked, seen items left out. "
        "Prints the figures with their intervals and the cost of each stage. The gates only warn.",
    )
    parser.add_argument("--sequences", metavar="FILE", required=True, help="sequence file")
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
    from tfx_pipeline.benchmark.benchmark import compose, data_set_name, run_benchmark
    from tfx_pipeline.commands.kubernetes_client import import_client
    from tfx_pipeline.local.run_directory import RunDirectory
    from tfx_pipeline.terminal.console import quiet_terminal

    config = compose(arguments.sequences, arguments.items, arguments.seed, arguments.overrides)
    # Only now, because it loads the readers.
    from tfx_pipeline.local.input_checks import check_inputs

    check_inputs(config, "sequences")
    directory = RunDirectory(arguments.output)
    directory.claim()
    arguments.log = directory.log
    data_set = data_set_name(arguments.sequences, arguments.name)
    with quiet_terminal(arguments.log, echo=arguments.debug) as console:
        console.line("Loading TensorFlow and TFX …", style="dim")
        import_client()
        run_benchmark(config, data_set, directory, console)
    return OK
