"""How figures look on the pages: cents, dollars, shares, percent, times."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard import health, wire
from dashboard.reads.overview import STAGE_WORDS
from dashboard.reads.system import STATE_WORDS
from dashboard.wire import ONE
from execution.core.risk import UNITS, Unit
from execution.selectors.control import Decision

register = template.Library()
MINUS = "\N{MINUS SIGN}"
CENT = 10_000


@register.filter
def cents(price: int | None) -> str:
    """415_000 -> 41.5¢; nearer than a cent to 0 or 1 with two decimals."""
    if price is None:
        return "–"
    places = 1 if CENT <= price <= ONE - CENT or price in (0, ONE) else 2
    return f"{price / CENT:.{places}f}¢"


@register.filter
def dollars(micro: int | None) -> str:
    """-12_450_000 -> −$12.45."""
    if micro is None:
        return "–"
    hundredths = (abs(micro) + CENT // 2) // CENT
    sign = MINUS if micro < 0 and hundredths else ""
    return f"{sign}${hundredths // 100:,}.{hundredths % 100:02d}"


@register.filter
def gain(micro: int | None) -> str:
    """Dollars with their sign always: +$12.45."""
    shown = dollars(micro)
    return shown if shown[0] in f"{MINUS}–" or shown == "$0.00" else f"+{shown}"


@register.filter
def shares(micro: int) -> str:
    """120_500_000 -> 120.50."""
    return f"{micro / ONE:,.2f}"


@register.filter
def percent(micro: int | None) -> str:
    """A fraction in micro as percent: 12_300 -> 1.23 %."""
    return "–" if micro is None else _percent(micro / CENT)


@register.filter
def covered(micro: int | None) -> str:
    """A share as percent, never rounded up to a whole one: 999_999 -> 99.99 %."""
    return percent(None if micro is None else micro // 100 * 100)


@register.filter
def gain_percent(micro: int) -> str:
    """Percent in micro, signed: 1_250_000 -> +1.25 %."""
    sign = "+" if micro >= CENT // 2 else ""
    return sign + _percent(micro / ONE)


@register.filter
def tone(micro: int | None) -> str:
    """The class of a gain or a loss."""
    if not micro or abs(micro) < CENT // 2:
        return "flat"
    return "up" if micro > 0 else "down"


@register.filter
def iso(at: int | None) -> str:
    """ms UTC as ISO 8601."""
    return wire.instant(at) if at else ""


@register.simple_tag
def ago(at: int | None, now: int) -> SafeString | str:
    """How long ago, kept current by the page's script: a <time> element."""
    if not at:
        return "never"
    text = f"{health.span(max(0, now - at))} ago"
    return format_html('<time datetime="{}" data-age="ago">{}</time>', wire.instant(at), text)


@register.simple_tag
def ends(at: int | None, now: int) -> SafeString | str:
    """How long until, kept current by the page's script: a <time> element."""
    if not at:
        return "unknown"
    text = f"in {health.span(at - now)}" if at > now else "overdue"
    return format_html('<time datetime="{}" data-age="ends">{}</time>', wire.instant(at), text)


@register.simple_tag
def length(since: int, until: int) -> str:
    """How long a stretch was: "12 s", "4 min"."""
    return health.span(until - since)


@register.simple_tag
def moment(at: int | None) -> SafeString | str:
    """An instant in UTC; the script adds the reader's own time as a title."""
    if not at:
        return "–"
    text = wire.instant(at)
    return format_html('<time datetime="{}" data-local>{} {}</time>', text, text[5:10], text[11:19])


@register.filter
def bytes_words(size: int | None) -> str:
    """Bytes for people, in powers of 1000."""
    if size is None:
        return "–"
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= step:
            return f"{size / step:,.1f} {unit}"
    return f"{size} B"


@register.filter
def grouped(count: int) -> str:
    """12345 -> 12,345."""
    return f"{count:,}"


@register.filter
def words(code: str) -> str:
    """A code as words: sized_to_zero -> sized to zero."""
    return code.replace("_", " ").lower()


@register.filter
def stage_words(name: str) -> str:
    """What a stage does, in a few words."""
    return STAGE_WORDS.get(name, "")


@register.filter
def state_words(state: str) -> str:
    """A strategy's state as people say it."""
    return STATE_WORDS.get(state, state)


@register.filter
def decided(decision: Decision) -> str:
    """What a decision is about, with its value in its own unit."""
    if not decision.value.isdigit():
        return " ".join(filter(None, (decision.scope, decision.value)))
    value = int(decision.value)
    shown = measured(value, UNITS.get(decision.scope, Unit.MONEY))
    return f"{decision.scope} to {shown}" if decision.scope else shown


@register.filter
def used(amount: int, bar: object) -> str:
    """A limit's figure in its own unit."""
    return measured(amount, getattr(bar, "unit", Unit.MONEY))


def measured(amount: int, unit: str) -> str:
    """Millionths of a unit as people read them: dollars, percent, a count, seconds."""
    if unit == Unit.FRACTION:
        return percent(amount)
    if unit == Unit.MONEY:
        return dollars(amount)
    return f"{amount / ONE:,.10g}{' s' if unit == Unit.SECONDS else ''}"


def _percent(value: float) -> str:
    text = f"{abs(value):.2f}\N{NO-BREAK SPACE}%"
    return f"{MINUS}{text}" if value < 0 and not text.startswith("0.00") else text
