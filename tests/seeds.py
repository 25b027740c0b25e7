"""Seeds of random tests: new at every run, the same in every worker of one run, and repeatable.

`PQAP_TEST_SEED=123 make test` repeats a run; each test prints the seed it was given.
"""

import os
import random


def fresh(count: int, *, name: str) -> list[int]:
    """`count` seeds for the test called `name`, fit for `parametrize` under pytest-xdist.

    Workers collect on their own and must agree on the test ids, so chance comes from what they
    share: PQAP_TEST_SEED, else the id that pytest-xdist gives a run.
    """
    run = os.environ.get("PQAP_TEST_SEED") or os.environ.get("PYTEST_XDIST_TESTRUNUID")
    luck = random.Random(f"{run}/{name}") if run else random.Random()
    return luck.sample(range(10**6), count)
