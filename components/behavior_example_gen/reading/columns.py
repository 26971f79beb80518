"""Which column of a file plays which role: the user's mapping, our names, or a common alias."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.behavior_example_gen.config import ColumnMapping
from components.behavior_example_gen.reading.line_shapes import looks_like_data
from trainer.errors import DataError
from trainer.nearest import nearest

REQUIRED_EVENT_COLUMNS = ("user_id", "item_id", "timestamp")
REQUIRED_ITEM_COLUMNS = ("item_id",)
_SHOWN, _SHOWN_LENGTH = 30, 60

# Names in the wild, compared without case, spaces and punctuation.
EVENT_ALIASES: Mapping[str, tuple[str, ...]] = {
    "user_id": (
        "userid", "customerid", "householdid", "visitorid", "clientid", "memberid", "accountid",
        "shopperid", "buyerid", "user", "customer", "reviewerid",
    ),
    "item_id": (
        "itemid", "productid", "skuid", "articleid", "stockcode", "sku", "asin", "item",
        "product", "productcode", "itemcode",
    ),
    "timestamp": (
        "timestamp", "eventtime", "eventtimestamp", "actiontime", "transactiontimestamp",
        "purchasedate", "orderdate", "invoicedate", "createdat", "datetime", "time", "date", "ts",
    ),
    "action": ("action", "eventtype", "actiontype", "behaviortype", "behaviourtype", "event"),
    "session_id": ("sessionid", "usersession", "basketid", "invoiceno", "orderid", "visitid"),
    "price": ("price", "unitprice"),
    "quantity": ("quantity", "qty"),
    "category": ("category", "categorycode", "categoryname", "productcategory"),
    "title": (),
    "brand": (),
}  # fmt: skip
ITEM_ALIASES: Mapping[str, tuple[str, ...]] = {
    "item_id": EVENT_ALIASES["item_id"],
    "title": ("title", "text", "name", "productname", "itemname", "producttitle", "description"),
    "category": ("category", "categoryname", "productcategory", "categorycode", "categories"),
    "brand": ("brand", "brandname"),
    "price": EVENT_ALIASES["price"],
}


@dataclass(frozen=True)
class Columns:
    """Source columns by our name. Several columns of one role are joined by " / "."""

    names: dict[str, tuple[str, ...]]
    notes: list[str] = field(default_factory=list)


def resolve(
    found: Sequence[str],
    mapping: ColumnMapping,
    aliases: Mapping[str, tuple[str, ...]],
    required: Sequence[str],
    where: str,
    setting: str,
) -> Columns:
    """Finds the source columns of a file.

    Args:
        found: the columns of the file, in order.
        mapping: the user's mapping; it wins over everything else.
        aliases: our names, each with other names recognised (normalised).
        required: our names that must be found.
        where: the file, for messages.
        setting: dotted name of the mapping's setting, for messages.

    Raises:
        DataError: a mapped or required column is not there, or several could be it.
    """
    names: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for role, wanted in mapping.items():
        if wanted is not None:
            sources = (wanted,) if isinstance(wanted, str) else tuple(wanted)
            for source in sources:
                _demand(source, found, where, f"{setting}.{role}")
            names[role] = sources
    # The column that marks returns (an invoice number) may well be the session too.
    taken = {source for role in aliases for source in names.get(role, ())}
    missing: list[str] = []
    for role, others in aliases.items():
        if role in mapping:
            if role not in names and role in required:
                raise DataError(f"{where}: {setting}.{role} is null, but the column is required")
            continue
        candidates = _candidates(role, others, [name for name in found if name not in taken])
        candidates = list(dict.fromkeys(candidates))
        if len(candidates) == 1:
            names[role] = (candidates[0],)
            if candidates[0] != role:
                notes.append(f"column {candidates[0]!r} is taken as {role}")
        elif candidates and role in required:
            raise DataError(
                f"{where}: columns {_quoted(candidates)} could all be {role}; "
                f"say which one: set {setting}.{role}"
            )
        elif candidates:
            notes.append(
                f"{role} is not used, because columns {_quoted(candidates)} could all be it; "
                f"set {setting}.{role} to use one"
            )
        elif role in required:
            missing.append(role)
    if missing:
        hints = "; ".join(_hint(role, found, setting) for role in missing)
        none = len(missing) == len(required)
        if none and looks_like_data(found):
            hints = "They look like a row of data: put a line of column names on top"
        elif none and len(required) > 1:
            hints += ". If the file has no line of column names, put one on top"
        raise DataError(
            f"{where}: no column for {', '.join(missing)}. Columns found: {listed(found)}. {hints}"
        )
    for role, sources in names.items():
        for source in sources:
            _check_unique(source, found, where, f"{setting}.{role}")
    return Columns(names, notes)


def has_known_name(names: Sequence[str]) -> bool:
    """Whether a user or an item is among column names."""
    known = {other for role in ("user_id", "item_id") for other in EVENT_ALIASES[role]}
    return any(_normalised(name) in known for name in names)


def nearest_names(roles: Sequence[str], found: Sequence[str], setting: str) -> str:
    """Which columns are most like the roles, for messages; "" if none is."""
    near = {role: _nearest(role, found) for role in roles}
    hints = [f"{setting}.{role}={name}" for role, name in near.items() if name is not None]
    return f". If one of them is meant, set {' or '.join(hints)}" if hints else ""


def listed(names: Sequence[str]) -> str:
    """The names as one line; of a file that is not a table, whose first line can be anything, the
    beginning.
    """
    shown = ", ".join(_shortened(name) for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _candidates(role: str, aliases: Sequence[str], found: Sequence[str]) -> list[str]:
    """Columns that can play a role: our own name if it is there, else all aliases."""
    if role in found:
        return [role]
    return [name for name in found if _normalised(name) in (_normalised(role), *aliases)]


def _demand(source: str, found: Sequence[str], where: str, setting: str) -> None:
    """Checks that a column named in the settings exists."""
    if source not in found:
        near = _nearest(source, found)
        hint = f" Did you mean {near!r}?" if near else ""
        raise DataError(
            f"{where}: no column {source!r} (named by {setting}).{hint} "
            f"Columns found: {listed(found)}"
        )


def _check_unique(source: str, found: Sequence[str], where: str, setting: str) -> None:
    """Checks that no other column has the name of one that is used, but for outer spaces."""
    twins = [name for name in found if name.strip() == source.strip()]
    if len(twins) > 1:
        raise DataError(
            f"{where}: {len(twins)} columns are called {source.strip()!r} (used as {setting}): "
            "which of them counts? Rename all but one"
        )


def _hint(role: str, found: Sequence[str], setting: str) -> str:
    near = _nearest(role, found)
    if near is None:
        return f"Name the one for {role} in {setting}.{role}"
    return f"Nearest to {role} is {near!r}: set {setting}.{role}={near} if that is it"


def _nearest(name: str, found: Sequence[str]) -> str | None:
    by_normalised = {_normalised(other): other for other in found}
    near = nearest(_normalised(name), by_normalised, cutoff=0.4)
    return None if near is None else by_normalised[near]


def _normalised(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _shortened(name: str) -> str:
    return name if len(name) <= _SHOWN_LENGTH else f"{name[:_SHOWN_LENGTH]}…"


def _quoted(names: Sequence[str]) -> str:
    return " and ".join(repr(name) for name in names)
