"""`cohortrec recommend`: what a model recommends after a history, here or on a server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cohortrec_client.asks import ASKS
from cohortrec_client.shelves import SHELVES
from tfx_pipeline.commands.exit_codes import OK
from tfx_pipeline.commands.parsing import Commands, positive

if TYPE_CHECKING:
    from tfx_pipeline.serving.titled_recommender import TitledRecommender

SECONDS = 60.0
"""How long the command asks a server before it gives up."""


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command."""
    parser = commands.add_parser(
        "recommend",
        help="recommend after a history of items",
        description="Asks an exported or served model what comes after a history.",
    )
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument(
        "--model",
        metavar="DIR",
        type=Path,
        help="run directory, its serving/ folder, or a SavedModel",
    )
    place.add_argument(
        "--server",
        metavar="URL",
        help="TensorFlow Serving: http://host:8501 for REST, grpc://host:8500 for gRPC",
    )
    parser.add_argument("--name", help="with --server: name of the model there")
    version = parser.add_mutually_exclusive_group()
    version.add_argument("--version", type=positive, help="with --server: a version's number")
    version.add_argument("--label", help="with --server: a version's label, such as canary")
    parser.add_argument(
        "--titles",
        metavar="DIR",
        type=Path,
        help="with --server: show the titles that this run directory or model has",
    )
    parser.add_argument(
        "--history",
        metavar="ID,ID,…",
        required=True,
        help='item ids, oldest first; may be empty (""); quote an id with a comma: \'"a,b",c\'',
    )
    parser.add_argument("--k", type=positive, default=10, help="how many (default 10)")
    parser.add_argument(
        "--action", default="purchase", help="what was done with the items (default purchase)"
    )
    parser.add_argument(
        "--shelf",
        choices=SHELVES,
        default="all",
        help="all items (the default), those of the history (own) or the others (new)",
    )
    parser.add_argument(
        "--asks",
        choices=ASKS,
        default="target",
        help="of a model with data.target_actions: an item with one of these (target, the default) "
        "or what comes next, whatever the action (any)",
    )
    parser.set_defaults(command=_recommend)
    return parser


def _recommend(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.serving.titled_recommender import parse_history, shown_id
    from tfx_pipeline.terminal.console import Console, quiet

    history = parse_history(arguments.history)
    with quiet(arguments.debug):
        recommender = _recommender(arguments)
        found = recommender.for_items(
            history, arguments.action, arguments.k, arguments.shelf, arguments.asks
        )
    console = Console(sys.stdout)
    unknown = recommender.unknown(history)
    if unknown:
        console.line(f"Unknown to the model: {', '.join(map(shown_id, unknown))}")
    console.table(
        ["rank", "item", "title", "score"],
        [[str(row.rank), row.item_id, row.title, f"{row.score:.4f}"] for row in found],
        text=("item", "title"),
    )
    if len(found) < arguments.k:
        why = "the history has no more, or serving.top_k is the most"
        if arguments.shelf != "own":
            why = "serving.top_k sets the most"
        console.line(f"The model gives no more than {len(found)}; {why}.")
    return OK


def _recommender(arguments: argparse.Namespace) -> TitledRecommender:
    from tfx_pipeline.paths.inputs import InputError
    from tfx_pipeline.serving.served import find_model
    from tfx_pipeline.serving.titled_recommender import TitledRecommender

    if arguments.model is not None:
        for option in ("name", "version", "label", "titles"):
            if getattr(arguments, option) is not None:
                raise InputError(f"--{option} goes with --server, not with --model")
        return TitledRecommender.of_model(find_model(arguments.model))
    if arguments.name is None:
        raise InputError("--server needs --name, the model's name there")
    from cohortrec_client import InvalidRequest, Patience, connect

    try:
        client = connect(
            arguments.server,
            arguments.name,
            version=arguments.version,
            label=arguments.label,
            patience=Patience(timeout=SECONDS / 2, deadline=SECONDS),
        )
    except InvalidRequest as error:
        raise InputError(str(error)) from None
    return TitledRecommender(client, find_model(arguments.titles) if arguments.titles else None)
