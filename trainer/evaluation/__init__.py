"""Evaluation: ranks over the whole catalogue, metrics with intervals, free baselines, baskets."""
