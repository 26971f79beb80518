"""Recommenders that are counted, not trained: what a trained one has to be better than.

A kind is one file with one `Baseline`. `selection.py` chooses the best of each on validation.
"""

from __future__ import annotations
