# SPDX-License-Identifier: MIT
"""test_kit.py - the fixtures notice what they are there to notice"""
import sqlite3

import pytest

import kit


@pytest.mark.parametrize("sql, finding", [
    ("UPDATE event SET seq=7 WHERE seq=2", "seq is not dense"),
    ("DELETE FROM body", "no body for event"),
    ("DELETE FROM dedupe", "no dedupe key for event"),
    ("UPDATE message SET state='expired'", "state and trail disagree"),
    ("UPDATE delivery SET state='pending', row=(row>>16<<16)|99, destination=99", "no destination for open delivery"),
])
def test_a_store_that_is_broken_is_refused(gateway, sandbox, receiver, closing, sql, finding):
    gateway.add_destination(receiver.url)
    sandbox.say("one")
    sandbox.say("two")
    receiver.wait(2)
    gateway.wait_message(gateway.send_text(), state="accepted")
    assert gateway.term() == 0
    gateway.check_store()
    db = sqlite3.connect(gateway.data + "/godwit.db")
    assert db.execute(sql).rowcount > 0
    db.commit()
    db.close()
    with pytest.raises(AssertionError, match=finding):
        gateway.check_store()
    closing.remove(gateway)


def test_a_complaint_in_the_log_is_refused(folder):
    process = kit.Process(folder, "p")
    with open(process.log_path, "w", encoding="utf-8") as f:
        f.write("panic: src/base/str.c:7: assertion failed: x\n")
    with pytest.raises(AssertionError, match="assertion failed: x"):
        process.check_log()


def test_a_gateway_that_cannot_start_shows_its_log(make_gateway, closing):
    with pytest.raises(AssertionError, match="unknown.policy"):
        make_gateway(conf={"unknown.policy": "nonsense"})
    closing.clear()
