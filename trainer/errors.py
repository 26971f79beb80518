"""Errors whose message is written for the user: what is wrong, where, and what to do."""

from __future__ import annotations


class UserError(ValueError):
    """The base of them; the terminal shows the message without a traceback."""


class DataError(UserError):
    """The input cannot be used. The message says which file, column or setting, and what to do."""
