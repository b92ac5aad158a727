# SPDX-License-Identifier: MIT
"""test_config.py - the configuration: every problem at once, where it stands, what is allowed, and who has the word"""
import json
import os
import subprocess

import pytest
from kit import BIN, TOP


@pytest.fixture
def run(tmp_path):
    def call(*words, env=None):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("GODWIT_")}
        clean.update({"HOME": str(tmp_path), **(env or {})})
        done = subprocess.run([BIN, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              timeout=30, check=False, cwd=tmp_path, env=clean)
        assert "Sanitizer" not in done.stderr
        return done
    return call


def write(tmp_path, text, name="godwit.conf", mode=0o600):
    path = tmp_path / name
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_every_problem_at_once(tmp_path, run):
    write(tmp_path, "word", "loose", 0o644)
    path = write(tmp_path, """\
listen.pubic = 127.0.0.1:1
graph.wait_max = 3d
queue.max = many
store.disk_min = 12X
relay.https_only = perhaps
profile = test
unknown.policy = pray
webhook.body_max = 1
no sign here
[acount main]
x = 1
[account main]
token = EAAG
app_secret_file = %s/loose
token_file = %s/nowhere
colour = red
""" % (tmp_path, tmp_path))
    done = run("config", "check", "-c", path)
    assert done.returncode == 2 and done.stdout == ""
    lines = done.stderr.splitlines()
    for where, *words in (
            (1, "listen.pubic"), (2, "graph.wait_max", "3d"), (3, "queue.max", "many"),
            (4, "store.disk_min", "12X"), (5, "relay.https_only", "perhaps"), (8, "webhook.body_max"), (9,),
            (11, "acount"), (13, "token", "token_file"), (14, "loose", "chmod 600"), (15, "nowhere"), (16, "colour")):
        assert any("godwit.conf:%d:" % where in line and all(w in line for w in words) for line in lines), where
    for word in ("pray", "test"):
        assert any('"%s"' % word in line for line in lines), word
    assert "EAAG" not in done.stderr  # a secret in the wrong place is still one
    told = json.loads(run("config", "check", "-c", path, "--json").stderr)
    assert told["error"]["exit"] == 2 and len(told["error"]["problems"]) >= 14


def test_serve_refuses_the_same(tmp_path, run):
    path = write(tmp_path, "queue.max = many\nlog.level = loud\n")
    done = run("serve", "-c", path)
    assert done.returncode in (2, 78) and "queue.max" in done.stderr


def test_check_finds_what_serve_would_refuse(tmp_path, run):
    """Addresses, networks, URLs, numbers, words: one run names them all with their lines, and so does serve."""
    for name in ("app", "token"):
        write(tmp_path, "x", name)
    path = write(tmp_path, """\
listen.public = localhost:8080
listen.api = 127.0.0.1
egress.allow = 10.0.0.0/33
log.level = loud
profile = test
unknown.policy = pray
graph.ca_file = %s/nowhere.pem
listen.local = /%s
clock.follow = sandbox
[account main]
app_secret_file = %s/app
token_file = %s/token
base_url = ftp://example.org
numbers = 1 2=0 3
[account other]
numbers = 4=1001
""" % (tmp_path, "s" * 120, tmp_path, tmp_path))
    want = {1: "listen.public", 2: "listen.api", 3: "egress.allow", 4: "log.level", 5: "profile", 6: "unknown.policy",
            7: "graph.ca_file", 8: "listen.local", 9: "clock.follow", 13: "base_url", 14: '"2=0"', 16: '"4=1001"'}
    for words in (("config", "check"), ("serve",)):
        done = run(*words, "-c", path)
        assert done.returncode == 2 and done.stdout == ""
        for line, word in want.items():
            said = [s for s in done.stderr.splitlines() if ":%d: " % line in s]
            assert any(word in s for s in said), (line, done.stderr)
        assert ":16: account other: no token_file" in done.stderr  # where its section begins to speak
    assert not os.path.exists(tmp_path / "data")


@pytest.mark.parametrize("text", ["listen.public = [::1]:0", "listen.api = 0.0.0.0:65535", "clock.follow =",
                                  "egress.allow = 10.0.0.0/8,::1/128", "listen.local = none"])
def test_and_takes_what_serve_takes(tmp_path, run, text):
    done = run("config", "check", "-c", write(tmp_path, text + "\n"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text,good", [
    ("graph.wait_max = 100ms", True), ("graph.wait_max = 99ms", False), ("graph.wait_max = 120s", True),
    ("graph.wait_max = 2m", True), ("graph.wait_max = 120001ms", False), ("graph.wait_max = 1", True),
    ("graph.wait_max = -1s", False), ("graph.wait_max = 1.5s", False), ("graph.wait_max =", False),
    ("webhook.body_max = 64M", True), ("webhook.body_max = 65M", False), ("webhook.body_max = 1K", True),
    ("webhook.body_max = 99999999999999999999", False), ("relay.https_only = yes", True),
    ("pacing.share = 499", False), ("pacing.share = 1000", True), ("pacing.share = 1001", False),
    ("egress.allow = 10.1.0.0/16 ::1/128", True), ("listen.public = 127.0.0.1:8080", True), ("; a comment", True),
    ("data = " + "x" * 600, False), ("x" * 2000 + " = 1", False)])
def test_both_sides_of_the_limits(tmp_path, run, text, good):
    done = run("config", "check", "-c", write(tmp_path, text + "\n"))
    assert done.returncode == (0 if good else 2), done.stderr
    assert (done.stderr == "") == (done.returncode == 0)


def shown(done):
    assert done.returncode == 0, done.stderr
    return {row["key"]: row for row in json.loads(done.stdout)["data"]}


def test_flags_before_environment_before_file_before_default(tmp_path, run):
    path = write(tmp_path, "queue.max = 3\nrelay.concurrency = 4\ngraph.in_flight = 5\n")
    env = {"GODWIT_QUEUE_MAX": "33", "GODWIT_RELAY_CONCURRENCY": "44"}
    rows = shown(run("config", "show", "--json", "-c", path, "--set", "queue.max=333", env=env))
    assert [rows[k]["value"] for k in ("queue.max", "relay.concurrency", "graph.in_flight", "queue.attempts_max")] == [
        "333", "44", "5", "12"]
    assert (rows["queue.max"]["origin"], rows["queue.attempts_max"]["origin"]) == ("flag", "default")
    assert rows["relay.concurrency"]["origin"] == "GODWIT_RELAY_CONCURRENCY"
    assert rows["graph.in_flight"]["origin"].endswith("godwit.conf:3")


def test_one_file_wins_and_none_are_merged(tmp_path, run):
    write(tmp_path, "queue.max = 7\n")
    assert shown(run("config", "show", "--json"))["queue.max"]["value"] == "7"
    other = write(tmp_path, "relay.concurrency = 8\n", "other.conf")
    rows = shown(run("config", "show", "--json", env={"GODWIT_CONFIG": other}))
    assert (rows["queue.max"]["origin"], rows["relay.concurrency"]["value"]) == ("default", "8")
    assert run("config", "check", "-c", str(tmp_path / "missing.conf")).returncode == 2


def test_secrets_are_named_and_never_shown(tmp_path, run):
    for name in ("app", "token", "verify"):
        write(tmp_path, "the-%s-secret" % name, name)
    path = write(tmp_path, "[account main]\napp_secret_file = %s/app\ntoken_file = %s/token\n"
                 "verify_token_file = %s/verify\nnumbers = 1 2=1000\n" % ((tmp_path,) * 3))
    for words in ("config show", "config show --json", "config check", "config show --origin"):
        done = run(*words.split(), "-c", path)
        assert done.returncode == 0, done.stderr
        assert "-secret\n" not in done.stdout and "the-app-secret" not in done.stdout + done.stderr


def test_every_key_is_described(run):
    """The table in the code is the list; each row says what it is for."""
    with open(TOP + "/src/server/config.def", encoding="utf-8") as f:
        keys = [line.split('"')[1] for line in f if line.startswith("CONFIG_")]
    rows = shown(run("config", "show", "--json"))
    assert list(rows) == keys
    assert all(row["help"] and row["origin"] == "default" for row in rows.values() if row["key"] != "data")
