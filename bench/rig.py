# SPDX-License-Identifier: MIT
"""rig.py - the processes of a bench: a gateway, a sandbox, and what they cost"""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

NUMBER = "106540352242922"
TICKS = os.sysconf("SC_CLK_TCK")


STARTED = []  # every process of the bench, for the one that ends in the middle


def end_all():
    for child in STARTED:
        if child.poll() is None:
            child.kill()
            child.wait()


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class UnixConnection(http.client.HTTPConnection):
    """The local socket, which needs no key."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.unix = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.unix)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid, key):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(rf"^{key}:\s+(\d+) kB", f.read(), re.M).group(1)) / 1024


class Process:
    """A program that says it is ready with a line on a descriptor of ours."""

    def __init__(self, argv, log, env=None):
        read_end, write_end = os.pipe()
        os.set_inheritable(write_end, True)
        argv = [a if a != "{ready}" else str(write_end) for a in argv]
        self.began = time.monotonic()
        with open(log, "ab") as out:
            self.child = subprocess.Popen(argv, stdout=out, stderr=out, close_fds=False,
                                          env={**os.environ, **(env or {})})
        os.close(write_end)
        STARTED.append(self.child)
        with os.fdopen(read_end) as ready:
            self.line = ready.readline()
        self.ready_ms = (time.monotonic() - self.began) * 1000
        if not self.line:
            raise SystemExit(f"{argv[0]} did not start: see {log}")
        self.pid = self.child.pid

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        if self.child.wait(timeout=60) != 0:
            say(f"a process left {self.child.returncode}")


class Gateway:
    """`godwit serve` with one account and one number, its webhooks, API and Graph front on one port."""

    def __init__(self, bench, name, base_url="http://127.0.0.1:9", limit=1000, profile="sandbox", starts=True):
        self.dir = os.path.join(bench.tmp, name)
        os.makedirs(self.dir)
        self.port = free_port()
        self.sock = os.path.join(self.dir, "sock")
        self.limit, self.profile = limit, profile
        for secret in ("app_secret", "token", "verify_token"):
            with open(os.path.join(self.dir, secret), "w", encoding="ascii") as f:
                os.fchmod(f.fileno(), 0o600)
                f.write(f"bench-{secret}-0123456789abcdef")
        self.conf = os.path.join(self.dir, "godwit.conf")
        self.argv = [bench.godwit, "serve", "-c", self.conf, "--ready-fd", "{ready}"]
        self.configure(base_url)
        if starts:
            self.start()

    def configure(self, base_url):
        with open(self.conf, "w", encoding="ascii") as f:
            f.write(f"data = {self.dir}/data\nprofile = {self.profile}\nlisten.public = 127.0.0.1:{self.port}\n"
                    f"listen.api = 127.0.0.1:{self.port}\nlisten.local = {self.sock}\n"
                    f"egress.allow = 127.0.0.0/8\nstore.disk_min = 0\n[account bench]\n"
                    f"app_secret_file = {self.dir}/app_secret\ntoken_file = {self.dir}/token\n"
                    f"verify_token_file = {self.dir}/verify_token\nbase_url = {base_url}\n"
                    f"numbers = {NUMBER}={self.limit}\n")

    def kill(self):
        self.process.child.kill()
        self.process.child.wait()

    def start(self):
        self.process = Process(self.argv, os.path.join(self.dir, "log"))
        self.pid = self.process.pid

    def call(self, method, path, body=None):
        c = UnixConnection(self.sock)
        c.request(method, path, None if body is None else json.dumps(body),
                  {"Content-Type": "application/json"})
        answer = c.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def stop(self):
        self.process.stop()


class Sandbox(Process):
    """`godwit sandbox` with the bench's number and settings."""

    def __init__(self, bench, name, limit, secrets=None, **settings):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        files = [] if secrets is None else ["--app-secret-file", f"{secrets}/app_secret",
                                            "--verify-token-file", f"{secrets}/verify_token"]
        super().__init__([bench.godwit, "sandbox", "--listen", f"127.0.0.1:{self.port}", "--quiet-customer",
                          *files, "--ready-fd", "{ready}"], os.path.join(bench.tmp, name + ".log"))
        self.control("POST", "numbers", {"id": NUMBER, "limit_mps": limit})
        self.control("POST", "settings", settings)

    def control(self, method, what, body=None, timeout_s=60):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        c.request(method, f"/sandbox/v1/{what}", None if body is None else json.dumps(body),
                  {"Content-Type": "application/json"})
        answer = c.getresponse()
        text = answer.read()
        c.close()
        if answer.status >= 300:
            raise SystemExit(f"sandbox {what}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def accepted(self):
        """How many messages it took."""
        return self.control("GET", "messages?brief=1&limit=0")["total"]

    def wait_accepted(self, count, timeout_s):
        """Until it took that many (told at once), or the time is over; how many it took."""
        return self.control("GET", f"messages?brief=1&limit=0&wait={count}&timeout_s={timeout_s}",
                            timeout_s=timeout_s + 30)["total"]

    def messages(self):
        """What it took, in order, without the bodies."""
        after = 0
        while True:
            page = self.control("GET", f"messages?brief=1&limit=20000&after={after}")["messages"]
            yield from page
            if not page:
                return
            after = page[-1]["seq"]

    def refused(self, code):
        """How many calls it answered with that code."""
        return self.control("GET", "state")["counters"]["refused"].get(str(code), 0)
