# SPDX-License-Identifier: MIT
"""test_room.py - 64 accounts and 1,024 numbers, counted with what the store has before anything of it is stored"""
import json
import os
import signal
import sqlite3

import pytest

from kit import NUMBER, wait_until

ACCOUNTS, NUMBERS = 64, 1024
USAGE, CONFIG = 2, 78


def fill(gateway, accounts=0, numbers=0, first=100000):
    """Rows that earlier configurations left: of `accounts` and `numbers` in all."""
    with sqlite3.connect(os.path.join(gateway.data, "godwit.db")) as db:
        there, = db.execute("SELECT count(*) FROM account").fetchone()
        db.executemany("INSERT INTO account(name, app_id, base_url, version) VALUES(?, '', 'http://127.0.0.1:1', '')",
                       [("old%d" % n,) for n in range(there, accounts)])
        there, = db.execute("SELECT count(*) FROM number").fetchone()
        db.executemany("INSERT INTO number(account, number_id, business_id, address, limit_mps) "
                       "VALUES(1, ?, '', '', 80)", [(str(first + n),) for n in range(there, numbers)])
    db.close()


def stored(gateway):
    db = gateway.database()
    rows = [[tuple(row) for row in db.execute("SELECT * FROM %s ORDER BY row" % table)]
            for table in ("account", "number")]
    db.close()
    return rows


@pytest.fixture
def gateway(make_gateway):
    """It has run with one account of one number, and has ended."""
    gateway = make_gateway()
    assert gateway.term() == 0
    return gateway


def add(gateway, name=None, number=None):
    if name:
        gateway.accounts[name] = {**gateway.accounts["test"], "numbers": ""}
    if number:
        gateway.accounts["test"]["numbers"] += " " + number
    gateway.write_conf()


WAYS = [({"name": "newcomer"}, ("newcomer", "65 accounts", "at most 64")),
        ({"number": "777000777"}, ("777000777", "1025 numbers", "at most 1024"))]


@pytest.mark.parametrize("more,words", WAYS)
def test_a_reload_stores_nothing_of_it(gateway, more, words):
    fill(gateway, ACCOUNTS, NUMBERS)
    gateway.start()
    before, log = stored(gateway), len(gateway.log())
    add(gateway, **more)
    answer = gateway.local("POST", "/api/v1/config/reload", b"")
    error = answer.json["error"]
    assert (answer.status, error["class"], error["code"]) == (400, "usage", "config")
    problem, = error["problems"]
    assert problem.startswith(gateway.conf_path + ":")
    for word in (*words, "name fewer", "godwit.db"):
        assert word in problem, problem
    gateway.signal(signal.SIGHUP)
    wait_until("what the signal did", lambda: gateway.log()[log:].count("nothing was changed") == 2)
    assert stored(gateway) == before
    done = gateway.cli("config", "reload")
    assert done.returncode == USAGE and words[0] in done.stderr
    assert gateway.local("GET", "/readyz").status == 200


@pytest.mark.parametrize("more,words", WAYS)
def test_check_and_serve_say_the_same(gateway, more, words):
    fill(gateway, ACCOUNTS, NUMBERS)
    before = stored(gateway)
    add(gateway, **more)
    done = gateway.cli("config", "check", "-c", gateway.conf_path)
    assert (done.returncode, done.stdout) == (USAGE, "")
    said, = done.stderr.splitlines()
    for word in (*words, "name fewer", "godwit.db"):
        assert word in said, said
    told = json.loads(gateway.cli("config", "check", "-c", gateway.conf_path, "--json").stderr)
    assert told["error"]["problems"] == [said]
    log = len(gateway.log())
    assert gateway.spawn(["serve", "-c", gateway.conf_path]) is None
    assert gateway.wait() == USAGE
    assert gateway.log()[log:].splitlines()[-1] == said
    assert stored(gateway) == before
    gateway.accounts = {"test": {**gateway.accounts["test"], "numbers": NUMBER}}
    gateway.start()  # the configuration that fits starts
    assert len(gateway.local("GET", "/api/v1/numbers").json["data"]) == NUMBERS


def test_the_last_place_can_be_taken(gateway):
    fill(gateway, ACCOUNTS - 1, NUMBERS - 1)
    add(gateway, "newcomer", "777000777")
    done = gateway.cli("config", "check", "-c", gateway.conf_path)
    assert (done.returncode, done.stderr) == (0, "")
    gateway.start()
    done = gateway.cli("config", "check", "-c", gateway.conf_path)  # beside one that runs
    assert (done.returncode, done.stderr) == (0, "")
    assert gateway.cli("config", "reload").returncode == 0
    assert [len(rows) for rows in stored(gateway)] == [ACCOUNTS, NUMBERS]
    assert len(gateway.local("GET", "/api/v1/numbers").json["data"]) == NUMBERS


@pytest.mark.parametrize("accounts,numbers,words", [
    (ACCOUNTS + 2, 0, ("66 accounts", "at most 64", "old64, old65")),
    (0, NUMBERS + 1, ("1025 numbers", "at most 1024", "101024"))])
def test_a_store_that_has_too_many(gateway, accounts, numbers, words):
    """It was filled by a version that did not count: one sentence, and no row is touched."""
    fill(gateway, accounts, numbers)
    before, log = stored(gateway), len(gateway.log())
    for _ in range(2):
        assert gateway.spawn(["serve", "-c", gateway.conf_path]) is None
        assert gateway.wait() == CONFIG
    said = gateway.log()[log:]
    for word in (*words, "remove what is not used", "godwit.db"):
        assert said.count(word) >= 2, said
    assert "panic" not in said
    assert stored(gateway) == before
    done = gateway.cli("config", "check", "-c", gateway.conf_path)
    assert done.returncode == USAGE and words[0] in done.stderr
    with sqlite3.connect(os.path.join(gateway.data, "godwit.db")) as db:  # the way out that it names
        db.execute("DELETE FROM account WHERE name IN ('old64', 'old65')")
        db.execute("DELETE FROM number WHERE number_id = '101024'")
    db.close()
    gateway.start()
    assert gateway.local("GET", "/readyz").status == 200


def test_a_store_that_cannot_be_read_is_said(gateway):
    path = os.path.join(gateway.data, "godwit.db")
    os.rename(path, path + ".kept")
    with open(path, "w", encoding="utf-8") as f:
        f.write("no database, but as long as the header of one would have to be" * 4)
    done = gateway.cli("config", "check", "-c", gateway.conf_path)
    assert done.returncode == 0 and "were not counted" in done.stderr
    os.replace(path + ".kept", path)
