# SPDX-License-Identifier: MIT
"""lists.py - for the tests of sending to a list: a command under a terminal, and a gateway that stands still when told

Lists   a stand-in for the gateway's side of docs/api.md, Batches: it keeps what it is asked, and goes on as far as
        the test lets it
Typed   godwit on a pseudo-terminal: what it shows, and what is typed
"""
import fcntl
import http.server
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import urllib.parse

import kit

ID = "bat_01jd8k3v9q7tm2abcdefghjkmn"


class Lists:
    """One batch. `ready` rows go out `step` at each look while it runs, up to `until`."""

    def __init__(self, profile="sandbox", ready=100, refused=0, step=40):
        outer = self
        self.profile, self.step, self.until = profile, step, ready
        self.uploads, self.orders, self.looks, self.is_gone = [], [], 0, False
        self.gate = threading.Event()
        self.gate.set()
        self.rows = [{"row": i + 1, "phone": "+4915112345%03d" % (i % 1000), "state": "waiting"} for i in range(ready)]
        self.rows += [{"row": ready + i + 1, "phone": "+49%d" % i, "state": "refused", "code": "phone",
                       "reason": "no telephone number", "fix": "write it with its country code"}
                      for i in range(refused)]
        self.batch = {"id": ID, "name": "people.csv", "state": "checking", "number": kit.NUMBER,
                      "template": "order_shipped", "created_at": "2026-11-26T05:00:00.000Z", "rate": 0, "eta_s": 2,
                      "preview": [{"phone": "+4915112345000", "body": "Hi Ann, order A-1 is on its way"}], "why": None,
                      "rows": {"total": ready + refused, "ready": ready, "refused": refused, "duplicates": 0},
                      "findings": [r for r in self.rows if r["state"] == "refused"][:100],
                      "progress": dict.fromkeys(("waiting", "queued", "sending", "accepted", "failed", "unknown",
                                                 "expired"), 0)}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if outer.is_gone:
                    self.close_connection = True
                    return
                outer.gate.wait(kit.WAIT)
                url = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(url.query))
                status, answer = outer.answer(self.command, url.path, query, body, self.headers)
                raw = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = any

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a command that was killed is no error of ours

        self.server = Server(("127.0.0.1", 0), Handler)
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith("GODWIT_")}, "LC_ALL": "C.UTF-8",
                    "TERM": "xterm", "GODWIT_SERVER": "http://127.0.0.1:%d" % self.server.server_port}
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def finish(self, count, state="accepted", **more):
        """The next `count` waiting rows are settled."""
        rows = [r for r in self.rows if r["state"] == "waiting"][:count]
        for row in rows:
            row.update(state={"accepted": "sent"}.get(state, state), id="msg_%d" % row["row"], **more)
        self.batch["progress"][state] += len(rows)

    def go_on(self):
        p, b = self.batch["progress"], self.batch
        if b["state"] == "checking":
            b["state"] = "ready"
        elif b["state"] == "running":
            done = sum(p[s] for s in ("accepted", "failed", "unknown", "expired"))
            self.finish(min(self.step, self.until - done))
            b.update(rate=74.8, eta_s=79)
            if all(r["state"] != "waiting" for r in self.rows):
                b["state"] = "done"

    def order(self, word, body):
        self.orders.append((word, json.loads(body) if body else None))
        self.batch["state"] = {"start": "running", "resume": "running", "pause": "paused",
                               "cancel": "cancelled"}[word]
        return 200, self.batch

    def answer(self, method, path, query, body, headers):
        if path == "/api/v1/version":
            return 200, {"profile": self.profile, "number_ids": [kit.NUMBER]}
        if path == "/api/v1/batches" and method == "POST":
            self.uploads.append((query, headers["Content-Type"], body))
            return 202, {"id": ID, "state": "checking"}
        if path == "/api/v1/batches":
            return 200, {"data": [self.batch], "page": {"next": None}}
        if not path.startswith("/api/v1/batches/" + ID):
            return 404, {"error": {"class": "not_found", "code": "no_such_batch", "message": "there is no such batch"}}
        if method == "POST":
            return self.order(path.rpartition("/")[2], body)
        if path.endswith("/results"):
            rest = [r for r in self.rows if r["row"] > int(query.get("after", 0))]
            looked = rest[:min(int(query.get("limit", 50)), 700)]  # a page may be shorter, and empty
            return 200, {"data": [r for r in looked if query.get("state") in (None, r["state"])],
                         "page": {"next": looked[-1]["row"] if len(looked) < len(rest) else None}}
        self.looks += 1
        self.go_on()
        return 200, self.batch

    def wait_looks(self, count):
        kit.wait_until("%d looks at the batch" % count, lambda: self.looks >= count)

    def start(self, *args, **more):
        """godwit ARGS, with pipes."""
        return subprocess.Popen([kit.BIN, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, encoding="utf-8", env={**self.env, **more})

    def run(self, *args, stdin=None, env=None):
        return subprocess.run([kit.BIN, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8", timeout=kit.WAIT + 30, env={**self.env, **(env or {})}, check=False)

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class Typed:
    """godwit on a terminal of its own."""

    def __init__(self, env, *args, columns=100):
        self.shown, pid_and_fd = "", pty.fork()
        self.pid, self.fd = pid_and_fd
        if self.pid == 0:
            os.execve(kit.BIN, [kit.BIN, *args], env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.code = None

    def read(self, left):
        """False at the end."""
        if not select.select([self.fd], [], [], left)[0]:
            return True
        try:
            part = os.read(self.fd, 65536)
        except OSError:
            return False
        self.shown += part.decode("utf-8", "replace")
        return bool(part)

    def until(self, words):
        end = time.monotonic() + kit.WAIT
        while words not in self.shown:
            left = end - time.monotonic()
            assert left > 0 and self.read(left), "never shown: %s\n%s" % (words, self.shown)
        return self.shown

    def type(self, words):
        os.write(self.fd, words.encode())

    def hang_up(self):
        """The terminal is closed."""
        os.close(self.fd)
        self.fd = -1

    def kill(self, number):
        os.kill(self.pid, number)

    def end(self):
        """What it ended with: its code, or minus the signal."""
        until = time.monotonic() + kit.WAIT + 60
        while self.fd >= 0 and self.read(max(0, until - time.monotonic())):
            assert time.monotonic() < until, "it does not end: " + self.shown
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def close(self):
        if self.code is None:
            self.kill(signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.fd >= 0:
            os.close(self.fd)
