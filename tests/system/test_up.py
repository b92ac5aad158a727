# SPDX-License-Identifier: MIT
"""test_up.py - the first minute: `godwit up`, what it prints, and how it ends"""
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest
import requests

import kit

FAILED, TEMPORARY, SIGINT, SIGTERM = 1, 7, 130, 143


class Up:
    """`godwit up` on free ports, with temporary and run-time folders of the test's own."""

    def __init__(self, folder, *args, ports=("--port", "0"), env=None):
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GODWIT_")}
        self.env.update(TMPDIR=folder, XDG_RUNTIME_DIR=folder, LC_ALL="C.UTF-8")
        extra = env or {}
        self.folder, self.lines, self.started = folder, [], time.monotonic()
        self.popen = subprocess.Popen([kit.BIN, "up", *ports, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      encoding="utf-8", env={**self.env, **extra})

    def until(self, pattern):
        """Read lines until one matches; the match."""
        for line in self.popen.stdout:
            self.lines.append(line)
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError("no %s in:\n%s\n%s" % (pattern, "".join(self.lines), self.popen.stderr.read()))

    def cli(self, *args):
        env = dict(self.env)
        env.update(word.split("=", 1) for line in self.lines for word in line.split() if word.startswith("GODWIT_"))
        return subprocess.run([kit.BIN, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              env=env, timeout=kit.WAIT + 30, check=False)

    def throw_away(self):
        return [name for name in os.listdir(self.folder) if name.startswith("godwit-up-")]

    def children(self):
        path = "/proc/%d/task/%d/children" % (self.popen.pid, self.popen.pid)
        with open(path, encoding="utf-8") as f:
            return {command_of(int(pid)): int(pid) for pid in f.read().split()}

    def end(self, number=signal.SIGINT):
        self.popen.send_signal(number)
        code = self.popen.wait(kit.DRAIN_WAIT)
        if not self.popen.stdout.closed:
            self.lines += self.popen.stdout.readlines()
        return code

    def close(self):
        if self.popen.poll() is None:
            self.end()
        self.popen.stdout.close()
        self.popen.stderr.close()


def command_of(pid):
    with open("/proc/%d/cmdline" % pid, encoding="utf-8") as f:
        return f.read().split("\0")[1]


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def make_up(folder, closing):
    def make(*args, **kwargs):
        closing.append(Up(folder, *args, **kwargs))
        return closing[-1]
    return make


def test_the_first_minute(make_up):
    up = make_up()
    url = up.until(r"Graph API +(http://127\.0\.0\.1:\d+)/v").group(1)
    key = up.until(r"Key +(gwk_\w+)").group(1)
    line = up.until(r"--> message\.received .*\"Hi! Is this the sandbox\?\"").string
    assert time.monotonic() - up.started < 5, "the first payload is promised within 5 s"
    assert "Ana (+55 71 \u2022\u2022\u2022\u2022\u2022 001)" in line
    up.until("your first payload")
    payload = "".join(up.lines)
    payload = json.loads(payload[payload.index("{\n"):payload.rindex("}") + 1])
    assert payload["message"]["text"] == "Hi! Is this the sandbox?" and payload["contact"]["name"] == "Ana"
    up.until("or simply: +%s send" % re.escape(kit.BIN))

    r = up.cli("send", "+5571990000001", "Yes")
    assert [step.split()[0] for step in r.stdout.splitlines()] == ["accepted", "sent", "delivered", "read"], r.stderr
    up.until(r"--> message\.status .* read ")

    command = re.search(r"curl -s .*?\}\}'", "".join(up.lines), re.DOTALL).group(0)
    answer = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, encoding="utf-8", timeout=60, check=True)
    assert json.loads(answer.stdout)["messages"][0]["id"].startswith("wamid.")
    assert requests.get(url + "/", timeout=10).status_code == 401
    assert "live events" in requests.get(url + "/?access_token=" + key, timeout=10).text

    pids = list(up.children().values())
    assert len(pids) == 2 and len(up.throw_away()) == 1
    assert os.stat(os.path.join(up.folder, up.throw_away()[0])).st_mode & 0o777 == 0o700
    assert up.end() == SIGINT
    assert not up.throw_away() and not any(is_alive(pid) for pid in pids)


def test_json_mode_says_where_everything_is(make_up):
    up = make_up("-o", "jsonl")
    ready = json.loads(up.until("ready").string)["ready"]
    event = json.loads(up.until("message.received").string)
    assert event["message"]["text"] == "Hi! Is this the sandbox?"
    assert requests.get(ready["url"] + "/readyz", timeout=10).json() == {"ready": True}
    assert requests.get(ready["sandbox"] + "/sandbox/v1/state", timeout=10).json()["ready"] is True
    assert os.stat(ready["app_secret_file"]).st_mode & 0o777 == 0o600
    assert up.end(signal.SIGTERM) == SIGTERM
    assert up.popen.stderr.read() == ""


def test_data_is_kept_when_asked(make_up, folder):
    data = os.path.join(folder, "kept")
    up = make_up("--data", data)
    key = up.until(r"Key +(gwk_\w+)").group(1)
    event = up.until(r"message\.received +(evt_\w+)").group(1)
    assert up.end() == SIGINT and not up.throw_away()
    again = make_up("--data", data)
    assert again.until(r"Key +(gwk_\w+)").group(1) == key
    again.until("message.received")
    assert again.cli("event", "get", event).returncode == 0


def test_a_port_in_use_is_named(make_up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = make_up(ports=("--port", str(port), "--sandbox-port", "0"))
        assert up.popen.wait(kit.WAIT) == TEMPORARY
        text = up.popen.stderr.read()
        assert "127.0.0.1:%d is in use" % port in text and "process %d" % os.getpid() in text
        assert "--port 0" in text and not up.throw_away()
        up = make_up(ports=("--port", "0", "--sandbox-port", str(port)))
        assert up.popen.wait(kit.DRAIN_WAIT) == TEMPORARY
        assert "127.0.0.1:%d is in use" % port in up.popen.stderr.read() and not up.throw_away()


@pytest.mark.parametrize("command, name", [("serve", "gateway"), ("sandbox", "sandbox")])
def test_a_child_that_dies_ends_it_and_says_why(make_up, command, name):
    up = make_up()
    up.until("message.received")
    os.kill(up.children()[command], signal.SIGKILL)
    assert up.popen.wait(kit.DRAIN_WAIT) == FAILED
    text = up.popen.stderr.read()
    assert "the %s was killed by signal 9; its last lines:" % name in text and "  | 20" in text
    assert not up.throw_away()


def test_children_do_not_outlive_it(make_up):
    up = make_up()
    up.until("message.received")
    pids = list(up.children().values())
    up.popen.kill()
    up.popen.wait()
    kit.wait_until("the children end", lambda: not any(is_alive(pid) for pid in pids), kit.DRAIN_WAIT)


def test_a_second_one_does_not_disturb_the_first(make_up):
    first = make_up()
    first.until("message.received")
    second = make_up()
    second.until("export GODWIT_SERVER=unix:")
    second.until("or simply")
    assert second.cli("send", "+5571990000001", "to the second").returncode == 0
    second.until(r"--> message\.status .* read ")
    assert "message.status" not in first.cli("event", "list").stdout


def test_an_endpoint_on_this_machine_gets_events(make_up, receiver):
    up = make_up()
    up.until("or simply")
    assert up.cli("destination", "add", receiver.url, "--format", "meta").returncode == 0
    assert up.cli("sandbox", "say", "+5571990000001", "hello").returncode == 0
    body = receiver.wait(1)[0].body
    assert json.loads(body)["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] == "hello"


def test_settings_of_the_shell_do_not_reach_it(folder, closing):
    precious = os.path.join(folder, "precious")
    up = Up(folder, env={"GODWIT_DATA": precious, "GODWIT_LISTEN_LOCAL": "none", "GODWIT_PROFILE": "live"})
    closing.append(up)
    up.until("message.received")
    assert not os.path.exists(precious)


def test_nobody_reads_any_more(make_up):
    up = make_up()
    up.until("or simply")
    up.popen.stdout.close()
    up.cli("send", "+5571990000001", "Yes", "--async")
    assert up.popen.wait(kit.DRAIN_WAIT) == 0
    assert not up.throw_away()
