"""Everything named is documented, and everything the documentation names exists."""

import ast
import re
from pathlib import Path

import pytest

from tests.test_house import APPS, ROOT, named, source_files, tree_of

DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS]
UNBUILT = "not built yet"
"""A line that says this may name what does not exist."""


def text_of(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def promised_lines() -> list[tuple[str, str]]:
    """(page:line, text) of every line that claims something exists."""
    return [
        (f"{named(page)}:{number}", line)
        for page in PAGES
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if UNBUILT not in line.lower()
    ]


# Commands and targets.


def own_commands() -> set[str]:
    """Names of the project's own management commands."""
    return {
        path.stem
        for path in source_files()
        if path.parent.name == "commands" and path.stem != "__init__"
    }


def make_targets() -> set[str]:
    """Names of the Makefile's targets, pattern and file targets left out."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))


def test_every_command_is_documented():
    pages = text_of(*DOCS)

    assert {c for c in own_commands() if not re.search(rf"manage\.py {c}\b", pages)} == set()


def test_every_command_the_docs_name_exists():
    from django.core.management import get_commands

    known = own_commands() | set(get_commands())
    unknown = [
        f"{where} {name}"
        for where, line in promised_lines()
        for name in re.findall(r"manage\.py ([a-z_]+)", line)
        if name not in known
    ]

    assert unknown == []


def test_every_make_target_is_documented():
    pages = text_of(ROOT / "README.md", *DOCS)

    assert {t for t in make_targets() if not re.search(rf"`?make {t}\b", pages)} == set()


def test_every_make_target_the_docs_name_exists():
    targets = make_targets()
    unknown = [
        f"{where} {target}"
        for where, line in promised_lines()
        for target in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", line)
        if target not in targets
    ]

    assert unknown == []


# Strategies, settings, configuration.


def test_every_strategy_is_documented():
    from strategies.library import REGISTRY

    pages = text_of(*DOCS)

    assert len(REGISTRY) == 8
    assert {name for name in REGISTRY if f"`{name}`" not in pages} == set()


def yaml_keys(value: object) -> set[str]:
    """Every key of a nested mapping, except the names of strategies and of their parameters."""
    if not isinstance(value, dict):
        return set()
    nested = [yaml_keys(v) for k, v in value.items() if k != "strategies"]
    return {str(key) for key in value} | set().union(*nested)


def test_every_key_of_the_shipped_configurations_is_documented():
    import yaml

    paths = sorted((ROOT / "configs").glob("*.yaml"))
    keys = set().union(*(yaml_keys(yaml.safe_load(text_of(path))) for path in paths))
    page = text_of(ROOT / "docs" / "configuration.md")

    assert len(paths) == 4
    assert {key for key in keys if not re.search(rf"\b{re.escape(key)}\b", page)} == set()


def test_every_environment_variable_of_ours_is_documented():
    pattern = r"""["'](PQAP_[A-Z_]+|DATABASE_URL|BROKER_URL)["']"""
    used = {
        name
        for path in source_files()
        if named(path).startswith((*APPS, "manage.py"))
        for name in re.findall(pattern, path.read_text(encoding="utf-8"))
    }
    pages = text_of(*DOCS)

    assert {name for name in used if name not in pages} == set()


# Codes.


def enumerations() -> dict[str, list[str]]:
    """Each text enumeration of the apps, by its full name, with its values in order."""
    found = {}
    for path in source_files():
        if not named(path).startswith(APPS):
            continue
        module = named(path).removesuffix(".py").replace("/", ".")
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef) and any(
                ast.unparse(base).endswith(("StrEnum", "TextChoices")) for base in node.bases
            ):
                found[f"{module}.{node.name}"] = [
                    line.value.value
                    for line in node.body
                    if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
                ]
    return found


def documented_codes() -> dict[str, list[str]]:
    """Enumeration a section of docs/codes.md names -> the codes of its table, in order."""
    sections = re.split(r"^## .+\n\n", text_of(ROOT / "docs" / "codes.md"), flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        name = re.match(r"`([a-z_.]+\.[A-Z]\w+)`\n", section)
        if name:
            found[name[1]] = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    return found


def test_every_enumeration_has_its_table():
    assert set(enumerations()) == set(documented_codes())


@pytest.mark.parametrize("name", sorted(enumerations()))
def test_a_table_holds_exactly_its_codes(name):
    listed = documented_codes().get(name, [])

    assert sorted(listed) == sorted(enumerations()[name])


def test_silences_are_listed_in_order_of_priority():
    name = "strategies.core.types.Silence"

    assert documented_codes()[name] == enumerations()[name]


def test_every_reason_of_the_health_page_is_documented():
    tree = tree_of(ROOT / "dashboard" / "health.py")
    codes = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Reason"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    page = text_of(ROOT / "docs" / "codes.md")

    assert codes
    assert {code for code in codes if f"`{code}`" not in page} == set()


# Paths and links.


def test_every_file_and_folder_the_docs_name_exists():
    tops = "|".join((*APPS, "configs", "tests", "docs", "deploy"))
    missing = [
        f"{where} {path}"
        for where, line in promised_lines()
        for path in re.findall(rf"`((?:{tops})/[\w./-]*)`", line)
        if not (ROOT / path).exists()
    ]

    assert missing == []


LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def broken(page: Path) -> list[str]:
    """Relative links of one page that lead nowhere."""
    found = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        if not goal.exists() or (anchor and goal.suffix == ".md" and anchor not in anchors(goal)):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_resolves(page):
    assert broken(page) == []


def test_every_page_is_reachable_from_the_index():
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / t.partition("#")[0]).resolve() for t in LINK.findall(text_of(index))}

    assert [named(page) for page in DOCS if page not in linked and page != index] == []


def test_a_link_to_nowhere_is_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One\n[gone](gone.md) [self](#one) [no](#two) [out](https://example.com)\n")

    assert broken(page) == ["gone.md", "#two"]


# Versions and records.


def test_the_changelog_knows_the_version():
    version = re.search(r'^version = "(.+)"', text_of(ROOT / "pyproject.toml"), re.MULTILINE)

    assert version
    assert f"## {version[1]}" in text_of(ROOT / "CHANGELOG.md")


def test_decision_records_are_numbered_without_gaps_and_have_one_shape():
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

    assert [int(r.name[:4]) for r in records] == list(range(1, len(records) + 1))
    for record in records:
        headings = re.findall(r"^## (.+)$", text_of(record), re.MULTILINE)
        assert headings == ["Decision", "Why", "Price"], named(record)


def test_docs_are_markdown_and_pictures_only():
    allowed = {".md", ".png", ".svg"}

    assert {p.suffix for p in (ROOT / "docs").rglob("*") if p.is_file()} <= allowed
