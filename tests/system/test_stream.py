# SPDX-License-Identifier: MIT
"""test_stream.py - the live event stream: taps that never hold anything up, and come back where they were"""
import json
import socket
import time

import pytest
from kit import Stream
from rig import (ANA, NUMBER, OTHER_NUMBER, SECRET, Gateway, change, encode, envelope, hub, one, status, text, until,
                 wamid)


@pytest.fixture(scope="module")
def gateway():
    g = Gateway()
    yield g
    g.close()


@pytest.fixture
def tap(gateway):
    taps = []

    def make(**query):
        taps.append(Stream(gateway, **query))
        return taps[-1]
    yield make
    for t in taps:
        t.close()


def test_every_event_as_it_is_delivered(gateway, tap):
    taps = [tap(), tap()]
    gateway.take(one(text(body="é 👋\n\nid: x"), text()), envelope(change(statuses=[status(wamid(), "read")])),
                 one(text(body="é 👋")))
    for t in taps:
        got = t.wait(4)
        assert [e["id"] for e in got] == [e["id"] for e in gateway.events()[-4:]]
        assert [id for id, _, _ in t.events] == [e["id"] for e in got]
        assert [type for _, type, _ in t.events] == [e["type"] for e in got]
        assert got[0]["message"]["text"] == "é 👋\n\nid: x"
        # the event is the one that the list has; who it is about may be known better by then
        want = gateway.events()[-4:]
        assert [{k: v for k, v in e.items() if k != "contact"} for e in got] == [
            {k: v for k, v in e.items() if k != "contact"} for e in want]


def test_repetitions_are_no_events(gateway, tap):
    t, body = tap(), one(text())
    gateway.take(body, body, body, one(text(body="last")))
    assert [e["message"]["text"] for e in t.wait(2)] == ["hello", "last"]
    assert len(t.events) == 2


def test_filters(gateway, tap):
    taps = {"types": tap(types="message.status"), "kinds": tap(kinds="text,read"), "numbers": tap(numbers=OTHER_NUMBER),
            "all": tap(types="message.*", kinds="text", numbers="%s,1" % NUMBER), "rest": tap()}
    picture = {**text(), "type": "image", "image": {"id": "1"}}
    gateway.take(one(text(body="here"), picture), one(text(body="there"), number=OTHER_NUMBER),
                 envelope(change(statuses=[status(wamid(), "read")])), one(text(body="end")))
    taps["rest"].wait(5)

    def seen(name):
        return [e["status"]["state"] if "status" in e else e["message"]["text"] for e in taps[name].wait(
            {"types": 1, "kinds": 4, "numbers": 1, "all": 2}[name])]
    assert seen("types") == ["read"]
    assert seen("kinds") == ["here", "there", "read", "end"]
    assert seen("numbers") == ["there"]
    assert seen("all") == ["here", "end"]


@pytest.mark.parametrize("query", ["format=xml", "types=", "kinds=" + "x" * 9000])
def test_queries_that_are_odd(gateway, query):
    client = gateway.client(path=gateway.socket)
    client.connect()
    client.connection.request("GET", "/api/v1/stream?" + query)
    assert client.connection.getresponse().status == (200 if query == "types=" else 400)


def test_metas_bytes_and_a_signature_that_fits(gateway, tap):
    """`listen --forward-to` posts these: the endpoint checks them like Meta's."""
    t = tap(format="meta")
    single = encode(one(text(body="a/b é")))
    gateway.take(single, one(text(body="first"), text(ANA, body="second")))
    got = t.wait(3)
    assert got[0] == {"body": single.decode(), "signature": hub(single)}
    for each, words in zip(got[1:], ("first", "second")):
        [item] = json.loads(each["body"])["entry"][0]["changes"][0]["value"]["messages"]
        assert item["text"]["body"] == words
        assert each["signature"] == hub(each["body"].encode(), SECRET)


@pytest.mark.parametrize("form", ["godwit", "meta"])
def test_it_comes_back_where_it_was(gateway, tap, form):
    t = tap(format=form)
    gateway.take(*(one(text(body="seen %d" % n)) for n in range(3)))
    t.wait(3)
    last = t.events[-1][0]
    t.close()
    gateway.take(*(one(text(body="missed %d" % n), text()) for n in range(20)))
    again = tap(last_event_id=last, format=form)
    gateway.take(one(text(body="live")))
    again.wait(41)
    ids = [id for id, _, _ in again.events]
    want = [e["id"] for e in gateway.events()[-41:]]
    assert list(dict.fromkeys(ids)) == want  # one between the two may be told twice
    if form == "meta":
        assert all(d["signature"] == hub(d["body"].encode()) for _, _, d in again.events)


def test_over_a_restart(gateway, tap):
    t = tap()
    gateway.take(one(text(body="before")))
    t.wait(1)
    last = t.events[-1][0]
    gateway.restart()
    gateway.take(one(text(body="after")))
    assert [e["message"]["text"] for e in tap(last_event_id=last).wait(1)] == ["after"]


@pytest.mark.parametrize("last", ["evt_00000000000000000000000000", "nonsense", "", "msg_00000000000000000000000000"])
def test_an_id_of_nowhere(gateway, tap, last):
    """Older than all that is kept, or no id at all: what comes from now on comes."""
    t = tap(last_event_id=last)
    gateway.take(one(text(body="now")))
    until(lambda: any(d.get("message", {}).get("text") == "now" for _, _, d in t.events), "the live one")


