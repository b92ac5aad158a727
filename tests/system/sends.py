# SPDX-License-Identifier: MIT
"""sends.py - what the tests of outbound messages share, on top of kit.py

Front      a gateway as an application sees it: send, and look what became of it
Meta       a stand-in for Meta that keeps every request byte for byte and answers what it is told
Stack      a sandbox and a gateway that know each other and share a clock
fixtures   stack, stacks, shared, front, fronts, meta; conftest.py makes them known
"""
import concurrent.futures
import contextlib
import datetime
import itertools
import json
import os
import re
import shutil
import tempfile

import pytest
import requests

import kit
from kit import NUMBER, wait_until

LONG = os.environ.get("GODWIT_LONG") == "1"
MINUTE_MS, HOUR_MS = 60 * 1000, 3600 * 1000
PATH = "/v26.0/%s/messages" % NUMBER

numbers = itertools.count(15550000000 + os.getpid() % 1000 * 10000)


def someone():
    """A telephone number that no other test of this process uses."""
    return str(next(numbers))


def at_ms(stamp):
    """Milliseconds of a time as the API writes it."""
    return round(datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1000)


def text(to, words="Hello", **more):
    return {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": words}, **more}


def template(to, name="order_shipped", language="en", words=("Ann", "4711"), **more):
    components = [{"type": "body", "parameters": [{"type": "text", "text": w} for w in words]}]
    return {"messaging_product": "whatsapp", "to": to, "type": "template",
            "template": {"name": name, "language": {"code": language}, "components": components}, **more}


class Front(kit.Gateway):
    """A gateway as an application sees it."""

    def __init__(self, folder, sandbox=None, conf=None, limit=80, meta=None, **more):
        account = {"numbers": "%s=%d" % (NUMBER, limit), **({"base_url": meta} if meta else {})}
        super().__init__(folder, sandbox, conf, account=account, start=False, **more)
        self.http.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=128))

    def send(self, body, headers=None, path=PATH, **more):
        return self.graph("POST", path, body, headers=headers, **more)

    def send_async(self, body, headers=None, **more):
        """Our id; it is on disk."""
        answer = self.send(body, {"Prefer": "respond-async", **(headers or {})}, **more)
        assert answer.status_code == 202, answer.text
        return answer.headers["Godwit-Message"]

    def send_many(self, bodies, threads=16, **more):
        """Answers in the order of the bodies."""
        assert self.key  # made once, before the threads
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda body: self.send(body, **more), bodies))

    def look(self, msg):
        return self.api("GET", "messages/" + msg)

    def state(self, msg):
        return self.look(msg)["state"]

    def states(self, msg):
        """The states it went through, oldest first."""
        return [row["to"] for row in self.trail(msg) if "to" in row]

    def wait_state(self, msg, *states):
        def there():
            message = self.look(msg)
            return message if message["state"] in states else None
        return wait_until("%s %s" % (msg, " or ".join(states)), there)

    def resolve(self, msg, how):
        return self.graph("POST", "/api/v1/messages/%s/resolve" % msg, {"as": how})

    def told(self, msg):
        """The events about this message, oldest first."""
        return [e for e in self.events(type="message.status")
                if e.get("sent_message") == msg or e["message"]["id"] == msg]


class Meta(kit.Receiver):
    """Accepts every message; answer() puts something else before that."""

    def __init__(self):
        super().__init__()
        count = itertools.count(1)
        self.on_request = lambda request: (200, json.dumps(
            {"messaging_product": "whatsapp", "messages": [{"id": "wamid.meta%d" % next(count)}]}))

    def answer_next(self, status, body):
        self.script((status, json.dumps(body) if isinstance(body, dict) else body))


def recipient(request):
    return json.loads(request.body)["to"].lstrip("+")


def words_of(body):
    return json.loads(body)["text"]["body"]


