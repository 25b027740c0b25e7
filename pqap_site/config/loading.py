"""Load one configuration: read, check everything, then build; or refuse with every fault."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from execution.core.risk import Limits
from execution.core.sizing import Sizing
from markets.core.criteria import Filters
from markets.core.types import ONE
from pqap_site.config import document as documents
from pqap_site.config import faults, schema, table, types
from pqap_site.config.advice import advice
from pqap_site.config.document import Document, key
from pqap_site.config.faults import Fault, Refused
from pqap_site.config.leaves import Leaf, Wrong
from pqap_site.config.strategies import Choice, Registry, choose
from pqap_site.environment import BASE_DIR, ENVIRONMENTS
from strategies import library

URL_VARIABLES = {
    "PQAP_GAMMA_URL": "gamma_url",
    "PQAP_CLOB_URL": "clob_url",
    "PQAP_DATA_URL": "data_url",
    "PQAP_WS_URL": "ws_url",
}
LEAST_BOOK_AGE = 5
"""Seconds a book may be old whatever the poll; else one and a half polls."""
SHAPES = {
    "model_type": "a block of keys",
    "dict_type": "a block of keys",
    "tuple_type": "a list, [] for none",
}


def load(
    path: Path, environ: Mapping[str, str], *, registry: Registry | None = None
) -> types.Configuration:
    """The configuration in `path` under the process's variables, or Refused with every fault."""
    registry = library.REGISTRY if registry is None else registry
    document = documents.read(Path(path))
    env = document.tree.get("env")
    tree = table.filled(document.tree, env if env in ENVIRONMENTS else "dev")
    choice = choose(document, tree, registry)
    found = document.faults + choice.faults
    urls, wrong = _overrides(environ)
    try:
        file = schema.File.model_validate(tree)
    except ValidationError as error:
        found += _told(error, document, found)
    else:
        found += _recording(file.exchange, document) + _streamed(file, document)
        found += _untold(file, document, {**registry, **choice.outside})
    if found + wrong:
        raise Refused(document.name, found + wrong)
    exchange = file.exchange.model_copy(update=urls)
    return _built(document, path, file.model_copy(update={"exchange": exchange}), choice, registry)


def _overrides(environ: Mapping[str, str]) -> tuple[dict[str, object], list[Fault]]:
    """The URLs that the process's variables set; an empty variable sets nothing."""
    urls: dict[str, object] = {}
    wrong = []
    for variable, name in URL_VARIABLES.items():
        given = environ.get(variable)
        if not given:
            continue
        [leaf] = [m for m in schema.Exchange.model_fields[name].metadata if isinstance(m, Leaf)]
        try:
            urls[name] = leaf.read(given)
        except Wrong as hint:
            place = f"{variable} (an environment variable)"
            wrong.append(faults.not_allowed(0, place, given, leaf.must, str(hint)))
    return urls, wrong


def _told(error: ValidationError, document: Document, already: list[Fault]) -> list[Fault]:
    """Each thing pydantic found, in our words; places already at fault are not told twice."""
    known = {(fault.line, fault.key) for fault in already}
    told = [_one(dict(item), document) for item in error.errors(include_url=False)]
    return [fault for fault in told if (fault.line, fault.key) not in known]


def _one(item: dict[str, Any], document: Document) -> Fault:
    place = tuple(item["loc"])
    context = item.get("ctx") or {}
    if item["type"] == "contradiction":
        place = (*place, context["key"])
    line, name, given = document.line(place), key(place), document.given(place)
    if item["type"] == "extra_forbidden":
        return faults.unknown(line, name, given, str(place[-1]), _allowed(place[:-1]))
    if item["type"] == "missing":
        allowed = f"one of {', '.join(ENVIRONMENTS)}"
        return Fault(line, name, f"is missing; it must be {allowed}")
    must = context.get("must") or SHAPES.get(item["type"]) or item["msg"]
    return faults.not_allowed(line, name, given, must, context.get("hint", ""))


def _allowed(place: tuple[str | int, ...]) -> list[str]:
    """The keys that may stand in a block."""
    if place[:1] == ("strategies",):
        fields = schema.StrategyBlock.model_fields
        return [field.alias or name for name, field in fields.items()]
    model: type[BaseModel] = schema.File
    for part in place:
        inner = model.model_fields[str(part)].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)


def _recording(exchange: schema.Exchange, document: Document) -> list[Fault]:
    if exchange.source != "replay" or (BASE_DIR / exchange.recording).exists():
        return []
    place = ("exchange", "recording")
    must = "a recorded file or folder that exists"
    return [faults.not_allowed(document.line(place), key(place), exchange.recording, must)]


