"""The shelves that a request may ask for, and what to say where a model does not serve them."""

from __future__ import annotations

from typing import Literal, get_args

from cohortrec_client.errors import InvalidRequest

Shelf = Literal["all", "own", "new"]
"""`all` items, those of the history (`own`: "buy again"), or those that are not in it (`new`:
"discover"). The scores are the same on all shelves, so that lists can be merged."""
SHELVES: tuple[Shelf, ...] = get_args(Shelf)

_SIGNATURES: dict[Shelf, str] = {
    "all": "recommend",
    "own": "recommend_own",
    "new": "recommend_new",
}


def signature_of(shelf: Shelf) -> str:
    """The signature that answers for a shelf.

    Raises:
        InvalidRequest: there is no such shelf.

    Example:
        >>> signature_of("own")
        'recommend_own'
    """
    if shelf not in _SIGNATURES:
        raise InvalidRequest(f"shelf {shelf!r}: ask for one of {', '.join(SHELVES)}")
    return _SIGNATURES[shelf]


def why_not_served(shelf: Shelf, version: str) -> str:
    """What it means that a model lacks the signature of a shelf, and what to do.

    Args:
        shelf: what was asked for.
        version: of the model, for people.
    """
    return (
        f"{version} does not serve the shelf {shelf!r}, only 'all'. Either it leaves out items of "
        "the history (serving.exclude_seen): then all that it lists is new, so ask for 'all'. Or "
        "it is older than the shelves: run the pipeline again, which pushes a version with them"
    )
