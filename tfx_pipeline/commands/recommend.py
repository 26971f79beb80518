"""`cohortrec recommend`: what an exported model recommends after a history."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tfx_pipeline.commands.exit_codes import OK
from tfx_pipeline.commands.parsing import Commands, positive


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declares the command."""
    parser = commands.add_parser(
        "recommend",
        help="recommend after a history of items",
        description="Asks an exported model what comes after a history.",
    )
    parser.add_argument(
        "--model",
        metavar="DIR",
        type=Path,
        required=True,
        help="run directory, its serving/ folder, or a SavedModel",
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
    parser.set_defaults(command=_recommend)
    return parser


def _recommend(arguments: argparse.Namespace) -> int:
    from tfx_pipeline.console import Console, quiet
    from tfx_pipeline.recommend import Recommender, parse_history
    from tfx_pipeline.served import find_model

    model = find_model(arguments.model)
    history = parse_history(arguments.history)
    with quiet(arguments.debug):
        recommender = Recommender(model)
        found = recommender.for_items(history, arguments.action, arguments.k)
    console = Console(sys.stdout)
    unknown = recommender.unknown(history)
    if unknown:
        console.line(f"Unknown to the model: {', '.join(unknown)}")
    console.table(
        ["rank", "item", "title", "score"],
        [[str(row.rank), row.item_id, row.title, f"{row.score:.4f}"] for row in found],
        text=("item", "title"),
    )
    if len(found) < arguments.k:
        console.line(f"The model gives no more than {len(found)}; serving.top_k sets the most.")
    return OK
