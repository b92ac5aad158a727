# SPDX-License-Identifier: MIT
"""rig.py - what the inbound half is tested with, on top of kit.py: Meta's bodies, raw answers, endpoints by path"""
import base64
import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import tempfile
import threading
import time
import urllib.parse

import kit
from kit import NUMBER, WABA
from kit import APP_SECRET as SECRET
from kit import WAIT as PATIENCE

ADDRESS, ANA = "15550783881", "5571990000001"
OTHER_NUMBER, OTHER_WABA, OTHER_ADDRESS = "106540352242922", "102290129340398", "15557654321"
PREVIOUS = "the-secret-before"


def until(ask, what, seconds=None):
    """The first true answer of ask()."""
    return kit.wait_until(what, ask, seconds)


# ---- HTTP

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Client:
    """A connection that is kept, over TCP or a Unix socket; a call is never repeated by itself."""

    def __init__(self, port=None, path=None):
        self.port, self.path, self.connection = port, path, None

    def connect(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        if self.path:
            self.connection.sock = socket.socket(socket.AF_UNIX)
            self.connection.sock.settimeout(PATIENCE)
            self.connection.sock.connect(self.path)

    def call(self, method, target, body=None, headers=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        if self.connection is None:
            self.connect()
        try:
            self.connection.request(method, target, body, headers or {})
            answer = self.connection.getresponse()
            got = Answer(answer.status, answer.headers, answer.read())
        except BaseException:
            self.close()
            raise
        if answer.will_close:
            self.close()
        return got

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


# ---- signed bodies, as Meta writes them

def encode(body):
    """Meta's bytes: everything beyond ASCII as \\uXXXX, the slash as \\/."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def hub(body, secret=SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def now():
    return int(time.time())


_count = [0]


def wamid():
    _count[0] += 1
    return "wamid." + base64.b64encode(b"%d:%d:%d" % (os.getpid(), time.monotonic_ns(), _count[0])).decode()


def text(who=ANA, body="hello", id=None, at=None, **members):
    return {"from": who, "id": id or wamid(), "timestamp": str(at or now()), "type": "text", "text": {"body": body},
            **members}


def status(id, word, who=ANA, at=None, **members):
    return {"id": id, "status": word, "timestamp": str(at or now()), "recipient_id": who, **members}


def change(messages=(), statuses=(), number=NUMBER, address=ADDRESS, field="messages", **members):
    value = {"messaging_product": "whatsapp", "metadata": {"display_phone_number": address, "phone_number_id": number}}
    if messages:
        names = {m["from"]: m["from"][-4:] for m in messages if isinstance(m, dict) and "from" in m}
        value["contacts"] = [{"profile": {"name": "Customer " + n}, "wa_id": who} for who, n in names.items()]
        value["messages"] = list(messages)
    if statuses:
        value["statuses"] = list(statuses)
    return {"field": field, "value": {**value, **members}}


def envelope(*changes, waba=WABA):
    return {"object": "whatsapp_business_account", "entry": [{"id": waba, "changes": list(changes)}]}


def one(*messages, waba=WABA, **where):
    return envelope(change(messages, **where), waba=waba)


# ---- processes

class Sandbox(kit.Sandbox):
    """Meta's side in a folder of the caller's. The gateway follows its clock."""

    def advance(self, **units):
        """Both clocks, and everything that became due has happened when this returns."""
        return kit.Clock(self).advance(**units)

    def now(self):
        return self.control("GET", "clock")["wall_ms"] // 1000


class Gateway(kit.Gateway):
    """`godwit serve` with an account of two numbers, on a folder of its own."""

    def __init__(self, sandbox=None, conf=None, start=True, **account):
        folder = tempfile.mkdtemp(prefix="godwit-rig-")
        self.open_clients = []
        account = {"numbers": "%s=1000 %s=1000" % (NUMBER, OTHER_NUMBER), "app_secret_previous": PREVIOUS, **account}
        super().__init__(folder, None, {"log.level": "info", "egress.allow": "127.0.0.0/8", **(conf or {})},
                         account=account, start=False)
        if sandbox is None:
            self.conf["profile"] = "live"
        else:  # no callback: what Meta says comes from the test
            self.conf["clock.follow"] = self.accounts["test"]["base_url"] = sandbox.base
        if start:
            self.start()

    def start(self, wait=True, **env):
        super().start(wait, **env)
        self.port, self.api_port = (int(base.rsplit(":", 1)[1]) for base in (self.public, self.base))
        self.meta, self.user = self.client(), self.client(path=self.socket)
        return self

    def client(self, port=None, path=None):
        self.open_clients.append(Client(port or self.port, path))
        return self.open_clients[-1]

    def hang_up(self):
        for client in self.open_clients:
            client.close()
        self.open_clients = []

    def term(self):
        self.hang_up()
        return super().term()

    def kill(self):
        self.hang_up()
        return super().kill()

    def close(self):
        self.hang_up()
        super().close()
        shutil.rmtree(self.folder)

    # what Meta does

    def hook(self, body, secret=SECRET, client=None, path="/webhook", headers=None):
        body = encode(body) if isinstance(body, dict) else body
        return (client or self.meta).call("POST", path, body, {
            "Content-Type": "application/json", "X-Hub-Signature-256": hub(body, secret), **(headers or {})})

    def take(self, *bodies, **options):
        for body in bodies:
            got = self.hook(body, **options)
            assert (got.status, got.body) == (200, b""), (got.status, got.body)

    # what people and scripts do, over the socket that needs no key

    def api(self, method, path, body=None, status=(200, 201), **query):
        path = "/api/v1/" + path + ("?" + urllib.parse.urlencode(query) if query else "")
        got = self.user.call(method, path, body, {"Content-Type": "application/json"})
        assert got.status in status, (path, got.status, got.body)
        return got.json()

    def events(self, **query):
        """All of them, oldest first."""
        rows, before = [], {}
        while True:
            page = self.api("GET", "events", **{"limit": 1000, **query, **before})
            rows += page["data"]
            if page["page"]["next"] is None:
                return rows[::-1]
            before = {"before": page["page"]["next"]}

    def event(self, id, *more):
        """One, with its deliveries and perhaps "raw" and "body"."""
        return self.api("GET", "events/%s?%s" % (id, "&".join(word + "=1" for word in more)))

    def message(self, id):
        return self.api("GET", "messages/%s/trail" % id)

    def post(self, body="hello", to=ANA, number=NUMBER, headers=None, **members):
        """A text to a customer."""
        body = {"messaging_product": "whatsapp", "to": "+" + to, "type": "text", "text": {"body": body}, **members}
        return self.user.call("POST", "/v26.0/%s/messages" % number, body,
                              {"Content-Type": "application/json", **(headers or {})})

    def metric(self, name, **labels):
        return self.metrics()[name, tuple(sorted(labels.items()))]

    def query(self, sql, *values):
        with contextlib.closing(self.database()) as db:
            return [tuple(row) for row in db.execute(sql, values)]


# ---- a user's endpoint

class Request:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body, self.at = path, headers, body, time.monotonic()

    def json(self):
        return json.loads(self.body)


class Receiver:
    """Keeps what is posted. `answer` decides: a status, or (status, headers); it may take its time."""

    def __init__(self):
        outer = self
        self.lock = threading.Condition()
        self.requests = []
        self.answer = lambda request: 200

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got = outer.answer(outer.take(Request(self.path, self.headers, body)))
                status, headers = got if isinstance(got, tuple) else (got, {})
                lines = ["HTTP/1.1 %d X" % status, "Content-Length: 0"] + ["%s: %s" % h for h in headers.items()]
                self.wfile.write("\r\n".join(lines + ["", ""]).encode())

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # the gateway may be killed while it waits for an answer

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path="/"):
        return "http://127.0.0.1:%d%s" % (self.port, path)

    def take(self, request):
        with self.lock:
            self.requests.append(request)
            self.lock.notify_all()
        return request

    def at(self, path):
        with self.lock:
            return [r for r in self.requests if r.path == path]

    def wait(self, count, path="/", seconds=PATIENCE):
        """The requests to path, when there are `count`."""
        with self.lock:
            self.lock.wait_for(lambda: len([r for r in self.requests if r.path == path]) >= count, seconds)
        got = self.at(path)
        assert len(got) >= count, "%s: %d of %d requests came within %d s" % (path, len(got), count, seconds)
        return got

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def settled(gateway):
    """Nothing waits for a destination: what was not delivered by now never will be."""
    until(lambda: gateway.metric("godwit_relay_pending") == 0, "an empty relay")