class Stack:
    """Meta's side and ours; moves of the sandbox's clock are followed. A window is not asked for."""

    def __init__(self, folder, conf=None, limit=80, **settings):
        self.folder, self.gateway = folder, None
        self.sandbox = kit.Sandbox(folder, "--seed", "7")
        try:
            self.sandbox.set(**{"enforce_window": False, "jitter_percent": 0, "sent_ms": 20, "delivered_ms": 40,
                                "read_ms": 60, **settings})
            self.gateway = Front(folder, self.sandbox, conf, limit).start()
            wait_until("the handshake", lambda: self.sandbox.state()["ready"])
        except BaseException:
            self.close()
            raise

    def advance(self, ms):
        kit.Clock(self.sandbox).advance(ms=int(ms))

    def step(self, ms, msg):
        """The clock moves, and what became due for msg has happened: it ended, or waits for a later time."""
        self.advance(ms)
        now = kit.Clock(self.sandbox).now_ms()

        def settled():
            message = self.gateway.look(msg)
            if message["state"] in ("queued", "sending"):
                return None
            due = message["state"] == "waiting" and message["next_at"] and at_ms(message["next_at"]) <= now
            return None if due else message
        return wait_until("%s has done what was due" % msg, settled)

    def inject(self, *args, to=None, **rule):
        return self.sandbox.inject(*args, **({"to": "+" + to} if to else {}), **rule)

    def fired(self, rule):
        return next(r["fired"] for r in self.sandbox.control("GET", "inject") if r["id"] == rule)

    def remove(self, rule):
        self.sandbox.control("DELETE", "inject/%d" % rule)

    def accepted(self, to):
        """What Meta's side took for this customer, oldest first."""
        return self.sandbox.messages(to=to)

    def words(self, to):
        return [words_of(m["body"]) for m in self.accepted(to)]

    def customer(self, who, **settings):
        self.sandbox.control("POST", "customers", {"phone": "+" + who, **settings})

    def write(self, who):
        """The customer writes, and the gateway knows."""
        self.sandbox.say("Hi", "+" + who)
        self.sandbox.wait_quiet()

    def close(self):
        try:
            kit.Clock(self.sandbox).resume()  # what has been claimed waits for its time to leave
            if self.gateway is not None:
                self.gateway.close()
        finally:
            self.sandbox.clear_faults()
            self.sandbox.close()


def token_of(taken):
    """[w1, message, try, mac] of what the sandbox took."""
    parts = taken["opaque"].split(".")
    assert len(parts) == 4 and parts[0] == "w1", taken["opaque"]
    return parts


def without_token(raw):
    """The body as the caller sent it: our token taken out again, byte by byte."""
    return re.sub(rb'"biz_opaque_callback_data":"w1\.[^"]*",?', b"", raw, count=1)


# --- fixtures ---

@pytest.fixture
def stacks(folder, closing):
    def make(*args, **more):
        closing.append(Stack(folder, *args, **more))
        return closing[-1]
    return make


@pytest.fixture
def stack(stacks):
    return stacks()


@contextlib.contextmanager
def module_folder():
    """For the fixtures of a whole file; kept when one of its processes failed."""
    path = tempfile.mkdtemp(prefix="godwit-test-")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def shared():
    """One stack for a whole file: each test takes customers of its own (someone())."""
    with module_folder() as path, contextlib.closing(Stack(path)) as one:
        yield one


@pytest.fixture(scope="module")
def front():
    """(gateway, stand-in) for a whole file."""
    with module_folder() as path, contextlib.closing(Meta()) as peer, \
            contextlib.closing(Front(path, meta=peer.url.rstrip("/"))) as gateway:
        yield gateway.start(), peer


@pytest.fixture
def meta(closing):
    closing.append(Meta())
    return closing[-1]


@pytest.fixture
def fronts(folder, closing, meta):
    """Makes gateways in front of the stand-in."""
    def make(conf=None, **more):
        closing.append(Front(folder, None, conf, meta=meta.url.rstrip("/"), **more))
        return closing[-1].start()
    return make

