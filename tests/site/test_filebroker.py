"""Bells through files: whole or not there, whoever looks when."""

import subprocess
import sys
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from pqap_site import celery, filebroker

MESSAGES = 1500
WRITE = """
import sys
from kombu import Connection
folder = sys.argv[1]
options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
with Connection("filesystem://", transport=sys.argv[2], transport_options=options) as broker:
    channel = broker.default_channel
    for number in range(int(sys.argv[3])):
        channel._put("bells", {"number": number, "text": "x" * 2000})
"""


def ring_and_listen(folder: Path, transport: str) -> list[int]:
    """What a reader hears while another process rings as fast as it can."""
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
    options = {name: str(value) for name, value in options.items()}
    command = [sys.executable, "-c", WRITE, str(folder), transport, str(MESSAGES)]
    heard = []
    writer = subprocess.Popen(command)
    with Connection("filesystem://", transport=transport, transport_options=options) as broker:
        while True:
            done = writer.poll() is not None
            try:
                heard.append(broker.default_channel._get("bells")["number"])
            except Empty:
                if done:
                    return heard


def test_every_message_is_read_whole_and_once(tmp_path):
    heard = ring_and_listen(tmp_path, "pqap_site.filebroker:Transport")

    assert sorted(heard) == list(range(MESSAGES))


def test_a_message_has_its_name_only_once_it_is_written(tmp_path, monkeypatch):
    seen = []

    def rename(aside, name):
        seen.append((sorted(f.suffix for f in tmp_path.iterdir()), Path(aside).stat().st_size > 0))
        os_replace(aside, name)

    os_replace = filebroker.os.replace
    monkeypatch.setattr(filebroker.os, "replace", rename)
    options = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path)}
    options["control_folder"] = str(tmp_path)
    with Connection(
        "filesystem://", transport="pqap_site.filebroker:Transport", transport_options=options
    ) as broker:
        broker.default_channel._put("bells", {"number": 1})

    assert seen == [([".part"], True)]
    assert [f.suffix for f in tmp_path.iterdir()] == [".msg"]


def test_a_half_written_message_is_nobodys(tmp_path):
    (tmp_path / "1_a.bells.msg.part").write_text("")
    options = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path)}

    with (
        Connection(
            "filesystem://", transport="pqap_site.filebroker:Transport", transport_options=options
        ) as broker,
        pytest.raises(Empty),
    ):
        broker.default_channel._get("bells")


def test_celery_uses_it_unless_a_server_is_named(tmp_path):
    files = celery.broker("", tmp_path)
    server = celery.broker("redis://localhost:6379/0", tmp_path)

    assert files["broker_transport"] == "pqap_site.filebroker:Transport"
    assert "broker_transport" not in server
