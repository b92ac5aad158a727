# SPDX-License-Identifier: MIT
"""test_kit.py - the fixtures notice what they are there to notice"""
import os
import signal
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


def test_a_log_that_somebody_removed_is_not_called_empty(folder):
    process = kit.Process(folder, "p")
    assert process.story() == "p: never started\n(its log is gone)"


@pytest.mark.parametrize("number, words", [(signal.SIGKILL, "killed by SIGKILL"),
                                           (signal.SIGSEGV, "(?s)exit code [1-9].*AddressSanitizer: SEGV")])
def test_an_end_that_nobody_asked_for_is_told(make_gateway, closing, number, words):
    gateway = make_gateway()
    os.kill(gateway.popen.pid, number)
    kit.wait_until("its end", gateway.ended_by_itself)
    with pytest.raises(AssertionError, match=words):
        gateway.close()
    closing.clear()


def test_an_end_without_a_word_is_told(folder, monkeypatch):
    program = os.path.join(folder, "mute")
    with open(program, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nkill -BUS $$\n")
    os.chmod(program, 0o700)
    monkeypatch.setattr(kit, "BIN", program)
    with pytest.raises(AssertionError, match=r"(?s)killed by SIGBUS.*\(its log is empty\)"):
        kit.Gateway(folder)


def test_the_values_of_a_metric_come_from_one_scrape(folder, monkeypatch):
    gateway, scrapes = kit.Gateway(folder, start=False), []

    def scrape(method, path):
        scrapes.append(path)
        return kit.Answer(200, {}, 'godwit_x{src="a"} %d\ngodwit_x{src="b"} 2\ngodwit_y 3\n' % len(scrapes), None)
    monkeypatch.setattr(gateway, "local", scrape)
    assert gateway.metric_by("x", "src") == {"a": 1, "b": 2}
    assert scrapes == ["/metrics"]
