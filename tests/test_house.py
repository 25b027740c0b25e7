"""The house rules that no linter knows: pure cores, integer money, plain names, nothing private."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("pqap_site", "dashboard", "notifications", "execution", "strategies", "markets")
PURE = (
    "markets/core",
    "strategies/core",
    "strategies/library",
    "execution/core",
    "notifications/core",
)
NOT_OURS = {
    ".git",
    ".venv",
    "data",
    "staticfiles",
    "node_modules",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
    "vendor",
}
TEXT = {".py", ".md", ".txt", ".in", ".toml", ".yaml", ".yml", ".html", ".css", ".js", ".service"}
THIS = Path(__file__).resolve()


def files(*suffixes: str) -> list[Path]:
    """Every file of the project with one of the given suffixes, caches and data left out."""
    found = []
    for folder, children, names in os.walk(ROOT):
        children[:] = [child for child in children if child not in NOT_OURS]
        found += [
            Path(folder, name)
            for name in names
            if Path(name).suffix in suffixes and not name.startswith((".git", ".env"))
        ]
    return sorted(found)


def source_files() -> list[Path]:
    """Python files written by hand."""
    return [path for path in files(".py") if "migrations" not in path.parts]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pure_files() -> list[Path]:
    return [path for path in source_files() if named(path).startswith(PURE)]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=named(path))


# Money is integers.

MONEY_WORDS = {
    "amount", "ask", "bid", "cash", "commission", "cost", "credit", "debit", "deposits", "edge",
    "equity", "fee", "fees", "limit", "mark", "notional", "payout", "payouts", "pnl", "price",
    "proceeds", "realized", "reserved", "shares", "size",
}  # fmt: skip
STATISTICS = {
    "execution/core/kelly.py": "the Kelly fraction is a ratio; the size it asks for is an int",
    "execution/core/sizing.py": "log wealth over states is a float; the size it asks for is an int",
    "execution/core/growth.py": "maximises expected log wealth; its callers round down to ints",
    "execution/core/latency.py": "latency is drawn from a lognormal; fills are ints",
    "execution/core/quoting.py": "a quote is stated in logits; its prices are ints on the grid",
    "execution/core/metrics.py": "Sharpe and its like are statistics",
}
"""Modules of execution/core that may hold floats, each with its reason."""


def annotated(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """(line, name, annotation) of every annotated field, argument and function result."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.lineno, node.target.id, ast.unparse(node.annotation)
        elif isinstance(node, ast.arg) and node.annotation:
            yield node.lineno, node.arg, ast.unparse(node.annotation)
        elif isinstance(node, ast.FunctionDef) and node.returns:
            yield node.lineno, node.name, ast.unparse(node.returns)


def float_money(tree: ast.AST) -> list[str]:
    """Names that speak of money, price or size and are annotated as a float or a Decimal."""
    return [
        f"line {line}: {name}: {kind}"
        for line, name, kind in annotated(tree)
        if name.lower().strip("_").split("_")[-1] in MONEY_WORDS
        and re.search(r"\b(float|float64|Decimal)\b", kind)
        and "Range(" not in kind
    ]


def outside_of_texts(tree: ast.AST) -> Iterator[ast.AST]:
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.JoinedStr):
            yield from outside_of_texts(child)


def float_arithmetic(tree: ast.AST) -> list[str]:
    """Float types, float literals and true divisions: none belongs where money is counted.

    Texts for people may divide: what is inside an f-string is left out.
    """
    found = []
    for node in outside_of_texts(tree):
        if isinstance(node, ast.Name) and node.id in {"float", "Decimal"}:
            found.append(f"line {node.lineno}: {node.id}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"line {node.lineno}: {node.value}")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def without_private_functions(tree: ast.Module) -> ast.Module:
    kept = [n for n in tree.body if not getattr(n, "name", "").startswith("_")]
    return ast.Module(body=kept, type_ignores=[])


@pytest.mark.parametrize("path", pure_files(), ids=named)
def test_money_prices_and_sizes_are_annotated_as_integers(path):
    tree = tree_of(path)
    if named(path).startswith("strategies/library/"):
        tree = without_private_functions(tree)  # an expected price is an estimate; a Bet's is not
    found = float_money(tree)

    if named(path) == "strategies/core/types.py":
        found = [line for line in found if not line.endswith("fair: float")]  # Quote: a logit
    assert not found


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in pure_files()
        if named(path).startswith("execution/core/")
        or named(path) in {f"markets/core/{name}.py" for name in ("types", "book", "venue", "tick")}
    ],
    ids=named,
)
def test_no_float_where_money_is_counted(path):
    if named(path) in STATISTICS:
        pytest.skip(STATISTICS[named(path)])

    assert not float_arithmetic(tree_of(path))


