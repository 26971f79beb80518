"""What a run says about its shelves, made by hand."""

from __future__ import annotations

from components.cluster_combiner.record import Lift, ShelfFigures, ShelvesRecord
from tests.helpers.combiner_lifts import combiner_lift


def shelves_record() -> ShelvesRecord:
    """The combiner is better on the new shelf, and the rule on the own one."""

    def figures(users: int, rule: float, combiner: float, **lifts: Lift) -> ShelfFigures:
        return ShelfFigures(
            users=users,
            models={
                "own_items": {"recall@10": rule, "ndcg@10": 0.3, "recall_in_all@10": 0.05},
                "routed": {"recall@10": 0.9, "ndcg@10": 0.9, "recall_in_all@10": 0.9},
                "combiner": {"recall@10": combiner, "ndcg@10": 0.4, "recall_in_all@10": 0.06},
            },
            lifts={name.replace("_", "@"): lift for name, lift in lifts.items()},
        )

    own = figures(1400, 0.21, 0.2, ndcg_10=combiner_lift("own_items", -0.005, "hurts"))
    new = figures(900, 0.011, 0.025, recall_10=combiner_lift("own_items", 0.0123, "helps"))
    return ShelvesRecord(splits={"test": {"own": own, "new": new}})
