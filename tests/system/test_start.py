# SPDX-License-Identifier: MIT
"""A start: ready soon, with what was there; or one sentence that says why not, and the right code."""
import os
import socket
import sqlite3
import time

import pytest

from sends import Front, someone, text

BUSY, DATA, CONFIG = 7, 74, 78


def refused(gateway, code, *words):
    """It does not start, and says why in one line."""
    before = len(gateway.log())
    gateway.write_conf()
    assert gateway.spawn(["serve", "-c", gateway.conf_path]) is None
    assert gateway.wait() == code, gateway.log()
    said = gateway.log()[before:]
    for word in words:
        assert word in said, said
    return said


def test_the_port_is_taken(make_gateway):
    gateway = make_gateway(start=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        gateway.conf["listen.public"] = gateway.conf["listen.api"] = "127.0.0.1:%d" % port
        refused(gateway, BUSY, str(port))
    gateway.start()  # and when the other has gone it starts, with the same folder
    assert gateway.api("GET", "version")["name"] == "godwit"


def test_the_data_folder_is_taken(make_gateway):
    first = make_gateway(name="first")
    second = make_gateway(name="second", start=False)
    second.conf["data"] = first.conf["data"]
    refused(second, BUSY, first.conf["data"])
    assert first.local("GET", "/readyz").status == 200, "the one that has it goes on"
    second.data = first.data
    first.kill()
    second.start()  # a lock does not outlive its process


def test_the_local_socket_of_one_that_was_killed(make_gateway):
    gateway = make_gateway()
    gateway.kill()
    assert os.path.exists(gateway.socket)
    gateway.start()
    assert gateway.local("GET", "/readyz").status == 200


def test_a_newer_schema_is_refused_and_left_alone(make_gateway):
    gateway = make_gateway()
    gateway.term()
    path = os.path.join(gateway.data, "godwit.db")
    db = sqlite3.connect(path)
    version, = db.execute("PRAGMA user_version").fetchone()
    db.execute("PRAGMA user_version = %d" % (version + 1))
    db.commit()
    db.close()
    with open(path, "rb") as f:
        before = f.read()
    refused(gateway, CONFIG, "newer", str(version + 1))
    with open(path, "rb") as f:
        assert f.read() == before
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = %d" % version)
    db.commit()
    db.close()
    gateway.start()


def test_a_folder_that_cannot_be_written(make_gateway, folder):
    gateway = make_gateway(start=False)
    gateway.conf["data"] = os.path.join(folder, "file", "data")
    with open(os.path.join(folder, "file"), "w") as f:
        f.write("not a folder")
    begin = len(gateway.log())
    gateway.write_conf()
    assert gateway.spawn(["serve", "-c", gateway.conf_path]) is None
    assert gateway.wait() in (DATA, CONFIG)
    assert os.path.join(folder, "file") in gateway.log()[begin:]


def fill(gateway, count):
    """Queue messages by copying one row of the store: what a bad day leaves behind."""
    db = sqlite3.connect(os.path.join(gateway.data, "godwit.db"))
    columns = [row[1] for row in db.execute("PRAGMA table_info(message)") if row[1] not in ("row", "id", "lane",
                                                                                            "recipient")]
    base, row = db.execute("SELECT max(row), row FROM message").fetchone()
    with db:
        db.executemany(
            "INSERT INTO message (row, id, lane, recipient, %s) SELECT ?, ?, ?, ?, %s FROM message WHERE row = ?"
            % (", ".join(columns), ", ".join(columns)),
            ((base + i, i.to_bytes(16, "big"), "1556%07d" % (i // 2), "1556%07d" % (i // 2), row)
             for i in range(1, count)))
    db.close()


def test_a_start_with_100_000_messages(folder, closing):
    """All are there and counted when it says ready; how long it takes is bench's start_100k_ready."""
    gateway = Front(folder, meta="http://127.0.0.1:1")  # nobody listens: they stay
    closing.append(gateway)
    gateway.start()
    gateway.wait_state(gateway.send_async(text(someone())), "waiting")
    gateway.kill()
    fill(gateway, 100000)
    begin = time.monotonic()
    gateway.start()
    print("ready after %.3f s" % (time.monotonic() - begin))
    assert gateway.local("GET", "/readyz").status == 200
    states = gateway.metric_by("outbox_messages", "src")
    assert sum(states.values()) == 100000, states
    gateway.kill()


@pytest.mark.parametrize("ms", [0, 2, 5, 10, 20, 35, 50, 80])
def test_killed_while_it_starts(folder, closing, ms):
    """At any moment of a first start, and of one that has work to load, a kill leaves what a start can read."""
    gateway = Front(folder, meta="http://127.0.0.1:1")
    closing.append(gateway)
    gateway.start(wait=False)
    time.sleep(ms / 1000)
    gateway.kill()
    gateway.start()
    kept = [gateway.send_async(text(someone())) for _ in range(3)]
    gateway.kill()
    gateway.start(wait=False)
    time.sleep(ms / 1000)
    gateway.kill()
    gateway.start()
    for msg in kept:  # a message that was claimed may have been sent, for all that is known
        assert gateway.state(msg) in ("queued", "sending", "waiting", "unknown")
