"""What the commands share in reading their arguments."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a command adds its parser."""


def positive(text: str) -> int:
    """A whole number from 1 up, for `add_argument(type=…)`."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 up, not {text!r}")
    return int(text)


def run_directory(text: str) -> Path:
    """A folder on this machine, for `add_argument(type=…)`; `~` is the home folder."""
    if not text:
        raise argparse.ArgumentTypeError("must name a folder; it is empty")
    if "://" in text:
        raise argparse.ArgumentTypeError(f"must be a folder on this machine, not {text!r}")
    # The shell leaves the ~ of --output=~/shop as it is.
    return Path(os.path.expanduser(text))  # noqa: PTH111
