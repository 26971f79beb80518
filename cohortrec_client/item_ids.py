"""Ids as text. Ids are bytes to the model; almost always they are valid UTF-8, but need not be.

Bytes that are no UTF-8 become lone surrogates, as Python does with file names and command line
arguments, so that every id is a `str` and comes back unchanged.
"""

from __future__ import annotations

from cohortrec_client.errors import InvalidRequest


def to_bytes(text: str) -> bytes:
    """The id as the model knows it.

    Raises:
        InvalidRequest: the text holds a surrogate that stands for no byte.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise InvalidRequest(f"{text!r} is no text: {error.reason}") from None


def to_text(raw: bytes) -> str:
    """Inverse of `to_bytes`."""
    return raw.decode("utf-8", "surrogateescape")


def is_utf8(raw: bytes) -> bool:
    """Whether the id can stand in JSON as a string."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
