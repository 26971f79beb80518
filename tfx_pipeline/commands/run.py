"""`cohortrec run`: the whole pipeline on this machine."""

from __future__ import annotations

import argparse

from tfx_pipeline.commands.exit_codes import OK, REFUSED
from tfx_pipeline.commands.parsing import Commands, run_directory
from tfx_pipeline.commands.settings_options import add_settings, load_settings


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command."""
    parser = commands.add_parser(
        "run",
        help="run the whole pipeline",
        description="Trains, evaluates and, if it passes the gates, pushes a recommender. "
        "Run again in the same directory, it redoes only what changed.",
    )
    add_settings(parser)
    parser.add_argument(
        "--output", metavar="DIR", type=run_directory, required=True, help="run directory"
    )
    parser.set_defaults(command=_run)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    # Before anything is imported that takes its time.
    print("Checking the settings and the files …", flush=True)
    from tfx_pipeline.commands.kubernetes_client import import_client
    from tfx_pipeline.local.run_directory import RunDirectory
    from tfx_pipeline.terminal.console import quiet_terminal

    config = load_settings(arguments)
    config.beam.check_reach(str(arguments.output), "--output")
    directory = RunDirectory(arguments.output)
    # Only now, because it loads the readers.
    from tfx_pipeline.local.input_checks import check_inputs

    check_inputs(config)
    directory.claim()
    arguments.log = directory.log
    with quiet_terminal(arguments.log, echo=arguments.debug) as console:
        console.line("Loading TensorFlow and TFX …", style="dim")
        import_client()
        from tfx_pipeline.local import local_runner, results

        outcome = local_runner.run(config, directory, console)
        results.show(outcome, directory, config, console)
    return REFUSED if outcome.verdict.status in ("refused", "rolled_back", "overtaken") else OK
