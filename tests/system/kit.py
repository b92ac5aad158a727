# SPDX-License-Identifier: MIT
"""kit.py - real processes for the tests: gateway, sandbox, and an endpoint that receives

Readiness is a line on a descriptor, progress is asked for until it has come, and nothing sleeps for a
time that is hoped to be long enough. Everything of one test lies in one folder.
"""
import collections
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import select
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import types
import urllib.parse
import weakref

import requests

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("GODWIT_BIN", os.path.join(TOP, "build", "test", "src", "cli", "godwit")))
NUMBER, WABA, ANA = "573542517421694", "412233445566778", "+5571990000001"
APP_SECRET, VERIFY_TOKEN, TOKEN = "test-app-secret", "test-verify-token", "test-token"
WAIT = float(os.environ.get("GODWIT_TEST_WAIT", "20"))  # seconds until "it never came"
START_WAIT = 30
DRAIN_WAIT = 60
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGKILL}
COMPLAINTS = re.compile(r"panic:|ERROR: \w+Sanitizer|runtime error:")


def wait_until(what, condition, timeout=None):
    """Ask until condition() is true and return what it said."""
    until = time.monotonic() + (timeout or WAIT)
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < until, "never came: %s" % what
        time.sleep(0.01)


def to_namespace(value):
    if isinstance(value, dict):
        return types.SimpleNamespace(**{k: to_namespace(v) for k, v in value.items()})
    return [to_namespace(v) for v in value] if isinstance(value, list) else value


