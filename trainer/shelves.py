"""The shelves that a shop shows apart: what a customer buys again, and what he has yet to discover.

A request asks for a shelf by a signature of its own. The two shelves part the list of all items:
each item stands on exactly one of them for a user, with the score that it has in the list of all.
"""

from __future__ import annotations

from typing import Literal

Shelf = Literal["all", "own", "new"]

ALL: Shelf = "all"
"""Every item."""
OWN: Shelf = "own"
"""Items of the user's history."""
NEW: Shelf = "new"
"""Items that are not in it."""

SIGNATURES: dict[Shelf, str] = {ALL: "recommend", OWN: "recommend_own", NEW: "recommend_new"}
"""By shelf. A model that leaves seen items out has the first one only: all that it lists is new."""
