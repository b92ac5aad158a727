# SPDX-License-Identifier: MIT
"""test_init.py - godwit init: from a token and an app secret to a gateway that sends and hears"""
import json
import os
import socket
import stat
import subprocess

import pytest

import kit
from kit import APP_SECRET, NUMBER, TOKEN, WABA
from lists import Typed

OK, USAGE, REFUSED, CHECK, SIGINT = 0, 2, 5, 9, 130
SECOND = "573542517421700"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Start:
    """A folder in which `godwit init` runs; the sandbox is Meta."""

    def __init__(self, folder, sandbox):
        self.folder, self.sandbox = folder, sandbox
        self.conf = os.path.join(folder, "etc", "godwit.conf")
        self.secrets = os.path.join(folder, "etc", "credentials")
        self.public = "127.0.0.1:%d" % free_port()
        self.given = {}
        for name, text in (("token", TOKEN), ("app_secret", APP_SECRET)):
            self.given[name] = os.path.join(folder, "given." + name)
            kit.write_secret(self.given[name], text + "\n")

    def words(self, *more, secrets=True):
        files = ["--token-file", self.given["token"], "--app-secret-file", self.given["app_secret"]]
        return [kit.BIN, "init", "--config", self.conf, "--base-url", self.sandbox.base,
                "--data", os.path.join(self.folder, "data"), "--set", "egress.allow=127.0.0.0/8 ::1/128",
                "--set", "listen.public=" + self.public, "--set", "listen.api=127.0.0.1:0",
                "--set", "listen.local=" + os.path.join(self.folder, "sock"), "--set", "profile=sandbox",
                "--set", "store.disk_min=0", *(files if secrets else ()), *more]

    def run(self, *more, secrets=True, env=None, text=None):
        done = subprocess.run(self.words("--no-input", *more, secrets=secrets), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8", timeout=kit.WAIT + 60, check=False,
                              env={**os.environ, **(env or {})}, input=text)
        for secret in (TOKEN, APP_SECRET):
            assert secret not in done.stdout + done.stderr
        return done

    def made(self, *more, code=OK, **how):
        done = self.run("--json", *more, **how)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def secret(self, name, account="main"):
        with open(os.path.join(self.secrets, "%s.%s" % (account, name)), encoding="utf-8") as f:
            return f.read()

    def nothing_is_there(self):
        return not os.path.exists(self.conf) and not os.path.exists(self.conf + ".new")


@pytest.fixture
def start(folder, sandbox):
    return Start(folder, sandbox)


@pytest.fixture
def typed(closing):
    def make(*words):
        closing.append(Typed(dict(os.environ, TERM="xterm"), *words))
        return closing[-1]
    return make


def rows(answer):
    return {row["check"]: row for row in answer["data"]}


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_gateway_that_sends_and_hears(start, sandbox, closing):
    answer = start.made()
    assert answer["ok"] and answer["file"] == start.conf and answer["kept"] is None
    assert (answer["business_id"], answer["numbers"], answer["account"]) == (WABA, [NUMBER], "main")
    assert [r["result"] for r in answer["data"] if r["check"] == "subscription"] == ["ok"]
    assert (start.secret("token"), start.secret("app_secret")) == (TOKEN, APP_SECRET)
    assert answer["verify_token_file"] == os.path.join(start.secrets, "main.verify_token")
    assert len(start.secret("verify_token")) == 32
    assert mode(start.conf) == 0o600 or os.geteuid() == 0
    assert mode(start.conf) & 0o007 == 0 and mode(start.secrets) & 0o007 == 0
    for name in os.listdir(start.secrets):
        assert mode(os.path.join(start.secrets, name)) & 0o137 == 0, name  # not even the group may write
    gateway = kit.Process(start.folder, "gateway")
    closing.append(gateway)
    assert gateway.spawn(["serve", "-c", start.conf]) is not None, gateway.story()
    sandbox.callback("http://%s/webhook" % start.public, start.secret("verify_token"))
    env = {**os.environ, "GODWIT_SERVER": "unix:" + os.path.join(start.folder, "sock")}
    sandbox.say("Hi")
    sent = subprocess.run([kit.BIN, "send", kit.ANA, "Hello", "--json"], stdout=subprocess.PIPE, env=env,
                          timeout=kit.WAIT, check=True, encoding="utf-8")
    assert sandbox.wait_messages(1) == ["Hello"], sent.stdout
    kit.wait_until("her message", lambda: b"message.received" in subprocess.run(
        [kit.BIN, "event", "list", "--json"], stdout=subprocess.PIPE, env=env, timeout=kit.WAIT, check=True).stdout)


