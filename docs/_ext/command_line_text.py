"""The reference of the command line, from its parser."""

from __future__ import annotations

import argparse
import os
from unittest import mock

from tfx_pipeline import cli


def command_line_text() -> str:
    """A heading for each command, with the text of its `--help`."""
    # argparse takes the width of the terminal.
    with mock.patch.dict(os.environ, {"COLUMNS": "90"}):
        return "\n".join(_commands(cli._parser(), "##"))


def _commands(parser: argparse.ArgumentParser, heading: str) -> list[str]:
    lines = []
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        for command in action.choices.values():
            lines += [f"{heading} {command.prog}", "", "```text"]
            lines += [command.format_help().rstrip(), "```", ""]
            lines += _commands(command, f"{heading}#")
    return lines
