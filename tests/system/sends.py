# SPDX-License-Identifier: MIT
"""sends.py - what the tests of outbound messages share: a gateway, and Meta's side of it

Gateway    `godwit serve` in a folder of its own; start, kill, terminate, send, look
Sandbox    `godwit sandbox`; faults, customers, the clock
Meta       a stand-in that keeps every request byte for byte and answers what it is told
Stack      a sandbox and a gateway that know each other and share a clock
"""
import collections
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

import pytest
import requests

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get("GODWIT_BIN", os.path.join(TOP, "build", "test", "src", "cli", "godwit"))
LONG = os.environ.get("GODWIT_LONG") == "1"
NUMBER, WABA, APP = "573542517421694", "412233445566778", "610000000000001"
SECRETS = {"app_secret": "sandbox-app-secret", "verify_token": "sandbox-verify-token",
           "token": "EAAmetatokenthatnobodymaysee"}
HOUR_MS = 3600 * 1000
START_S, END_S, WAIT_S = 30, 40, 20


def wait_for(look, what, seconds=WAIT_S):
    """The first true value of look(); fails with `what` and the last value."""
    end = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < end, "waited %d s for %s, last: %r" % (seconds, what, value)
        time.sleep(0.01)


def text(to, words="Hello", **more):
    return {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": words}, **more}


def template(to, name="order_shipped", language="en", words=("Ann", "4711"), **more):
    components = [{"type": "body", "parameters": [{"type": "text", "text": w} for w in words]}]
    return {"messaging_product": "whatsapp", "to": to, "type": "template",
            "template": {"name": name, "language": {"code": language},
                         **({"components": components} if words else {})}, **more}


class Numbers:
    """Telephone numbers that no other test of this process uses."""

    def __init__(self):
        self.next = 15550000000 + os.getpid() % 1000 * 10000

    def __call__(self):
        self.next += 1
        return str(self.next)


someone = Numbers()


class Process:
    """One run of the program: started with a descriptor that tells when it is ready."""

    def __init__(self, name, argv, log):
        self.name, self.log_path = name, log
        ready, write = os.pipe()
        with open(log, "ab") as out:
            self.process = subprocess.Popen([BIN, *argv, "--ready-fd", str(write)], pass_fds=[write],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        os.close(write)
        self.pipe = os.fdopen(ready)

    def ready(self):
        """The line on the descriptor; empty when it ended instead."""
        line = self.pipe.readline().strip()
        return line

    def must_be_ready(self):
        line = self.ready()
        assert line, "%s ended with %s:\n%s" % (self.name, self.process.wait(END_S), self.tail())
        return line

    def tail(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()[-6000:]

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=END_S):
        return self.process.wait(seconds)

    def close(self):
        """SIGTERM where it still runs; every test ends with a clean exit."""
        self.pipe.close()
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                code = self.wait()
            except subprocess.TimeoutExpired:
                self.process.kill()
                code = "no end within %d s of SIGTERM" % END_S
            assert code == 0, "%s: %s:\n%s" % (self.name, code, self.tail())


class Sandbox(Process):
    def __init__(self, folder, *options):
        super().__init__("sandbox", ["sandbox", "--listen", "127.0.0.1:0", "--quiet-customer", "--seed", "7",
                                     *options], os.path.join(folder, "sandbox.log"))
        self.url = "http://127.0.0.1:%d" % int(self.must_be_ready())
        self.http = requests.Session()

    def control(self, method, path, body=None, **query):
        answer = self.http.request(method, "%s/sandbox/v1/%s" % (self.url, path), json=body, params=query,
                                   timeout=60)
        assert answer.status_code == 200, "%s %s: %s" % (method, path, answer.text)
        return answer.json()

    def set(self, **settings):
        self.control("POST", "settings", settings)

    def inject(self, fault, **rule):
        return self.control("POST", "inject", {"fault": fault, **rule})["id"]

    def messages(self, **query):
        return self.control("GET", "messages", **query)["messages"]

    def accepted(self, to):
        """What Meta's side took for this customer, oldest first."""
        return self.messages(to=to)

    def counters(self):
        return self.control("GET", "messages", limit=0)["counters"]

    def say(self, who, words="Hi", **more):
        return self.control("POST", "say", {"from": "+" + who, "text": words, **more})

    def now_ms(self):
        return self.control("GET", "clock")["wall_ms"]

    def advance(self, ms):
        return self.control("POST", "clock", {"advance_ms": int(ms)})

    def webhooks(self, **query):
        return self.control("GET", "webhooks", **query)

    def settled(self):
        """Every webhook that is due has been taken."""
        def done():
            return not any(self.control("GET", "webhooks", state=s, limit=1)["webhooks"]
                           for s in ("queued", "sending", "waiting"))
        wait_for(done, "the webhooks to be delivered")


class Meta:
    """Keeps what arrives and answers from a list, or with a success."""

    Request = collections.namedtuple("Request", "method target headers body")

    def __init__(self):
        outer = self
        self.requests, self.answers, self.hold = [], [], None
        self.lock, self.count = threading.Lock(), 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, answer = outer.take(Meta.Request(self.command, self.path,
                                                                  dict(self.headers.items()), body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_DELETE = do_POST

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 128

            def handle_error(self, request, address):
                pass  # a peer that went away

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request):
        with self.lock:
            self.requests.append(request)
            self.count += 1
            n, hold = self.count, self.hold
            told = self.answers.pop(0) if self.answers else None
        if hold is not None:
            hold.wait(WAIT_S)
        if told is not None:
            return told
        return 200, {"Content-Type": "application/json"}, json.dumps(
            {"messaging_product": "whatsapp", "contacts": [{"input": "x", "wa_id": "x"}],
             "messages": [{"id": "wamid.meta%d" % n}]}, indent=1).encode()

    def answer(self, status, body, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, {"Content-Type": "application/json", **headers}, raw))

    def arrived(self, n):
        return wait_for(lambda: len(self.requests) >= n and self.requests, "%d requests at Meta" % n)

    def close(self):
        if self.hold is not None:
            self.hold.set()
        self.server.shutdown()
        self.server.server_close()


class LocalConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=WAIT_S)
        self.socket_path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.socket_path)


