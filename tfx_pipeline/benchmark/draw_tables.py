"""How a benchmark of a log in several orders is shown, fit for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfx_pipeline.benchmark.event_orders import FILE
from tfx_pipeline.benchmark.tables import signed
from tfx_pipeline.terminal.console import Console
from trainer.evaluation.compared_models import COMBINER

_SHOWN = ("ndcg@10", "hr@10")
_HEADLINE = "ndcg@10"


def show_log(log: Mapping[str, Any], console: Console) -> None:
    """What the log's times leave open.

    Args:
        log: `test_targets` (`users`, `tied` and `share`), `tie_order` and `dropped`.
        console: where to print.
    """
    targets, ties = log["test_targets"], log["tie_order"]
    console.heading("Ties in the log")
    if log["dropped"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in log["dropped"].items())
        console.line(f"Rows dropped: {reasons}")
    console.line(
        f"{targets['tied']:,} of {targets['users']:,} test targets ({targets['share']:.1%}) have "
        "the time of the item before them."
    )
    if ties["ascending"]:
        shares = ", ".join(f"{name} {share:.1%}" for name, share in ties["ascending"].items())
        console.line(f"{ties['neighbours']:,} pairs of neighbours have one user and one time.")
        console.line(f"In the file's order so many of them ascend, 50% by chance: {shares}")


def show_draws(summary: Mapping[str, Any], draws: int, console: Console) -> None:
    """A table for each metric, a row per model, and what transitions are worth.

    Args:
        summary: from `draw_summary.summarize`.
        draws: how many orders were drawn.
        console: where to print.
    """
    models = summary["models"]
    for metric in _SHOWN:
        console.heading(f"Test, {metric.upper()}: the file's order, and {draws:,} drawn")
        console.table(
            ["", "file", "drawn, mean", "lowest", "highest", "drawn / file"],
            [[model, *_cells(figures[metric])] for model, figures in models.items()],
        )
    if COMBINER in models:
        figure = models[COMBINER][_HEADLINE]
        console.line(
            f"The combiner's {_HEADLINE.upper()} is {figure[FILE]:.4f} in the file's order, "
            f"{figure['drawn']['mean']:.4f} in orders that are drawn."
        )
    worth = summary["transitions"][_HEADLINE]
    times, change = worth["times"], worth["difference"]
    inside = ""
    if summary["interval"]:
        low, high = map(signed, summary["interval"][_HEADLINE])
        inside = f" [{low}, {high}]"
    console.line(f"Item transitions multiply the global encoder's {_HEADLINE.upper()}")
    console.line(f"  in the file's order by {times[FILE]:.3f} ({signed(change[FILE])}{inside});")
    console.line(
        f"  in orders that are drawn by {times['drawn']['mean']:.3f} "
        f"({signed(change['drawn']['mean'])}), lowest {times['drawn']['low']:.3f}, highest "
        f"{times['drawn']['high']:.3f}."
    )


def _cells(figure: Mapping[str, Any]) -> list[str]:
    drawn = figure["drawn"]
    share = f"{drawn['mean'] / figure[FILE]:.3f}" if figure[FILE] else "–"
    values = (figure[FILE], drawn["mean"], drawn["low"], drawn["high"])
    return [*(f"{value:.4f}" for value in values), share]
