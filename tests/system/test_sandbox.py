# SPDX-License-Identifier: MIT
"""test_sandbox.py - `godwit sandbox` as a process: what a developer's script and callback meet"""
import hashlib
import hmac
import http.server
import json
import os
import signal
import subprocess
import threading
import urllib.parse

import pytest
import requests

BIN = os.environ.get("GODWIT_BIN", "build/src/cli/godwit")
NUMBER, WABA, ANA = "573542517421694", "412233445566778", "5571990000001"
SECRET, VERIFY = b"sandbox-app-secret", "sandbox-verify-token"  # the defaults, docs/sandbox.md


class Callback:
    """An endpoint that takes the handshake and keeps what is posted."""

    def __init__(self):
        outer = self
        self.posts, self.agents = [], set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                good = query.get("hub.mode") == "subscribe" and query.get("hub.verify_token") == VERIFY
                self.answer(200 if good else 403, query.get("hub.challenge", "").encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.agents.add(self.headers["User-Agent"])
                outer.posts.append((body, self.headers["X-Hub-Signature-256"]))
                self.answer(200)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/webhook" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Sandbox:
    def __init__(self, *options):
        ready, write = os.pipe()
        self.process = subprocess.Popen(
            [BIN, "sandbox", "--listen", "127.0.0.1:0", "--ready-fd", str(write), *options], pass_fds=[write])
        os.close(write)
        with os.fdopen(ready) as pipe:
            self.base = "http://127.0.0.1:%d" % int(pipe.readline())
        self.http = requests.Session()

    def control(self, method, name, **body):
        r = self.http.request(method, "%s/sandbox/v1/%s" % (self.base, name), json=body or None, timeout=20)
        assert r.status_code == 200, r.text
        return r.json()

    def send(self, session=None, to=ANA, **members):
        body = {"messaging_product": "whatsapp", "to": "+" + to, **members}
        return (session or self.http).post("%s/v26.0/%s/messages" % (self.base, NUMBER), json=body,
                                           headers={"Authorization": "Bearer any"}, timeout=20)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0


@pytest.fixture
def callback():
    c = Callback()
    yield c
    c.close()


@pytest.fixture
def start():
    running = []

    def run(*options):
        running.append(Sandbox(*options))
        return running[-1]

    yield run
    for s in running:
        s.close()


def statuses(posts):
    for body, _ in posts:
        for change in json.loads(body)["entry"][0]["changes"]:
            yield from change["value"].get("statuses", [])


def test_the_first_customer_writes_and_reads_the_answer(start, callback):
    s = start("--callback", callback.url)
    s.control("GET", "webhooks?wait=1")
    body, signature = callback.posts[0]
    assert signature == "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    value = json.loads(body)["entry"][0]["changes"][0]["value"]
    assert json.loads(body)["entry"][0]["id"] == WABA
    assert value["messages"][0]["from"] == ANA
    assert value["messages"][0]["text"]["body"] == "Hi! Is this the sandbox?"

    r = s.send(text={"body": "Olá 👋 a/b"}, biz_opaque_callback_data="my token")
    assert r.status_code == 200 and r.headers["facebook-api-version"] == "v26.0"
    wamid = r.json()["messages"][0]["id"]
    s.control("GET", "webhooks?wait=4")
    told = list(statuses(callback.posts))
    assert sorted(t["status"] for t in told) == ["delivered", "read", "sent"]
    assert {t["id"] for t in told} == {wamid}
    assert {t["biz_opaque_callback_data"] for t in told} == {"my token"}
    kept = s.control("GET", "messages")["messages"][0]
    assert json.loads(kept["body"])["text"]["body"] == "Olá 👋 a/b"
    assert callback.agents == {"facebookexternalua"}


def test_what_a_guide_sends_is_taken(start):
    s = start()
    sends = [
        {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}},
        {"type": "image", "image": {"link": "https://example.com/a.png", "caption": "c"}},
        {"type": "document", "document": {"link": "https://example.com/a.pdf", "filename": "a.pdf"}},
        {"type": "location", "location": {"latitude": -12.97, "longitude": -38.5, "name": "Pelourinho"}},
        {"type": "interactive", "interactive": {"type": "button", "body": {"text": "?"}, "action": {
            "buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]}}},
        {"type": "interactive", "interactive": {"type": "list", "body": {"text": "?"}, "action": {
            "button": "Pick", "sections": [{"title": "A", "rows": [{"id": "1", "title": "One"}]}]}}},
    ]
    for body in sends:
        assert s.send(**body).status_code == 200, body
    assert [m["type"] for m in s.control("GET", "messages")["messages"]] == [b["type"] for b in sends]


def test_a_reused_connection_may_close_after_the_message_was_accepted(start):
    s = start()
    client = requests.Session()
    assert s.send(client, text={"body": "one"}).status_code == 200
    s.control("POST", "inject", fault="accept_close")
    with pytest.raises(requests.ConnectionError):
        s.send(client, text={"body": "two"})
    counters = s.control("GET", "messages")["counters"]
    assert counters["accepted"] == 2


def test_throttled_with_a_date(start):
    s = start()
    s.control("POST", "inject", fault="error", code=130429, http=429, retry_after=42, next=2)
    for _ in range(2):
        r = s.send(text={"body": "x"})
        assert (r.status_code, r.headers["Retry-After"]) == (429, "42")
        assert r.json()["error"]["code"] == 130429
    assert s.send(text={"body": "x"}).status_code == 200


def test_the_window_follows_the_clock(start, callback):
    s = start("--callback", callback.url, "--freeze")
    s.control("GET", "webhooks?wait=1")
    s.control("POST", "clock", advance="23h59m")
    assert s.send(text={"body": "in time"}).status_code == 200
    s.control("POST", "clock", advance="2m")
    assert s.send(text={"body": "too late"}).status_code == 200
    s.control("POST", "clock", advance="1m")
    s.control("GET", "webhooks?wait=5")
    told = {t["status"]: t for t in statuses(callback.posts)}
    assert set(told) == {"sent", "delivered", "read", "failed"}
    assert told["failed"]["errors"][0]["code"] == 131047


def test_the_same_seed_gives_the_same_bytes(start):
    def run():
        s = start("--seed", "11", "--freeze", "--quiet-customer")
        s.control("POST", "clock", set="2026-11-20T12:00:00Z")
        s.control("POST", "say", **{"from": "+" + ANA, "text": "hello"})
        out = [s.send(text={"body": "x"}).content, s.send(text={}).content]
        s.control("POST", "clock", advance="1m")
        log = s.control("GET", "webhooks?wait=4&state=unsent")["webhooks"]
        return out + [(w["body"], w["signature"]) for w in log]

    one, two = run(), run()
    assert len(one) == 6
    assert one == two


def test_the_end_answers_who_waits(start):
    s = start()
    got = []

    def wait():
        got.append(requests.get(s.base + "/sandbox/v1/messages?wait=9&timeout_s=60", timeout=30).status_code)

    s.control("POST", "settings", answer_delay_ms=60000)
    late = threading.Thread(target=lambda: got.append(s.send(requests.Session(), text={"body": "x"}).status_code))
    waiter = threading.Thread(target=wait)
    late.start()
    s.control("GET", "messages?wait=1")
    waiter.start()
    while s.control("GET", "state")["waiting"] == 0:
        pass
    s.close()
    late.join(10)
    waiter.join(10)
    assert got == [200, 200]
