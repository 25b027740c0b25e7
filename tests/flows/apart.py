"""One command in a process with an environment, a configuration and a database of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 3_000


def run(folder: Path, config: str, url: str, *command: str) -> dict[str, Any]:
    """`python -m` the command with its data in `folder` and return what it printed last.

    An empty `url` means the SQLite file of the configuration's environment.
    """
    folder.mkdir(exist_ok=True)
    file = folder / "pqap.yaml"
    file.write_text(config)
    named = {"PQAP_DATA": str(folder / "data"), "PQAP_CONFIG": str(file), "DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, **named}, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
