"""Everything on the page: the records of the components' files, and what is read beside them."""

from __future__ import annotations

from typing import Any

import pydantic

from components.behavior_example_gen.quality_record import DataQualityRecord
from components.cluster_combiner.record import CombinationRecord, ComparisonRecord, WorthRecord
from components.gates.verdict import Verdict
from components.sequence_clusterer.evaluation_record import EvaluationRecord
from components.sequence_clusterer.profiles_record import ClusterProfile
from trainer.training.training_record import TrainingRecord


class MapPoint(pydantic.BaseModel):
    """A user on the two-dimensional map."""

    x: float
    y: float
    cluster: int


class ReportInputs(pydantic.BaseModel):
    """What the page is made from; None and empty where a run has no such part."""

    model_config = pydantic.ConfigDict(frozen=True)

    run_name: str
    created: str
    verdict: Verdict
    data_quality: DataQualityRecord | None = None
    quarantined: int | None = None
    encoder: TrainingRecord | None = None
    specialists: list[TrainingRecord] = []
    clustering: EvaluationRecord | None = None
    cluster_map: list[MapPoint] = []
    profiles: list[ClusterProfile] = []
    comparison: ComparisonRecord | None = None
    combination: CombinationRecord | None = None
    worth: WorthRecord | None = None
    items_titled: int | None = None
    items_listed: int | None = None
    provenance: dict[str, Any] = {}
    notes: list[str] = []

    @property
    def ordered_only(self) -> bool:
        """Whether the log has an order but no times, so that hours and days mean nothing."""
        quality = self.data_quality
        return quality is not None and quality.events_kept > 0 and quality.first_event is None
