"""What ClusterCombiner was given, read from its artifacts and settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow_transform as tft
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.cluster_combiner.config import CombinerConfig
from components.cluster_combiner.controls import Controls
from trainer.behavior_config import BehaviorConfig
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.config import ServingConfig
from trainer.data import features
from trainer.data.histories import Histories, read_histories
from trainer.encoder.encoder import BehaviorEncoder
from trainer.encoder.event_tower import EventTower
from trainer.encoder.tower_ensemble import TowerEnsemble
from trainer.evaluation.compared_models import CONTINUED
from trainer.evaluation_config import EvaluationConfig
from trainer.inference.own_members import OwnMembers
from trainer.raw_history import TEST, TRAIN, VALIDATION
from trainer.serving.export import load_encoder

JUDGED_SPLITS = (VALIDATION, TEST)
"""The splits whose users the models are compared on."""

LATER_EVENTS = "later_events"
"""The input with histories that go on through the windows of the judged splits."""

Artifacts = dict[str, list[Any]]


@dataclass(frozen=True)
class CombinerInputs:
    """Everything that the steps of the component read.

    Attributes:
        config: how strengths are fitted.
        serving: length of the lists and kind of index.
        evaluation: what models are asked for.
        behavior: what the behaviour head foresees.
        seed: of folds and batches.
        graph: the Transform graph that the encoder was trained with.
        geometry: of the K clusters.
        encoder: the global encoder.
        specialists: the towers of the K specialists, by cluster.
        examples: files of each of `JUDGED_SPLITS`.
        training: files of the whole training histories.
        later: files of the histories that go on through the windows of `JUDGED_SPLITS`; empty
            without a behaviour head.
        titles: Parquet file with the items' titles, None without.
        artifacts: of the component, for the controls.
    """

    config: CombinerConfig
    serving: ServingConfig
    evaluation: EvaluationConfig
    behavior: BehaviorConfig
    seed: int
    graph: tft.TFTransformOutput
    geometry: ClusterGeometry
    encoder: BehaviorEncoder
    specialists: list[EventTower | TowerEnsemble]
    examples: dict[str, list[str]]
    training: list[str]
    later: dict[str, list[str]]
    titles: str | None
    artifacts: Artifacts

    @classmethod
    def read(cls, artifacts: Artifacts, properties: dict[str, Any]) -> CombinerInputs:
        """Loads settings, clusters and encoders; the controls wait until they are asked for.

        Args:
            artifacts: inputs by name, see `ClusterCombiner`.
            properties: parameters by name, see `ClusterCombiner`.
        """
        geometry = ClusterGeometry.load(_uri(artifacts, "clusters"))
        titles = f"{_uri(artifacts, 'items')}/items.parquet" if artifacts.get("items") else None
        return cls(
            config=CombinerConfig.from_json(properties["config"]),
            serving=ServingConfig.from_json(properties["serving"]),
            evaluation=EvaluationConfig.from_json(properties["evaluation"]),
            behavior=BehaviorConfig.from_json(properties["behavior_head"]),
            seed=properties["seed"],
            graph=tft.TFTransformOutput(_uri(artifacts, "transform_graph")),
            geometry=geometry,
            encoder=_encoder(artifacts, "encoder_model"),
            specialists=[
                _encoder(artifacts, f"specialist_{k}").tower for k in range(geometry.clusters)
            ],
            examples={split: _files(artifacts, "examples", split) for split in JUDGED_SPLITS},
            training=_files(artifacts, "histories", TRAIN),
            later={
                split: _files(artifacts, LATER_EVENTS, split)
                for split in (JUDGED_SPLITS if artifacts.get(LATER_EVENTS) else ())
            },
            titles=titles,
            artifacts=artifacts,
        )

    @property
    def target_actions(self) -> list[str]:
        """The actions that the encoder was trained to be asked for; none: every action."""
        names = self.graph.vocabulary_by_name(features.ACTION_VOCABULARY)
        return [names[action - 1].decode() for action in self.encoder.target_actions]

    def histories(self, files: Sequence[str]) -> Histories:
        """Reads histories as the encoder reads them, which know what is asked for."""
        found = read_histories(files, self.graph, self.encoder.new_items)
        return found.asking(self.encoder.target_actions)

    def controls(self) -> Controls | None:
        """Loads the trained controls; None where the pipeline has none."""
        if not self.artifacts.get(CONTINUED):
            return None
        random = [self._own_members(f"random_{k}") for k in range(self.geometry.clusters)]
        return Controls(random, self._own_members(CONTINUED))

    def _own_members(self, name: str) -> OwnMembers:
        return OwnMembers(_encoder(self.artifacts, name).tower, self.encoder.tower)


def _uri(artifacts: Artifacts, name: str) -> str:
    uri: str = artifact_utils.get_single_uri(artifacts[name])
    return uri


def _encoder(artifacts: Artifacts, name: str) -> BehaviorEncoder:
    return load_encoder(path_utils.serving_model_dir(_uri(artifacts, name)))


def _files(artifacts: Artifacts, name: str, split: str) -> list[str]:
    folder = artifact_utils.get_split_uri(artifacts[name], split)
    return sorted(str(path) for path in fileio.glob(f"{folder}/*"))
