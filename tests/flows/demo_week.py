"""One demo's first start without its processes: `python -m tests.flows.demo_week HOURS_AGO`."""

import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "pqap_site.settings"
django.setup()

from django.core.management import call_command  # noqa: E402

from execution import models  # noqa: E402
from execution.selectors import checks  # noqa: E402
from execution.services import opening  # noqa: E402
from markets import models as seen  # noqa: E402
from pqap_site import fastforward  # noqa: E402
from strategies import models as believed  # noqa: E402


def main(hours_ago: str) -> None:
    """Live through the week that ended so many hours ago and print what the first page shows."""
    now = datetime.now(UTC) - timedelta(hours=float(hours_ago))
    call_command("migrate", verbosity=0)
    opening.open_accounts(fastforward.begins(now))
    ticks = fastforward.run(now, lambda done, total: None)
    base = models.Trade.objects.filter(account="base")
    print(
        json.dumps(
            {
                "ticks": ticks,
                "trades": dict(Counter(base.values_list("liquidity", flat=True))),
                "bought": base.filter(side="buy").count(),
                "signals": believed.Signal.objects.count(),
                "silences": believed.SilenceRun.objects.count(),
                "equity_points": models.Equity.objects.filter(account="base").count(),
                "resolved": seen.Resolution.objects.filter(status="resolved").count(),
                "halts": models.HaltState.objects.count(),
                "faults": checks.faults(),
                "dual_arb_signals": believed.Signal.objects.filter(strategy="dual_arb_v1").count(),
                "equity": models.Account.objects.get(name="base").equity / 1e6,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
