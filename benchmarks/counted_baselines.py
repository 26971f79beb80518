"""What recommenders reach that are counted and not trained, on the data of a run.

Usage: python benchmarks/counted_baselines.py EXAMPLES GRAPH [--exclude-seen auto|yes|no]
                                              [--peers als,ease] [--seed 1] [--output FILE]

EXAMPLES is a folder of the artifact `examples` of BehaviorExampleGen, GRAPH one of
`transform_graph` of Transform; a run directory has both. For the next item and, where there are
baskets, for the whole next one, every kind of `trainer.evaluation.baselines` is counted on the
training split. NDCG@10 on validation chooses its constants; with these the test split is ranked.
Prints one line a kind, and the processor seconds of the choice. `--peers` adds recommenders that
are trained (`trainer.evaluation.peers`), chosen in the same way, with the seconds that each took.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import trainer  # noqa: F401, I001 (first: it throws the Keras switches)
import numpy as np
import tensorflow_transform as tft

from trainer.data import features
from trainer.data.histories import Histories, read_histories
from trainer.data.repeats import repeat_share, should_exclude_seen
from trainer.evaluation.baselines.selection import HeldOut, Selection, choose_baselines
from trainer.evaluation.baskets import Baskets
from trainer.evaluation.compared_models import PEERS, title
from trainer.evaluation.metrics import basket_values
from trainer.evaluation.peers.library import check_library
from trainer.evaluation.peers.selection import PeerSelection, choose_peers

SPLITS = ("train", "validation", "test")
NDCG, RECALL = "basket_ndcg@10", "basket_recall@10"


def next_items(histories: Histories) -> HeldOut:
    """The first held-out item of each user who has one."""
    has = histories.next_item > 0
    return HeldOut(histories, histories.next_item[has], np.concatenate([[0], np.cumsum(has)]))


def next_baskets(histories: Histories, items: int, exclude_seen: bool) -> HeldOut:
    """All held-out items of each user."""
    baskets = Baskets.of(histories, items, exclude_seen)
    return HeldOut(histories, baskets.items, baskets.splits)


def ndcg(ranks: np.ndarray, splits: np.ndarray) -> np.ndarray:
    """What each user contributes to NDCG@10; of one item, that of the next item."""
    return basket_values(ranks, splits, NDCG)


def rows(
    target: str,
    selection: Selection | PeerSelection,
    validation: HeldOut,
    test: HeldOut,
    exclude_seen: bool,
) -> list[dict[str, Any]]:
    """One line of the table for each kind that was chosen."""
    found = []
    for kind, chosen in selection.chosen.items():
        ranks = chosen.ranks(test.histories, test.targets, test.target_splits, exclude_seen)
        found.append(
            {
                "target": target,
                "kind": kind,
                "constants": str(chosen.constants),
                "tried": chosen.tried,
                "validation_users": int((np.diff(validation.target_splits) > 0).sum()),
                "test_users": int((np.diff(test.target_splits) > 0).sum()),
                "validation_ndcg@10": chosen.value,
                "test_ndcg@10": float(np.nanmean(ndcg(ranks, test.target_splits))),
                "test_recall@10": float(
                    np.nanmean(basket_values(ranks, test.target_splits, RECALL))
                ),
            }
        )
    return found


def measure(
    splits: dict[str, Histories],
    items: int,
    exclude_seen: bool,
    seed: int,
    peers: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The table of one log."""
    pairs = {"next item": tuple(next_items(splits[name]) for name in SPLITS[1:])}
    if (np.diff(splits["validation"].target_splits) > 1).any():
        pairs["next basket"] = tuple(
            next_baskets(splits[name], items, exclude_seen) for name in SPLITS[1:]
        )
    table = []
    for target, (validation, test) in pairs.items():
        start = time.process_time()
        selection = choose_baselines(splits["train"], validation, items, ndcg, exclude_seen, seed)
        seconds = time.process_time() - start
        lines = rows(target, selection, validation, test, exclude_seen)
        print(
            f"{target}: {lines[0]['validation_users']} validation users, "
            f"{lines[0]['test_users']} test users, chosen in {seconds:.0f} processor seconds"
        )
        print(f"  {'':28}validation  test    test")
        print(f"  {'':28}NDCG@10     NDCG@10 recall@10")
        show(lines, selection.left_out)
        table += [{**line, "selection_processor_seconds": round(seconds, 1)} for line in lines]
        for kind in peers:
            start = time.monotonic()
            given = (splits["train"], validation, items, ndcg, exclude_seen, seed)
            trained = choose_peers([kind], *given)
            seconds = time.monotonic() - start
            lines = rows(target, trained, validation, test, exclude_seen)
            for line in lines:
                line["constants"] += f"; {seconds:.0f} s"
            show(lines, trained.left_out)
            table += [{**line, "seconds": round(seconds, 1)} for line in lines]
    return table


def show(lines: Sequence[dict[str, Any]], left_out: dict[str, str]) -> None:
    """Prints lines of the table."""
    for line in lines:
        print(
            f"  {title(line['kind']):28}{line['validation_ndcg@10']:<12.4f}"
            f"{line['test_ndcg@10']:<8.4f}{line['test_recall@10']:<10.4f}{line['constants']}",
            flush=True,
        )
    for kind, reason in left_out.items():
        print(f"  {title(kind):28}left out: {reason}", flush=True)


def main() -> None:
    """Reads the splits, prints the table and writes it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("examples", type=Path)
    parser.add_argument("graph", type=Path)
    parser.add_argument("--exclude-seen", choices=("auto", "yes", "no"), default="auto")
    parser.add_argument("--peers", default="", help=f"some of {','.join(PEERS)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    peers = [name for name in arguments.peers.split(",") if name]
    if unknown := set(peers) - set(PEERS):
        raise SystemExit(f"unknown peers {sorted(unknown)}; known: {', '.join(PEERS)}")
    check_library(peers)
    for split in SPLITS:
        if not (arguments.examples / f"Split-{split}").is_dir():
            raise SystemExit(
                f"{arguments.examples} has no folder Split-{split}; give the artifact `examples` "
                "of a run, such as OUTPUT/artifacts/BehaviorExampleGen/examples/1"
            )
    graph = tft.TFTransformOutput(str(arguments.graph))
    items = len(graph.vocabulary_by_name(features.ITEM_VOCABULARY))
    splits = {
        name: read_histories([f"{arguments.examples}/Split-{name}/*"], graph) for name in SPLITS
    }
    training = splits["train"]
    exclude_seen = arguments.exclude_seen == "yes"
    if arguments.exclude_seen == "auto":
        share = repeat_share(training.columns[features.ITEM], training.splits)
        exclude_seen = should_exclude_seen(share)
    print(f"{items} items, seen items {'left out' if exclude_seen else 'ranked'}")
    table = measure(splits, items, exclude_seen, arguments.seed, peers)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
