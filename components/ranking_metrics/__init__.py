"""Ranking metrics for TensorFlow Model Analysis, from the signature `evaluate`.

An EvalConfig names them by module and class:

    {"class_name": "NextItemNDCG", "module": "components.ranking_metrics", "config": '{"k": 10}'}

Example:
    >>> metric = NextItemNDCG(k=10)
    >>> metric.name, metric.get_config()
    ('ndcg@10', {'k': 10})
"""

from components.ranking_metrics.change_beyond_chance import ChangeBeyondChance
from components.ranking_metrics.cluster_loss import ClusterLoss
from components.ranking_metrics.coverage import CatalogueCoverage
from components.ranking_metrics.gains import MRR, Examples, HitRate, NextItemNDCG, Users
from components.ranking_metrics.held_out_ndcg import HeldOutNDCG
from components.ranking_metrics.lead_over_free import LeadOverFree

__all__ = [
    "MRR",
    "CatalogueCoverage",
    "ChangeBeyondChance",
    "ClusterLoss",
    "Examples",
    "HeldOutNDCG",
    "HitRate",
    "LeadOverFree",
    "NextItemNDCG",
    "Users",
]