class Gateway:
    """`godwit serve` with one account; survives restarts with its folder, port and key."""

    def __init__(self, meta_url, follow=None, limit=80, settings=None):
        self.folder = tempfile.mkdtemp(prefix="gw-")
        os.mkdir(os.path.join(self.folder, "data"), 0o700)
        self.follow, self.limit, self.meta_url = follow, limit, meta_url
        self.settings, self.process, self.port, self.key = dict(settings or {}), None, 0, None
        self.local = os.path.join(self.folder, "sock")
        self.log_path = os.path.join(self.folder, "gateway.log")
        for name, value in SECRETS.items():
            with open(os.path.join(self.folder, name), "w", opener=private) as f:
                f.write(value)
        self.session = requests.Session()
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))

    # --- life ---

    def write_config(self):
        lines = ["profile = sandbox", "data = %s/data" % self.folder, "listen.local = " + self.local,
                 "store.disk_min = 0",
                 *("listen.%s = 127.0.0.1:%d" % (name, self.port) for name in ("public", "api")),
                 *("%s = %s" % pair for pair in self.settings.items())]
        if self.follow:
            lines.append("clock.follow = " + self.follow)
        lines += ["", "[account main]", "app_id = " + APP, "business_id = " + WABA,
                  "base_url = " + self.meta_url, "numbers = %s=%d" % (NUMBER, self.limit),
                  *("%s_file = %s/%s" % (name, self.folder, name) for name in SECRETS)]
        path = os.path.join(self.folder, "godwit.conf")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def launch(self):
        """Started, not waited for."""
        self.process = Process("gateway", ["serve", "--config", self.write_config()], self.log_path)
        return self.process

    def start(self):
        words = dict(w.split("=", 1) for w in self.launch().must_be_ready().split()[1:])
        self.port = int(words["public"])
        if self.key is None:
            self.key = self.local_call("POST", "/api/v1/keys",
                                       {"name": "tests", "scopes": ["admin", "manage", "read", "send"]})["key"]
        return self

    def kill(self):
        self.process.signal(signal.SIGKILL)
        self.process.wait()
        self.process.pipe.close()

    def terminate(self):
        """SIGTERM; (exit code, seconds)."""
        start = time.monotonic()
        self.process.signal(signal.SIGTERM)
        code = self.process.wait()
        return code, time.monotonic() - start

    def close(self):
        try:
            if self.process is not None:
                self.process.close()
            self.check_log()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def check_log(self):
        log = self.log()
        for word in ("ERROR: AddressSanitizer", "runtime error:", "LeakSanitizer", "panic:"):
            assert word not in log, log[-6000:]

    # --- calls ---

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def local_call(self, method, path, body=None):
        connection = LocalConnection(self.local)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        assert answer.status in (200, 201), raw
        return json.loads(raw)

    def request(self, method, path, data=None, headers=None, timeout=WAIT_S, session=None):
        return (session or self.session).request(method, self.url + path, data=data, timeout=timeout, headers={
            "Authorization": "Bearer " + self.key, "Content-Type": "application/json", **(headers or {})})

    def send(self, body, headers=None, path="/v26.0/%s/messages" % NUMBER, **more):
        data = body if isinstance(body, bytes) else json.dumps(body)
        return self.request("POST", path, data, headers, **more)

    def send_async(self, body, headers=None, **more):
        answer = self.send(body, {"Prefer": "respond-async", **(headers or {})}, **more)
        assert answer.status_code == 202, answer.text
        return answer.headers["Godwit-Message"]

    def send_many(self, bodies, threads=16, **more):
        """Answers in the order of the bodies."""
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda body: self.send(body, **more), bodies))

    def api(self, method, path, body=None):
        answer = self.request(method, "/api/v1/" + path, None if body is None else json.dumps(body))
        assert answer.status_code in (200, 201), "%s %s: %d %s" % (method, path, answer.status_code, answer.text)
        return answer.json()

    def message(self, msg):
        return self.api("GET", "messages/" + msg)

    def trail(self, msg):
        """The states it went through, oldest first."""
        return [row["to"] for row in self.api("GET", "messages/%s/trail" % msg)["trail"] if "to" in row]

    def wait_state(self, msg, *states, seconds=WAIT_S):
        def look():
            m = self.message(msg)
            return m if m["state"] in states else None
        return wait_for(look, "%s to be %s; it is %r" % (msg, "/".join(states), self.message(msg)), seconds)

    def resolve(self, msg, how):
        return self.request("POST", "/api/v1/messages/%s/resolve" % msg, json.dumps({"as": how}))

    def events(self, **query):
        return self.api("GET", "events?" + urllib.parse.urlencode(query))["data"]

    def metric(self, name, **labels):
        text = self.request("GET", "/metrics").text
        want = name + ("{%s}" % ",".join('%s="%s"' % pair for pair in labels.items()) if labels else "")
        for line in text.splitlines():
            if line.startswith(want + " "):
                return float(line.split()[-1])
        return 0.0


