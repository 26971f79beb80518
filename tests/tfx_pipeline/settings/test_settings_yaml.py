"""YAML of settings: what is refused, and what is not guessed."""

import pytest

from tfx_pipeline.settings.settings_yaml import RepeatedKey, YamlFault, parse_yaml


def test_dates_stay_text_also_impossible_ones():
    assert parse_yaml("2019-10-31") == "2019-10-31"
    assert parse_yaml("2019-13-45") == "2019-13-45"
    assert parse_yaml("{a: 2019-10-31 12:00:00}") == {"a": "2019-10-31 12:00:00"}


@pytest.mark.parametrize("text", ["{a: 1, a: 2}", "x:\n  a: 1\n  a: 2\n"])
def test_a_repeated_key_is_refused_with_its_line(text):
    with pytest.raises(RepeatedKey, match=r"line \d: key 'a' is given twice"):
        parse_yaml(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n\t- b\n", "line 2: found character"),
        ("a: [\n", "line 2: expected"),
        ("a: 1\n---\nb: 2\n", "line 2: expected a single document in the stream, but found"),
        ("{{a: b}: c}", "unhashable key"),
        ("[a]: [b]\n? [a]\n: c", "unhashable|expected"),
        ("a: \x00b", "special characters are not allowed"),
        ("[" * 5000, "nested too deeply"),
        ("a: *nowhere", "undefined alias"),
    ],
)
def test_what_is_no_yaml_is_told_in_one_line(text, message):
    with pytest.raises(YamlFault, match=message) as raised:
        parse_yaml(text)
    assert "\n" not in str(raised.value)