def test_it_says_what_comes_next(start):
    done = start.run()
    assert done.returncode == OK and done.stderr == "", done.stderr
    for words in ("\u2713 " + start.conf, "godwit serve", "main.verify_token", "godwit doctor", "is subscribed"):
        assert words in done.stdout, words


def test_the_app_is_subscribed(start, sandbox):
    path = "%s/v26.0/%s/subscribed_apps" % (sandbox.base, WABA)
    headers = {"Authorization": "Bearer " + TOKEN}
    assert sandbox.http.delete(path, headers=headers).status_code == 200
    assert sandbox.http.get(path, headers=headers).json()["data"] == []
    assert "was not and is now subscribed" in rows(start.made())["subscription"]["evidence"]
    assert len(sandbox.http.get(path, headers=headers).json()["data"]) == 1


def test_the_callback_is_answered_until_the_gateway_runs(start):
    row = rows(start.made("--public-url", "http://" + start.public))["callback"]
    assert row["result"] == "ok" and "echoed the challenge" in row["evidence"], row
    with open(start.conf, encoding="utf-8") as f:
        assert "public.url = http://" + start.public in f.read()


def test_a_callback_that_does_not_lead_here(start):
    answer = start.made("--public-url", "http://127.0.0.1:1", code=CHECK)
    assert rows(answer)["callback"]["result"] == "fail" and not answer["ok"]
    assert os.path.exists(start.conf)  # it is only the way to it that is missing


