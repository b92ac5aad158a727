# SPDX-License-Identifier: MIT
"""test_relay.py - events on their way to the user's endpoints: signed, in order, tried again, parked, given up"""
import base64
import hashlib
import hmac
import threading
import time

import pytest
from rig import (ANA, PATIENCE, Gateway, Receiver, Sandbox, change, envelope, one, settled, status, text, until, wamid)

# reliability.md 3.5: what passes before each attempt
SCHEDULE = [0, 1, 5, 30, 120, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 43200, 43200, 72000]


@pytest.fixture
def sandbox(tmp_path):
    s = Sandbox(str(tmp_path))
    yield s
    s.close()


@pytest.fixture
def gateway(sandbox):
    g = Gateway(sandbox)
    yield g
    g.close()


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


def person(n):
    return "49151001%05d" % n


def delivery(gateway, event):
    [row] = gateway.event(event)["deliveries"]
    return row


def moved(gateway, event, state, attempts=None):
    """The delivery, when it is in that state after so many attempts."""
    def look():
        row = delivery(gateway, event)
        return row if row["state"] == state and attempts in (None, row["attempts"]) else None
    return until(look, "%s, %s attempts" % (state, attempts))


def seconds(row):
    """How long a waiting delivery waits, from the two stamps of its move."""
    stamps = [time.strptime(row[name][:19], "%Y-%m-%dT%H:%M:%S") for name in ("moved_at", "next_at")]
    part = [float("0" + row[name][19:-1]) for name in ("moved_at", "next_at")]
    return time.mktime(stamps[1]) - time.mktime(stamps[0]) + part[1] - part[0]


def texts(requests):
    return [r.json()["message"]["text"] for r in requests]


# ---- what a receiver sees

def verify(request, secret):
    """Standard Webhooks 1.0, from its specification."""
    key = base64.b64decode(secret[len("whsec_"):])
    assert secret.startswith("whsec_") and 24 <= len(key) <= 64
    id, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    mac = hmac.new(key, ("%s.%s." % (id, stamp)).encode() + request.body, hashlib.sha256).digest()
    assert "v1," + base64.b64encode(mac).decode() in request.headers["webhook-signature"].split(" ")
    return id


def test_standard_webhooks_headers(gateway, sandbox, receiver):
    made = {f: gateway.add_destination(receiver.url("/" + f), format=f) for f in ("godwit", "cloudevents", "meta")}
    sandbox.advance(days=30)  # the moved clock is not the receiver's
    gateway.take(one(text(body="é \\ \" / 👋", at=sandbox.now())))
    ids = set()
    for form, destination in made.items():
        request = receiver.wait(1, "/" + form)[0]
        ids.add(verify(request, destination["secret"]))
        assert request.headers["godwit-attempt"] == "1" and "webhook-replay" not in request.headers
        assert request.headers["content-type"] == (
            "application/cloudevents+json" if form == "cloudevents" else "application/json")
    event = receiver.at("/godwit")[0].json()
    assert ids == {event["id"]}
    cloud = receiver.at("/cloudevents")[0].json()
    assert (cloud["specversion"], cloud["id"], cloud["type"]) == ("1.0", event["id"], "org.godwit.message.received")
    assert cloud["data"] == event
    with pytest.raises(AssertionError):  # the check is one
        verify(receiver.at("/meta")[0], made["godwit"]["secret"])


def test_raw_when_asked_for_and_a_test_event(gateway, receiver):
    made = gateway.add_destination(receiver.url("/raw"), include_raw=True)
    item = text()
    gateway.take(one(item, text()))
    assert item["id"] in receiver.wait(2, "/raw")[0].json()["raw"]
    told = gateway.api("POST", "destinations/%s/test" % made["id"], {})
    assert (told["ok"], told["status"]) == (True, 200)
    verify(receiver.wait(3, "/raw")[2], made["secret"])
    receiver.answer = lambda request: 418
    told = gateway.api("POST", "destinations/%s/test" % made["id"], {})
    assert (told["ok"], told["status"]) == (False, 418)


