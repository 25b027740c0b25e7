"""Rules that live outside this repository, found by a dotted path: `my_desk.fade.Fade`."""

import re
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any

from strategies.core.ports import Strategy

NAME = re.compile(r"[a-z][a-z0-9_]{2,39}")


class NotARule(ValueError):
    """A dotted path that leads to no rule; the text says what is missing where."""


def find(name: str, path: str) -> type[Any]:
    """The class at a dotted path, checked to be a rule of that name; NotARule where it is none.

    A rule has `name`, `version`, `description`, a `Params` dataclass whose fields all have
    defaults (in the class or beside it), and `evaluate(panel)`; it is made as `Rule(params)`.
    """
    if not NAME.fullmatch(name):
        raise NotARule(f"{name!r} is no name; it must be lower case letters, digits and _")
    module_name, _, attribute = path.rpartition(".")
    if not module_name:
        raise NotARule(f"{path!r} is no dotted path, such as my_desk.fade.Fade")
    try:
        module = import_module(module_name)
    except Exception as fault:  # Whatever a stranger's module raises must not stop the others.
        raise NotARule(f"{module_name} cannot be imported: {fault!r}") from fault
    rule = getattr(module, attribute, None)
    if not isinstance(rule, type):
        raise NotARule(f"{module_name} has no class {attribute}")
    _check(rule, name)
    return rule


def params_of(rule: type[Any]) -> type[Any]:
    """The dataclass of a rule's parameters: in the class, or beside it in its module."""
    found = getattr(rule, "Params", None) or getattr(import_module(rule.__module__), "Params", None)
    if not (isinstance(found, type) and is_dataclass(found)):
        raise NotARule(f"{rule.__name__} has no dataclass Params")
    return found


def make(rule: type[Any], params: Any) -> Strategy:
    """The rule with its parameters; NotARule when it cannot be made."""
    try:
        made: Strategy = rule(params)
    except Exception as fault:
        raise NotARule(f"{rule.__name__} cannot be made: {fault!r}") from fault
    return made


def _check(rule: type[Any], name: str) -> None:
    for attribute in ("name", "version", "description"):
        if not isinstance(getattr(rule, attribute, None), str):
            raise NotARule(f"{rule.__name__} has no text `{attribute}`")
    if rule.name != name:
        raise NotARule(f"{rule.__name__} is named {rule.name!r}; its block must be, too")
    if not callable(getattr(rule, "evaluate", None)):
        raise NotARule(f"{rule.__name__} has no evaluate(panel)")
    params_of(rule)
