"""The options that set the settings of a run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfx_pipeline.settings.run_config import RunConfig


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds `--events`, `--items`, `--preset`, `--config` and `--set`."""
    parser.add_argument(
        "--events",
        metavar="FILE",
        nargs="+",
        help="event log: CSV, Parquet, JSON Lines or sequence files; folders and globs work",
    )
    parser.add_argument("--items", metavar="FILE", nargs="+", help="item files (optional)")
    parser.add_argument(
        "--preset",
        metavar="NAME",
        action="append",
        default=[],
        help="settings that come with cohortrec; may be given several times, the last one wins",
    )
    parser.add_argument("--config", metavar="FILE", type=Path, help="YAML file with settings")
    add_overrides(parser)


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Adds `--set`."""
    parser.add_argument(
        "--set",
        metavar="key=value",
        action="append",
        default=[],
        dest="overrides",
        help="one setting, for example encoder.width=32; may be given several times",
    )


def load_settings(arguments: argparse.Namespace) -> RunConfig:
    """The settings that the options of `add_settings` name."""
    from tfx_pipeline.settings.run_config import load_config

    given = {
        name: tuple(value)
        for name in ("events", "items")
        if (value := getattr(arguments, name)) is not None
    }
    return load_config(arguments.preset, arguments.config, arguments.overrides, **given)
