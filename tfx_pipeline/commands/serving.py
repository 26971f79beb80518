"""`cohortrec serving`: which version is served, and the files that servers are run with."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tfx_pipeline.commands.exit_codes import OK
from tfx_pipeline.commands.parsing import Commands, positive
from tfx_pipeline.commands.settings_options import add_overrides

if TYPE_CHECKING:
    from tfx_pipeline.deployment.rollout import Change


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command and the four below it."""
    parser = commands.add_parser(
        "serving",
        help="list, promote and roll back pushed versions; manifests for Kubernetes",
        description="Works on the versions that runs pushed. The label `stable` in models.config "
        "says which of them users get.",
    )
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="show the versions and their labels")
    listing.set_defaults(command=_list)
    promotion = actions.add_parser("promote", help="make a version stable")
    promotion.set_defaults(command=_promote)
    rollback = actions.add_parser(
        "rollback", help="make the version stable that was so before, and withdraw the later ones"
    )
    rollback.add_argument(
        "--grace",
        metavar="SECONDS",
        type=int,
        help="how long servers may take to re-read models.config before the versions rolled back "
        "leave their sight; 0 where none reads it (default: deployment.grace_seconds)",
    )
    rollback.set_defaults(command=_rollback)
    manifests = actions.add_parser(
        "manifests", help="write manifests for Kubernetes (Deployment, Service) and KServe"
    )
    manifests.add_argument("--output", metavar="DIR", type=Path, required=True, help="a folder")
    add_overrides(manifests)
    manifests.set_defaults(command=_manifests)
    for action in (listing, promotion, rollback, manifests):
        action.add_argument(
            "place", metavar="DIR", type=Path, help="run directory, or its serving/ folder"
        )
    default = {promotion: "the newest", rollback: "the one that was stable before"}
    for action, version in default.items():
        action.add_argument(
            "--version", metavar="N", type=positive, help=f"which one (default: {version})"
        )
    return parser


def _list(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.deployment.rollout import serving_folder
    from tfx_pipeline.deployment.version_table import show_versions
    from tfx_pipeline.terminal.console import Console

    show_versions(serving_folder(arguments.place), Console(sys.stdout))
    return OK


def _promote(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.deployment.rollout import promote, serving_folder

    _say(promote(serving_folder(arguments.place), arguments.version))
    return OK


def _rollback(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.deployment.rollout import finish_rollback, roll_back, serving_folder

    folder = serving_folder(arguments.place)
    change = roll_back(folder, arguments.version)
    _say(change)
    grace = arguments.grace
    if grace is None:
        grace = folder.record().deployment.grace_seconds
    if grace:
        print(f"Version {change.before} leaves servers' sight in {grace} s (--grace) …", flush=True)
    finish_rollback(folder, grace)
    return OK


def _manifests(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.deployment.manifests import write_manifests
    from tfx_pipeline.deployment.rollout import serving_folder
    from tfx_pipeline.paths.inputs import make_writable
    from tfx_pipeline.settings.run_config import load_config

    folder = serving_folder(arguments.place)
    pushed_with = folder.record().deployment.model_dump(mode="json")
    config = load_config(
        overrides=[f"deployment={json.dumps(pushed_with)}", *arguments.overrides]
    ).deployment
    make_writable(arguments.output)
    for path in write_manifests(arguments.output, config, folder.state()):
        print(path)
    return OK


def _say(change: Change) -> None:
    stable, canary = change.state.stable, change.state.canary
    if stable == change.before:
        print(f"Version {stable} is stable already.")
    else:
        print(f"Version {stable} is stable; before it was version {change.before}.")
    if canary != stable:
        print(f"Version {canary} is the canary.")
