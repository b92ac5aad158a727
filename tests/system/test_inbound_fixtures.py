# SPDX-License-Identifier: MIT
"""test_inbound_fixtures.py - real bodies of the three channels: each is answered 200, kept and relayed, once"""
import glob
import json
import os
import random
import re
import shutil
import threading
import time

import pytest
from rig import PATIENCE, SECRET, Gateway, Receiver, change, encode, envelope, hub, now, settled, text

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.environ.get("GODWIT_SHARED", os.path.join(HERE, "..", "..", "..", "shared")), "fixtures")
FILES = sorted(os.path.relpath(path, FOLDER) for path in glob.glob(os.path.join(FOLDER, "*", "*.json")))
needs_fixtures = pytest.mark.skipif(not FILES, reason="shared fixtures absent")


@pytest.fixture(scope="module")
def receiver():
    r = Receiver()
    yield r
    r.close()


def load(name):
    with open(os.path.join(FOLDER, name), "rb") as f:
        return f.read()


def items(body):
    """What the body holds, counted from Meta's document alone: one for each message, status or change."""
    count = 0
    for entry in body.get("entry", []):
        direct = [item for name in ("messaging", "standby") for item in entry.get(name, [])]
        count += sum(len(item["delivery"].get("mids") or [0]) if "delivery" in item else 1 for item in direct)
        for one in entry.get("changes", []):
            value = one.get("value")
            names = ["messages", "statuses", "message_echoes", "calls"] + ["errors"] * (one.get("field") == "messages")
            lists = [value[name] for name in names if isinstance(value, dict) and isinstance(value.get(name), list)]
            count += sum(len(rows) for rows in lists) if any(lists) else 1
    return count


def composed(events):
    """Events that no item stands for: a customer's word to stop is a message and a decision."""
    return [e for e in events if e.get("consent", {}).get("source") == "word"]


@needs_fixtures
@pytest.mark.parametrize("name", FILES or ["none"])
def test_each_is_answered_stored_and_relayed(receiver, name):
    body, gateway = load(name), Gateway()
    path = "/each/" + name
    try:
        gateway.add_destination(receiver.url(path))
        gateway.take(body)
        events = gateway.events()
        assert len(events) - len(composed(events)) == items(json.loads(body))
        got = receiver.wait(len(events), path)
        assert sorted(r.json()["id"] for r in got) == sorted(e["id"] for e in events)
        whole = next(e for e in events if e not in composed(events))
        assert gateway.event(whole["id"], "body")["body"].encode() == body
        gateway.check_store()
    finally:
        gateway.kill()  # to drain 155 of them would show nothing more
        shutil.rmtree(gateway.folder)


# ---- the second pass: filled in, unique, of this hour

class Filler:
    """Gives placeholders a value that fits their name, and every id and time one of their own."""

    def __init__(self, number):
        self.number, self.count = number, 0

    def fresh(self):
        self.count += 1
        return "%d%06d" % (self.number, self.count)

    def placeholder(self, name):
        if "TIMESTAMP" in name or name == "SENT_AT":
            return str(now() - self.number)
        if any(word in name for word in ("PHONE", "NUMBER", "WHATSAPP_USER_ID", "PSID", "PAGE_ID", "GROUP_ID")):
            return "1555%03d%04d" % (self.number, abs(hash(name)) % 10000)
        return "%s-%d" % (name.strip("<>").lower(), self.number)

    def fill(self, value, key=None):
        if isinstance(value, dict):
            return {k: self.fill(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v, key) for v in value]
        if key == "timestamp" and isinstance(value, (int, str)):
            fresh = now() - self.number
            if isinstance(value, int):
                return fresh * 1000 if value > 10 ** 11 else fresh
            return str(fresh)
        if key == "id" and isinstance(value, str) and re.match(r"wamid\.|wacid\.|mid\.|<.*(MESSAGE|CALL)_ID>", value):
            return "%s%s" % (value.split(".")[0].strip("<>").lower() + ".", self.fresh())
        if key in ("mid", "message_id") and isinstance(value, str):
            return "mid.%s" % self.fresh()
        if isinstance(value, str):
            return re.sub(r"<[A-Za-z_ ]+>", lambda m: self.placeholder(m.group(0)), value)
        return value


