"""What a run says about its behaviour head, made by hand."""

from __future__ import annotations

from components.cluster_combiner.behavior_record import (
    BehaviorRecord,
    ForeseenFigures,
    ReliabilityBin,
)


def behavior_record() -> BehaviorRecord:
    """One figure that is served, and one of which nothing can be said."""
    return BehaviorRecord(
        actions=["purchase"],
        days=7,
        figures={
            "buys_next": ForeseenFigures(
                served=True,
                why="on, validation AUC 0.801 is above 0.6; test AUC 0.790 (0.750 to 0.830)",
                moments={"train": 9_000, "validation": 2_000, "test": 2_000},
                taken={"train": 500, "validation": 90, "test": 100},
                validation_auc=0.801,
                auc=0.79,
                low=0.75,
                high=0.83,
                brier=0.0456,
                predicted=0.048,
                observed=0.05,
                bins=[
                    ReliabilityBin(moments=1_000, predicted=0.01, observed=0.02),
                    ReliabilityBin(moments=1_000, predicted=0.086, observed=0.08),
                ],
            ),
            "buys_within": ForeseenFigures(
                served=False,
                why="off, the log is too short to know of any test moment what followed",
                moments={"train": 9_000, "validation": 100, "test": 0},
                taken={"train": 900, "validation": 40, "test": 0},
            ),
        },
    )
