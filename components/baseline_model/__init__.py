"""BaselineModel: what is served today, or the best free baseline when nothing is."""

from components.baseline_model.component import BaselineModel

__all__ = ["BaselineModel"]
