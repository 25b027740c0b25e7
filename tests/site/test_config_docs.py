"""docs/configuration.md says of every key exactly what the code does."""

import dataclasses
import re
import typing

import pytest
import yaml
from pydantic import BaseModel

from pqap_site import config, environment
from pqap_site.config import loading, schema, strategies
from pqap_site.config.leaves import Leaf
from strategies import library
from strategies.core.ports import ranges
from tests.site.config_files import ENVIRONMENTS, ROOT, USERS_FILE

PAGE = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([\w.]+)` \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)
ROWS = {key: (allowed, default, meaning) for key, allowed, default, meaning in ROW.findall(PAGE)}


def taken(metadata, annotation):
    """What a field takes, in words."""
    [*leaves] = [note for note in metadata if isinstance(note, Leaf)]
    if leaves:
        return leaves[0].must
    if typing.get_origin(annotation) is tuple:
        item = typing.get_args(annotation)[0]
        return f"a list, [] for none; each {item.__metadata__[0].must}"
    return "a block of keys"


def keys(model=schema.File, prefix=""):
    """Every key of a model and of the blocks within it, with what it takes."""
    found = {}
    for name, field in model.model_fields.items():
        key, kind = prefix + (field.alias or name), field.annotation
        if key == "strategies":
            found |= keys(schema.StrategyBlock, "strategies.NAME.")
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= keys(kind, f"{key}.")
        else:
            found[key] = taken(field.metadata, kind)
    return found


def parameters():
    """Every parameter of every built strategy, with what it takes and its default."""
    found = {}
    for name, entry in library.REGISTRY.items():
        params = strategies.params_type(entry)
        for field in dataclasses.fields(params) if params else ():
            kind, bound = typing.get_type_hints(params)[field.name], ranges(params).get(field.name)
            found[f"{name}.{field.name}"] = (strategies.allowed(kind, bound), field.default)
    return found


def default(cell, env):
    """The default an environment has, by its cell: `one for all` or dev `1`, prod `2`."""
    own = re.search(rf"\b{env} `([^`]+)`", cell)
    return own[1] if own else re.fullmatch("`([^`]+)`", cell)[1]


def test_the_page_has_every_key_and_no_other():
    assert sorted(ROWS) == sorted(keys() | parameters())


@pytest.mark.parametrize("key", keys())
def test_the_page_says_what_a_key_takes(key):
    assert ROWS[key][0] == keys()[key]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_pages_defaults_spelled_out_are_the_same_configuration(env, tmp_path):
    whole: dict[str, object] = {}
    for key in keys():
        *blocks, last = key.split(".")
        if key == "env" or "NAME" in blocks:
            continue
        inner = whole
        for block in blocks:
            inner = inner.setdefault(block, {})
        inner[last] = yaml.safe_load(default(ROWS[key][1], env))
    spelled, bare = tmp_path / "spelled.yaml", tmp_path / "bare.yaml"
    spelled.write_text(f"env: {env}\n" + yaml.safe_dump(whole))
    bare.write_text(f"env: {env}\n")

    assert config.load(spelled, {}).digest == config.load(bare, {}).digest


def test_the_page_says_what_each_parameter_takes_and_its_default():
    written = {key: (ROWS[key][0], ROWS[key][1]) for key in parameters() if key in ROWS}
    wanted = {
        key: (allowed, value if isinstance(value, str) else float(value))
        for key, (allowed, value) in parameters().items()
    }

    assert {
        key: (allowed, cell if isinstance(wanted[key][1], str) else float(cell.strip("`")))
        for key, (allowed, cell) in written.items()
    } == wanted


def test_the_page_names_every_strategy_and_variable():
    variables = (*environment.SECRET_NAMES, *loading.URL_VARIABLES, "PQAP_CONFIG", "PQAP_DATA")

    missing = [name for name in (*library.REGISTRY, *variables) if f"`{name}`" not in PAGE]

    built = {key.partition(".")[0] for key in parameters()}
    assert [name for name in missing if name not in built] == []


def test_the_page_calls_unavailable_exactly_the_strategies_that_are():
    lines = [line for line in PAGE.splitlines() if line.endswith("not available yet.")]

    unbuilt = {name for name, entry in library.REGISTRY.items() if entry.built is None}
    assert set(re.findall(r"`(\w+_v1)`", " ".join(lines))) == unbuilt


def test_the_page_shows_the_users_file_as_written():
    indented = "".join(f"    {line}\n" for line in USERS_FILE.splitlines())

    assert indented in PAGE


def test_every_key_of_the_shipped_files_is_spelled_out():
    """Users see in each file all they can change; only strategy blocks may be shorter."""
    wanted = {key for key in keys() if not key.startswith("strategies.")}
    for env in ENVIRONMENTS:
        tree = yaml.safe_load((ROOT / f"configs/{env}.yaml").read_text())
        assert wanted <= set(flat(tree)), env


def flat(tree, prefix=""):
    for key, value in tree.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