def test_events_wait_for_the_gateway(start, sandbox):
    """What Meta sends while init answers is not taken: it comes again when there is a gateway."""
    kit.write_secret(os.path.join(start.folder, "verify"), "a word of Meta's")
    sandbox.set(answer_delay_ms=100)
    child = subprocess.Popen(start.words("--no-input", "--verify-token-file", os.path.join(start.folder, "verify")),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        kit.wait_until("the listener", lambda: answers(start.public) or child.poll() is not None)
        assert child.poll() is None, child.communicate()
        sandbox.callback("http://%s/webhook" % start.public, "a word of Meta's")
        sandbox.say("Hi")
        kit.wait_until("an attempt", lambda: [
            a for w in sandbox.webhooks() if w["kind"] == "event" for a in w["attempts"] if a.get("status") == 503]
            or child.poll() is not None)
    finally:
        child.communicate(timeout=kit.WAIT + 60)
    event = [w for w in sandbox.webhooks() if w["kind"] == "event"][0]
    assert event["state"] != "delivered" and 200 not in [a.get("status") for a in event["attempts"]]
    assert start.secret("verify_token") == "a word of Meta's"


def answers(address):
    host, port = address.split(":")
    with socket.socket() as s:
        return s.connect_ex((host, int(port))) == 0


def test_what_is_there_is_kept(start):
    start.made()
    verify = start.secret("verify_token")
    done = start.run(secrets=False)  # it is seen before anything is asked for
    assert done.returncode == REFUSED and "is there already" in done.stderr and "--force" in done.stderr
    with open(start.conf, "a", encoding="utf-8") as f:
        f.write("# by hand\n")
    answer = start.made("--force")
    with open(answer["kept"], encoding="utf-8") as f:
        assert "# by hand" in f.read()
    with open(start.conf, encoding="utf-8") as f:
        assert "# by hand" not in f.read()
    assert start.secret("verify_token") == verify  # Meta knows it
    kept = answer["kept"].rpartition(".before-")[2]
    for name in ("token", "app_secret", "verify_token"):
        assert start.secret(name + ".before-" + kept) == start.secret(name)


def test_what_is_refused_touches_no_secret(start, sandbox):
    """The configuration that is there goes on with what it had."""
    start.made()
    kit.write_secret(start.given["token"], "another-token")
    before = {name: start.secret(name) for name in ("token", "app_secret", "verify_token")}
    done = start.run("--force", "--set", "listen.apis=1")
    assert done.returncode == USAGE and "unknown key" in done.stderr
    assert {name: start.secret(name) for name in before} == before
    assert sorted(os.listdir(start.secrets)) == ["main.app_secret", "main.token", "main.verify_token"]
    assert not os.path.exists(start.conf + ".new")


def test_a_relative_data_folder_is_written_whole(start):
    words = [w for w in start.words("--no-input") if w != os.path.join(start.folder, "data")]
    words[words.index("--data"):words.index("--data") + 1] = ["--data", "here"]
    done = subprocess.run(words, cwd=start.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          timeout=kit.WAIT + 60, check=False)
    assert done.returncode == OK, done.stderr
    with open(start.conf, encoding="utf-8") as f:
        assert "data = %s/here" % os.path.realpath(start.folder) in f.read()


def test_secrets_from_the_environment(start):
    start.made(secrets=False, env={"GODWIT_TOKEN": TOKEN, "GODWIT_APP_SECRET_FILE": start.given["app_secret"]})
    assert (start.secret("token"), start.secret("app_secret")) == (TOKEN, APP_SECRET)


def test_what_is_missing_is_named_at_once(start):
    done = start.run(secrets=False)
    assert done.returncode == USAGE and "no access token and no app secret" in done.stderr
    assert "--token-file" in done.stderr and "GODWIT_APP_SECRET" in done.stderr
    done = start.run("--token-file", start.given["token"], secrets=False)
    assert done.returncode == USAGE and "no app secret" in done.stderr and "token and" not in done.stderr
    done = start.run("--token-file", os.path.join(start.folder, "gone"), secrets=False)
    assert done.returncode == USAGE and "gone" in done.stderr
    assert start.nothing_is_there()


def test_a_token_that_does_not_work(start, sandbox):
    sandbox.set(token_expires_at=1000000000)
    done = start.run()
    assert done.returncode == CHECK and "190/463" in done.stdout and "To do:" in done.stdout
    assert start.nothing_is_there() and not os.path.exists(start.secrets)


def test_a_token_without_a_permission(start, sandbox):
    sandbox.set(scope_management=False)
    done = start.run()
    assert done.returncode == CHECK and "lacks whatsapp_business_management" in done.stdout
    assert start.nothing_is_there()


def test_an_account_that_the_token_does_not_name(start, sandbox):
    sandbox.set(granular_scopes=False)
    done = start.run()
    assert done.returncode == USAGE and "--waba" in done.stderr and start.nothing_is_there()
    assert start.made("--waba", WABA)["business_id"] == WABA


def test_a_wrong_account(start):
    done = start.run("--waba", "1234")
    assert done.returncode == CHECK and "1234" in done.stdout and start.nothing_is_there()


def test_a_token_of_which_only_the_app_is_told(start, sandbox):
    sandbox.set(debug_needs_app_token=True)
    done = start.run()
    assert done.returncode == USAGE and "--app-id" in done.stderr
    assert start.made("--app-id", "610000000000001")["numbers"] == [NUMBER]


def test_some_of_the_numbers(start, sandbox):
    sandbox.control("POST", "numbers", {"id": SECOND, "phone": "15550783999"})
    done = start.run("--from", "15550783881")
    assert done.returncode == USAGE and NUMBER in done.stderr and SECOND in done.stderr and "the id" in done.stderr
    assert start.made("--from", SECOND)["numbers"] == [SECOND]
    assert start.made("--force")["numbers"] == [NUMBER, SECOND]


@pytest.mark.parametrize("words,says", [
    (("--set", "listen.api"), "has no key"), (("--set", "listen.apis=1"), "unknown key"),
    (("--set", "listen.api=nowhere"), "listen.api"), (("--account", "a/b"), "--account"),
])
def test_what_the_gateway_would_not_take_is_not_written(start, words, says):
    done = start.run(*words)
    assert done.returncode == USAGE and says in done.stderr, done.stderr
    assert start.nothing_is_there()


def test_a_person_is_asked_and_nothing_shows(start, typed):
    terminal = typed(*start.words(secrets=False)[1:])
    terminal.until("Access token")
    terminal.type(TOKEN[:-1] + "x\x7f" + TOKEN[-1:] + "\r")
    terminal.until("App secret")
    terminal.type(APP_SECRET + "\r")
    assert terminal.end() == OK, terminal.shown
    assert TOKEN not in terminal.shown and APP_SECRET not in terminal.shown
    assert (start.secret("token"), start.secret("app_secret")) == (TOKEN, APP_SECRET)


def test_a_person_leaves(start, typed):
    terminal = typed(*start.words(secrets=False)[1:])
    terminal.until("Access token")
    terminal.type("EAA\x03")
    assert terminal.end() == SIGINT and start.nothing_is_there()


def test_a_person_says_which_account(start, sandbox, typed):
    sandbox.set(granular_scopes=False)
    terminal = typed(*start.words()[1:])
    terminal.until("WhatsApp Business Account ID")
    terminal.type(WABA + "\r")
    assert terminal.end() == OK, terminal.shown
    assert os.path.exists(start.conf)