# ---- once more

def test_the_schedule_to_its_end_and_a_replay(gateway, sandbox, receiver):
    made = gateway.add_destination(receiver.url("/down"))
    receiver.answer = lambda request: 500
    sandbox.control("POST", "clock", {"freeze": True})
    gateway.take(one(text()))
    [event] = gateway.events()
    for n in range(1, len(SCHEDULE)):
        row = moved(gateway, event["id"], "waiting", n)
        wait = seconds(row)
        assert 0.79 * SCHEDULE[n] <= wait <= 1.21 * SCHEDULE[n], (n, wait)
        assert row["http_status"] == 500 and len(receiver.at("/down")) == n
        sandbox.advance(ms=round(wait * 1000) - 2)
        assert len(receiver.at("/down")) == n
        sandbox.advance(ms=4)  # the stamps are in milliseconds
        receiver.wait(n + 1, "/down")
    row = moved(gateway, event["id"], "dead", len(SCHEDULE))
    assert gateway.metric("godwit_relay_dead_total") == 1
    assert [r.headers["godwit-attempt"] for r in receiver.at("/down")] == [str(n + 1) for n in range(len(SCHEDULE))]
    assert {verify(r, made["secret"]) for r in receiver.at("/down")} == {event["id"]}
    sandbox.advance(days=1)
    settled(gateway)
    assert len(receiver.at("/down")) == len(SCHEDULE)  # dead is dead

    receiver.answer = lambda request: 200
    assert gateway.api("POST", "events/%s/replay" % event["id"], {}) == {"replayed": 1}
    last = receiver.wait(len(SCHEDULE) + 1, "/down")[-1]
    assert (last.headers["webhook-replay"], verify(last, made["secret"])) == ("1", event["id"])
    assert moved(gateway, event["id"], "delivered")


def test_a_replay_of_what_was_delivered(gateway, receiver):
    both = [gateway.add_destination(receiver.url(path)) for path in ("/a", "/b")]
    gateway.take(one(text()))
    [event] = gateway.events()
    settled(gateway)
    assert gateway.api("POST", "events/%s/replay" % event["id"], {"destination": both[1]["id"]}) == {"replayed": 1}
    again = receiver.wait(2, "/b")[1]
    assert again.headers["webhook-replay"] == "1" and again.json() == receiver.at("/b")[0].json()
    settled(gateway)
    assert len(receiver.at("/a")) == 1
    gateway.api("POST", "events/evt_00000000000000000000000000/replay", {}, status=(404,))


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_kept_and_costs_no_attempt(gateway, sandbox, receiver, code):
    gateway.add_destination(receiver.url("/busy"))
    answers = [(code, {"Retry-After": "1000"})] * 3 + [200]
    receiver.answer = lambda request: answers[len(receiver.at("/busy")) - 1]
    sandbox.control("POST", "clock", {"freeze": True})
    gateway.take(one(text()))
    [event] = gateway.events()
    for n in range(3):
        row = until(lambda: [r for r in [delivery(gateway, event["id"])]
                             if r["state"] == "waiting" and len(receiver.at("/busy")) == n + 1], "patience")[0]
        assert row["attempts"] == 0 and 1000 <= seconds(row) <= 1300
        sandbox.advance(seconds=999)
        assert len(receiver.at("/busy")) == n + 1
        sandbox.advance(seconds=302)
        receiver.wait(n + 2, "/busy")
    assert moved(gateway, event["id"], "delivered")["attempts"] == 1


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 404, 500, 502])
def test_everything_else_is_a_failure(gateway, receiver, code):
    gateway.add_destination(receiver.url("/odd"))
    receiver.answer = lambda request: (code, {"Location": receiver.url("/elsewhere")})
    gateway.take(one(text()))
    [event] = gateway.events()
    assert moved(gateway, event["id"], "waiting", 1)["http_status"] == code
    assert receiver.at("/elsewhere") == []


