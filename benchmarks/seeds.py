"""Medians over seeds from the `benchmark.json` of several runs.

Usage: python benchmarks/seeds.py benchmark.json … [--output FILE]

Runs of the same files and settings but the seed belong together. Prints each seed's test figures of
the combiner and their medians; FILE keeps them, without paths.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median
from typing import Any

METRICS = ("hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr")


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a run."""
    splits = result["splits"]
    return {
        "data_set": result["data_set"],
        "files": [{"file": f["file"], "sha256": f["sha256"]} for f in result["files"]],
        "item_features": result["derived"]["item_features"]["value"],
        "seed": result["seed"],
        "test": {m: round(splits["test"]["models"]["combiner"][m]["mean"], 5) for m in METRICS},
        "validation_ndcg@10": round(
            splits["validation"]["models"]["combiner"]["ndcg@10"]["mean"], 5
        ),
        "seconds": round(result["seconds"]),
        "peak_gb": round(result["peak_bytes"] / 1e9, 2),
        "versions": result["versions"],
    }


def grouped(results: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Summaries of runs that differ by their seed only, in the order of the seeds."""
    groups: dict[str, dict[int, dict[str, Any]]] = {}
    for result in results:
        sections = {name: dict(values) for name, values in result["config"].items()}
        for section in sections.values():
            section.pop("seed", None)
        # Paths and names differ from machine to machine; the files' content counts.
        sections.pop("run")
        content = [f["sha256"] for f in result["files"]]
        key = json.dumps([content, sections], sort_keys=True)
        groups.setdefault(key, {})[result["seed"]] = summary(result)
    return [[group[seed] for seed in sorted(group)] for group in groups.values()]


def main() -> None:
    """Prints a table for each group."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    groups = grouped([json.loads(path.read_text()) for path in arguments.results])
    for group in groups:
        print(f"{group[0]['data_set']}, item features: {group[0]['item_features']}")
        print("seed    " + "".join(f"{metric:>9}" for metric in METRICS) + "     time    peak")
        for run in group:
            figures = "".join(f"{run['test'][metric]:9.4f}" for metric in METRICS)
            print(
                f"{run['seed']:<8}{figures}{run['seconds'] / 60:5.1f} min{run['peak_gb']:5.2f} GB"
            )
        medians = "".join(f"{median(r['test'][m] for r in group):9.4f}" for m in METRICS)
        print(f"median  {medians}\n")
    if arguments.output:
        arguments.output.write_text(json.dumps(groups, indent=1) + "\n")


if __name__ == "__main__":
    main()