def private(path, flags):
    return os.open(path, flags, 0o600)


class Stack:
    """Meta's side and ours; moves of the sandbox's clock are followed."""

    def __init__(self, limit=80, settings=None, **sandbox_settings):
        self.folder = tempfile.mkdtemp(prefix="gwsb-")
        self.gateway = self.sandbox = None
        try:
            self.sandbox = Sandbox(self.folder)
            self.gateway = Gateway(self.sandbox.url, self.sandbox.url, limit, settings).start()
            self.sandbox.set(**{**dict(enforce_window=False, jitter_percent=0, sent_ms=20, delivered_ms=40,
                                       read_ms=60), **sandbox_settings})
            self.connect()
        except BaseException:
            self.close()
            raise

    def connect(self):
        """Webhooks from now on; the handshake is through when this returns."""
        self.sandbox.control("POST", "callback", {"url": self.gateway.url + "/webhook",
                                                  "verify_token": SECRETS["verify_token"]})
        wait_for(lambda: self.sandbox.control("GET", "state")["ready"], "the handshake")

    def disconnect(self):
        """Statuses are made and not delivered until connect()."""
        self.sandbox.control("POST", "callback", {"url": ""})

    def advance(self, ms):
        self.sandbox.advance(ms)

    def close(self):
        try:
            if self.gateway is not None:
                self.gateway.close()
        finally:
            if self.sandbox is not None:
                self.sandbox.control("DELETE", "inject")
                self.sandbox.close()
                self.sandbox.http.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def token_of(entry):
    """(our token's version, message part, try, mac) of what the sandbox took."""
    parts = entry["opaque"].split(".")
    assert len(parts) == 4 and parts[0] == "w1", entry["opaque"]
    return parts


def without_token(raw):
    """The body as the caller sent it: our token taken out again, byte by byte."""
    return re.sub(rb'"biz_opaque_callback_data":"w1\.[^"]*",?', b"", raw, count=1)


# --- fixtures: `from sends import stacks` makes them known to a file ---

@pytest.fixture
def stacks():
    """Makes stacks of a sandbox and a gateway; ended, and their logs looked at, after the test."""
    with contextlib.ExitStack() as end:
        yield lambda *args, **more: end.enter_context(contextlib.closing(Stack(*args, **more)))


@pytest.fixture
def stack(stacks):
    return stacks()


@pytest.fixture(scope="module")
def shared():
    """One stack for a whole file: each test takes customers of its own (someone())."""
    with contextlib.closing(Stack()) as one:
        yield one


@pytest.fixture
def meta():
    with contextlib.closing(Meta()) as one:
        yield one


@pytest.fixture
def gateways(meta):
    """Makes gateways in front of the stand-in."""
    with contextlib.ExitStack() as end:
        yield lambda **more: end.enter_context(contextlib.closing(Gateway(meta.url, **more))).start()
