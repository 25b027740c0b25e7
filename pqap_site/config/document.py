"""One YAML file as plain values, each with the line it stands on; hostile YAML is refused."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pqap_site.config.faults import Fault, Refused, shown, suggestion
from pqap_site.environment import BASE_DIR

LARGEST = 128 * 1024
"""Bytes; a configuration of every key is under 4 kB."""
DEEPEST = 12

Place = tuple[str | int, ...]
"""Where a value stands: ("risk_limits", "daily_loss_limit"), ("enabled_strategies", 0)."""


class Plain(str):
    """An unquoted scalar YAML would not read as text: a number, a date, 22:30; kept as written."""

    __slots__ = ()


@dataclass(slots=True)
class Document:
    """The file's values (None, bool, str, Plain, list, dict), their lines and texts as written."""

    name: str
    tree: dict[str, object] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    texts: dict[Place, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line(self, place: Place) -> int:
        """The line of a place, or of what encloses it; 0 when the file says nothing of it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 0)

    def given(self, place: Place) -> str:
        """The value as written."""
        return self.texts.get(place, "nothing")


def key(place: Place) -> str:
    """A place as people write it: risk_limits.daily_loss_limit."""
    return ".".join(part for part in place if isinstance(part, str))


def read(path: Path) -> Document:
    """Read one file, or raise Refused saying why it is no configuration."""
    document = Document(_name(path))
    text = _text(path, document.name)
    try:
        faults = _hostile(text)
        if faults:
            raise Refused(document.name, faults)
        node = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise Refused(document.name, [_broken(error, text)]) from None
    if not isinstance(node, yaml.MappingNode):
        what = "a list" if isinstance(node, yaml.SequenceNode) else "one value" if node else "empty"
        told = f"the file is {what}; it must be keys and values, such as env: dev"
        raise Refused(document.name, [Fault(1, "", told)])
    document.tree = _mapping(document, node, ())
    return document


def _name(path: Path) -> str:
    """The path as messages show it: within the project or the current folder where possible."""
    absolute = path.absolute()
    for folder in (BASE_DIR, Path.cwd()):
        if absolute.is_relative_to(folder):
            return str(absolute.relative_to(folder))
    return str(path)


def _text(path: Path, name: str) -> str:
    try:
        if not path.exists():
            known = sorted(str(Path(name).parent / p.name) for p in path.parent.glob("*.y*ml"))
            there = f"; there are {', '.join(known)}" if known else ""
            raise Refused(name, [Fault(0, "", f"no such file{there}{suggestion(name, known)}")])
        if not path.is_file():
            raise Refused(name, [Fault(0, "", "this is not a file; name a .yaml file")])
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not usable"
        raise Refused(shown(name), [Fault(0, "", f"it cannot be read: {reason}")]) from None
    if len(raw) > LARGEST:
        text = f"the file is larger than {LARGEST // 1024} kB; a configuration is a few kB"
        raise Refused(name, [Fault(0, "", text)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Refused(name, [Fault(line, "", "this is not UTF-8 text; save it as UTF-8")]) from None


def _hostile(text: str) -> list[Fault]:
    """Aliases, tags, further documents and deep nesting: a configuration needs none of them."""
    faults, depth, documents = [], 0, 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            faults.append(
                Fault(line, "", "anchors (&) and aliases (*) are not allowed; write the value out")
            )
        if getattr(event, "tag", None):
            faults.append(Fault(line, "", "tags (!) are not allowed; write the plain value"))
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:
                faults.append(
                    Fault(line, "", "a second document (---) is not allowed; keep one a file")
                )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            return [Fault(line, "", f"nested more than {DEEPEST} deep; no key lies that deep")]
    return faults


def _broken(error: Exception, text: str) -> Fault:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be understood"
        return Fault(mark.line + 1 if mark else 0, "", f"this is not valid YAML: {shown(problem)}")
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Fault(line, "", "an invisible control character is not allowed; remove it")
    return Fault(0, "", "this is not valid YAML: an escape or a number in it cannot be understood")


def _mapping(document: Document, node: yaml.MappingNode, place: Place) -> dict[str, object]:
    found: dict[str, object] = {}
    for name_node, value_node in node.value:
        line = name_node.start_mark.line + 1
        if not isinstance(name_node, yaml.ScalarNode) or not name_node.value.isprintable():
            document.faults.append(Fault(line, key(place), "a key must be one plain word"))
            continue
        name = str(name_node.value)
        inner = (*place, name)
        if name in found:
            again = shown(_kind(value_node), key(inner))
            first = f"the key already stands on line {document.lines[inner]}"
            text = f"{again} is not allowed: {first} and may be given only once"
            document.faults.append(Fault(line, key(inner), text))
            continue
        document.lines[inner] = line
        found[name] = _value(document, value_node, inner)
    return found


def _value(document: Document, node: yaml.Node, place: Place) -> object:
    document.texts[place] = _kind(node)
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, place)
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            document.lines[(*place, position)] = item.start_mark.line + 1
        return [_value(document, item, (*place, n)) for n, item in enumerate(node.value)]
    return _scalar(document, node, place)


def _scalar(document: Document, node: yaml.Node, place: Place) -> object:
    text = str(node.value)
    if not text.isprintable():
        fault = Fault(
            document.line(place), key(place), "line breaks and invisible characters are not allowed"
        )
        document.faults.append(fault)
        return ""
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("yes", "true", "on")
    return text if kind == "str" else Plain(text)


def _kind(node: yaml.Node) -> str:
    """What stands there in a word or two; a scalar is quoted as written."""
    if isinstance(node, yaml.MappingNode):
        return "a block of keys"
    if isinstance(node, yaml.SequenceNode):
        return f"a list of {len(node.value)}" if node.value else "an empty list"
    if node.tag.endswith(":null"):
        return "nothing"
    return str(node.value)