def test_gone_disables(gateway, receiver):
    gateway.add_destination(receiver.url("/gone"))
    receiver.answer = lambda request: 410
    gateway.take(one(text()))
    until(lambda: gateway.api("GET", "destinations")["data"][0]["state"] == "disabled", "a disabled destination")
    gateway.take(one(text()), one(text(person(1))))
    gateway.restart()
    assert gateway.api("GET", "destinations")["data"][0]["state"] == "disabled"
    gateway.take(one(text()))
    assert len(receiver.at("/gone")) == 1


# ---- in order, and side by side

class Gate:
    """Holds requests until they are let through."""

    def __init__(self, receiver, path, status=200):
        self.open, self.now, self.most, self.status = threading.Event(), 0, 0, status
        self.receiver, self.path, self.lock = receiver, path, threading.Lock()
        receiver.answer = self.answer

    def answer(self, request):
        if request.path == self.path:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            self.open.wait(PATIENCE)
            with self.lock:
                self.now -= 1
        return self.status


def test_one_in_flight_in_a_lane_and_lanes_side_by_side(gateway, receiver):
    gateway.add_destination(receiver.url("/held"))
    gate = Gate(receiver, "/held")
    for n in range(4):
        gateway.take(one(*(text(person(p), body=str(n)) for p in range(5))))
    first = receiver.wait(5, "/held")
    assert texts(first) == ["0"] * 5  # one of each lane, and nothing behind it
    assert until(lambda: gate.now == 5, "all five at once")
    # a receipt has a lane of its own, and so does another destination
    gateway.take(envelope(change(statuses=[status(wamid(), "read", person(0))])))
    receiver.wait(6, "/held")
    gate.open.set()
    got = receiver.wait(21, "/held")
    for p in range(5):
        said = [r.json() for r in got if (r.json()["contact"] or {}).get("phone") == "+" + person(p)]
        assert [e["message"]["text"] for e in said if e["type"] == "message.received"] == ["0", "1", "2", "3"]
    assert gate.most == 6


def test_a_slow_destination_does_not_hold_up_another_nor_meta(gateway, receiver):
    gateway.add_destination(receiver.url("/held"))
    gateway.add_destination(receiver.url("/quick"))
    gate = Gate(receiver, "/held")
    for n in range(50):
        gateway.take(one(text(body=str(n))))
    assert texts(receiver.wait(50, "/quick")) == [str(n) for n in range(50)]
    assert len(receiver.at("/held")) == 1
    assert gateway.local("GET", "/readyz").status == 200
    gate.open.set()
    assert texts(receiver.wait(50, "/held")) == [str(n) for n in range(50)]


def test_a_failing_head_holds_its_conversation_for_ten_minutes(gateway, sandbox, receiver):
    gateway.add_destination(receiver.url("/poison"))
    receiver.answer = lambda request: 500 if b"poison" in request.body else 200
    sandbox.control("POST", "clock", {"freeze": True})
    gateway.take(one(text(body="poison")), one(text(body="behind it")), one(text(person(2), body="elsewhere")))
    event = gateway.events()[0]["id"]
    until(lambda: "elsewhere" in texts(receiver.at("/poison")), "another conversation")
    for n in range(1, 6):  # 1, 5, 30, 120 s: seven minutes
        moved(gateway, event, "waiting", n)
        assert "behind it" not in texts(receiver.at("/poison")), n
        if n < 5:
            sandbox.advance(seconds=SCHEDULE[n] * 1.25)
    sandbox.advance(minutes=10)
    until(lambda: "behind it" in texts(receiver.at("/poison")), "the lane to go on")
    receiver.answer = lambda request: 200
    sandbox.advance(hours=1)
    assert moved(gateway, event, "delivered")
    assert gateway.metric("godwit_relay_open_breakers") == 0