def sign(body, secret=APP_SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def how_it_ended(code):
    if code is None:
        return "runs"
    return "killed by %s" % signal.Signals(-code).name if code < 0 else "exit code %d" % code


class Process:
    """One godwit process: started until its ready line, ended by a signal, its log kept."""
    known = weakref.WeakSet()

    def __init__(self, folder, name):
        Process.known.add(self)
        self.folder, self.name = folder, name
        self.is_end_wanted = False  # by the test, which signals it or waits for its end
        self.log_path = os.path.join(folder, name + ".log")
        self.popen = None

    def spawn(self, args, env=None, wait=True):
        """Start; returns the ready line (None when it ended before)."""
        assert self.popen is None or self.popen.poll() is not None, "%s runs already" % self.name
        self.is_end_wanted = False
        ready, write = os.pipe()
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                [BIN, *args, "--ready-fd", str(write)], pass_fds=[write], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.folder, env=dict(os.environ, **(env or {})))
        os.close(write)
        if not wait:
            os.close(ready)
            return None
        with os.fdopen(ready, "rb", buffering=0) as pipe:
            line, until = b"", time.monotonic() + START_WAIT
            while not line.endswith(b"\n"):
                left = until - time.monotonic()
                assert left > 0, "not ready in %d s: %s" % (START_WAIT, self.story())
                if not select.select([pipe], [], [], left)[0]:
                    continue
                part = pipe.read(4096)
                if not part:
                    self.popen.wait(START_WAIT)
                    return None
                line += part
        return line.decode().strip()

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def story(self):
        """How it ended, and a screen of its log: from the complaint on, where it has one, else the end."""
        log = self.log()
        found = COMPLAINTS.search(log)
        words = log[found.start():].splitlines()[:40] if found else log.splitlines()[-40:]
        if not words:
            words = ["(its log is %s)" % ("empty" if os.path.exists(self.log_path) else "gone")]
        how = how_it_ended(self.popen.poll()) if self.popen else "never started"
        return "\n".join(["%s: %s" % (self.name, how)] + words)

    def ended_by_itself(self):
        return self.popen is not None and self.popen.poll() is not None and not self.is_end_wanted

    def is_running(self):
        return self.popen is not None and self.popen.poll() is None

    def signal(self, number):
        if self.is_running():
            self.is_end_wanted |= number in ENDING
            self.popen.send_signal(number)

    def wait(self, timeout=DRAIN_WAIT):
        self.is_end_wanted = True
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise AssertionError("%s did not end in %s s" % (self.name, timeout)) from None

    def term(self):
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """SIGKILL: what a power cut leaves of a process."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def check_log(self):
        assert not COMPLAINTS.search(self.log()), self.story()

    def close(self):
        """At the end of a test: it must leave well, unless the test has ended it."""
        assert not self.ended_by_itself() or self.popen.returncode == 0, "ended by itself: " + self.story()
        code = self.term() if self.is_running() else 0
        self.check_log()
        assert code == 0, self.story()


class Sandbox(Process):
    """`godwit sandbox` and its control API (docs/sandbox.md). Ana is silent unless told to speak."""

    def __init__(self, folder, *options, name="sandbox", secret=APP_SECRET, verify_token=VERIFY_TOKEN):
        super().__init__(folder, name)
        for file, text in (("app-secret", secret), ("verify-token", verify_token)):
            write_secret(os.path.join(folder, "%s.%s" % (name, file)), text)
        port = self.spawn(["sandbox", "--listen", "127.0.0.1:0", "--quiet-customer", "--log-level", "info",
                           "--app-secret-file", os.path.join(folder, name + ".app-secret"),
                           "--verify-token-file", os.path.join(folder, name + ".verify-token"), *options])
        assert port is not None, "the sandbox did not start: " + self.story()
        self.base = "http://127.0.0.1:%d" % int(port)
        self.http = requests.Session()
        self.seen = 0  # the seq of messages() up to which wait_messages() has told

    def control(self, method, name, body=None, timeout=None, **query):
        query = {k: v for k, v in query.items() if v is not None}
        r = self.http.request(method, "%s/sandbox/v1/%s" % (self.base, name), json=body, params=query,
                              timeout=timeout or WAIT + 30)
        assert r.status_code == 200, r.text
        return r.json()

    def state(self):
        return self.control("GET", "state")

    def say(self, text=None, sender=ANA, to=None, message=None):
        """A customer writes; returns the wamid."""
        body = {"from": sender}
        body.update({k: v for k, v in (("text", text), ("to", to), ("message", message)) if v is not None})
        return self.control("POST", "say", body)["id"]

    def inject(self, code=None, fault=None, **rule):
        """inject(code=130429, next=1), inject(fault="accept_close"), inject(fault="slow", delay_ms=50, always=True)"""
        body = {"fault": fault or "error", **rule}
        if code is not None:
            body["code"] = code
        return self.control("POST", "inject", body)["id"]

    def clear_faults(self):
        self.control("DELETE", "inject")

    def set(self, **settings):
        return self.control("POST", "settings", settings)

    def callback(self, url, verify_token=None):
        body = {"url": url}
        if verify_token is not None:
            body["verify_token"] = verify_token
        self.control("POST", "callback", body)

    def messages(self, **query):
        """What was accepted, in order: dicts with seq, id, to, type, body (text), opaque, statuses."""
        return self.control("GET", "messages", **query)["messages"]

    def counters(self):
        return self.state()["counters"]

    def wait_messages(self, count, timeout=None, **query):
        """Wait for `count` accepted messages since the last time; their texts, or their bodies."""
        found = self.control("GET", "messages", wait=count, timeout_s=int(timeout or WAIT), after=self.seen,
                             **query)["messages"]
        assert len(found) >= count, "wanted %d messages, the sandbox accepted %d" % (count, len(found))
        self.seen = max([self.seen] + [m["seq"] for m in found])
        return [text_of(m["body"]) for m in found]

    def webhooks(self, **query):
        return self.control("GET", "webhooks", **query)["webhooks"]

    def wait_webhooks(self, count, timeout=None, **query):
        """Wait until `count` webhooks were delivered (or are in state=...); all that match."""
        found = self.control("GET", "webhooks", wait=count, timeout_s=int(timeout or WAIT), **query)["webhooks"]
        return found

    def wait_quiet(self):
        """Until no webhook is on its way any more."""
        def done():
            return all(w["state"] in ("delivered", "dead", "unsent") for w in self.webhooks())
        wait_until("every webhook delivered", done)

    def post_raw(self, body):
        """Any text as a webhook, signed and sent as it is."""
        return self.control("POST", "webhooks", {"body": body})["id"]


def text_of(body):
    """The text of a text message; the whole message of any other kind."""
    message = json.loads(body)
    return message["text"]["body"] if message.get("type", "text") == "text" else message


class Clock:
    """The time of sandbox and gateway together."""

    def __init__(self, sandbox):
        self.sandbox = sandbox

    def move(self, **order):
        return self.sandbox.control("POST", "clock", order)

    def advance(self, seconds=0, ms=0, minutes=0, hours=0, days=0):
        total = ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)))
        return self.move(advance_ms=int(total))

    def freeze(self):
        return self.move(freeze=True)

    def resume(self):
        return self.move(resume=True)

    def set(self, stamp):
        return self.move(set=stamp)

    def now_ms(self):
        return self.sandbox.control("GET", "clock")["wall_ms"]


def write_secret(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        f.write(text)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


Answer = collections.namedtuple("Answer", "status headers text json")


class Gateway(Process):
    """`godwit serve` with a data folder, a configuration and a local socket of its own."""

    def __init__(self, folder, sandbox=None, conf=None, env=None, name="gateway", account=None, start=True):
        super().__init__(folder, name)
        self.sandbox, self.env = sandbox, dict(env or {})
        self.data = os.path.join(folder, name + ".data")
        self.conf_path = os.path.join(folder, name + ".conf")
        self.socket = os.path.join(folder, name + ".sock")
        self.conf = {"data": self.data, "profile": "sandbox", "listen.public": "127.0.0.1:0",
                     "listen.api": "127.0.0.1:0", "listen.local": self.socket, "log.level": "debug",
                     "egress.allow": "127.0.0.0/8 ::1/128", "store.disk_min": "0", "templates.read": "no",
                     "numbers.read": "no"}
        self.accounts = {"test": {"app_id": "610000000000001", "app_secret": APP_SECRET,
                                  "verify_token": VERIFY_TOKEN, "token": TOKEN, "business_id": WABA,
                                  "base_url": "http://127.0.0.1:1", "numbers": NUMBER}}
        if sandbox is not None:
            self.conf["clock.follow"] = self.accounts["test"]["base_url"] = sandbox.base
        self.accounts["test"].update(account or {})
        self.conf.update(conf or {})
        self.http, self._key = requests.Session(), None
        if start:
            self.start()

    # --- life ---

    def write_conf(self):
        lines = ["%s = %s" % pair for pair in self.conf.items()]
        for name, account in self.accounts.items():
            lines.append("[account %s]" % name)
            for key, value in account.items():
                if key in ("app_secret", "app_secret_previous", "verify_token", "token"):
                    path = os.path.join(self.folder, "%s.%s.%s" % (self.name, name, key))
                    write_secret(path, value)
                    key, value = key + "_file", path
                lines.append("%s = %s" % (key, value))
        with open(self.conf_path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")

    def start(self, wait=True, **env):
        """Start it, at its old ports when it ran before, and tell the sandbox where it is."""
        self.write_conf()
        line = self.spawn(["serve", "-c", self.conf_path], dict(self.env, **env), wait)
        if not wait:
            return self
        assert line is not None, "the gateway did not start: " + self.story()
        words = dict(word.split("=", 1) for word in line.split()[1:])
        first = self.conf["listen.public"].endswith(":0")
        self.conf["listen.public"] = "127.0.0.1:" + words["public"]
        self.conf["listen.api"] = "127.0.0.1:" + words["api"]
        self.public, self.base = "http://127.0.0.1:" + words["public"], "http://127.0.0.1:" + words["api"]
        if self.sandbox is not None and first:
            self.sandbox.callback(self.public + "/webhook")
        return self

    def restart(self, **env):
        """SIGTERM, wait, start."""
        assert self.term() == 0, self.story()
        return self.start(**env)

    def crash(self, **env):
        """SIGKILL and start again."""
        self.kill()
        return self.start(**env)

    # --- calls ---

    def local(self, method, path, body=None, headers=None, timeout=None):
        """Over the local socket, where no key is needed; an Answer, whatever its status."""
        raw = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection = UnixConnection(self.socket, timeout or WAIT + 30)
        connection.request(method, path, raw, headers or {})
        r = connection.getresponse()
        text = r.read().decode("utf-8", "replace")
        connection.close()
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        return Answer(r.status, dict(r.getheaders()), text, parsed)

    def api(self, method, path, body=None, **query):
        """The API; the JSON of a 2xx."""
        path = "/api/v1/" + path
        if query:
            path += "?" + urllib.parse.urlencode(query)
        answer = self.local(method, path, body)
        assert 200 <= answer.status < 300, "%s %s: %d %s" % (method, path, answer.status, answer.text)
        return answer.json

    def make_key(self, *scopes, numbers=()):
        return self.api("POST", "keys", {"scopes": list(scopes), "numbers": list(numbers)})["key"]

    @property
    def key(self):
        """A key that may everything."""
        if self._key is None:
            self._key = self.make_key("admin")
        return self._key

    def graph(self, method, path, body=None, key=None, headers=None, timeout=None):
        """A Graph call over TCP, as an application makes it: a requests.Response."""
        raw = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body).encode()
        headers = {"Authorization": "Bearer " + (key or self.key), "Content-Type": "application/json",
                   **(headers or {})}
        return self.http.request(method, self.base + path, data=raw, headers=headers, timeout=timeout or WAIT + 30)

    def graph_send(self, body, number=NUMBER, version="/v26.0", **kwargs):
        return self.graph("POST", "%s/%s/messages" % (version, number), body, **kwargs)

    def send(self, to=ANA, body="hello", message=None, **kwargs):
        """A message that waits for Meta's answer: a requests.Response."""
        content = message or {"type": "text", "text": {"body": body}}
        return self.graph_send({"messaging_product": "whatsapp", "to": to, **content}, **kwargs)

    def send_text(self, to=ANA, body="hello", headers=None, **kwargs):
        """A text that is on disk when this returns; our id, msg_..."""
        r = self.send(to, body, headers={"Prefer": "respond-async", **(headers or {})}, **kwargs)
        assert r.status_code in (200, 202), r.text
        return r.headers["Godwit-Message"]

    def webhook(self, body, secret=APP_SECRET, path="/webhook", headers=None, timeout=None):
        """Post a webhook as Meta would: dict or bytes, signed."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(raw, secret), **(headers or {})}
        return self.http.post(self.public + path, data=raw, headers=headers, timeout=timeout or WAIT + 30)

    def cli(self, *args, stdin=None, timeout=None, env=None):
        """godwit ARGS against this gateway: returncode, stdout, stderr."""
        env = {**os.environ, "GODWIT_SERVER": "unix:" + self.socket, "LC_ALL": "C.UTF-8", **(env or {})}
        if self.sandbox is not None:
            env.setdefault("GODWIT_SANDBOX", self.sandbox.base)
        return subprocess.run([BIN, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8", timeout=timeout or WAIT + 30, env=env, check=False)

    # --- looking ---

    def message(self, id_):
        return to_namespace(self.api("GET", "messages/" + id_))

    def trail(self, id_):
        return self.api("GET", "messages/%s/trail" % id_)["trail"]

    def messages(self, **query):
        return self.api("GET", "messages", **query)["data"]

    def wait_message(self, id_, timeout=None, **want):
        """Wait until the message has these members: wait_message(id, state="accepted", status="read")."""
        def there():
            m = self.api("GET", "messages/" + id_)
            return m if all(m.get(k) == v for k, v in want.items()) else None
        return to_namespace(wait_until("%s with %s" % (id_, want), there, timeout))

    def events(self, **query):
        """Normalized events, oldest first."""
        return self.api("GET", "events", limit=1000, **query)["data"][::-1]

    def wait_events(self, count, timeout=None, **query):
        def there():
            found = self.events(**query)
            return found if len(found) >= count else None
        return wait_until("%d events %s" % (count, query or ""), there, timeout)

    def metrics(self):
        """One scrape: {(name, labels): value}."""
        answer = self.local("GET", "/metrics")
        assert answer.status == 200, answer.text
        return parse_metrics(answer.text)

    def metric(self, name, **labels):
        """metric("outbox_moves_total", src="sending", dst="waiting"); 0 when it was never counted."""
        return self.metrics().get((full_name(name), tuple(sorted(labels.items()))), 0)

    def metric_by(self, name, label):
        """{label's value: number} from one scrape: what adds up, or is compared, is of one moment."""
        return {dict(labels)[label]: value for (series, labels), value in self.metrics().items()
                if series == full_name(name)}

    def add_destination(self, url, **options):
        """Returns the answer with its secret."""
        return self.api("POST", "destinations", {"url": url, **options})

    def stream(self, **query):
        return Stream(self, **query)

    # --- the store ---

    def database(self):
        db = sqlite3.connect("file:%s?mode=ro" % os.path.join(self.data, "godwit.db"), uri=True, timeout=WAIT)
        db.row_factory = sqlite3.Row
        return db

    def check_store(self):
        """Every invariant of the schema (src/store/sqlite_check.c); works beside the running gateway."""
        db = self.database()
        try:
            assert [r[0] for r in db.execute("PRAGMA integrity_check")] == ["ok"]
            for name, sql in store_invariants():
                rows = db.execute(sql, (int((time.time() - 8 * 86400) * 1000),) if "?1" in sql else ()).fetchmany(20)
                assert not rows, "%s: %s" % (name, [r[0] for r in rows])
        finally:
            db.close()

    def close(self):
        super().close()
        if os.path.exists(os.path.join(self.data, "godwit.db")):
            self.check_store()


def condition(match):
    """@OUTQ_OPEN@ or @DELIVERY_KNOWN:column@ as SQL, from the *_state.def tables (src/store/words.h)."""
    machine, what, column = match.group(1).lower(), match.group(2), match.group(3) or "state"
    with open(os.path.join(TOP, "src", "store", machine + "_state.def"), encoding="utf-8") as f:
        rows = re.findall(r'^\w+_STATE\(\w+, "(\w+)", (true|false)', f.read(), re.MULTILINE)
    words = ",".join("'%s'" % word for word, terminal in rows if what == "KNOWN" or terminal == "true")
    assert words, match.group(0)
    return "%s %s (%s)" % (column, "IN" if what == "KNOWN" else "NOT IN", words)


def store_invariants():
    """(name, SQL): read from where the store has them, so that there is one list."""
    with open(os.path.join(TOP, "src", "store", "sqlite_check.c"), encoding="utf-8") as f:
        table = re.search(r"invariants\[\] = \{(.*?)^\};", f.read(), re.DOTALL | re.MULTILINE).group(1)
    found = []
    for row in re.findall(r"\{((?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\}", table):
        parts = re.match(r'\s*"((?:[^"\\]|\\.)*)"\s*,(.*)', row, re.DOTALL)
        sql = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', parts.group(2)))
        sql = re.sub(r"@(OUTQ|DELIVERY)_(OPEN|KNOWN)(?::(\w+))?@", condition, sql)
        assert "@" not in sql, sql
        found.append((parts.group(1), sql))
    assert len(found) > 10
    return found


def full_name(metric):
    return metric if metric.startswith("godwit_") else "godwit_" + metric


def parse_metrics(body):
    """The text format of Prometheus: {(name, labels): value}; asserts what does not parse."""
    rows = {}
    for line in body.splitlines():
        if line.startswith("#") or not line:
            continue
        got = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)", line)
        assert got, "no metric: %r" % line
        labels = tuple(sorted(re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', got.group(2) or "")))
        assert (got.group(1), labels) not in rows, "twice: %r" % line
        rows[got.group(1), labels] = float(got.group(3))
    return rows


class Stream:
    """The live event stream (server-sent events), collected by a thread."""

    def __init__(self, gateway, last_event_id=None, **query):
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        path = "/api/v1/stream" + ("?" + urllib.parse.urlencode(query) if query else "")
        self.connection = UnixConnection(gateway.socket, None)
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.events = []  # (id, type, data)
        assert self.response.readline().startswith(b":")  # now nothing is missed
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        event = {}
        try:
            for raw in self.response:
                line = raw.decode().rstrip("\n")
                if not line and "data" in event:
                    self.events.append((event.get("id"), event.get("event"), json.loads(event["data"])))
                if not line:
                    event = {}
                elif not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    event[name] = value
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # closed

    def wait(self, count, timeout=None):
        wait_until("%d events in the stream" % count, lambda: len(self.events) >= count, timeout)
        return [data for _, _, data in self.events]

    def close(self):
        if self.connection.sock is not None:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


Request = collections.namedtuple("Request", "method path headers body at")


class Receiver:
    """An endpoint of the user's: keeps every request, answers by script and otherwise 200.

    receiver.script(500, 500, (200, "ok"), Receiver.CLOSE)  one answer per request, in order
    receiver.on_request = lambda request: 503               decides for all that no script answers
    """
    CLOSE = "close"  # the connection ends without an answer

    def __init__(self):
        outer = self
        self.requests, self.answers, self.on_request = [], collections.deque(), None
        self.lock, self.gate = threading.Lock(), threading.Event()
        self.gate.set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.answer(self, Request(self.command, self.path, self.headers, body, time.monotonic()))

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 512

            def handle_error(self, request, client_address):
                pass  # a client that was killed is no error of ours

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def script(self, *answers):
        self.answers.extend(answers)

    def hold(self):
        """Requests are kept and wait for their answer until release()."""
        self.gate.clear()

    def release(self):
        self.gate.set()

    def answer(self, handler, request):
        with self.lock:
            self.requests.append(request)
            scripted = self.answers.popleft() if self.answers else None
        if scripted is None and self.on_request is not None:
            scripted = self.on_request(request)
        self.gate.wait(WAIT)
        if scripted == self.CLOSE:
            handler.close_connection = True
            return
        status, text = scripted if isinstance(scripted, tuple) else (scripted or 200, "")
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(text.encode())))
        handler.end_headers()
        handler.wfile.write(text.encode())

    def wait(self, count, timeout=None):
        """Wait for `count` requests in all; all of them."""
        wait_until("%d requests at the receiver (%d came)" % (count, len(self.requests)),
                   lambda: len(self.requests) >= count, timeout)
        return list(self.requests)

    def bodies(self):
        return [json.loads(r.body) for r in self.requests]

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()
