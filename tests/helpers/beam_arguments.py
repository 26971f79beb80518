"""Beam finds out the arguments of a function once, not some forty times.

For each transform that it builds, translates and runs, Beam's runner in one process inspects every
method of the transform's DoFn. For the small pipelines of tests, that is most of what it does: a
third of an ingestion's processor time.
"""

from __future__ import annotations

import types
import weakref
from typing import Any

from apache_beam.transforms import core

Arguments = tuple[list[str], list[Any]]
"""Names, and the defaults of the last ones."""


def remember_arguments() -> None:
    """From here on Beam asks each function once. The answers are its own."""
    found_out = core.get_function_args_defaults
    known: weakref.WeakKeyDictionary[types.FunctionType, dict[bool, Arguments]]
    known = weakref.WeakKeyDictionary()

    def remembered(function: Any) -> Arguments:
        bound = isinstance(function, types.MethodType)  # then `self` is no argument
        plain = function.__func__ if bound else function
        if not isinstance(plain, types.FunctionType):
            return found_out(function)
        answers = known.setdefault(plain, {})
        if bound not in answers:
            answers[bound] = found_out(function)
        names, defaults = answers[bound]
        return list(names), list(defaults)

    core.get_function_args_defaults = remembered