# ---- an endpoint that is down

def test_the_breaker_parks_and_probes(gateway, sandbox, receiver):
    gateway.add_destination(receiver.url("/down"))
    gate = Gate(receiver, "/down", 500)
    sandbox.control("POST", "clock", {"freeze": True})
    gateway.take(one(*(text(person(n), body=str(n)) for n in range(200))))
    receiver.wait(64, "/down")  # relay.concurrency
    events = [e["id"] for e in gateway.events()]
    tried = 64 + 9  # nine failures let nine more go; the tenth opened the breaker
    gate.open.set()

    def failed():
        return gateway.metric("godwit_relay_attempts_total", outcome="tempfail")
    until(lambda: gateway.metric("godwit_relay_open_breakers") == 1, "an open breaker")
    until(lambda: failed() == tried, "the end of what was in flight")
    gateway.take(one(text(body="one more")))
    for n in range(1, 4):
        sandbox.advance(seconds=34)
        until(lambda: failed() == tried + n, "a probe")
        assert len(receiver.at("/down")) == tried + n
    assert max(delivery(gateway, id)["attempts"] for id in events) <= 1  # parked: nothing is burned
    receiver.answer = lambda request: 200
    until(lambda: (sandbox.advance(seconds=34), gateway.metric("godwit_relay_pending"))[1] == 0, "all of them")
    assert gateway.metric("godwit_relay_dead_total") == gateway.metric("godwit_relay_open_breakers") == 0
    until(lambda: {delivery(gateway, id)["state"] for id in events} == {"delivered"}, "all of them on the disk")


def test_nobody_listens(gateway, sandbox, receiver):
    """Five connections in a row that do not come about open the breaker; what waited comes when somebody does."""
    receiver.server.shutdown()
    receiver.server.server_close()
    gateway.add_destination(receiver.url("/"))
    gateway.take(one(*(text(person(n)) for n in range(8))))
    until(lambda: gateway.metric("godwit_relay_open_breakers") == 1, "an open breaker")
    row = delivery(gateway, gateway.events()[0]["id"])
    assert row["http_status"] == 0


# ---- more than fits in memory

def test_a_lane_that_spilled_survives_a_restart_in_order(gateway, receiver):
    """4 MiB of a destination are kept in memory, the rest is in the store alone, and the order is the same."""
    gateway.add_destination(receiver.url("/held"))
    gate = Gate(receiver, "/held")
    count = 450
    for n in range(0, count, 15):
        gateway.take(one(*(text(body="%d %s" % (m, "x" * 20000)) for m in range(n, n + 15))))
    until(lambda: gateway.metric("godwit_relay_spilled_lanes") == 1, "a spilled lane")
    assert gateway.metric("godwit_relay_pending") < count
    gateway.crash()
    gate.open.set()
    gateway.take(one(text(body="after")))

    def seqs():
        rows = {}
        for r in receiver.at("/held"):
            rows.setdefault(r.json()["conversation"]["seq"], r.at)
        return rows if len(rows) == count + 1 else None
    rows = until(seqs, "all of them")
    in_order = sorted(rows, key=rows.get)
    assert in_order == list(range(1, count + 2))
    assert len(receiver.at("/held")) <= count + 2  # the one on the wire at the kill came twice
    until(lambda: gateway.metric("godwit_relay_spilled_lanes") == 0, "a lane that lives in memory again")


