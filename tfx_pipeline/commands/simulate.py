"""`cohortrec simulate`: a shop's log with planted clusters."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tfx_pipeline.commands.exit_codes import OK
from tfx_pipeline.commands.parsing import Commands
from tfx_pipeline.commands.simulate_options import add_options, given


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command."""
    parser = commands.add_parser(
        "simulate",
        help="write a shop's log with planted user clusters",
        description="Writes events.csv, items.csv, labels.csv and truth.json of a shop whose "
        "clusters are known, to check an evaluation against. The statistical model is in "
        "tfx_pipeline/simulation/README.md.",
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path, required=True, help="a new or empty folder"
    )
    add_options(parser)
    parser.set_defaults(command=_simulate)
    return parser


def _simulate(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.simulation import SimulationConfig, claim_directory, simulate
    from tfx_pipeline.simulation.summary import show
    from tfx_pipeline.terminal.console import Console

    config = SimulationConfig.from_dict(given(arguments))
    claim_directory(arguments.output)
    log = simulate(config)
    log.write(arguments.output)
    show(log, arguments.output, Console(sys.stdout))
    return OK
