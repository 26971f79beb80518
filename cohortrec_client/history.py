"""Histories as a caller gives them, and as the signature `recommend` takes them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from cohortrec_client.errors import InvalidRequest
from cohortrec_client.item_ids import to_bytes
from cohortrec_client.tensor import Tensor

SECONDS_PER_DAY = 86_400
INT64 = range(-(2**63), 2**63)


@dataclasses.dataclass(frozen=True)
class History:
    """What one user did, oldest first; may be empty.

    Attributes:
        item_ids: the items; ids that the model does not know are fine.
        actions: what was done with each item, or one action for all.
        timestamps: whole seconds since the epoch, or milli-, micro- or nanoseconds, which the model
            tells apart by their size; None takes the events as one a day up to now.

    Raises:
        InvalidRequest: lengths differ, an id is empty or no text, a time is no whole number.

    Example:
        >>> seen = History(["22423", "85123A"], actions=["view", "cart"], timestamps=[1, 61])
        >>> len(seen.item_ids)
        2
        >>> History(["22423", "85123A"], timestamps=[1])
        Traceback (most recent call last):
        cohortrec_client.errors.InvalidRequest: 2 item_ids, but 1 timestamps: one for each item
    """

    item_ids: Sequence[str]
    actions: Sequence[str] | str = "purchase"
    timestamps: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.item_ids, str):
            raise InvalidRequest("item_ids is one text; give a list of ids")
        for item in self.item_ids:
            if not isinstance(item, str) or not item:
                raise InvalidRequest(f"item id {item!r}: ids are text that is not empty")
        for name, values in (("actions", self.actions), ("timestamps", self.timestamps)):
            if values is None or isinstance(values, str):
                continue
            if len(values) != len(self.item_ids):
                raise InvalidRequest(
                    f"{len(self.item_ids)} item_ids, but {len(values)} {name}: one for each item"
                )
        for action in [self.actions] if isinstance(self.actions, str) else self.actions:
            if not isinstance(action, str):
                raise InvalidRequest(f"action {action!r} is no text")
        for moment in self.timestamps or ():
            if type(moment) is not int or moment not in INT64:
                raise InvalidRequest(
                    f"timestamp {moment!r}: times are whole numbers since the epoch, in seconds or "
                    "milliseconds"
                )

    def rows(self) -> tuple[list[bytes], list[bytes], list[int]]:
        """Ids, actions and times, of the same length."""
        count = len(self.item_ids)
        actions = [self.actions] * count if isinstance(self.actions, str) else self.actions
        times = self.timestamps
        if times is None:
            now = int(time.time())
            times = [now - age * SECONDS_PER_DAY for age in range(count, 0, -1)]
        return [to_bytes(i) for i in self.item_ids], [to_bytes(a) for a in actions], list(times)


def padded(histories: Sequence[History]) -> dict[str, Tensor]:
    """The inputs of `recommend` for a batch.

    Args:
        histories: at least one.

    Returns:
        `item_ids` and `actions` string, `timestamps` int64, each [batch, length of the longest],
        padded at the end with "" and 0. Empty histories are one padded place.
    """
    rows = [history.rows() for history in histories]
    length = max(1, *(len(items) for items, _, _ in rows))
    shape = (len(rows), length)
    ids: list[bytes] = []
    actions: list[bytes] = []
    times: list[int] = []
    for items, done, moments in rows:
        missing = length - len(items)
        ids += items + [b""] * missing
        actions += done + [b""] * missing
        times += moments + [0] * missing
    return {
        "item_ids": Tensor("string", shape, ids),
        "actions": Tensor("string", shape, actions),
        "timestamps": Tensor("int64", shape, times),
    }


def serialized(examples: Sequence[bytes]) -> dict[str, Tensor]:
    """The input of `serving_default`: serialized `tf.Example`s of raw histories."""
    for example in examples:
        if not isinstance(example, bytes):
            raise InvalidRequest(f"an example is {type(example).__name__}, not bytes")
    return {"examples": Tensor("string", (len(examples),), list(examples))}
