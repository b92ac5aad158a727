# SPDX-License-Identifier: MIT
"""test_abuse.py - requests that no honest client sends, and the honest ones beside them

Deadlines are real here: a slow peer is watched until it is cut, with generous bounds. The slow ones of a file run at
the same time.
"""
import json
import resource
import select
import socket
import struct
import time

import pytest
from rig import SECRET, Client, Gateway, encode, hub, one, text

LIMIT = 4 * 1024 * 1024


@pytest.fixture(scope="module")
def gateway():
    g = Gateway()
    yield g
    g.close()


class Raw:
    """A connection that says exactly what it is told."""

    def __init__(self, gateway, data=b""):
        self.socket = socket.create_connection(("127.0.0.1", gateway.port), 30)
        self.began = time.monotonic()
        self.got = b""
        self.say(data)

    def say(self, data):
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def head(self):
        """The head of the answer, or what there was when the connection ended."""
        while b"\r\n\r\n" not in self.got and self.more():
            pass
        return self.got

    def more(self):
        try:
            part = self.socket.recv(65536)
        except ConnectionResetError:
            part = b""
        self.got += part
        return part != b""

    def status(self):
        words = self.head().split(None, 2)
        return int(words[1]) if len(words) > 1 else 0

    def ends(self):
        """Read to the end of the connection; seconds since it began."""
        while self.more():
            pass
        return time.monotonic() - self.began

    def close(self):
        self.socket.close()


def request(headers, body=b"", method=b"POST", path=b"/webhook", sign=None):
    lines = [b"%s %s HTTP/1.1" % (method, path), b"Host: 127.0.0.1"] + headers
    if sign is not None:
        lines.append(b"X-Hub-Signature-256: " + hub(sign, SECRET).encode())
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(body, size=65536):
    parts = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


def status_of(gateway, data):
    raw = Raw(gateway, data)
    try:
        return raw.status()
    finally:
        raw.close()


def still_serves(gateway):
    client = Client(gateway.port)
    began = time.monotonic()
    gateway.take(one(text()), client=client)
    client.close()
    return time.monotonic() - began


# ---- length

@pytest.mark.parametrize("length", [LIMIT + 1, 10 ** 9, 2 ** 63 - 1, 2 ** 64])
def test_too_long_by_its_length_is_refused_before_it_is_read(gateway, length):
    raw = Raw(gateway, request([b"Content-Length: %d" % length]))
    assert raw.status() in ((413,) if length < 2 ** 63 else (400, 413))
    assert raw.ends() < 10  # and nobody waits for the rest
    raw.close()


def test_the_limit_itself(gateway):
    body = b" " * LIMIT
    assert gateway.hook(body).status == 200
    assert gateway.hook(body + b" ").status == 413


def test_chunked_within_the_limit(gateway):
    body = encode(one(text(body="in chunks")))
    assert status_of(gateway, request([b"Transfer-Encoding: chunked"], chunked(body, 7), sign=body)) == 200
    assert gateway.events()[-1]["message"]["text"] == "in chunks"
    whole = b" " * LIMIT
    assert status_of(gateway, request([b"Transfer-Encoding: chunked"], chunked(whole), sign=whole)) == 200


def test_chunked_over_the_limit_is_cut(gateway):
    kept = gateway.query("SELECT count(*) FROM body")
    raw = Raw(gateway, request([b"Transfer-Encoding: chunked"]))
    part, said = b"10000\r\n" + b" " * 65536 + b"\r\n", 0
    while said < 8 * LIMIT and raw.say(part) and not select.select([raw.socket], [], [], 0)[0]:
        said += 65536
    assert said < 2 * LIMIT + (4 << 20), "it went on reading"  # what the kernel's buffers hold comes on top
    assert raw.ends() < 15
    assert raw.status() in (0, 413)
    raw.close()
    assert gateway.query("SELECT count(*) FROM body") == kept


