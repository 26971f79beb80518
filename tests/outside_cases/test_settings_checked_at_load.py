"""Settings that passed and then ended the run with an internal error: they are refused when the
configuration is read, and the message names the setting.
"""

from __future__ import annotations

from typing import Any

import pytest

from components.behavior_example_gen.config import DataConfig
from trainer.settings import ConfigError


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("timestamp_format", "%Q", "is no strptime format"),
        ("timestamp_format", "%", "is no strptime format"),
        ("timestamp_format", "", "does not give the day back"),
        ("timestamp_format", "dd/mm/yyyy", "does not give the day back"),
        ("timestamp_format", "%H:%M:%S", "does not give the day back"),
        ("timestamp_format", "%m-%d", "does not give the day back"),
        ("timestamp_format", "%Y-%m", "does not give the day back"),
        ("timestamp_format", "%Y-%m-%d %H", "both hour and minute"),
        ("timestamp_format", "%Y-%m-%d %I:%M", "meridiem directive"),
        ("drop_items", "^(?!P).*", "look-around, including look-ahead"),
        ("drop_items", r"(a)\1", "backreferences are not supported"),
        ("drop_items", "(", "not a regular expression"),
        ("drop_items", "a)|(b", "not a regular expression"),
        ("drop_items", "(?:a{1000}){1000}", "it is too large"),
        ("columns", {"category": []}, "category: the list is empty"),
        ("items_columns", {"title": []}, "title: the list is empty"),
        ("separator", '"', "ASCII character"),
        ("separator", "\n", "ASCII character"),
        ("separator", "\r", "ASCII character"),
        ("separator", "\0", "ASCII character"),
        ("separator", "a", "ASCII character"),
        ("separator", "7", "ASCII character"),
        ("separator", "¦", "ASCII character"),
        ("separator", "", "one character"),
        ("separator", "||", "one character"),
        ("encoding", "base64", "no such encoding of text"),
        ("encoding", "hex", "no such encoding of text"),
        ("encoding", "rot13", "no such encoding of text"),
        ("encoding", "zlib", "no such encoding of text"),
        ("encoding", "idna", "no such encoding of text"),
        ("encoding", "undefined", "no such encoding of text"),
        ("encoding", "unicode_escape", "no such encoding of text"),
        ("encoding", "", "no such encoding of text"),
        ("encoding", "utf\0", "encoding"),
        ("default_action", "", "is no name for an action"),
        ("default_action", "a\nb", "is no name for an action"),
        ("actions", {"1": " "}, "is no name for an action"),
        ("actions", {"1": "a\nb"}, "is no name for an action"),
        ("cancellation", {"prefix": ""}, "at least 1 character"),
        ("cancellation", {"actions": {"refund": ""}}, "is no name for an action"),
        ("decimal_mark", ";", "'point' or 'comma'"),
        ("earliest", "soon", "earliest"),
    ],
)
def test_what_cannot_work_is_refused(setting: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DataConfig.from_dict({setting: value})
    assert message in str(caught.value)
    assert setting in str(caught.value)


@pytest.mark.parametrize(
    "latest", ["2019-01-01", "2018-01-01T00:00:00Z", "2019-01-01T02:00:00+02:00"]
)
def test_earliest_comes_before_latest(latest: str) -> None:
    with pytest.raises(ConfigError, match=r"earliest \(.*\) must be before latest"):
        DataConfig.from_dict({"earliest": "2019-01-01", "latest": latest})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("timestamp_format", "%d.%m.%y %H:%M"),
        ("timestamp_format", "%s"),
        ("timestamp_format", "%b %d, %Y %I:%M %p"),
        ("timestamp_format", "%Y-%m-%dT%H:%M:%S.%f%z"),
        ("drop_items", "POST|M|BANK .*"),
        ("separator", " "),
        ("separator", "^"),
        ("encoding", "utf-16"),
        ("encoding", "cp1252"),
        ("encoding", "utf-8-sig"),
        ("encoding", "shift_jis"),
        ("columns", {"category": None}),
        ("cancellation", {"actions": {3: 2}}),
    ],
)
def test_what_works_is_taken(setting: str, value: Any) -> None:
    config = DataConfig.from_dict({setting: value})
    assert DataConfig.from_json(config.to_json()) == config


def test_a_tab_in_words() -> None:
    assert DataConfig.from_dict({"separator": "\\t"}).separator == "\t"
