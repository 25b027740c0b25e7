"""What is installed, and what may import what: the locks and the import contracts."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("pqap_site", "dashboard", "notifications", "execution", "strategies", "markets")

REQUIRED = (
    "django", "djangorestframework", "celery", "redis", "django-celery-beat", "httpx", "xgboost",
    "pandas", "python-telegram-bot", "gunicorn", "whitenoise", "pytest-django",
)  # fmt: skip
PIN = re.compile(r"^([a-z0-9.-]+)(?:\[[a-z0-9,]+\])?==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """Package -> exact version of one lock."""
    return dict(PIN.findall((ROOT / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_each_pin_of_a_lock_is_exact_and_hashed(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = [e for e in re.split(r"\n(?=\S)", text) if e and not e.startswith("#")]

    assert len(entries) > 50
    assert all(PIN.match(entry) and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


def test_every_required_package_is_locked():
    assert set(REQUIRED) - set(pins("requirements.txt")) == set()


def test_both_locks_agree():
    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")

    assert {k: v for k, v in runtime.items() if development.get(k) != v} == {}


def test_each_line_of_requirements_says_what_it_is_for():
    lines = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()

    assert [
        line for line in lines if line and not line.startswith("xgboost>") and "#" not in line
    ] == []


# What may import what.


def contracts_in(folder: Path) -> subprocess.CompletedProcess[str]:
    """lint-imports run on one tree."""
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_import_contracts_hold():
    done = contracts_in(ROOT)

    assert done.returncode == 0, done.stdout[-3000:]


@pytest.fixture
def copied_tree(tmp_path):
    """The apps and their contracts, to plant faults in."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for app in APPS:
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize(
    ("file", "planted", "said"),
    [
        ("markets/core/venue.py", "import django", "The core is pure.* BROKEN"),
        ("markets/core/venue.py", "import execution.core.types", "Data flows right.* BROKEN"),
        (
            "execution/services/planted.py",
            "import markets.models",
            "Rows of markets are private.* BROKEN",
        ),
        ("markets/core/venue.py", "import markets.models", "Inside an app.* BROKEN"),
        ("markets/anything.py", "", "markets.anything\\n"),
    ],
)
def test_a_planted_import_is_caught_by_name(copied_tree, file, planted, said):
    path = copied_tree / file
    path.parent.mkdir(exist_ok=True)
    (path.parent / "__init__.py").touch()
    with path.open("a", encoding="utf-8") as code:
        code.write(f"\n{planted}\n")

    done = contracts_in(copied_tree)

    assert done.returncode != 0
    assert re.search(said, done.stdout), done.stdout[-2000:]


# What CI runs.


def test_the_ci_script_is_a_sound_executable_that_stops_at_the_first_failure():
    script = ROOT / ".ci" / "run"
    checked = subprocess.run(["bash", "-n", script], capture_output=True, check=False)

    assert os.access(script, os.X_OK)
    assert checked.returncode == 0, checked.stderr
    text = script.read_text(encoding="utf-8")
    assert "\nset -euo pipefail\n" in text
    assert text.index("make test") < text.index("make check")