@pytest.mark.parametrize("headers", [
    [b"Content-Length: 2", b"Transfer-Encoding: chunked"], [b"Transfer-Encoding: chunked", b"Content-Length: 2"],
    [b"Content-Length: 2", b"Content-Length: 2"], [b"Content-Length: 2", b"Content-Length: 3"],
    [b"Content-Length: 2, 2"], [b"Content-Length: -1"], [b"Content-Length: +2"], [b"Content-Length: 0x2"],
    [b"Content-Length: 2a"], [b"Content-Length: "], [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
    [b"Transfer-Encoding: gzip, chunked"], [b"Transfer-Encoding: identity"], [b"Transfer-Encoding: xchunked"],
    [b"Content-Length : 2"], [b"Content-Length: 2\r\n folded"], [b"Bad Name: x", b"Content-Length: 2"]],
    ids=lambda h: b" + ".join(h).decode())
def test_lengths_that_two_readers_read_differently(gateway, headers):
    """400, and the connection ends: what follows can be nobody's second request."""
    hidden = request([b"Content-Length: 0"], method=b"GET", path=b"/livez")
    raw = Raw(gateway, request(headers, b"{}" + hidden))
    assert raw.status() in (400, 411, 501)
    assert raw.ends() < 15
    assert b" 200 " not in raw.got  # libmicrohttpd 0.9.75 says its own 400 twice, and ends
    raw.close()


HEADS = [
    b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 100 + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /livez\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n"]


def test_heads_that_are_none(gateway):
    raws = [Raw(gateway, head) for head in HEADS]
    for raw in raws:
        raw.socket.shutdown(socket.SHUT_WR)
    for head, raw in zip(HEADS, raws):
        assert raw.status() not in (200, 500), head  # an answer, or the end after ten seconds
        raw.close()


def test_a_head_without_measure(gateway):
    assert status_of(gateway, request([b"X: " + b"x" * 17000])) == 431
    assert status_of(gateway, request([b"X-%d: x" % n for n in range(150)])) == 431
    assert status_of(gateway, request([], path=b"/" + b"x" * 20000)) in (400, 414, 431)


# ---- time

def trickle(raws, seconds):
    """A byte each, every quarter of a second, until they are cut; {name: seconds until then}."""
    ended, end = {}, time.monotonic() + seconds
    while len(ended) < len(raws) and time.monotonic() < end:
        waiting = {name: raw for name, raw in raws.items() if name not in ended}
        readable = select.select([raw.socket for raw, _ in waiting.values()], [], [], 0.25)[0]
        for name, (raw, data) in waiting.items():
            if raw.socket in readable and not raw.more() or not raw.say(data):
                ended[name] = time.monotonic() - raw.began
    return ended


def test_who_dawdles_is_cut(gateway):
    """A head has ten seconds, a body 1 KiB/s; a byte now and then buys no more time."""
    raws = {
        "head": (Raw(gateway, b"POST /webhook HTTP/1.1\r\nX: "), b"x"),
        "request line": (Raw(gateway), b"G"),
        "body": (Raw(gateway, request([b"Content-Length: 100000"])), b" "),
        "chunks": (Raw(gateway, request([b"Transfer-Encoding: chunked"])), b"1\r\n \r\n"),
        "chunk size": (Raw(gateway, request([b"Transfer-Encoding: chunked"])), b"0"),
    }
    ended = trickle(raws, 40)
    for raw, _ in raws.values():
        raw.close()
    assert set(ended) == set(raws), "not cut: %s" % (set(raws) - set(ended))
    assert 2 < min(ended.values()) and max(ended.values()) < 30, ended
    still_serves(gateway)


def test_a_thousand_idle_connections(gateway):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    idle, began = [], time.monotonic()
    try:
        for n in range(1000):
            idle.append(Raw(gateway, b"POST /webhook HTTP/1.1\r\n" if n % 3 == 0 else b""))
        assert time.monotonic() - began < 20
        for _ in range(20):
            assert still_serves(gateway) < 5
        assert gateway.local("GET", "/readyz").status == 200
    finally:
        for raw in idle:
            raw.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    still_serves(gateway)


def test_clients_that_leave_in_the_middle(gateway):
    body = encode(one(text(body="never whole")))
    kept = len(gateway.events())
    halves = [request([b"Content-Length: %d" % len(body)], body[:cut], sign=body)
              for cut in (1, len(body) // 2, len(body) - 1)]
    for half in halves + [request([b"Transfer-Encoding: chunked"], chunked(body)[:-5], sign=body)]:
        raw = Raw(gateway, half)
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        raw.close()
    still_serves(gateway)
    assert len(gateway.events()) == kept + 1


def test_who_leaves_before_the_answer_was_heard_all_the_same(gateway):
    """Complete is complete: the commit does not ask whether somebody waits for the 200."""
    who = "491519990001"
    body = encode(one(text(who, body="and gone")))
    raw = Raw(gateway, request([b"Content-Length: %d" % len(body)], body, sign=body))
    raw.socket.shutdown(socket.SHUT_WR)
    assert raw.status() == 200 or raw.got == b""
    raw.close()
    gateway.take(body)
    assert len([e for e in gateway.events() if e["contact"] and e["contact"]["phone"] == "+" + who]) == 1


def test_pipelined_requests_are_answered_in_order(gateway):
    bodies = [encode(one(text(body="pipe %d" % n))) for n in range(5)]
    raw = Raw(gateway, b"".join(request([b"Content-Length: %d" % len(b)], b, sign=b) for b in bodies))
    while raw.got.count(b"\r\n\r\n") < 5 and raw.more():
        pass
    assert raw.got.count(b"HTTP/1.1 200 ") == 5
    raw.close()
    assert [e["message"]["text"] for e in gateway.events()[-5:]] == ["pipe %d" % n for n in range(5)]


# ---- what a body may be made of

DEEP = b'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":%s}]}]}'


@pytest.mark.parametrize("body,kept", [
    (DEEP % (b"[" * 59 + b"]" * 59), True), (DEEP % (b"[" * 60 + b"]" * 60), False), (b"[" * LIMIT, False),
    (b'{"a":' * 500000, False), (b'["' + b"\\u0000" * 100000 + b'"]', True), (b'["\\ud800"]', True),
    (b"[" + b"9" * 100000 + b"]", True), (b"[1e999999]", True), (b"[" + b"1," * 1000000 + b"1]", True),
    (b'{"' + b'k":1,"' * 300000 + b'k":1}', True), (b"\xef\xbb\xbf{}", False), (b"{}\0", False), (b"\0" * 1000, False)],
    ids=["64 deep", "65 deep", "four million deep", "objects", "NULs", "surrogate", "digits", "exponent", "a million",
         "one key", "BOM", "NUL behind", "NULs only"])
def test_strange_json_costs_a_moment(gateway, body, kept):
    began = time.monotonic()
    gateway.take(body)
    assert time.monotonic() - began < 10
    assert gateway.query("SELECT quarantined FROM body ORDER BY row DESC LIMIT 1") == [(0 if kept else 1,)]
    still_serves(gateway)


def test_the_api_takes_small_bodies_only(gateway):
    key = {"Authorization": "Bearer " + gateway.make_key("admin")}
    client = gateway.client(gateway.api_port)
    big = json.dumps({"scopes": ["read"], "name": "x" * 300000}).encode()
    assert client.call("POST", "/api/v1/keys", big, key).status == 413
    assert client.call("POST", "/api/v1/keys", b"[" * 1000, key).status == 400
