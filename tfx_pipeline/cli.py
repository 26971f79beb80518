"""The command `cohortrec`."""

from __future__ import annotations

import argparse
import io
import sys
import traceback
from collections.abc import Callable, Sequence

from tfx_pipeline.commands import benchmark, compile, recommend, report, run, serving, simulate
from tfx_pipeline.commands.exit_codes import (
    BAD_INPUT,
    EXIT_CODES,
    FAILED,
    INTERRUPTED,
    REFUSED,
)

COMMANDS = (run, recommend, report, serving, compile, benchmark, simulate)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the arguments without the program's name; those of the process when None.

    Returns:
        The exit code, see `EXIT_CODES`.
    """
    # A terminal that cannot show a character gets a question mark in its place.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        from tfx_pipeline.terminal.failures import (
            ComponentFailure,
            ModelRefused,
            one_line,
            user_message,
        )

        if arguments.debug:
            traceback.print_exc()
        if isinstance(error, ModelRefused):
            print(f"cohortrec: {error}", file=sys.stderr)
            return REFUSED
        message = user_message(error)
        if message is not None:
            print(f"cohortrec: {message}", file=sys.stderr)
            return BAD_INPUT
        cause = str(error) if isinstance(error, ComponentFailure) else one_line(error)
        print(f"cohortrec: {cause}", file=sys.stderr)
        if getattr(arguments, "log", None):
            print(f"The full log is in {arguments.log}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cohortrec",
        description="From a shop's event log to a served next-item recommender.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in COMMANDS:
        command = module.add(commands)
        command.add_argument(
            "--debug", action="store_true", help="show all logs and the traceback of a failure"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
