"""Every rule, peer and model on six public logs, with intervals: what beats what, and is pushed.

Usage: python benchmarks/judged_logs.py --data FOLDER --output DIR [--only LOG …]
                                        [--set SECTION.KEY=VALUE …]

FOLDER has the logs as `LOGS` names them; Complete Journey is installed with `make`. Each log is run
as its preset says, in `DIR/LOG`; a second call takes from the cache what is done. Then one table a
log is printed as Markdown and kept in `DIR/judged_logs.md` and `.json`: the primary measure on test
users, its 95 % interval (bootstrap over users), and the paired difference of the combiner to each
row (Student's t). The constants of the rules and the epochs of the models were chosen on
validation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import trainer  # noqa: F401, I001 (first: it throws the Keras switches)
import polars as pl

from components.cluster_combiner.comparison import primary_values
from components.cluster_combiner.record import ComparisonRecord
from tfx_pipeline.commands.exit_codes import OK, REFUSED
from tfx_pipeline.dag import nodes
from tfx_pipeline.local.metadata import RunMetadata
from tfx_pipeline.local.run_directory import RunDirectory
from trainer.evaluation.compared_models import COMBINER, title
from trainer.evaluation.metrics import bootstrap_interval, mean_interval
from trainer.raw_history import TEST

LOGS = {
    "Complete Journey": ("run", "--preset", "complete_journey"),
    "Online Retail": (
        *("run", "--preset", "online_retail"),
        *("--events", "online_retail/transactions.parquet"),
    ),
    "REES46": ("run", "--preset", "rees46", "--events", "rees46/events.csv"),
    "JData": ("run", "--preset", "jdata", "--events", "jdata/events.csv"),
    "Beauty": ("benchmark", "--name", "Beauty", "--sequences", "beauty/sequences.txt"),
    "Toys": ("benchmark", "--name", "Toys", "--sequences", "toys/sequences.txt"),
}
"""Arguments of `cohortrec`; what has a slash is a file of the data folder."""


def run_log(log: str, data: Path, output: Path, overrides: Sequence[str]) -> Path:
    """Runs the pipeline on one log; a refused model is a result.

    Raises:
        SystemExit: a component failed.
    """
    given = [str(data / word) if "/" in word else word for word in LOGS[log]]
    directory = output / log.replace(" ", "_")
    changes = [word for override in overrides for word in ("--set", override)]
    command = [sys.executable, "-m", "tfx_pipeline.cli", *given, "--output", str(directory)]
    print(f"{log} …", file=sys.stderr, flush=True)
    done = subprocess.run([*command, *changes], check=False, stdout=sys.stderr)
    if done.returncode not in (OK, REFUSED):
        raise SystemExit(f"{log}: the run ended with {done.returncode}; see {directory}/logs")
    return directory


def judged(log: str, directory: Path) -> dict[str, Any]:
    """The table of one finished run.

    Returns:
        log, asked, users, opponent, verdict, `left_out`, and `rows`: for each model its key, mean,
        low and high, and mean, low and high of "combiner minus this".
    """
    execution = RunMetadata(RunDirectory(directory).database).latest(nodes.COMBINER)
    if execution is None:
        raise SystemExit(f"{log}: no comparison in {directory}")
    (folder,) = execution.artifacts["comparison"]
    comparison = ComparisonRecord.read(folder)
    users = pl.read_parquet(Path(folder) / "ranks.parquet").filter(pl.col("split") == TEST)
    combiner = primary_values(users, COMBINER)
    rows = []
    for model in comparison.models:
        values = primary_values(users, model)
        mean, lead = bootstrap_interval(values), mean_interval(combiner - values)
        rows.append(
            {
                "model": model,
                **{name: getattr(mean, name) for name in ("mean", "low", "high")},
                **{f"lead_{name}": getattr(lead, name) for name in ("mean", "low", "high")},
            }
        )
    counted = comparison.counted
    return {
        "log": log,
        "asked": comparison.asked,
        "users": users.height,
        "opponent": counted.opponent if counted else None,
        "left_out": counted.left_out if counted else {},
        "verdict": _verdict(directory),
        "rows": rows,
    }


def _verdict(directory: Path) -> list[str]:
    """Sentences of the gates that did not pass, or that all did."""
    path = next(
        directory / name
        for name in ("metrics.json", "benchmark.json")
        if (directory / name).is_file()
    )
    gates = json.loads(path.read_text(encoding="utf-8"))["gates"]
    if not gates:
        return ["nothing was judged: the model is served already"]
    failed = [gate["sentence"] for gate in gates if not gate["passed"]]
    return failed or ["all passed"]


def markdown(table: dict[str, Any]) -> str:
    """One log's table."""
    lines = [
        f"### {table['log']}: {table['asked']}, {table['users']:,} test users",
        "",
        "| model | NDCG@10 | 95 % interval | combiner minus this |",
        "|---|---|---|---|",
    ]
    for row in table["rows"]:
        lead = "–"
        if row["model"] != COMBINER:
            lead = f"{row['lead_mean']:+.4f} ({row['lead_low']:+.4f} to {row['lead_high']:+.4f})"
        name = title(row["model"])
        if row["model"] == table["opponent"]:
            name = f"**{name}** (opponent)"
        lines.append(
            f"| {name} | {row['mean']:.4f} | {row['low']:.4f} to {row['high']:.4f} | {lead} |"
        )
    lines += ["", *(f"- {title(kind)}: {why}" for kind, why in table["left_out"].items())]
    lines += [f"- Gates: {sentence}" for sentence in table["verdict"]]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs the logs and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=LOGS, default=list(LOGS), metavar="LOG")
    parser.add_argument("--set", nargs="+", default=[], dest="overrides", metavar="KEY=VALUE")
    given = parser.parse_args()
    tables = [
        judged(log, run_log(log, given.data, given.output, given.overrides)) for log in given.only
    ]
    text = "\n".join(markdown(table) for table in tables)
    print(text)
    (given.output / "judged_logs.md").write_text(text, encoding="utf-8")
    content = json.dumps(tables, indent=1, ensure_ascii=False) + "\n"
    (given.output / "judged_logs.json").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
