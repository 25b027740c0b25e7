"""Which environment a command acts on, where its files lie, and the one secrets file it reads."""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ("demo", "dev", "staging", "prod")
DEFAULT_CONFIG = "configs/dev.yaml"
PRIVATE_KEY = "POLYMARKET_PRIVATE_KEY"
SECRET_NAMES = (
    "POLYMARKET_API_KEY",
    "POLYMARKET_API_SECRET",
    PRIVATE_KEY,
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_CHAT_ID",
)

TAKES_CONFIG = {"runpqap", "checkconfig", "backtest"}
"""Commands whose first positional argument is a configuration file."""

READING = {
    "", "--help", "--version", "-h", "backtest", "check", "checkconfig", "collectstatic",
    "diffsettings", "doctor", "exporthistory", "exportstate", "help", "makemigrations",
    "showmigrations", "spectacular", "sqlmigrate", "status", "version", "why",
}  # fmt: skip
"""Commands that change nothing an environment owns; any other refuses to guess between two."""


class Unusable(Exception):
    """The environment cannot be settled; the text says what to do."""


class Ambiguous(Unusable):
    """More than one configuration could be meant, and the command would write."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The configuration a command acts on, the arguments without `--config`, and why this one."""

    config: Path
    argv: list[str]
    how: str


@dataclass(frozen=True, slots=True)
class Paths:
    """Where one environment keeps what it owns."""

    database: Path
    folder: Path
    broker: Path
    lock: Path
    state_file: Path
    log: Path
    archive: Path
    models: Path
    halt: Path


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets file overlaid by the process's variables; its repr shows no value.

    `dropped` names variables that must not reach this environment: the caller removes them from
    the process before it starts others.
    """

    values: Mapping[str, str] = field(repr=False)
    file: Path | None
    warnings: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def resolve(argv: Sequence[str], environ: Mapping[str, str], base_dir: Path = BASE_DIR) -> Chosen:
    """Settle the configuration: --config, else PQAP_CONFIG, else the only one running, else dev."""
    given, rest = _strip_config(argv)
    positional = _positional_config(rest)
    if given and positional and _locate(given, base_dir) != _locate(positional, base_dir):
        raise Ambiguous(f"Two configurations are given, {positional} and {given}: name one.")
    if given or positional:
        return Chosen(_locate(given or positional, base_dir), rest, "given on the command line")
    if environ.get("PQAP_CONFIG"):
        return Chosen(_locate(environ["PQAP_CONFIG"], base_dir), rest, "from PQAP_CONFIG")
    found = running(data_folder(environ, base_dir), base_dir)
    command = rest[1] if len(rest) > 1 else ""
    if len(found) == 1:
        [(env, config)] = found.items()
        return Chosen(config, rest, f"{env} is the only environment running")
    if found and command not in READING:
        names = " and ".join(found)
        raise Ambiguous(f"{names} are running: say which one is meant with --config configs/...")
    how = "the default; several environments are running" if found else "the default"
    return Chosen(base_dir / DEFAULT_CONFIG, rest, how)


def running(data: Path, base_dir: Path = BASE_DIR) -> dict[str, Path]:
    """The environments whose lock is held now, each with the configuration it was started with."""
    found = {}
    for env in ENVIRONMENTS:
        lock = paths(env, data).lock
        if _held(lock):
            found[env] = _started_with(lock) or base_dir / f"configs/{env}.yaml"
    return found


def data_folder(environ: Mapping[str, str], base_dir: Path = BASE_DIR) -> Path:
    """PQAP_DATA (relative to the project) or `data/` in the project."""
    return base_dir / Path(environ.get("PQAP_DATA") or "data").expanduser()


def paths(env: str, base: Path | None = None) -> Paths:
    """Where `env` keeps its files under the data folder `base` (default: PQAP_DATA or data/)."""
    if env not in ENVIRONMENTS:
        raise ValueError(f"{env!r} is not an environment: {', '.join(ENVIRONMENTS)}")
    base = data_folder(os.environ) if base is None else base
    folder = base / env
    return Paths(
        database=base / ("pqap.db" if env == "prod" else f"pqap_{env}.db"),
        folder=folder,
        broker=folder / "broker",
        lock=folder / "runpqap.lock",
        state_file=folder / "paper_trading_state.json",
        log=folder / "pqap.log",
        archive=folder / "archive",
        models=folder / "models",
        halt=folder / "HALT",
    )


def load_secrets(env: str, base_dir: Path, environ: Mapping[str, str]) -> Secrets:
    """Read `.env.<env>` if it exists, else `.env`; the process's variables win over the file."""
    file = next((f for f in (base_dir / f".env.{env}", base_dir / ".env") if f.is_file()), None)
    written, warnings = _read_secrets(file) if file else ({}, [])
    values = {**written, **environ}
    dropped = (PRIVATE_KEY,) if env != "prod" and PRIVATE_KEY in values else ()
    for name in dropped:
        if values.pop(name):
            where = file.name if file and written.get(name) else "the process's variables"
            warnings.append(f"{name} is set in {where}; {env} never uses it, so it was dropped.")
    return Secrets(values, file, tuple(warnings), dropped)


def _strip_config(argv: Sequence[str]) -> tuple[str, list[str]]:
    given, rest = [], []
    arguments = iter(argv)
    for argument in arguments:
        if argument == "--":
            rest += [argument, *arguments]
        elif argument == "--config":
            given.append(next(arguments, ""))
        elif argument.startswith("--config="):
            given.append(argument.removeprefix("--config="))
        else:
            rest.append(argument)
    if "" in given:
        raise Unusable("--config needs a file, such as --config configs/dev.yaml.")
    if len(set(given)) > 1:
        raise Ambiguous(f"Two configurations are given, {' and '.join(given)}: name one.")
    return (given[0] if given else ""), rest


def _positional_config(argv: Sequence[str]) -> str:
    if len(argv) < 3 or argv[1] not in TAKES_CONFIG:
        return ""
    if not argv[2].startswith("-"):
        return argv[2]
    named = (a for a in argv[3:] if not a.startswith("-") and a.endswith((".yaml", ".yml")))
    return next(named, "")


def _locate(text: str, base_dir: Path) -> Path:
    """A path as typed, from the current folder; from the project when it only exists there."""
    typed = Path(text).expanduser()
    inside = base_dir / typed
    return inside if inside.exists() and not typed.exists() else typed.absolute()


def _held(lock: Path) -> bool:
    """Does a living process hold the lock? The operating system frees it however one dies."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _started_with(lock: Path) -> Path | None:
    """The configuration named in the lock file, a JSON object with the key `config`."""
    try:
        noted = json.loads(lock.read_text(encoding="utf-8"))
        return Path(noted["config"]).absolute()
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _read_secrets(file: Path) -> tuple[dict[str, str], list[str]]:
    """The file's entries, and a warning a line that is not KEY=value; never a value in a text."""
    try:
        with file.open(encoding="utf-8-sig") as stream:
            lines = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Unusable(f"{file.name} cannot be read: {reason}.") from None
    written = {line.key: line.value for line in lines if line.key and line.value is not None}
    bad = [line.original.line for line in lines if line.error or (line.key and line.value is None)]
    return written, [f"{file.name}:{n}: this is not KEY=value, so it was ignored." for n in bad]
