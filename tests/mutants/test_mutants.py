"""`make proof`: every planted fault is noticed by the tests that are named for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import catalogue, evidence

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = (*catalogue.MUTANTS, *evidence.MUTANTS)
FOLDERS = ("markets", "strategies", "execution", "notifications", "tests", "pqap_site", "dashboard")
FAILED = 1
"""What pytest answers when a test failed; anything else is a mutant that could not run."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code and its tests, to plant faults in."""
    place = tmp_path_factory.mktemp("mutants")
    skip = shutil.ignore_patterns("__pycache__", "node_modules", "static")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, place / folder, ignore=skip)
    for name in ("pyproject.toml", "manage.py", "CHANGELOG.md"):
        shutil.copy(ROOT / name, place / name)
    shutil.copytree(ROOT / "configs", place / "configs")
    return place


def test_there_are_enough():
    assert len(MUTANTS) >= 40
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_it_changes_stands_there_once(mutant):
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_is_noticed(mutant, copy):
    file = copy / mutant.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
             "-m", "not slow", *mutant.tests.split()],
            cwd=copy, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    finally:
        file.write_text(whole, encoding="utf-8")

    assert done.returncode == FAILED, (
        f"{done.returncode}: {done.stdout[-1500:]}{done.stderr[-500:]}"
    )
