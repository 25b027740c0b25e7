"""What a real day's list holds: most of it games, short crypto and questions as good as decided.

Shapes and oddities follow recorded replies of 2026: up-or-down markets listed a day ahead and
named after their window, games with a starting time and a taker delay, neg-risk events with
unnamed outcomes and an "Other", closed markets inside open events, fees stated in three ways.
"""

import hashlib
import json
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.exchange.world import DAY_MS, RATES, Listing

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
COINS = ("btc", "eth", "sol", "xrp", "doge", "bnb", "hype")
WINDOWS = (("5m", 5), ("15m", 15), ("4h", 240))
LEAGUES = ("nba", "nfl", "epl", "mlb", "atp", "cs2")
TOPICS = {
    "politics": ("elections", "us-politics"),
    "economics": ("economic-policy", "fomc"),
    "culture": ("pop-culture", "music"),
    "tech": ("ai", "big-tech"),
    "finance": ("business", "earnings"),
    "weather": ("climate",),
    "mentions": ("mention-markets",),
}
ALL_RATES = RATES | {"finance": "0.04", "weather": "0.05", "mentions": "0.04"}


@dataclass(slots=True)
class Maker:
    """Makes listings one after the other; each kind of market is one method."""

    seed: int
    now: int
    draw: random.Random
    made: list[Listing] = field(default_factory=list)

    def add(self, kind: str, slug: str, category: str, **how: Any) -> Listing:
        """One market; what is not stated is that of an ordinary long one."""
        index = len(self.made)
        price = how.pop("price", None) or self.draw.uniform(0.15, 0.85)
        anchor = math.log(price / (1 - price))
        given: dict[str, Any] = {
            "event": f"{20_000 + index}",
            "fee_rate": ALL_RATES[category],
            "tick": 10 if not 0.04 < price < 0.96 else self.draw.choice((100, 10)),
            "created_at": self.now - self.draw.randrange(20, 300) * DAY_MS,
            "end_at": self.now + self.draw.randrange(20, 400) * DAY_MS,
            "neg_risk": False,
            "volume": self.draw.randrange(3_000, 90_000),
            "title": slug.replace("-", " ").capitalize(),
            "event_slug": slug,
            "tags": ("all", category, *TOPICS.get(category, ())),
        }
        self.made.append(
            Listing(
                index=index,
                kind=kind,
                condition="0x" + hashlib.sha256(f"{self.seed}-mix-{index}".encode()).hexdigest(),
                yes=str(self.draw.randrange(10**76, 10**77)),
                no=str(self.draw.randrange(10**76, 10**77)),
                slug=slug,
                category=category,
                anchor=anchor,
                logit=anchor,
                changed_at=self.now,
                **given | how,
            )
        )
        return self.made[-1]

    def long(self, count: int) -> None:
        """Questions with weeks to go: what strategies can work on."""
        for number in range(count):
            category = list(TOPICS)[number % len(TOPICS)]
            self.add("ordinary", f"will-{category}-question-{number}-be-yes", category)

    def sets(self, sizes: tuple[int, ...]) -> None:
        """Neg-risk events of exclusive outcomes; every third is augmented, with outcomes to come.

        One outcome of each has been ruled out and closed.
        """
        for number, size in enumerate(sizes):
            category = list(TOPICS)[number % 3]
            shared = {
                "event": f"{90_000 + number}",
                "event_slug": f"who-will-win-race-{number}",
                "title": f"Who will win race {number}?",
                "neg_risk": True,
                "end_at": self.now + (30 + 10 * number) * DAY_MS,
                "created_at": self.now - 90 * DAY_MS,
            }
            parent = "0x" + hashlib.sha256(f"{self.seed}-set-{number}".encode()).hexdigest()
            for place in range(size):
                extra = {"negRiskMarketID": parent, "groupItemTitle": f"Runner {place}"}
                volume = self.draw.randrange(60_000, 400_000) // (place + 1)
                slug = f"will-runner-{place}-win-race-{number}"
                weight = 1 / (2 + place)
                self.add(
                    "ordinary", slug, category, price=weight, volume=volume, extra=extra, **shared
                )
            gone = {"state": "resolved", "payouts": (0, 1_000_000), "ended_at": self.now - DAY_MS}
            self.add(
                "closed", f"will-runner-gone-win-race-{number}", category, **shared | gone
            ).logit = -9
            if number % 3 == 0:
                self._unnamed(number, category, parent, shared)

    def _unnamed(self, number: int, category: str, parent: str, shared: dict[str, Any]) -> None:
        extra = {"negRiskMarketID": parent, "groupItemTitle": "Other", "negRiskOther": True}
        slug = f"will-another-runner-win-race-{number}"
        self.add("ordinary", slug, category, price=0.03, volume=900, extra=extra, **shared)
        for letter in "abc":
            extra = {"negRiskMarketID": parent, "groupItemTitle": f"Runner {letter.upper()}"}
            slug = f"will-runner-{letter}-win-race-{number}"
            self.add("placeholder", slug, category, volume=0, extra=extra, **shared).logit = -9

    def games(self, count: int) -> None:
        """Tonight's games, three markets each, with much of the exchange's volume."""
        for number in range(count):
            league = LEAGUES[number % len(LEAGUES)]
            start = self.now + self.draw.randrange(-2, 30) * HOUR_MS
            day = datetime.fromtimestamp(start / 1000, UTC)
            event = f"{league}-home{number}-away{number}-{day:%Y-%m-%d}"
            tags = ("all", "esports" if league == "cs2" else "sports", league, "games")
            for sort in ("moneyline", "spreads", "totals"):
                extra = {
                    "gameStartTime": f"{day:%Y-%m-%d %H:%M:%S}+00",
                    "eventStartTime": f"{day:%Y-%m-%dT%H:%M:%SZ}",
                    "sportsMarketType": sort,
                    "secondsDelay": 3,
                    "gameId": str(1_400_000 + number),
                    "clearBookOnStart": True,
                }
                self.add(
                    "sports",
                    event if sort == "moneyline" else f"{event}-{sort}",
                    "sports",
                    event=f"{30_000 + number}",
                    event_slug=event,
                    created_at=self.now - 3 * DAY_MS,
                    end_at=start + 5 * HOUR_MS,
                    volume=self.draw.randrange(50_000, 2_000_000),
                    outcomes=("Over", "Under") if sort == "totals" else ("Home", "Away"),
                    tags=tags,
                    extra=extra,
                )

    def short_crypto(self, each: int) -> None:
        """Up-or-down markets of each coin and window, listed a day and more ahead."""
        for coin in COINS:
            for name, minutes in WINDOWS:
                for step in range(1, each + 1):
                    end = (self.now // (minutes * MINUTE_MS) + step) * minutes * MINUTE_MS
                    start = end - minutes * MINUTE_MS
                    opened = datetime.fromtimestamp(start / 1000, UTC)
                    extra = {
                        "eventStartTime": f"{opened:%Y-%m-%dT%H:%M:%SZ}",
                        "automaticallyActive": True,
                    }
                    self.add(
                        "crypto",
                        f"{coin}-updown-{name}-{start // 1000}",
                        "crypto",
                        price=0.5,
                        created_at=end - DAY_MS - self.draw.randrange(-1, 3) * HOUR_MS,
                        end_at=end,
                        volume=self.draw.randrange(20_000, 800_000),
                        outcomes=("Up", "Down"),
                        tags=("up-or-down", "crypto-prices", "recurring", coin, "hide-from-new"),
                        extra=extra,
                    )

    def hourly_crypto(self) -> None:
        """The hourly ones are named after their hour in New York, with no window in their name."""
        for hour in range(1, 7):
            end = (self.now // HOUR_MS + hour) * HOUR_MS
            opened = datetime.fromtimestamp(end / 1000 - 3600, UTC)
            self.add(
                "crypto",
                f"bitcoin-up-or-down-november-22-{(hour - 1) % 12 + 1}pm-et",
                "crypto",
                price=0.5,
                created_at=end - 2 * DAY_MS,
                end_at=end,
                volume=500_000,
                outcomes=("Up", "Down"),
                tags=("up-or-down", "crypto-prices"),
                extra={"eventStartTime": f"{opened:%Y-%m-%dT%H:%M:%SZ}"},
            )

    def strikes(self, count: int) -> None:
        """A week's strikes of one coin: crypto, and long enough to work on."""
        for number in range(count):
            self.add(
                "ordinary",
                f"bitcoin-above-{60 + number}k-on-friday",
                "crypto",
                event="80000",
                event_slug="bitcoin-above-on-friday",
                title="Bitcoin above ___ on Friday?",
                price=0.85 - 0.7 * number / count,
                created_at=self.now - 3 * DAY_MS,
                end_at=self.now + 4 * DAY_MS,
                tags=("bitcoin", "weekly", "crypto-prices"),
            )

    def decided(self, count: int) -> None:
        """As good as over, and still among the busiest; some show one side only."""
        for number in range(count):
            low = number % 2 == 0
            extra: dict[str, Any] = {}
            if number % 4 == 1:
                extra = {"bestBid": 0.999, "bestAsk": 1, "outcomePrices": '["0.9995", "0.0005"]'}
            self.add(
                "decided",
                f"will-sure-thing-{number}-happen",
                "economics",
                price=0.004 if low else 0.996,
                volume=self.draw.randrange(200_000, 900_000),
                extra=extra,
            )

    def strange(self) -> None:
        """The rest: young, ending, ended, argued, paused, unpriced, endless, free, combined, v2."""
        week, busy = self.now + 7 * DAY_MS, {"volume": 700_000}
        for n in range(12):
            created = self.now - (n + 1) * HOUR_MS
            self.add("young", f"will-news-{n}-matter", "politics", created_at=created, **busy)
        for n in range(8):
            end = self.now + (n + 2) * HOUR_MS
            self.add("ending", f"will-today-{n}-bring-it", "finance", end_at=end, **busy)
        for n in range(4):
            end = self.now - (n + 1) * HOUR_MS
            self.add("ended", f"did-yesterday-{n}-bring-it", "finance", end_at=end, **busy)
        for n, state in enumerate(("proposed", "disputed", "proposed")):
            self.add("argued", f"was-it-so-{n}", "politics", state=state, end_at=week, **busy)
        for n in range(3):
            self.add("paused", f"will-paused-{n}-go-on", "politics", **busy)
        for n in range(4):
            self.add("unpriced", f"will-old-fees-{n}-be-known", "tech", fee_rate=None, **busy)
            self.add("feeless", f"will-fees-{n}-stay-unknown", "tech", fee_rate=None, **busy)
        for n in range(5):
            extra = {"endDate": None}
            self.add("endless", f"will-it-ever-{n}-happen", "culture", extra=extra, **busy)
        for n in range(6):
            free = {"feesEnabled": False, "feeType": None, "feeSchedule": None}
            tags = ("all", "world", "geopolitics")
            slug = f"will-border-{n}-move"
            self.add("free", slug, "politics", tags=tags, extra=free)
        for n in range(3):
            combined = "0x" + f"{n:062x}"
            home = {"event": self.made[0].event, "event_slug": self.made[0].event_slug}
            extra = {"conditionId": combined}
            self.add("combo", f"both-of-pair-{n}", "politics", extra=extra, **home)
        for n in range(3):
            found = self.add("ordinary", f"will-new-protocol-{n}-work", "tech")
            ids = [found.yes, found.no]
            old = json.dumps([str(int(id) - 1) for id in ids])
            found.extra = {"version": "v2", "positionIds": ids, "clobTokenIds": old}


SETS = (4, 5, 6, 7, 8, 9, 10, 11, 12, 4, 5, 6)


def listings(seed: int, ordinary: int, now: int) -> list[Listing]:
    """A whole list with `ordinary` long single questions beside everything else."""
    maker = Maker(seed, now, random.Random(f"{seed}-mix"))
    maker.long(ordinary)
    maker.sets(SETS)
    maker.games(40)
    maker.short_crypto(4)
    maker.hourly_crypto()
    maker.strikes(8)
    maker.decided(20)
    maker.strange()
    return maker.made