def test_a_large_replay_to_a_slow_destination_beside_new_events(gateway, receiver):
    """More than one read brings and more than fits in memory: all come again, and what is new keeps its order."""
    gateway.add_destination(receiver.url("/slow"))
    old = 2000
    for n in range(0, old, 20):
        gateway.take(one(*(text(body="%d %s" % (m, "x" * 3000)) for m in range(n, n + 20))))
    first = receiver.wait(old, "/slow")
    until(lambda: gateway.metric("godwit_relay_pending") == 0, "all delivered")
    gate = Gate(receiver, "/slow")
    gateway.take(one(text(body="%d held" % old)))
    receiver.wait(old + 1, "/slow")  # on the wire while the replays come
    for n, request in enumerate(first):
        assert gateway.api("POST", "events/%s/replay" % request.headers["webhook-id"], {}) == {"replayed": 1}
        if n % 40 == 0:
            gateway.take(one(text(body="%d new" % (old + 1 + n // 40))))
    gate.open.set()
    total = 2 * old + 1 + old // 40

    def firsts():  # what was held for longer than relay.timeout comes once more, as a second attempt
        return [r for r in receiver.at("/slow") if r.headers["godwit-attempt"] == "1"]
    until(lambda: len(firsts()) >= total, "all of them")
    until(lambda: gateway.metric("godwit_relay_pending") + gateway.metric("godwit_relay_spilled_lanes") == 0, "rest")
    replayed = [r.json()["conversation"]["seq"] for r in firsts() if "webhook-replay" in r.headers]
    live = [r.json()["conversation"]["seq"] for r in firsts() if "webhook-replay" not in r.headers]
    assert replayed == list(range(1, old + 1))
    assert live == list(range(1, old + 2 + old // 40))


# ---- where it may go

@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1",
                                  "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[fd00::1]"])
def test_the_egress_guard_refuses_what_is_not_public(receiver, host):
    gateway = Gateway(conf={"egress.allow": "", "relay.timeout": "2s"})
    try:
        url = "http://%s:%d/private" % (host, receiver.port)
        got = gateway.user.call("POST", "/api/v1/destinations", {"url": url})
        if got.status == 201:
            told = gateway.api("POST", "destinations/%s/test" % got.json()["id"], {})
            assert (told["ok"], told["status"]) == (False, 0)
            assert "egress" in told["error"] or "not allowed" in told["error"] or "refused" in told["error"], told
            gateway.take(one(text()))
            row = until(lambda: [r for r in [delivery(gateway, gateway.events()[0]["id"])] if r["attempts"] > 0],
                        "an attempt")[0]
            assert row["http_status"] == 0
        else:
            assert got.status == 400
        assert receiver.requests == []
    finally:
        gateway.close()


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "file:///etc/passwd", "http://", "http://a b/",
                                 "http://user:word@example.com/", "http://example.com/#part", "//example.com"])
def test_urls_that_are_none(gateway, url):
    gateway.api("POST", "destinations", {"url": url}, status=(400,))
    assert gateway.api("GET", "destinations")["data"] == []


def test_https_only():
    gateway = Gateway(conf={"relay.https_only": "yes"})
    try:
        gateway.api("POST", "destinations", {"url": "http://example.com/"}, status=(400,))
        gateway.add_destination("https://example.com/")
    finally:
        gateway.close()


@pytest.mark.parametrize("filter", [{"types": "message.received"}, {"types": [1]}, {"colours": ["red"]}, [], "x",
                                    {"kinds": [""]}])
def test_filters_that_are_none(gateway, filter):
    gateway.api("POST", "destinations", {"url": "https://example.com/", "filter": filter}, status=(400,))


def test_a_removed_destination_gets_nothing_more(gateway, receiver):
    made = gateway.add_destination(receiver.url("/held"))
    gate = Gate(receiver, "/held")
    gateway.take(one(text()), one(text()), one(text()))
    receiver.wait(1, "/held")
    gateway.api("DELETE", "destinations/" + made["id"])
    gate.open.set()
    gateway.take(one(text(ANA)))
    settled(gateway)
    gateway.restart()
    gateway.take(one(text(ANA)))
    settled(gateway)
    assert len(receiver.at("/held")) == 1
    assert gateway.api("GET", "destinations")["data"] == []
