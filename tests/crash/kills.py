# SPDX-License-Identifier: MIT
"""Kill the gateway at random under load both ways, again and again, and count what it promised.

The sandbox (Meta's side, never killed) misbehaves meanwhile: errors after accepting, closed and reset connections,
server errors. The load is a stream of signed webhooks, a stream of sends and one of lists (batches); every answer is
written down.

What must hold at the end:
  lost      webhooks that were answered 200 and are not in the store: 0
  unsent    sends that were answered 2xx and are not in the store: 0
  doubled   texts that the sandbox accepted more than once, sends and rows of lists alike: 0
  lists_lost   lists that were answered 202 and are not there, or are at no end: 0
  rows_lost    rows of lists that are done without a message of their own in the store: 0; of a list that was refused,
               because the kill came while it was looked at, rows that were sent all the same
  unreconciled  messages that are unknown although the sandbox accepted them and said so in a status: 0
  slow      starts that took longer than 2 s to be ready: reported, and a failure beyond `ready_max_s`
  schema    findings of SQLite's integrity check and of the store's own invariants: 0

All randomness comes from one seed, which is printed: the schedule of kills and faults is the same again (what the
operating system makes of it is not).
"""
import hashlib
import hmac
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

NUMBER = "573542517421694"
SECRET = b"kills-app-secret"
LIST_ROWS = 40
FAULTS = [
    {"fault": "accept_close"},
    {"fault": "accept_reset"},
    {"fault": "accept_5xx"},
    {"fault": "error_after_accept"},
    {"fault": "garbage"},
    {"fault": "reset"},
    {"fault": "error", "code": 131000},
    {"fault": "error", "code": 130429},
    {"fault": "slow", "delay_ms": 300},
]


def words(body):
    """What tells a message from all others: its text, or the template's first variable."""
    message = json.loads(body)
    if message["type"] == "text":
        return message["text"]["body"]
    return message["template"]["components"][0]["parameters"][0]["text"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def call(port, method, path, body=None, headers=None, timeout=10, unix=None):
    connection = http.client.HTTPConnection("127.0.0.1", port or 0, timeout=timeout)
    if unix:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(timeout)
        connection.sock.connect(unix)
    try:
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Process:
    def __init__(self, argv, log):
        read_end, write_end = os.pipe()
        os.set_inheritable(write_end, True)
        began = time.monotonic()
        with open(log, "ab") as out:
            self.child = subprocess.Popen([a if a != "{ready}" else str(write_end) for a in argv],
                                          stdout=out, stderr=out, close_fds=False)
        os.close(write_end)
        with os.fdopen(read_end) as ready:
            line = ready.readline()
        self.ready_s = time.monotonic() - began
        if not line:
            raise RuntimeError(f"{argv[1]} did not start: see {log}")

    def kill(self):
        self.child.kill()
        self.child.wait()

    def term(self, timeout=60):
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=timeout)