@pytest.mark.parametrize("path", source_files(), ids=named)
def test_no_row_keeps_a_float_or_a_decimal(path):
    if named(path).split("/")[0] not in APPS or "models" not in named(path):
        return
    fields = {
        node.attr
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr in {"FloatField", "DecimalField"}
    }

    assert not fields, "SQLite stores both as floats: keep integers in micro-units"


# The core is pure.

IMPURE_MODULES = {
    "asyncio", "getpass", "http", "logging", "multiprocessing", "os", "pathlib", "platform",
    "random", "secrets", "shutil", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib", "uuid",
}  # fmt: skip
IMPURE_CALLS = {"now", "utcnow", "today", "urandom", "default_rng", "getenv"}
IMPURE_BUILTINS = {"open", "print", "input", "exec", "eval", "hash", "id"}
"""`hash` differs from process to process for text, `id` always does."""


def impurities(tree: ast.AST) -> list[str]:
    """Clocks, chance, files, environment and network: the core is handed these as arguments."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in IMPURE_MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.split(".")[0] in IMPURE_MODULES:
                found.append(node.module)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in {"np.random", "numpy.random"}:
            found.append(ast.unparse(node))
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and called.attr in IMPURE_CALLS:
                found.append(ast.unparse(called))
            elif isinstance(called, ast.Name) and called.id in IMPURE_BUILTINS:
                found.append(called.id)
    return found


@pytest.mark.parametrize("path", pure_files(), ids=named)
def test_the_core_asks_no_clock_no_chance_and_no_machine(path):
    assert not impurities(tree_of(path))


def test_importing_every_core_loads_no_framework():
    modules = [named(path).removesuffix(".py").replace("/", ".") for path in pure_files()]
    modules = [module.removesuffix(".__init__") for module in modules]
    program = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules}"
        " & {'django', 'celery', 'pydantic', 'yaml', 'httpx', 'pandas', 'sqlite3'}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("planted", "caught_by"),
    [
        ("price: float = 0", float_money),
        ("def fee(size: int) -> Decimal: ...", float_money),
        ("half = size / 2", float_arithmetic),
        ("fee = size * 0.05", float_arithmetic),
        ("x = float(size)", float_arithmetic),
        ("import time", impurities),
        ("from random import Random", impurities),
        ("at = datetime.now(UTC)", impurities),
        ("rng = np.random.default_rng()", impurities),
        ("key = hash(name)", impurities),
    ],
)
def test_these_rules_see_a_planted_fault(planted, caught_by):
    assert caught_by(ast.parse(planted))


def test_these_rules_let_honest_code_pass():
    honest = ast.parse(
        "def cost(size: int, price: int) -> int:\n    return -(-size * price // ONE)"
    )

    assert not float_money(honest) + float_arithmetic(honest) + impurities(honest)


# Names and sizes.

VAGUE = re.compile(r"(^|_)(utils?|helpers?|managers?|common|misc|base|handlers?)$")


def test_no_module_is_called_by_a_vague_name():
    vague = [
        named(path)
        for path in source_files()
        if VAGUE.search(path.stem) or VAGUE.search(path.parent.name)
    ]

    # Django looks for a database backend in a module called base.
    assert [name for name in vague if name != "pqap_site/sqlite/base.py"] == []


def test_no_file_holds_two_ideas():
    lengths = {named(p): len(p.read_text(encoding="utf-8").splitlines()) for p in source_files()}
    long = {
        name: length
        for name, length in lengths.items()
        if length > (600 if name.startswith("tests/") else 400)
    }

    assert long == {}


def test_every_module_of_an_app_says_what_it_is_for():
    silent = [
        named(path)
        for path in source_files()
        if named(path).startswith(APPS)
        and path.name not in {"__init__.py", "apps.py"}
        and path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(tree_of(path))
    ]

    assert silent == []


# Nothing private.

PRIVATE = {
    "a path of one machine": re.compile(r"(?<![\w.}/])/(?:home|root|work|Users|mnt)/[\w.]"),
    "a package index": re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host"),
    "a private host": re.compile(
        r"https?://[\w.-]*\.(?:internal|local|lan|corp|intranet)\b"
        r"|https?://(?!127\.|0\.0\.0\.0)\d+\.\d+\.\d+\.\d+"
    ),
    "a claim of authorship": re.compile(
        r"(?i)co-authored-by|^\W*(?:authored|written) by\b|language model|chatbot|\bas an ai\b"
    ),
    "a private key": re.compile(r"BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY"),
}


@pytest.mark.parametrize("what", PRIVATE)
def test_no_file_holds(what):
    pages = [p for p in files(*TEXT, "", ".sh") if p != THIS and p.parent.name != "images"]
    found = [
        f"{named(path)}:{number}: {line.strip()[:100]}"
        for path in pages
        for number, line in enumerate(readable(path).splitlines(), 1)
        if PRIVATE[what].search(line)
    ]

    assert found == []


def readable(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
