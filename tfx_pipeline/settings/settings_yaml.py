"""YAML as settings are written in it: no key twice, dates as text, one line for what is wrong."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

_DATE = "tag:yaml.org,2002:timestamp"


class YamlFault(ValueError):
    """Text is not YAML that settings can be read from. The message names the line."""


class RepeatedKey(YamlFault):
    """A mapping has one key twice."""


def parse_yaml(text: str) -> Any:
    """The value that a YAML text stands for; dates stay text, for the settings to read.

    Raises:
        YamlFault: the text is not YAML.
        RepeatedKey: a key is given twice; PyYAML silently takes the last.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except _Repeated as error:
        raise RepeatedKey(_one_line(error)) from None
    except yaml.YAMLError as error:
        raise YamlFault(_one_line(error)) from None
    except RecursionError:
        raise YamlFault("it is nested too deeply") from None
    except ValueError as error:
        # A number with thousands of digits, say.
        raise YamlFault(str(error)) from None


class _Repeated(yaml.constructor.ConstructorError):
    pass


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which also checks the keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Checks the keys, then builds the mapping."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            # PyYAML itself refuses a key that is a list or a mapping.
            if not isinstance(key, Hashable):
                continue
            if key in seen:
                raise _Repeated(None, None, f"key {key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _DATE]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _one_line(error: yaml.YAMLError) -> str:
    """Line and fault of unreadable YAML."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    problem = str(error.problem)
    if problem.startswith("but "):
        problem = f"{error.context}, {problem}"
    return f"line {error.problem_mark.line + 1}: {problem}"
