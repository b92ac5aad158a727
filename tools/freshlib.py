# SPDX-License-Identifier: MIT
"""freshlib - the steps of run-fresh-package, in a chroot with namespaces of its own

Steps   each a method, in the order of a package's life
Load    webhooks and sends at once, until it is told to stop; it knows what was acknowledged
"""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request

from servicelib import Failure, Manager, Service

ENV = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
       "DEBIAN_FRONTEND": "noninteractive"}
SANDBOX, API, PUBLIC = "http://127.0.0.1:8081", "127.0.0.1:8082", "http://127.0.0.1:8080"
UNIT = "/lib/systemd/system/godwit.service"
NUMBER, ANA = "573542517421694", "+5571990000001"
APP_SECRET, TOKEN = "0123456789abcdef0123456789abcdef", "EAAsandboxtoken"
PACE = 0.05  # seconds between two sends, and two words: within the number's 80 a second together
WAIT = 120  # seconds until "it never came"
EXPOSURE_MAX = 2.0  # systemd-analyze security: "OK" ends at 5
DATA = "/var/lib/godwit"


def wait_until(what, test):
    end = time.monotonic() + WAIT
    while True:
        found = test()
        if found:
            return found
        if time.monotonic() > end:
            raise Failure("it never came: " + what)
        time.sleep(0.1)


def call(method, url, body=None, headers=None):
    """(status, JSON or text)"""
    headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, method=method, headers=headers,
                                     data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def sandbox(method, path, body=None):
    status, answer = call(method, SANDBOX + "/sandbox/v1/" + path, body)
    if status != 200:
        raise Failure("sandbox, %s: %d %s" % (path, status, answer))
    return answer


class Local(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=WAIT)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


class Load:
    """An application that repeats a call without an answer under its Idempotency-Key, and customers who write."""

    def __init__(self, key):
        self.key, self.sent, self.said, self.ended, self.trouble = key, [], [], threading.Event(), []
        self.refused = 0  # calls that got no answer, or 503: they were made again
        self.threads = [threading.Thread(target=self.guarded, args=(work,)) for work in (self.send, self.say)]
        for thread in self.threads:
            thread.start()

    def guarded(self, work):
        count = 0
        while not self.ended.is_set():
            try:
                work(count)
            except (Failure, OSError) as failure:
                self.trouble.append(failure)
                return
            count += 1
            self.ended.wait(PACE)

    def send(self, count):
        to = "+49151%07d" % count
        body = {"messaging_product": "whatsapp", "to": to, "type": "template",
                "template": {"name": "hello_world", "language": {"code": "en_US"}}}
        headers = {"Authorization": "Bearer " + self.key, "Idempotency-Key": "load-%d" % count,
                   "Prefer": "respond-async"}
        end = time.monotonic() + WAIT
        while True:
            try:
                status, answer = call("POST", "http://%s/v26.0/%s/messages" % (API, NUMBER), body, headers)
            except (OSError, http.client.HTTPException):
                status, answer = 503, "no answer"
            if status in (200, 202):
                self.sent.append(to)
                return
            if status != 503 or time.monotonic() > end:
                raise Failure("a send was answered with %d %s" % (status, answer))
            self.refused += 1
            time.sleep(0.05)

    def say(self, count):
        text = "word %d" % count
        sandbox("POST", "say", {"from": "+55719%08d" % count, "text": text})
        self.said.append(text)

    def wait_more(self, count):
        sent, said = len(self.sent), len(self.said)
        wait_until("%d more sends and words" % count, lambda: self.trouble or (
            len(self.sent) >= sent + count and len(self.said) >= said + count))
        self.check()

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.check()

    def check(self):
        if self.trouble:
            raise self.trouble[0]


