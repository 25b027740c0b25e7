"""Strategy blocks into each strategy's own Params, and the reasons why one stays off."""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pqap_site.config import faults, leaves
from pqap_site.config.document import Document, Place, key
from pqap_site.config.faults import Fault
from strategies import library
from strategies.core.ports import Range, ranges
from strategies.library import outside


class Entry(Protocol):
    """What the registry says of a strategy: `built` is None until the strategy is there.

    Its Params type is `params` of the entry or of `built`, and so is `validate`, which says why
    parameters make no rule together.
    """

    @property
    def built(self) -> object: ...


Registry = Mapping[str, Entry]


@dataclass(slots=True)
class Choice:
    """What the file says of the strategies; `warnings` are faults nobody is stopped by."""

    enabled: tuple[str, ...] = ()
    parameters: dict[str, object] = field(default_factory=dict)
    invalid: dict[str, str] = field(default_factory=dict)
    shadow: frozenset[str] = frozenset()
    paths: dict[str, str] = field(default_factory=dict)
    outside: dict[str, library.Entry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


def choose(document: Document, tree: Mapping[str, object], registry: Registry) -> Choice:
    """Read enabled_strategies and strategies; `tree` has the environment's values filled in."""
    choice = Choice()
    given = tree.get("strategies")
    blocks = given if isinstance(given, dict) else {}
    _outside(document, blocks, registry, choice)
    registry = {**registry, **choice.outside}
    for name in blocks:
        if name not in registry:
            place = ("strategies", name)
            text = f"unknown strategy; allowed here: {', '.join(registry)}"
            text += faults.suggestion(name, registry)
            choice.faults.append(Fault(document.line(place), faults.shown(key(place)), text))
    _enabled(document, tree.get("enabled_strategies"), registry, choice)
    for name, entry in registry.items():
        block = blocks.get(name)
        written = block.get("parameters") if isinstance(block, dict) else None
        _parameters(document, name, entry, written if isinstance(written, dict) else {}, choice)
    choice.shadow = frozenset(name for name in registry if _mode(blocks.get(name)) == "shadow")
    return choice


def _outside(
    document: Document, blocks: Mapping[object, object], registry: Registry, choice: Choice
) -> None:
    """Look up the rules that a block names by dotted path; one that is not found stays off."""
    for name, block in blocks.items():
        path = block.get("class") if isinstance(block, dict) else None
        if not isinstance(path, str) or not isinstance(name, str):
            continue
        place = ("strategies", name, "class")
        if name in registry:
            must = "left out: the name belongs to a strategy of the library"
            choice.faults.append(_refusal(document, place, must))
            continue
        choice.paths[name] = path
        try:
            choice.outside[name] = library.from_outside(name, path)
        except outside.NotARule as fault:
            choice.outside[name] = library.Entry(name, f"could not be loaded from {path}")
            choice.invalid[name] = f"class: {fault}"
            told = f"{fault}; {name} stays off"
            choice.warnings.append(Fault(document.line(place), key(place), told))


def _mode(block: object) -> object:
    return block.get("mode") if isinstance(block, dict) else None


def _enabled(document: Document, names: object, registry: Registry, choice: Choice) -> None:
    if names == "all":
        choice.enabled = tuple(registry)
        return
    seen: dict[str, None] = {}
    for position, name in enumerate(names if isinstance(names, list) else []):
        place: Place = ("enabled_strategies", position)
        if not isinstance(name, str) or name not in registry:
            hint = faults.suggestion(name, registry) if isinstance(name, str) else ""
            text = ", ".join(registry)
            choice.faults.append(_refusal(document, place, f"one of {text}", hint))
        elif name in seen:
            text = f"{name} is listed twice; once is enough"
            choice.warnings.append(Fault(document.line(place), key(place), text))
        else:
            seen[name] = None
    choice.enabled = tuple(seen)
    absent = [name for name in seen if registry[name].built is None and name not in choice.invalid]
    if absent:
        text = f"not available in this version, so they stay off: {', '.join(absent)}"
        line = document.line(("enabled_strategies",))
        choice.warnings.append(Fault(line, "enabled_strategies", text))


def _parameters(
    document: Document, name: str, entry: Entry, written: dict[str, object], choice: Choice
) -> None:
    kind = params_type(entry)
    if kind is None:
        if written and name not in choice.invalid:
            place = ("strategies", name, "parameters")
            text = "kept but not checked: the strategy is not available in this version"
            choice.warnings.append(Fault(document.line(place), key(place), text))
        return
    values, reasons = _values(document, name, kind, written, choice)
    if not reasons:
        try:
            params = kind(**values)
            reason = _rejected(entry, params)
        except (ValueError, TypeError) as error:
            reason = str(error) or "its parameters do not fit together"
        if not reason:
            choice.parameters[name] = params
            return
        reasons = [Fault(document.line(("strategies", name)), f"strategies.{name}", reason)]
    choice.invalid[name] = "; ".join(f"{r.key.rpartition('.')[2]}: {r.text}" for r in reasons)
    off = f"; {name} stays off"
    choice.warnings += [Fault(r.line, r.key, r.text + off) for r in reasons]


def params_type(entry: Entry) -> type | None:
    """The dataclass of a built strategy's parameters."""
    if entry.built is None:
        return None
    for holder in (entry, entry.built):
        found = getattr(holder, "params", None)
        if isinstance(found, type):
            return found
    return None


def _rejected(entry: Entry, params: object) -> str:
    """Why a strategy rejects a combination of values that are each in range, or ''.

    One that can be made is made, once, so that whatever it raises is told now.
    """
    for holder in (params, entry, entry.built):
        check = getattr(holder, "validate", None)
        if callable(check):
            told = check() if holder is params else check(params)
            if told:
                return str(told)
            break
    if callable(entry.built):
        entry.built(params)
    return ""


def _values(
    document: Document, name: str, params: type, written: dict[str, object], choice: Choice
) -> tuple[dict[str, object], list[Fault]]:
    """The values given, of the right type; and those out of range, as reasons."""
    hints, bounds = typing.get_type_hints(params), ranges(params)
    known = [f.name for f in dataclasses.fields(params) if f.init]
    values: dict[str, object] = {}
    reasons: list[Fault] = []
    for parameter, raw in written.items():
        place = ("strategies", name, "parameters", parameter)
        if parameter not in known:
            given = document.given(place)
            told = faults.unknown(document.line(place), key(place), given, parameter, known)
            choice.faults.append(told)
            continue
        bound = bounds.get(parameter)
        try:
            values[parameter] = _typed(raw, hints[parameter])
        except leaves.Wrong:
            choice.faults.append(_refusal(document, place, allowed(hints[parameter], bound)))
            continue
        if bound and not bound.low <= values[parameter] <= bound.high:  # type: ignore[operator]
            reasons.append(_refusal(document, place, allowed(hints[parameter], bound)))
    return values, reasons


def _typed(raw: object, kind: object) -> object:
    """A YAML value as a parameter's type, or Wrong."""
    if kind is bool:
        return leaves.flag().read(raw)
    if kind is str:
        if not isinstance(raw, str):
            raise leaves.Wrong
        return str(raw)
    if kind is float:
        return leaves.finite(leaves.number(raw))
    if kind is int:
        amount = leaves.number(raw)
        if amount != amount.to_integral_value():
            raise leaves.Wrong
        return int(amount)
    raise leaves.Wrong


def allowed(kind: object, bound: Range | None) -> str:
    """What a parameter of this type takes, in words."""
    words = {bool: "true or false", str: "text", float: "a number", int: "a whole number"}
    told = words.get(kind, "left out") if isinstance(kind, type) else "left out"
    if bound is None:
        return told
    unit = f" ({bound.unit})" if bound.unit else ""
    return f"{told} from {bound.low:.12g} to {bound.high:.12g}{unit}"


def _refusal(document: Document, place: Place, must: str, hint: str = "") -> Fault:
    given = document.given(place)
    return faults.not_allowed(document.line(place), key(place), given, must, hint)