def after(id):
    """The id that would come next: none that is stored."""
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = 1
    for at, digit in enumerate(reversed(id[4:])):
        number += digits.index(digit) << 5 * at
    return id[:4] + "".join(digits[number >> 5 * at & 31] for at in reversed(range(26)))


@pytest.mark.parametrize("form", ["godwit", "meta"])
def test_an_id_that_is_not_stored_keeps_its_place(gateway, tap, form):
    """Retention took it: what came after it comes, and nothing that came before."""
    gateway.take(one(text(body="long ago")))
    gateway.take(one(text(body="gone")))
    gone = after(gateway.events()[-1]["id"])
    for n in range(3):
        gateway.take(one(text(body="missed %d" % n)))
    assert gone not in [e["id"] for e in gateway.events()]
    t = tap(last_event_id=gone, format=form)
    gateway.take(one(text(body="live")))
    until(lambda: t.events and t.events[-1][0] == gateway.events()[-1]["id"], "the live one")
    ids = [id for id, _, _ in t.events]
    assert list(dict.fromkeys(ids)) == [e["id"] for e in gateway.events()[-4:]]


def test_an_id_after_all_that_is_stored(gateway, tap):
    gateway.take(one(text(body="seen")))
    t = tap(last_event_id=after(gateway.events()[-1]["id"]))
    gateway.take(one(text(body="live")))
    assert [e["message"]["text"] for e in t.wait(1)] == ["live"]


def test_a_slow_reader_is_cut_and_holds_up_nobody(gateway, tap):
    slow = socket.socket(socket.AF_UNIX)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(gateway.socket)
    slow.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    assert slow.recv(100).startswith(b"HTTP/1.1 200")
    quick = tap()
    count, began = 60, time.monotonic()
    for _ in range(count):
        gateway.take(one(text(body="x" * 200000)))
    assert len(quick.wait(count)) == count
    assert time.monotonic() - began < 20
    slow.settimeout(20)
    got, part = 0, b"x"
    while part:
        part = slow.recv(1 << 20)
        got += len(part)
    assert got < count * 200000  # it ended before all of it came
    slow.close()


def test_over_tcp_with_a_key(gateway):
    key = gateway.make_key("read")
    for query in ("?access_token=" + key, ""):
        client = gateway.client(gateway.api_port)
        client.connect()
        headers = {} if query else {"Authorization": "Bearer " + key}
        client.connection.request("GET", "/api/v1/stream" + query, headers=headers)
        answer = client.connection.getresponse()
        assert answer.status == 200 and answer.getheader("Content-Type") == "text/event-stream"
        assert answer.readline().startswith(b":")
        client.close()
    for scope, status_ in (("send", 403), ("manage", 403)):
        got = gateway.client(gateway.api_port).call("GET", "/api/v1/stream", None,
                                                   {"Authorization": "Bearer " + gateway.make_key(scope)})
        assert got.status == status_


def open_with(gateway, key, room=None):
    """A stream over TCP: its socket, behind the head and the first comment."""
    s = socket.socket()
    if room:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    s.connect(("127.0.0.1", gateway.api_port))
    s.settimeout(10)
    s.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n" % key.encode())
    got = b""
    while b": godwit events" not in got:
        got += s.recv(1000)
    return s


def read_to_end(s):
    """How many bytes came before it ended, which a comment every 15 s must not put off."""
    count, until_ = 0, time.monotonic() + 10
    try:
        while part := s.recv(1 << 20):
            count += len(part)
            assert time.monotonic() < until_, "it did not end"
    except ConnectionResetError:
        pass
    s.close()
    return count


def test_it_ends_with_its_key(gateway, tap):
    """Within a second, also for one that does not read; streams of others go on."""
    made = gateway.api("POST", "keys", {"scopes": ["read"]})
    idle, other, local = open_with(gateway, made["key"]), open_with(gateway, gateway.make_key("read")), tap()
    slow = open_with(gateway, made["key"], 4096)
    for _ in range(18):  # below what a reader may be behind, above what sockets hold
        gateway.take(one(text(body="x" * 200000)))
    local.wait(18)
    gateway.api("DELETE", "keys/" + made["id"])
    began = time.monotonic()
    assert read_to_end(slow) < 18 * 200000
    read_to_end(idle)
    assert time.monotonic() - began < 1
    gateway.take(one(text(body="after")))
    assert local.wait(19)[-1]["message"]["text"] == "after"
    got = b""
    while b'"after"' not in got[-2000:]:
        part = other.recv(1 << 20)
        assert part
        got += part
    other.close()
    answer = gateway.client(gateway.api_port).call("GET", "/api/v1/stream", None,
                                                  {"Authorization": "Bearer " + made["key"]})
    assert answer.status == 401


def test_the_page(gateway):
    """One plain page: no script from elsewhere, nothing that could leak its address."""
    got = gateway.client(gateway.api_port).call("GET", "/?access_token=" + gateway.make_key("read"))
    assert got.status == 200 and got.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = got.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert got.headers["Referrer-Policy"] == "no-referrer" and got.headers["Cache-Control"] == "no-store"
    page = got.body.decode()
    assert "/api/v1/stream" in page and "EventSource" in page
    assert "http://" not in page and "https://" not in page and "innerHTML" not in page