class Steps:
    def __init__(self, root, versions, say):
        self.root, self.versions, self.say = root, versions, say
        self.service = Service(root, self.inside(UNIT), self.inside("/var/log/service.log"))
        self.sandbox = None

    def all(self):
        self.manager = Manager(self.service)
        try:
            for step in (self.install, self.unit, self.init, self.both_ways, self.library, self.upgrade,
                         self.back_up_and_restore, self.remove_and_purge, self.purge_with_the_data):
                start = time.monotonic()
                text = step()
                if self.manager.failure:
                    raise self.manager.failure
                self.say(step.__name__.replace("_", " "), "%s, %.0f s" % (text, time.monotonic() - start))
        except Failure as failure:
            raise Failure("%s\nthe service's log ends with:\n%s" % (failure, self.log())) from failure
        finally:
            for child in (self.sandbox, self.service.child):
                if child is not None and child.poll() is None:
                    child.send_signal(signal.SIGKILL)

    # --- tools ---

    def inside(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def log(self):
        try:
            with open(self.service.log_path, encoding="utf-8", errors="replace") as f:
                return "".join(line[:200].rstrip() + "\n" for line in f.readlines()[-20:])
        except FileNotFoundError:
            return "(it has none)"

    def run(self, *argv, code=0, stdin=None):
        done = subprocess.run(["chroot", self.root, *argv], env=ENV, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              input=stdin, timeout=600, encoding="utf-8", errors="replace")
        if code is not None and done.returncode != code:
            raise Failure("%s: exit code %d\n%s" % (" ".join(argv), done.returncode, done.stdout[-4000:]))
        return done.stdout

    def apt(self, *words):
        """Without a network, as a person types it; the scripts find our systemctl first."""
        return self.run("apt-get", "-q", "-y", "-o", "DPkg::Path=" + ENV["PATH"], *words)

    def packages(self, folder, *names):
        found = os.listdir(self.inside("/packages/" + folder))
        return ["/packages/%s/%s" % (folder, f) for name in names for f in found if f.startswith(name + "_")]

    def write(self, path, text):
        with open(os.open(self.inside(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
            f.write(text)

    def api(self, method, path, body=None):
        connection = Local(self.inside("/run/godwit/sock"))
        connection.request(method, "/api/v1/" + path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if not 200 <= answer.status < 300:
            raise Failure("%s %s: %d %s" % (method, path, answer.status, text))
        return json.loads(text)

    def rows(self, path):
        """All of a list."""
        found, before = [], ""
        while True:
            page = self.api("GET", path + ("&" if "?" in path else "?") + "limit=1000" + before)
            found += page["data"]
            if page["page"]["next"] is None:
                return found
            before = "&before=" + page["page"]["next"]

    def texts(self):
        return [e["message"]["text"] if isinstance(e["message"].get("text"), str) else e["message"]["text"]["body"]
                for e in self.rows("events?type=message.received")]

    def expect(self, what, is_so):
        if self.manager.failure:  # that is why
            raise self.manager.failure
        if not is_so:
            raise Failure("it is not so: " + what)

    # --- steps ---

    def install(self):
        text = self.apt("install", *self.packages("old", "godwit"))
        self.expect("one line says what comes next\n" + text, text.count("Next: godwit init") == 1)
        self.expect("nothing runs without a configuration", not self.service.is_running())
        self.expect("the service is asked to start: %s" % self.manager.calls,
                    any(re.match("(re)?start godwit", c) for c in self.manager.calls))
        self.expect("it will start with the machine", self.manager.do(["is-enabled", "godwit"])[0] == 0)
        for path in ("/etc/godwit", "/etc/godwit/credentials"):
            info = os.stat(self.inside(path))
            self.expect("%s is root's with the group's bit" % path, (info.st_uid, info.st_mode & 0o7777) == (0, 0o2750))
        self.expect("--version", self.versions[0] in self.run("godwit", "--version"))
        return "installed, enabled, not started: " + str(self.service.why_not)

    def unit(self):
        text = self.run("systemd-analyze", "verify", "--man=no", "godwit.service", code=None)
        ours = [line for line in text.splitlines() if "godwit" in line]
        self.expect("systemd-analyze verify has nothing to say\n" + text, not ours)
        text = self.run("systemd-analyze", "security", "--offline=yes", "--threshold=%d" % (EXPOSURE_MAX * 10), UNIT)
        return re.search(r"exposure level[^:]*: ([0-9.]+ \w+)", text).group(0)

    def init(self):
        self.write("/srv/token", TOKEN)
        self.write("/srv/app_secret", APP_SECRET)
        self.sandbox = subprocess.Popen(
            ["chroot", self.root, "/usr/bin/godwit", "sandbox", "--quiet-customer", "--app-secret-file",
             "/srv/app_secret"], env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_until("the sandbox", self.sandbox_answers)
        self.run("godwit", "init", "--no-input", "--token-file", "/srv/token", "--app-secret-file", "/srv/app_secret",
                 "--base-url", SANDBOX, "--public-url", PUBLIC, "--set", "profile=sandbox", "--set",
                 "egress.allow=127.0.0.0/8")
        self.run("systemctl", "start", "godwit")
        self.expect("the service runs: %s\n%s" % (self.service.why_not, self.log()), self.service.is_running())
        with open(self.inside("/etc/godwit/credentials/main.verify_token"), encoding="utf-8") as f:
            sandbox("POST", "callback", {"url": PUBLIC + "/webhook", "verify_token": f.read().strip()})
        with open("/proc/%d/status" % self.service.child.pid, encoding="ascii") as f:
            uid = re.search(r"^Uid:\t(\d+)", f.read(), re.MULTILINE).group(1)
        return "the service is ready, user %s" % uid

    def sandbox_answers(self):
        try:
            return sandbox("GET", "state")
        except OSError:
            return None

    def both_ways(self):
        sandbox("POST", "say", {"from": ANA, "text": "Hello from Ana"})
        wait_until("her message", lambda: "Hello from Ana" in self.texts())
        text = self.run("godwit", "send", ANA, "Hello, Ana")
        self.expect("send tells of its way\n" + text, re.search(r"accepted.*delivered", text, re.DOTALL))
        self.expect("she has it once", self.taken(ANA) == 1)
        self.run("godwit", "doctor", code=None)  # what it finds is test_doctor.py's
        return "one message out, one in"

    def taken(self, to):
        return len(sandbox("GET", "messages?limit=20000&to=" + to.replace("+", "%2B"))["messages"])

    def library(self):
        self.apt("install", *self.packages("old", "libgodwit0", "libgodwit-dev"), "gcc", "libc6-dev", "pkg-config")
        how = {"shared": "$(pkg-config --cflags --libs libgodwit)",
               "static": "$(pkg-config --cflags libgodwit) -Wl,-Bstatic -lgodwit -Wl,-Bdynamic "
                         "$(pkg-config --libs --static libgodwit | sed 's/-lgodwit//')"}
        for kind, words in how.items():
            self.run("sh", "-ec", "cd /tmp; cc -Wall -Werror /packages/example_send.c %s -o send-%s" % (words, kind))
            env = "GRAPH_URL=%s WHATSAPP_TOKEN=%s" % (SANDBOX, TOKEN)
            text = self.run("sh", "-ec", "%s /tmp/send-%s %s %s 'Hello from C'" % (env, kind, NUMBER, ANA))
            self.expect("the example sends: " + text, text.startswith("accepted as wamid."))
            linked = "libgodwit.so.0" in self.run("readelf", "-d", "/tmp/send-" + kind)
            self.expect("it is linked: " + kind, linked == (kind == "shared"))
        return "the example sends, shared and static"

    def upgrade(self):
        load = Load(self.api("POST", "keys", {"scopes": ["send"], "name": "load"})["key"])
        try:
            load.wait_more(50)
            starts = self.service.starts
            self.apt("install", *self.packages("new", "godwit", "libgodwit0", "libgodwit-dev"))
            self.expect("the scripts have started it once again", self.service.starts == starts + 1)
            load.wait_more(50)
        finally:
            load.stop()
        self.expect("the new program runs", self.api("GET", "version")["version"] == self.versions[1])
        wait_until("every webhook", lambda: not [w for w in sandbox("GET", "webhooks?limit=20000")["webhooks"]
                                                if w["state"] not in ("delivered", "dead", "unsent")])
        self.expect("no webhook is dead", not sandbox("GET", "webhooks?state=dead")["webhooks"])
        wait_until("every send", lambda: not [m for m in self.rows("messages") if m["state"] != "accepted"])
        taken = [m["to"].lstrip("+") for m in sandbox("GET", "messages?limit=20000")["messages"]]
        wrong = [to for to in load.sent if taken.count(to.lstrip("+")) != 1]
        self.expect("each send once: %s" % wrong[:5], not wrong)
        texts = self.texts()
        wrong = [text for text in load.said if texts.count(text) != 1]
        self.expect("each word once: %s" % wrong[:5], not wrong)
        self.expect("what was before is there", "Hello from Ana" in texts)
        return "%d sends (%d repeated), %d webhooks: none lost, none doubled" % (
            len(load.sent), load.refused, len(load.said))

    def back_up_and_restore(self):
        before = (sorted(self.texts()), len(self.rows("messages")))
        told = json.loads(self.run("godwit", "db", "backup", "--json", "--quiet"))
        self.expect("the copy is whole and has all: %s" % told, told["ok"] and told["messages"] == before[1])
        path = told["file"]
        self.run("systemctl", "stop", "godwit")
        for name in os.listdir(self.inside(DATA)):
            if name.startswith("godwit.db"):
                with open(os.path.join(self.inside(DATA), name), "r+b") as f:
                    size = f.seek(0, os.SEEK_END)
                    f.seek(0)
                    f.write(b"\xa5" * size)
        self.run("systemctl", "start", "godwit", code=1)
        self.expect("a wrecked database does not start", not self.service.is_running())
        self.run("runuser", "-u", "godwit", "--", "godwit", "db", "restore", path, "--data", DATA)
        self.run("systemctl", "start", "godwit")
        after = (sorted(self.texts()), len(self.rows("messages")))
        self.expect("what was there is there again", after == before)
        self.run("godwit", "send", ANA, "Still here")
        uid = os.stat(self.inside(DATA)).st_uid
        self.expect("the service's user owns its data", {os.stat(os.path.join(d, f)).st_uid for d, _, files in os.walk(
            self.inside(DATA)) for f in files} == {uid})
        return "%d events and %d messages are there again" % (len(after[0]), after[1])

    def leftovers(self):
        """Whatever has our name, outside of what apt and this test keep."""
        text = self.run("find", "/", "-xdev", "(", "-path", "/packages", "-o", "-path", "/proc", "-o", "-path", "/tmp",
                        "-o", "-path", "/var/cache/apt", "-o", "-path", "/var/log", "-o", "-path", DATA, ")", "-prune",
                        "-o", "-iname", "*godwit*", "-print")
        return text.split()

    def remove_and_purge(self):
        self.apt("remove", "libgodwit0", "libgodwit-dev")
        self.apt("remove", "godwit")
        self.expect("a removal stops it", not self.service.is_running())
        self.expect("a removal keeps configuration, secrets and data", all(os.path.exists(self.inside(p)) for p in (
            "/etc/godwit/godwit.conf", "/etc/godwit/credentials/main.token", DATA + "/godwit.db")))
        self.expect("a removal takes the program", not os.path.exists(self.inside("/usr/bin/godwit")))
        self.apt("purge", "godwit")
        self.expect("a purge leaves nothing: %s" % self.leftovers(), not self.leftovers())
        self.expect("a purge that nobody was asked about keeps the data",
                    os.path.exists(self.inside(DATA + "/godwit.db")))
        with open(self.inside("/etc/passwd"), encoding="utf-8") as f:
            self.expect("the user stays, since its data do", "\ngodwit:" in f.read())
        return "the data and its user stay, nothing else"

    def purge_with_the_data(self):
        self.apt("install", *self.packages("new", "godwit"))
        self.run("debconf-set-selections", stdin="godwit godwit/remove-data boolean true\n")
        self.apt("purge", "godwit")
        self.expect("the data are gone", not os.path.exists(self.inside(DATA)))
        self.expect("nothing is left: %s" % self.leftovers(), not self.leftovers())
        return "nothing is left"
