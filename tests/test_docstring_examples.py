"""The examples in docstrings answer as they say."""

import doctest
import importlib

import pytest

from tests.helpers.repository import REPOSITORY

PACKAGES = ("cohortrec_client", "components", "tfx_pipeline", "trainer")
MODULES = sorted(
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for path in (REPOSITORY / package).rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_answer_as_they_say(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0, "see the output above"