def _untold(file: schema.File, document: Document, registry: Registry) -> list[Fault]:
    """Forecasts for a rule that does not listen to any."""
    found = []
    for name, block in file.strategies.items():
        built = registry[name].built if name in registry else None
        if block.forecasts and "forecasts" not in getattr(built, "learns", ()):
            place = ("strategies", name, "forecasts")
            must = f"left out: {name} takes no forecasts"
            told = faults.not_allowed(document.line(place), key(place), block.forecasts, must)
            found.append(told)
    return found


def _forecasts(file: schema.File) -> Path | None:
    """The one file of forecasts: rules that listen to them share it."""
    given = [block.forecasts for block in file.strategies.values() if block.forecasts]
    return BASE_DIR / given[0] if given else None


def _streamed(file: schema.File, document: Document) -> list[Fault]:
    """Only the exchange itself has a stream."""
    source = file.exchange.source
    if file.collection.mode != "stream" or source == "polymarket":
        return []
    place = ("collection", "mode")
    must = f"poll, because exchange.source is {source}: only polymarket has a stream"
    return [faults.not_allowed(document.line(place), key(place), "stream", must)]


def _built(
    document: Document, path: Path, file: schema.File, choice: Choice, registry: Registry
) -> types.Configuration:
    limits = _limits(file)
    sizing = _sizing(file, limits)
    content: dict[str, Any] = {
        "env": file.env,
        "debug": file.debug,
        "initial_capital": file.initial_capital,
        "enabled_strategies": choice.enabled,
        "strategies": choice.parameters,
        "invalid_strategies": choice.invalid,
        "shadow_strategies": choice.shadow,
        "outside_paths": choice.paths,
        "forecasts": _forecasts(file),
        "risk_limits": limits,
        "collection": _collection(file.collection),
        "paper": types.Paper(**file.paper.model_dump()),
        "sizing": sizing,
        "api": types.Api(**file.api.model_dump()),
        "time_zone": file.time_zone,
        "site": types.Site(**file.site.model_dump()),
        "logging": types.Logging(**file.logging.model_dump()),
        "notifications": types.Notifications(**file.notifications.model_dump()),
        "backup": types.Backup(**file.backup.model_dump()),
    }
    told = [
        Fault(document.line(place), key(place), text)
        for place, text in advice(file, limits, sizing, len(choice.enabled))
    ]
    return types.Configuration(
        **content,
        outside_strategies=choice.outside,
        exchange=_exchange(file.exchange),
        path=Path(path).absolute(),
        digest=types.digest({**content, "exchange": file.exchange.model_dump()}),
        warnings=tuple(w.told(document.name) for w in sorted({*told, *choice.warnings})),
    )


def _collection(given: schema.Collection) -> types.Collection:
    filters = Filters(**given.filters.model_dump())
    return types.Collection(**{**given.model_dump(), "filters": filters})


def _limits(file: schema.File) -> Limits:
    """The limits in millionths of their units; what is null is derived, or off."""
    given = file.risk_limits.model_dump()
    age = given["max_book_age"]
    followed = max(LEAST_BOOK_AGE * ONE, file.collection.poll_seconds * ONE * 3 // 2)
    return Limits(
        **{
            **given,
            "max_orders_per_minute": given["max_orders_per_minute"] * ONE,
            "max_book_age": followed if age is None else age * ONE,
            "cash_floor": file.sizing.cash_floor,
            "halve_at_drawdown": given["halve_at_drawdown"] or 0,
            "flatten_at_daily_loss": given["flatten_at_daily_loss"] or 0,
            "rolling_daily_loss": int(given["rolling_daily_loss"]),
        }
    )


def _sizing(file: schema.File, limits: Limits) -> Sizing:
    """The sizing fractions; each cap follows its limit unless the file says otherwise."""
    given = file.sizing.model_dump()
    follows = {
        "max_fraction_per_market": limits.max_capital_per_market,
        "max_fraction_per_event": limits.max_event_loss,
        "max_fraction_per_cluster": limits.max_cluster_loss,
        "max_fraction_per_category": 2 * limits.max_cluster_loss,
        "max_fraction_per_strategy": limits.max_capital_per_strategy,
        "max_fraction_total": limits.max_total_exposure,
    }
    for name, limit in follows.items():
        if given[name] is None:
            given[name] = min(-(-limit * ONE // file.initial_capital), ONE)
    return Sizing(**given)


def _exchange(exchange: schema.Exchange) -> types.Exchange:
    recording = BASE_DIR / exchange.recording if exchange.recording else None
    return types.Exchange(**{**exchange.model_dump(), "recording": recording})
