"""The supervisor with small programs: restarts, giving up, ending together, leaving none behind."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from pqap_site.supervisor import lock, port
from pqap_site.supervisor.crashes import LONGEST_PAUSE_SECONDS, Crashes

BASE = Path(__file__).resolve().parents[2]
PATIENCE = 20.0

SUPERVISE = """
import json, logging, os, sys
from pathlib import Path
from pqap_site.supervisor.child import Program
from pqap_site.supervisor.watch import Supervisor

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(message)s")
told, options = json.loads(sys.argv[1]), json.loads(sys.argv[2])
programs = [Program(name, name, (sys.executable, "-c", text)) for name, text in told]
sys.exit(Supervisor(programs, folder=Path.cwd(), environ=os.environ, **options).run())
"""

HOLDING = """
import os, time
from pqap_site import lifeline
lifeline.hold(grace=1)
if os.fork() == 0:
    print("forked", os.getpid(), flush=True)
print("ready", os.getpid(), flush=True)
while True: time.sleep(60)
"""

DEAF = """
import os, signal, time
from pqap_site import lifeline
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lifeline.hold(grace=1)
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", os.getpid(), flush=True)
while True: time.sleep(60)
"""


class Supervised:
    """A supervisor in a process of its own, and what it has printed."""

    def __init__(self, output, *programs, **options):
        self.output = output
        with output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISE, json.dumps(programs), json.dumps(options)],
                cwd=BASE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self):
        return self.output.read_text()

    def wait_for(self, word, times=1):
        until(lambda: self.text().count(word) >= times, self.text)

    def descendants(self):
        return psutil.Process(self.process.pid).children(recursive=True)


def until(true, explain=str):
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


def living(processes):
    alive = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


@pytest.fixture
def supervise(tmp_path):
    started = []

    def start(*programs, **options):
        started.append(Supervised(tmp_path / "output", *programs, **options))
        return started[-1]

    yield start
    for one in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in one.descendants():
                process.kill()
        one.process.kill()
        one.process.wait()


def test_lines_carry_the_name_of_their_program(supervise):
    run = supervise(("web", HOLDING))
    run.wait_for("web     | ready")


def test_a_killed_program_is_started_again_and_its_children_do_not_stay(supervise):
    run = supervise(("desk", HOLDING), ("web", HOLDING))
    run.wait_for("ready", 4)
    [desk] = [p for p in psutil.Process(run.process.pid).children() if p.children()][:1]
    orphans = desk.children()

    desk.kill()

    run.wait_for("ready", 6)
    assert living(orphans) == []
    assert "starting it again in 0.5 seconds" in run.text()
    assert len(run.descendants()) == 4


def test_a_program_that_keeps_dying_ends_everything_and_says_so(supervise):
    dying = "import sys; print('no such table'); sys.exit(3)"
    run = supervise(("web", HOLDING), ("desk", dying), first_pause=0.05)
    run.wait_for("ready")
    others = run.descendants()

    code = run.process.wait(40)

    assert code == 1
    assert "CRITICAL The desk ended more than 5 times within 60 seconds" in run.text()
    assert "last exit code 3" in run.text()
    assert run.text().count("no such table") == 6
    assert living(others) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_everything_in_order(supervise, number):
    run = supervise(("web", HOLDING), ("desk", HOLDING))
    run.wait_for("ready", 4)
    children = run.descendants()

    run.process.send_signal(number)

    assert run.process.wait(PATIENCE) == 0
    assert living(children) == []
    assert "did not end in time" not in run.text()


def test_a_signal_sent_twice_at_once_is_one_request(supervise):
    slow = "import signal, sys, time\n" + (
        "def end(*_): time.sleep(0.5); print('in order', flush=True); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(60)"
    )
    run = supervise(("web", slow))
    run.wait_for("ready")

    run.process.terminate()
    time.sleep(0.1)
    run.process.terminate()

    assert run.process.wait(PATIENCE) == 0
    assert "in order" in run.text()


def test_a_deaf_program_is_killed_with_its_children(supervise):
    run = supervise(("web", DEAF), stop_seconds=0.5)
    run.wait_for("ready", 2)
    children = run.descendants()

    run.process.terminate()

    assert run.process.wait(PATIENCE) == 0
    assert "The web did not end in time and was killed" in run.text()
    assert living(children) == []


@pytest.mark.parametrize("program", [HOLDING, DEAF])
def test_a_killed_supervisor_leaves_nothing_behind(supervise, program):
    run = supervise(("web", program), ("desk", HOLDING))
    run.wait_for("ready", 4)
    children = run.descendants()
    assert len(children) == 4

    run.process.kill()

    until(lambda: not living(children), lambda: str(living(children)))


def test_children_are_leaders_of_sessions_a_terminal_does_not_reach(supervise):
    run = supervise(("web", HOLDING))
    run.wait_for("ready", 2)
    [child] = psutil.Process(run.process.pid).children()

    assert os.getsid(child.pid) == child.pid != os.getsid(run.process.pid)


# Pauses.


def test_pauses_grow_and_five_crashes_a_minute_are_too_many():
    crashes = Crashes()

    pauses = [crashes.add(at) for at in (0, 1, 2, 3, 4, 5)]

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, None]


def test_crashes_of_more_than_a_minute_ago_are_forgotten():
    crashes = Crashes()

    pauses = [crashes.add(at) for at in range(0, 600, 20)]

    assert pauses[0] == 0.5
    assert set(pauses[2:]) == {2.0}
    assert max(pauses) < LONGEST_PAUSE_SECONDS


# The lock and the port.


def test_a_lock_is_refused_to_a_second_holder_and_names_the_first(tmp_path):
    held = lock.Lock(tmp_path / "demo/runpqap.lock", env="demo")
    held.note(url="http://127.0.0.1:8080/", config="configs/demo.yaml")

    with pytest.raises(lock.AlreadyRunning) as refused:
        lock.Lock(tmp_path / "demo/runpqap.lock", env="demo")
    held.release()

    assert str(refused.value) == (
        f"PQAP demo is already running at http://127.0.0.1:8080/ (process {os.getpid()}): use it, "
        f"or stop it first with `kill {os.getpid()}`."
    )
    lock.Lock(tmp_path / "demo/runpqap.lock", env="demo").release()


def test_a_glance_of_another_command_does_not_refuse_the_start(tmp_path):
    path = tmp_path / "runpqap.lock"
    glance = path.open("w")
    fcntl.flock(glance, fcntl.LOCK_SH)
    threading.Timer(0.2, glance.close).start()

    lock.Lock(path, env="demo").release()


def test_a_taken_port_is_named_with_what_to_do(free_port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        with pytest.raises(port.Unavailable) as refused:
            port.check("127.0.0.1", free_port)

    assert str(refused.value) == (
        f"Port {free_port} on 127.0.0.1 is taken by another program: stop that, or choose another "
        f"port, such as --port {free_port + 1}."
    )
    port.check("127.0.0.1", free_port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(port.Unavailable, match=r"check api\.bind and api\.port"):
        port.check("192.0.2.1", 8080)


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
