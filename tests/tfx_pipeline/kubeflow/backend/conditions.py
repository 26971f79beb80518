"""Trigger conditions: the part of the Common Expression Language that TFX compiles to.

Literals, comparisons, `&&`, `||`, `!`, `+`, indexing and fields of `inputs`. It is read by Python's
own parser, whose syntax is the same after the logical operators are spelled out.
"""

from __future__ import annotations

import ast
import operator
import re
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as pb

from tests.tfx_pipeline.kubeflow.backend.specification import Refused

_OPERATORS = {"&&": " and ", "||": " or ", "!": " not "}
_COMPARISONS = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_TOKENS = re.compile(r"""'[^']*'|"[^"]*"|&&|\|\||!(?!=)""")


def holds(condition: str, inputs: pb.ExecutorInput.Inputs) -> bool:
    """Whether a task with these inputs is to run; always, without a condition."""
    if not condition:
        return True
    text = _TOKENS.sub(lambda found: _OPERATORS.get(found[0], found[0]), condition)
    names = {"inputs": json_format.MessageToDict(inputs, preserving_proto_field_name=True)}
    try:
        value = _evaluate(ast.parse(text.strip(), mode="eval").body, names)
    except SyntaxError:
        raise Refused(f"condition {condition!r} is not understood") from None
    except (LookupError, TypeError) as error:
        raise Refused(f"condition {condition!r}: {error!r}") from None
    if not isinstance(value, bool):
        raise Refused(f"condition {condition!r} is {value!r}, neither true nor false")
    return value


def _evaluate(node: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.Name) and node.id in ("true", "false"):
        return node.id == "true"
    if isinstance(node, ast.Attribute):
        return _evaluate(node.value, names)[node.attr]
    if isinstance(node, ast.Subscript):
        return _evaluate(node.value, names)[_evaluate(node.slice, names)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _evaluate(node.left, names) + _evaluate(node.right, names)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _logical(node.operand, names)
    if isinstance(node, ast.BoolOp):
        every = [_logical(value, names) for value in node.values]
        return all(every) if isinstance(node.op, ast.And) else any(every)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARISONS:
        left, right = _evaluate(node.left, names), _evaluate(node.comparators[0], names)
        if isinstance(left, str) is not isinstance(right, str):
            raise TypeError(f"{left!r} and {right!r} cannot be compared")
        return _COMPARISONS[type(node.ops[0])](left, right)
    raise Refused(f"condition: {ast.unparse(node)!r} is not understood")


def _logical(node: ast.expr, names: dict[str, Any]) -> bool:
    value = _evaluate(node, names)
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value