def filled():
    bodies = []
    for number, name in enumerate(FILES):
        body = Filler(number).fill(json.loads(load(name)))
        for entry in body.get("entry", []):
            entry["id"] = "%s%03d" % (entry.get("id", "0"), number)  # two files with one content are two bodies
        bodies.append(body)
    return bodies


def seqs(requests):
    """{conversation: seqs in the order of arrival}"""
    rows = {}
    for event in (r.json() for r in requests):
        if event["conversation"] and "seq" in event["conversation"]:
            rows.setdefault(event["conversation"]["id"], []).append(event["conversation"]["seq"])
    return rows


@needs_fixtures
def test_filled_in_each_item_is_one_event_and_never_another(receiver):
    bodies, gateway, path = filled(), Gateway(), "/filled"
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed %d" % seed)
    try:
        gateway.add_destination(receiver.url(path))
        gateway.take(*bodies)
        # three in one conversation that arrive at once, and more of it later
        burst = [text(body=str(n)) for n in range(3)]
        gateway.take(envelope(change(burst)), envelope(change([text(body="later")])))
        events = gateway.events()
        want = sum(items(body) for body in bodies) + 4 + len(composed(events))
        assert len(events) == want and len(composed(events)) <= 1
        got = receiver.wait(want, path)
        assert len({r.json()["id"] for r in got}) == want
        order = seqs(got)
        assert order and all(row == list(range(1, len(row) + 1)) for row in order.values()), order
        assert max(len(row) for row in order.values()) >= 4

        again = [encode(body) for body in bodies]
        random.Random(seed).shuffle(again)
        gateway.take(*again)
        settled(gateway)
        assert [e["id"] for e in gateway.events()] == [e["id"] for e in events], "seed %d" % seed
        assert len(receiver.at(path)) == want
        assert gateway.metric("godwit_events_total", fate="duplicate") == want - 4
    finally:
        gateway.close()


def big_body(size):
    rows = [text(who="55719%08d" % (n % 250), body="update %d " % n) for n in range(1000)]
    room = (size - len(encode(envelope(change(rows))))) // 1000
    for row in rows:
        row["text"]["body"] += "x" * room
    return encode(envelope(change(rows)))


def test_a_thousand_updates_in_three_megabytes(receiver):
    """One body, one commit: all of it or nothing, and in a moment."""
    body, gateway, path, counted = big_body(3_000_000), Gateway(), "/big", threading.Event()
    receiver.answer = lambda request: counted.wait(PATIENCE) and 200  # what is delivered is committed, too
    assert 2_900_000 < len(body) <= 3_000_000
    try:
        gateway.add_destination(receiver.url(path))
        before = gateway.metric("godwit_store_commits_total")
        began = time.monotonic()
        gateway.take(body)
        took = time.monotonic() - began
        assert took < 4, "%.1f s; Meta gives up on slower ones" % took  # sanitizers and two busy cores included
        assert gateway.metric("godwit_store_commits_total") == before + 1
        counted.set()
        got = receiver.wait(1000, path)
        order = seqs(got)
        assert len(order) == 250 and all(row == [1, 2, 3, 4] for row in order.values())
        gateway.take(body)
        settled(gateway)
        assert gateway.query("SELECT count(*) FROM event") == [(1000,)] and len(receiver.at(path)) == 1000
    finally:
        counted.set()
        receiver.answer = lambda request: 200
        gateway.close()


def test_a_killed_process_left_all_of_a_body_or_nothing():
    """The connection ends with the process; what the store has then is whole."""
    body, gateway = big_body(1_000_000), Gateway()
    try:
        client = gateway.meta
        client.connect()
        client.connection.putrequest("POST", "/webhook")
        client.connection.putheader("Content-Length", str(len(body)))
        client.connection.putheader("X-Hub-Signature-256", hub(body, SECRET))
        client.connection.endheaders()
        client.connection.send(body)
        gateway.kill()
        assert gateway.query("SELECT count(*) FROM event")[0][0] in (0, 1000)
        gateway.start()
        gateway.take(body)
        assert len(gateway.events()) == 1000
    finally:
        gateway.close()
