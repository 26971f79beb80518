"""The known name that an unknown one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], cutoff: float = 0.5) -> str | None:
    """The known name that is most like another, whatever their cases; None if none is like it.

    Args:
        name: what was given.
        known: what there is; of several that differ in case alone the first counts.
        cutoff: how much they must have in common, from 0 to 1.

    Example:
        >>> nearest("DirectRuner", ["DirectRunner", "FlinkRunner"])
        'DirectRunner'
    """
    names: dict[str, str] = {}
    for other in known:
        names.setdefault(other.casefold(), other)
    near = difflib.get_close_matches(name.casefold(), names, n=1, cutoff=cutoff)
    return names[near[0]] if near else None


def hint(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """What an unknown name is told: "did you mean 'width'?", or all that are known."""
    known = list(known)
    near = nearest(name, known, cutoff)
    return f"did you mean {near!r}?" if near else f"known: {', '.join(known)}"
