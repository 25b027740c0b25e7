"""From a tick's facts to what each strategy came to in the base account."""

from collections import Counter
from collections.abc import Iterable, Mapping

from execution.core.types import (
    AccountName,
    Disposed,
    Disposition,
    Fact,
    Fill,
    Liquidity,
    Order,
    Purpose,
    Refusal,
)
from strategies.core.journal import Came

OPENING = (Purpose.ENTRY, Purpose.QUOTE, Purpose.REPAIR)
TRADES = (Liquidity.TAKER, Liquidity.MAKER)


def came(at: int, facts: Iterable[Fact]) -> Mapping[str, Came]:
    """What happened at the tick of `at` (ms UTC), by strategy; one without news is absent.

    Each fact says a refusal once, when it is news: a signal refused for an hour counts once.
    """
    facts = list(facts)
    zero = {
        fact.signal
        for fact in facts
        if isinstance(fact, Disposed) and fact.disposition is Disposition.SIZED_TO_ZERO
    }
    refused, sized = Counter[tuple[str, str]](), Counter[str]()
    ordered, filled = dict[str, str](), dict[str, str]()
    for fact in facts:
        match fact:
            case Refusal(account=AccountName.BASE, strategy=name) if name:
                if fact.signal in zero:
                    sized[name] += 1
                else:
                    refused[name, fact.code] += 1
            case Order(account=AccountName.BASE) if fact.placed_at == at:
                if fact.purpose in OPENING:
                    ordered[fact.id] = fact.strategy
            case Fill(account=AccountName.BASE) if fact.liquidity in TRADES:
                filled[fact.order] = fact.strategy
    orders, fills = Counter(ordered.values()), Counter(filled.values())
    names = {name for name, _ in refused} | {*sized, *orders, *fills}
    return {
        name: Came(_codes(refused, name), sized[name], orders[name], fills[name])
        for name in sorted(names)
    }


def _codes(refused: Counter[tuple[str, str]], name: str) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((str(code), n) for (whose, code), n in refused.items() if whose == name))
