"""Log lines: their form, their file shared by processes, and what never gets into them."""

import fcntl
import io
import json
import logging
import logging.config
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pqap_site import logs

BASE = Path(__file__).resolve().parents[2]
TOKEN = "123456789:AAE4kPz0c2-mH8vQx7yXnW5tR1sL9dF3gJu"
SECRET = {"POLYMARKET_API_SECRET": "s3cr3t/with+odd=signs", "TELEGRAM_CHAT_ID": "-100200300"}


def record(message, *args, level=logging.INFO, error=None):
    made = logging.LogRecord("markets.services.collect", level, "", 1, message, args, error)
    made.created = 1_767_268_800.123
    return made


def failing(text):
    try:
        raise ValueError(text)
    except ValueError:
        return sys.exc_info()


def test_a_line_says_when_how_grave_where_and_what():
    formatter = logs.TextFormatter("dev", logs.Redaction([]))

    line = formatter.format(record("Refreshed prices: %d markets", 50))

    assert line == (
        "2026-01-01T12:00:00.123Z INFO dev markets.services.collect: Refreshed prices: 50 markets"
    )


def test_json_lines_carry_the_same_facts():
    formatter = logs.JsonFormatter("prod", logs.Redaction([]))

    told = json.loads(formatter.format(record("two\nlines", level=logging.ERROR)))

    assert told["at"] == "2026-01-01T12:00:00.123Z"
    assert (told["level"], told["environment"]) == ("ERROR", "prod")
    assert (told["logger"], told["message"]) == ("markets.services.collect", "two\nlines")


@pytest.mark.parametrize("style", [logs.TextFormatter, logs.JsonFormatter])
@pytest.mark.parametrize(
    "leak",
    [
        SECRET["POLYMARKET_API_SECRET"],
        SECRET["TELEGRAM_CHAT_ID"],
        f"https://api.telegram.org/bot{TOKEN}/sendMessage",
        "redis://:hunter22@queue.example:6379/0",
        "postgres://pqap:hunter22@db.example/pqap",
    ],
)
def test_no_secret_is_ever_written(style, leak):
    formatter = style("dev", logs.Redaction.of(SECRET))

    plain = formatter.format(record("calling %s now", leak))
    traced = formatter.format(record("it failed", error=failing(f"no answer from {leak}")))

    for text in (plain, traced):
        assert "[redacted]" in text
        assert not any(s in text for s in (*SECRET.values(), TOKEN, "hunter22"))
    assert "calling" in plain
    assert "Traceback" in traced


def test_ordinary_numbers_and_addresses_stay():
    text = "trade 12345678: 0.41 at https://clob.polymarket.com:443/books?ids=1,2 from a@b.c"

    assert logs.Redaction.of({"TELEGRAM_CHAT_ID": ""})(text) == text


def test_debug_touches_our_loggers_and_no_others(tmp_path):
    names = (*logs.OURS, "django", "celery", "")
    before = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    configured = logs.configuration(
        env="dev", level="INFO", style="text", debug=True, file=tmp_path / "x.log", environ={}
    )
    try:
        logging.config.dictConfig(configured)
        levels = {name: logging.getLogger(name).getEffectiveLevel() for name in names}
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
        logging.getLogger().handlers[:] = handlers

    assert {levels[name] for name in logs.OURS} == {logging.DEBUG}
    assert levels["django"] == levels[""] == logging.INFO
    assert levels["celery"] == logging.WARNING


def test_a_quiet_console_still_fills_the_file(tmp_path):
    root = logging.getLogger()
    screen, handlers = io.StringIO(), root.handlers[:]
    root.handlers[:] = [
        logging.StreamHandler(screen),
        logs.SharedFileHandler(tmp_path / "pqap.log"),
    ]
    logger = logging.getLogger("pqap.trial")
    logger.setLevel(logging.INFO)
    try:
        with logs.quiet_console():
            logger.info("only in the file")
            logger.warning("in both")
        logger.info("after")
    finally:
        root.handlers[1].close()
        root.handlers[:] = handlers

    assert screen.getvalue().splitlines() == ["in both", "after"]
    assert (tmp_path / "pqap.log").read_text().splitlines() == [
        "only in the file",
        "in both",
        "after",
    ]


WRITER = """
import logging, sys
from pqap_site.logs import SharedFileHandler
handler = SharedFileHandler(sys.argv[1], max_bytes=6000, kept_files=200)
for number in range(400):
    text = f"{sys.argv[2]} {number} " + "x" * (number % 50)
    handler.emit(logging.LogRecord("trial", logging.INFO, "", 1, text, (), None))
"""


def test_processes_share_one_file_and_its_turning_over_loses_no_line(tmp_path):
    file = tmp_path / "pqap.log"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), name], cwd=BASE)
        for name in ("desk", "collect", "web")
    ]
    codes = [writer.wait(60) for writer in writers]

    written = [file, *tmp_path.glob("pqap.log.[0-9]*")]
    lines = [line for each in written for line in each.read_text().splitlines()]
    assert codes == [0, 0, 0]
    assert len(written) > 5
    assert len(lines) == 1200
    assert {tuple(line.split()[:2]) for line in lines} == {
        (name, str(number)) for name in ("desk", "collect", "web") for number in range(400)
    }


def test_only_the_newest_files_are_kept(tmp_path):
    handler = logs.SharedFileHandler(tmp_path / "pqap.log", max_bytes=10, kept_files=2)
    for number in range(6):
        handler.emit(record(f"line number {number}"))
    handler.close()

    kept = {file.name: file.read_text() for file in tmp_path.glob("pqap.log*[0-9]")}
    assert kept == {"pqap.log.1": "line number 5\n", "pqap.log.2": "line number 4\n"}


def test_a_file_already_turned_over_by_another_process_is_left_alone(tmp_path):
    mine, other = (logs.SharedFileHandler(tmp_path / "pqap.log", max_bytes=20) for _ in range(2))
    mine.emit(record("short"))
    other.emit(record("this one fills the file"))
    other.emit(record("fresh"))

    mine._turn_over()  # as if it had filled the file at the same instant
    mine.close()
    other.close()

    assert (tmp_path / "pqap.log").read_text() == "fresh\n"
    assert not (tmp_path / "pqap.log.2").exists()


def test_turning_over_waits_for_another_process_that_does_it(tmp_path):
    handler = logs.SharedFileHandler(tmp_path / "pqap.log", max_bytes=5)
    lock = (tmp_path / "pqap.log.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    emitting = threading.Thread(target=handler.emit, args=(record("fills the file"),), daemon=True)

    emitting.start()
    emitting.join(0.3)
    waited = emitting.is_alive() and not (tmp_path / "pqap.log.1").exists()
    lock.close()
    emitting.join(20)
    handler.close()

    assert waited
    assert (tmp_path / "pqap.log.1").read_text() == "fills the file\n"