class Kills:
    def __init__(self, godwit, count, seed, directory=None, ready_max_s=10.0):
        self.godwit, self.count, self.seed = godwit, count, seed
        self.ready_max_s = ready_max_s
        self.random = random.Random(seed)
        self.own = directory is None
        self.dir = directory or tempfile.mkdtemp(prefix="godwit-kills-")
        self.log = os.path.join(self.dir, "gateway.log")
        self.port, self.sandbox_port = free_port(), free_port()
        self.sock = os.path.join(self.dir, "sock")
        self.acked, self.sent, self.listed = [], [], []
        self.stop = threading.Event()
        self.next_hook = self.next_send = 0
        self.starts = []

    # ---- processes

    def write(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(data)
        return path

    def start_sandbox(self):
        secret, verify = self.write("app_secret", SECRET), self.write("verify_token", b"kills-verify")
        self.write("token", b"kills-token")
        self.sandbox = Process([self.godwit, "sandbox", "--listen", f"127.0.0.1:{self.sandbox_port}", "--callback",
                                f"http://127.0.0.1:{self.port}/webhook", "--app-secret-file", secret,
                                "--verify-token-file", verify, "--quiet-customer", "--seed", str(self.seed),
                                "--ready-fd", "{ready}"], os.path.join(self.dir, "sandbox.log"))
        self.control("numbers", {"id": NUMBER, "limit_mps": 1000})
        self.control("settings", {"webhook_retry_ms": 100, "enforce_window": False, "pair_refill_ms": 0})

    def control(self, what, body):
        status, text = call(self.sandbox_port, "POST", f"/sandbox/v1/{what}", body)
        if status >= 300:
            raise RuntimeError(f"sandbox {what}: {status} {text[:300]!r}")
        return json.loads(text)

    def inject(self, rule):
        """A long run on a slow machine injects faster than sends use it up: then there is enough of it."""
        status, text = call(self.sandbox_port, "POST", "/sandbox/v1/inject", rule)
        if status >= 300 and status != 413:
            raise RuntimeError(f"sandbox inject: {status} {text[:300]!r}")

    def configure(self):
        self.conf = self.write("godwit.conf", (
            f"data = {self.dir}/data\nprofile = sandbox\nlisten.public = 127.0.0.1:{self.port}\n"
            f"listen.api = 127.0.0.1:{self.port}\nlisten.local = {self.sock}\negress.allow = 127.0.0.0/8\n"
            "store.disk_min = 0\nunknown.wait = 5s\nlane.unknown_wait = 1s\n"
            "pacing.pair_burst = 45\npacing.pair_interval = 1s\n[account kills]\n"
            f"app_secret_file = {self.dir}/app_secret\n"
            f"token_file = {self.dir}/token\nverify_token_file = {self.dir}/verify_token\n"
            f"base_url = http://127.0.0.1:{self.sandbox_port}\nnumbers = {NUMBER}=1000\n").encode())

    def start_gateway(self):
        self.gateway = Process([self.godwit, "serve", "-c", self.conf, "--ready-fd", "{ready}"], self.log)
        self.starts.append(self.gateway.ready_s)

    # ---- load

    def hook_body(self, n):
        who = f"4915{n % 50:08d}"
        return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "412233445566778", "changes": [
            {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": {
                "display_phone_number": "15550783881", "phone_number_id": NUMBER},
                "contacts": [{"profile": {"name": "K"}, "wa_id": who}],
                "messages": [{"from": who, "id": f"wamid.K{self.seed}x{n}", "timestamp": str(int(time.time())),
                              "type": "text", "text": {"body": f"hook {n}"}}]}}]}]}).encode()

    def hooks(self):
        connection = None
        while not self.stop.is_set():
            n, self.next_hook = self.next_hook, self.next_hook + 1
            body = self.hook_body(n)
            mac = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("POST", "/webhook", body, {"X-Hub-Signature-256": f"sha256={mac}"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.acked.append(f"wamid.K{self.seed}x{n}")
            except (OSError, http.client.HTTPException):
                if connection:
                    connection.close()
                connection = None
                self.stop.wait(0.005)

    def sends(self, lane):
        while not self.stop.is_set():
            n, self.next_send = self.next_send, self.next_send + 1
            text = f"send {self.seed} {lane} {n}"
            body = {"messaging_product": "whatsapp", "to": f"+4917{(lane * 500 + n % 500):08d}", "type": "text",
                    "text": {"body": text}}
            try:
                status, answer = call(None, "POST", f"/v26.0/{NUMBER}/messages", body,
                                      {"Prefer": "respond-async"}, timeout=5, unix=self.sock)
                if 200 <= status < 300:
                    self.sent.append((json.loads(answer)["messages"][0]["id"], text))
            except (OSError, http.client.HTTPException, ValueError):
                self.stop.wait(0.005)

    def lists(self):
        """A list after the other, each to be sent as soon as it was looked at."""
        path = "/api/v1/batches?template=order_shipped&language=en&var.1=name&var.2=order&start=1"
        n = 0
        while not self.stop.is_set():
            n += 1
            rows = "".join(f"+4916{(n * LIST_ROWS + i) % 10**7:08d},list {self.seed} {n} {i},A-{i}\n"
                           for i in range(LIST_ROWS))
            try:
                status, answer = call(None, "POST", path, ("phone,name,order\n" + rows).encode(),
                                      {"Content-Type": "text/csv"}, timeout=5, unix=self.sock)
                if status == 202:
                    self.listed.append(json.loads(answer)["id"])
            except (OSError, http.client.HTTPException, ValueError):
                pass
            self.stop.wait(0.05)

    def run(self):
        self.start_sandbox()
        self.configure()
        self.start_gateway()
        threads = [threading.Thread(target=self.hooks, daemon=True)]
        threads += [threading.Thread(target=self.sends, args=(lane,), daemon=True) for lane in range(2)]
        threads.append(threading.Thread(target=self.lists, daemon=True))
        for t in threads:
            t.start()
        for _ in range(self.count):
            for fault in self.random.sample(FAULTS, 2):
                self.inject({"target": "send", "next": self.random.randint(1, 3), **fault})
            time.sleep(self.random.uniform(0.05, 0.6))  # the moment of the kill, not a wait for anything
            self.gateway.kill()
            self.start_gateway()
        self.stop.set()
        for t in threads:
            t.join(timeout=15)
        self.settle()
        self.left = self.gateway.term()
        result = self.verdict()
        self.sandbox.term()
        return result

    def settle(self):
        """Until nothing is queued or on the wire: unknown ones may stay, that is their promise."""
        deadline = time.monotonic() + 60
        call(self.sandbox_port, "DELETE", "/sandbox/v1/inject")
        while time.monotonic() < deadline:
            open_ones = 0
            for state in ("queued", "sending", "waiting"):
                status, text = call(None, "GET", f"/api/v1/messages?state={state}&limit=1", unix=self.sock)
                open_ones += len(json.loads(text)["data"]) if status == 200 else 1
            for state in ("checking", "running"):
                status, text = call(None, "GET", f"/api/v1/batches?state={state}&limit=1", unix=self.sock)
                open_ones += len(json.loads(text)["data"]) if status == 200 else 1
            if open_ones == 0:
                break
            time.sleep(0.1)
        self.deliver_everything()
        deadline = time.monotonic() + 10  # what was taken in is applied in a moment
        while self.unreconciled() and time.monotonic() < deadline:
            time.sleep(0.1)

    def deliver_everything(self):
        """What met a gateway that was down comes again after twice as long each time, up to an hour: move that hour."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            pending = [state for state in ("queued", "sending", "waiting") if self.webhooks(state)]
            if not pending:
                return
            if pending == ["waiting"]:
                self.control("clock", {"advance": "1h"})
            time.sleep(0.1)
        raise RuntimeError("the sandbox still has webhooks that nobody took")

    def webhooks(self, state):
        status, text = call(self.sandbox_port, "GET", f"/sandbox/v1/webhooks?state={state}&limit=1")
        if status != 200:
            raise RuntimeError(f"sandbox webhooks: {status} {text[:300]!r}")
        return json.loads(text)["webhooks"]

    def unreconciled(self):
        seen, _ = self.at_the_sandbox()
        db = self.database()
        unknown = [words(row[0])
                   for row in db.execute("SELECT body FROM message WHERE state = 'unknown'")]
        db.close()
        return sum(1 for text in unknown if text in seen)

    def database(self):
        return sqlite3.connect(f"file:{self.dir}/data/godwit.db?mode=ro", uri=True, timeout=10)

    # ---- verdict

    def at_the_sandbox(self):
        """How often it took each text (of the newest 20,000, whose bodies it keeps), and how many it saw again."""
        status, text = call(self.sandbox_port, "GET", "/sandbox/v1/messages?limit=20000", timeout=60)
        if status != 200:
            raise RuntimeError(f"sandbox messages: {status} {text[:300]!r}")
        answer = json.loads(text)
        seen = {}
        for m in answer["messages"]:
            body = words(m["body"])
            seen[body] = seen.get(body, 0) + 1
        return seen, answer["counters"]["doubled"]

    def verdict(self):
        db = self.database()
        stored = {row[0] for row in db.execute("SELECT external_id FROM event WHERE type = 'message.received'")}
        states = dict(db.execute("SELECT state, count(*) FROM message GROUP BY state"))
        texts = {words(row[0]) for row in db.execute("SELECT body FROM message")}
        integrity = [row[0] for row in db.execute("PRAGMA integrity_check")]
        seq_gaps = db.execute("SELECT count(*) FROM (SELECT conversation, count(*) n, max(seq) m FROM event "
                              "WHERE seq > 0 GROUP BY conversation) WHERE n <> m").fetchone()[0]
        twice = db.execute("SELECT count(*) FROM (SELECT external_id FROM event WHERE type = 'message.received' "
                           "GROUP BY external_id HAVING count(*) > 1)").fetchone()[0]
        lists_lost, rows_lost, refused = self.lists_verdict(db)
        db.close()
        seen, doubled = self.at_the_sandbox()
        return {
            "kills": self.count,
            "hooks_acked": len(self.acked),
            "sends_answered": len(self.sent),
            "lists_answered": len(self.listed),
            "lists_refused": refused,
            "lists_lost": lists_lost,
            "rows_lost": rows_lost,
            "lost": sum(1 for wamid in self.acked if wamid not in stored),
            "stored_twice": twice,
            "unsent": sum(1 for _, text in self.sent if text not in texts),
            "doubled": max(doubled, sum(1 for times in seen.values() if times > 1)),
            "unknown": states.get("unknown", 0),
            "unreconciled": self.unreconciled(),
            "unfinished": sum(states.get(s, 0) for s in ("queued", "sending", "waiting")),
            "schema": (0 if integrity == ["ok"] else len(integrity)) + seq_gaps,
            "ready_max_s": round(max(self.starts), 3),
            "left": self.left,
            "seed": self.seed,
            "dir": self.dir,
        }

    def lists_verdict(self, db):
        """(lists that are lost, rows that are, lists that were refused), by the store."""
        states, rows_lost = {}, 0
        for row, state in db.execute("SELECT row, state FROM batch"):
            sent, = db.execute("SELECT count(*) FROM batch_sent s JOIN message m ON m.row = s.message "
                               "WHERE s.row >> 20 = ?", (row,)).fetchone()
            rows_lost += {"done": LIST_ROWS - sent, "refused": sent}.get(state, 0)
            states[state] = states.get(state, 0) + 1
        ends = states.get("done", 0) + states.get("refused", 0)
        lost = max(len(self.listed) - ends, 0) + sum(states.values()) - ends
        return lost, rows_lost, states.get("refused", 0)

    def clean(self):
        if self.own:
            shutil.rmtree(self.dir, ignore_errors=True)


def is_good(result):
    none = ("lost", "stored_twice", "unsent", "doubled", "unreconciled", "unfinished", "schema", "left", "lists_lost",
            "rows_lost")
    return all(result[k] == 0 for k in none)
