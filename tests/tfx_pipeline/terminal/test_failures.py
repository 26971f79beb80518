"""What a failure says to the user."""

import pytest

from tfx_pipeline.terminal.failures import one_line, user_message
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
        "components.behavior_example_gen.errors.DataError: events.csv: empty\nlook again "
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
