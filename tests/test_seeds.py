"""Seeds differ from run to run and agree within one."""

from tests import seeds


def test_a_run_repeats_itself_and_tests_differ(monkeypatch):
    monkeypatch.setenv("PQAP_TEST_SEED", "5")

    assert seeds.fresh(3, name="a") == seeds.fresh(3, name="a") != seeds.fresh(3, name="b")


def test_the_workers_of_one_run_agree(monkeypatch):
    monkeypatch.delenv("PQAP_TEST_SEED", raising=False)
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", "one run")

    assert seeds.fresh(3, name="a") == seeds.fresh(3, name="a")


def test_two_runs_differ(monkeypatch):
    monkeypatch.delenv("PQAP_TEST_SEED", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_TESTRUNUID", raising=False)

    assert seeds.fresh(5, name="a") != seeds.fresh(5, name="a")
