"""Ticks a second through the real stages: the demo's fast-forward on a fresh SQLite file."""

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

ROOT = Path(__file__).resolve().parents[2]


def fast_forward() -> str:
    """Run the first start's seven days through collect and desk; one line of figures."""
    with TemporaryDirectory(prefix="pqap-bench-") as folder:
        os.environ |= {
            "PQAP_DATA": folder,
            "PQAP_CONFIG": str(ROOT / "configs" / "demo.yaml"),
            "DJANGO_SETTINGS_MODULE": "pqap_site.settings",
        }
        return _run(Path(folder))


def _run(folder: Path) -> str:
    import django

    django.setup()
    from django.db import connection

    from markets.selectors import ticks
    from pqap_site import fastforward, startup

    logging.disable(logging.WARNING)
    startup.prepare_database()
    wall, cpu = perf_counter(), process_time()
    fastforward.run(datetime.now(UTC), lambda done, of: None)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    newest = ticks.last_tick()
    connection.close()
    count = newest[0] if newest else 0
    size = sum(file.stat().st_size for file in folder.glob("*.db")) / 1e6
    return (
        f"{count} ticks in {wall:.1f} s ({cpu:.1f} s of CPU): {count / wall:.0f} ticks a second, "
        f"database {size:.0f} MB"
    )
