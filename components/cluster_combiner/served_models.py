"""The recommenders that are exported or timed: the encoder alone and its combinations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.cluster_combiner.combiner_inputs import CombinerInputs
from components.cluster_combiner.fitting import Fit
from trainer.clusters.mixture import Mixture
from trainer.data.item_transitions import ItemTransitions
from trainer.serving.behavior_head import BehaviorHead
from trainer.serving.cell_index import Cells
from trainer.serving.recommender import Recommender


@dataclass(frozen=True)
class ServedModels:
    """Makes recommenders that differ in nothing but their specialists.

    Attributes:
        inputs: of the component.
        cells: of an approximate index, None for an exact one.
        transitions: raise scores beside the encoders, None if nothing does.
        head: the behaviour head of what is exported, None without one.
    """

    inputs: CombinerInputs
    cells: Cells | None
    transitions: ItemTransitions | None
    head: BehaviorHead | None = None

    def encoder_alone(self) -> Recommender:
        """The global encoder without any clusters."""
        return Recommender(
            self.inputs.graph,
            self.inputs.encoder,
            top_k=self.inputs.serving.top_k,
            cells=self.cells,
            transitions=self.transitions,
        )

    def combined(self, strengths: np.ndarray) -> Recommender:
        """The global encoder with its specialists.

        Args:
            strengths: float32 [K]; if all are zero, the encoder serves alone and only names the
                user's cluster.
        """
        inputs = self.inputs
        return Recommender(
            inputs.graph,
            inputs.encoder,
            inputs.specialists,
            Mixture(inputs.geometry, strengths, inputs.config.specialists_per_user),
            top_k=inputs.serving.top_k,
            cells=self.cells,
            transitions=self.transitions,
            head=self.head,
        )

    def timed(self, served: Recommender, fit: Fit) -> dict[str, Recommender]:
        """The two models whose times to answer are compared, by their names.

        Args:
            served: the exported one, which is one of the two.
            fit: without any fitted strength there is no combination to time.
        """
        if fit.kept:
            return {"global encoder": self.encoder_alone(), "combination": served}
        if not fit.fitted.any():
            return {"global encoder": served}
        return {"global encoder": served, "combination": self.combined(fit.fitted)}
