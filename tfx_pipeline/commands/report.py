"""`cohortrec report`: the report page of a run again."""

from __future__ import annotations

import argparse
from pathlib import Path

from tfx_pipeline.commands.exit_codes import OK
from tfx_pipeline.commands.parsing import Commands


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command."""
    parser = commands.add_parser(
        "report",
        help="render the report page of a run again",
        description="Renders report/index.html of the latest run in a run directory again.",
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="run directory")
    parser.set_defaults(command=_report)
    return parser


def _report(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.terminal.console import quiet

    with quiet(arguments.debug):
        from tfx_pipeline.local.report import render_again

        page = render_again(arguments.run_dir)
    print(page)
    return OK
