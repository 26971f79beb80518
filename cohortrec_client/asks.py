"""What a request may ask for: a target action, or any event; and why a model may not know the two.

A model that was trained with `data.target_actions` was told for each sample whether one of these
was asked for or any event. So it can be asked for either.
"""

from __future__ import annotations

from typing import Literal, get_args

from cohortrec_client.errors import InvalidRequest
from cohortrec_client.shelves import Shelf, signature_of

Asks = Literal["target", "any"]
"""`target`: what the model is judged by, items with one of its target actions ("what is bought
next"). `any`: what comes next, whatever the action. To a model without target actions, `target` is
any event already."""
ASKS: tuple[Asks, ...] = get_args(Asks)


def signature_for(shelf: Shelf, asks: Asks) -> str:
    """The signature that answers a request.

    Args:
        shelf: which items may be listed.
        asks: what is asked for; any event is asked for among all items only.

    Raises:
        InvalidRequest: there is no such shelf or nothing such to ask for, or the two do not go
            together.

    Example:
        >>> signature_for("all", "any")
        'recommend_any'
    """
    signature = signature_of(shelf)
    if asks not in ASKS:
        raise InvalidRequest(f"asks {asks!r}: ask for one of {', '.join(ASKS)}")
    if asks == "target":
        return signature
    if shelf != "all":
        raise InvalidRequest(
            f"asks 'any' with the shelf {shelf!r}: shelves are of target actions; ask for any "
            "event with the shelf 'all'"
        )
    return "recommend_any"


def why_not_any(version: str) -> str:
    """What it means that a model cannot be asked for any event, and what to do.

    Args:
        version: of the model, for people.
    """
    return (
        f"{version} cannot be asked for 'any', only for 'target'. Either it has no target actions "
        "(data.target_actions): then any event is all that it answers for, so ask for 'target'. "
        "Or it is older than this question: run the pipeline again, which pushes a version that "
        "knows it"
    )
