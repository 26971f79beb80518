"""What a failure says to the user."""

import importlib
import pkgutil

import pytest

import components
import tfx_pipeline
import trainer
from tfx_pipeline.terminal.failures import USER_ERRORS, one_line, user_message
from trainer.errors import UserError
from trainer.settings import ConfigError


def _raised(make):
    try:
        make()
    except Exception as error:
        return error
    raise AssertionError


def test_user_errors_are_found_behind_their_wrappers():
    def wrapped():
        try:
            raise ConfigError("setting 'x' is wrong")
        except ConfigError as error:
            raise RuntimeError("beam broke") from error

    assert user_message(_raised(wrapped)) == "setting 'x' is wrong"


@pytest.mark.parametrize(
    "text",
    [
        'Traceback (most recent call last):\n  File "x.py", line 1\n'
        "trainer.errors.DataError: events.csv: empty\nlook again "
        "[while running 'Read/Map']\n",
        "Traceback:\nDataError: events.csv: empty\nlook again\n\n"
        "Traceback (most recent call last):\nRuntimeError: other",
    ],
)
def test_user_errors_are_found_in_a_quoted_traceback(text):
    assert user_message(RuntimeError(text)) == "events.csv: empty\nlook again"


def test_other_errors_have_no_message_for_the_user():
    assert user_message(ValueError("shapes (3,) and (4,) differ")) is None


def test_an_unexpected_cause_fits_on_one_line():
    quoted = RuntimeError("Traceback:\n  File x\ntensorflow.errors.OpError: no memory\nmore")
    assert one_line(quoted) == "OpError: no memory"
    autograph = AttributeError("in user code:\n\n    File x\n\n    ValueError: no such shape")
    assert one_line(autograph) == "ValueError: no such shape"
    assert one_line(KeyError("price")) == "KeyError: 'price'"
    assert len(one_line(RuntimeError("x" * 1000))) == 300


def test_every_error_for_the_user_is_shown_without_a_traceback():
    for package in (trainer, components, tfx_pipeline):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found, waiting = set(), [UserError]
    while waiting:
        found.update(classes := waiting.pop().__subclasses__())
        waiting.extend(classes)
    ours = {error.__name__ for error in found if error.__module__.split(".")[0] != "tests"}
    assert ours == set(USER_ERRORS)
