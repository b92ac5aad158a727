# SPDX-License-Identifier: MIT
"""test_secrets.py - secrets are sealed in the database, and come out nowhere: answers, logs, metrics, files, cores"""
import base64
import contextlib
import hashlib
import hmac
import os
import resource
import secrets
import signal
import sqlite3
import subprocess

import pytest

import kit
from kit import ANA, NUMBER, WABA

REFUSED = 78  # EX_CONFIG
ACCOUNT = {name: "%s-%s" % (name, secrets.token_hex(8)) for name in ("token", "app_secret", "verify_token",
                                                                     "app_secret_previous")}
KEY_FILE, PREVIOUS = "secrets.key_file", "secrets.previous_key_file"


def files(gateway):
    """Everything in its data folder but the key."""
    found = {}
    for folder, _, names in os.walk(gateway.data):
        for name in names:
            if name != "secrets.key":
                with open(os.path.join(folder, name), "rb") as f:
                    found[name] = f.read()
    return found


def holders(gateway, *words):
    return sorted({name for name, data in files(gateway).items() for w in words if w.encode() in data})


@contextlib.contextmanager
def changed(gateway):
    """Its database, while it does not run."""
    with contextlib.closing(sqlite3.connect(os.path.join(gateway.data, "godwit.db"))) as db, db:
        yield db


def key_path(gateway):
    return os.path.join(gateway.data, "secrets.key")


def new_key(folder, name="other.key"):
    path = os.path.join(folder, name)
    kit.write_secret(path, secrets.token_hex(32) + "\n")
    return path


def refuses(gateway, *words):
    """It does not start, says why, and has changed nothing."""
    before = files(gateway)
    gateway.start(wait=False)
    assert gateway.wait() == REFUSED, gateway.story()
    for word in words:
        assert word in gateway.log(), (word, gateway.story())
    after = files(gateway)
    assert before["godwit.db"] == after["godwit.db"]
    gateway.is_end_wanted = True


@pytest.fixture
def world(make_gateway, sandbox_with, receiver):
    """A gateway whose secrets nobody else has, and a destination."""
    sandbox = sandbox_with(secret=ACCOUNT["app_secret"], verify_token=ACCOUNT["verify_token"])
    gateway = make_gateway(sandbox, account=dict(ACCOUNT))
    gateway.secret = gateway.add_destination(receiver.url)["secret"]
    return gateway, sandbox, receiver


@pytest.fixture
def sandbox_with(folder, closing):
    def make(**how):
        closing.append(kit.Sandbox(folder, **how))
        return closing[-1]
    return make


def signed_right(gateway, receiver):
    """The destination's secret still signs what goes there."""
    seen = len(receiver.requests)
    gateway.sandbox.say("Hi")
    request = receiver.wait(seen + 1)[-1]
    head = "%s.%s." % (request.headers["webhook-id"], request.headers["webhook-timestamp"])
    mac = hmac.new(base64.b64decode(gateway.secret[len("whsec_"):]), head.encode() + request.body, hashlib.sha256)
    assert "v1," + base64.b64encode(mac.digest()).decode() in request.headers["webhook-signature"].split(" ")


# ---- at rest ----

def test_the_database_holds_none_of_them(world):
    gateway, _, receiver = world
    signed_right(gateway, receiver)
    assert gateway.term() == 0
    assert holders(gateway, *ACCOUNT.values(), gateway.secret, gateway.secret.replace("whsec_", "")) == []
    mode = os.stat(key_path(gateway)).st_mode & 0o777
    assert mode == 0o600
    with changed(gateway) as db:
        blobs = [b for row in db.execute("SELECT app_secret,token,verify_token FROM account") for b in row]
        blobs += [row[0] for row in db.execute("SELECT secret FROM destination")]
        blobs += [row[0] for row in db.execute("SELECT value FROM setting WHERE name='token_key'")]
    assert len(blobs) == 5 and {b[0] for b in blobs} == {1}
    gateway.start()
    signed_right(gateway, receiver)


def test_what_an_older_version_left_plain_is_sealed(world):
    """And is gone from the file, free pages and WAL too."""
    gateway, sandbox, receiver = world
    msg = gateway.graph("POST", "/v26.0/%s/messages" % NUMBER, {
        "messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "x"}}).json()["messages"][0]["id"]
    assert gateway.term() == 0
    token_key, secret = secrets.token_bytes(32), b"plain-destination-secret"
    with changed(gateway) as db:
        db.execute("UPDATE account SET token=?, app_secret=?",
                   (b"\0" + ACCOUNT["token"].encode(), b"\0" + ACCOUNT["app_secret"].encode()))
        db.execute("UPDATE destination SET secret=?", (b"\0" + secret,))
        db.execute("UPDATE setting SET value=? WHERE name='token_key'", (token_key,))
    os.remove(key_path(gateway))
    with changed(gateway) as db:  # an older version has sealed nothing at all
        db.execute("UPDATE account SET verify_token=NULL, app_secret_previous=NULL")
    assert holders(gateway, ACCOUNT["token"]) == ["godwit.db"]  # the search can find one
    gateway.start()
    assert "every secret is sealed" in gateway.log()
    assert holders(gateway, ACCOUNT["token"], ACCOUNT["app_secret"], secret.decode()) == []
    assert not [name for name, data in files(gateway).items() if token_key in data]
    assert msg
    gateway.secret = "whsec_" + base64.b64encode(secret).decode()
    signed_right(gateway, receiver)
    sandbox.wait_quiet()


# ---- the key ----

def test_without_the_key_it_does_not_start(world, folder):
    gateway, _, receiver = world
    assert gateway.term() == 0
    aside = os.path.join(folder, "aside")
    os.rename(key_path(gateway), aside)
    refuses(gateway, "there is no " + key_path(gateway), "secrets.key_file")
    assert not os.path.exists(key_path(gateway))  # none is made in its place
    os.rename(aside, key_path(gateway))
    gateway.start()
    signed_right(gateway, receiver)


def test_another_key_is_refused(world, folder):
    gateway, _, receiver = world
    assert gateway.term() == 0
    gateway.conf[KEY_FILE] = new_key(folder)
    refuses(gateway, "does not open with " + gateway.conf[KEY_FILE], PREVIOUS)
    gateway.conf[PREVIOUS] = new_key(folder, "third.key")
    refuses(gateway, "does not open with")
    del gateway.conf[KEY_FILE], gateway.conf[PREVIOUS]
    gateway.start()
    signed_right(gateway, receiver)


def test_the_key_is_changed(world, folder):
    gateway, _, receiver = world
    assert gateway.term() == 0
    gateway.conf.update({KEY_FILE: new_key(folder), PREVIOUS: key_path(gateway)})
    gateway.start()
    signed_right(gateway, receiver)
    assert gateway.term() == 0
    os.remove(key_path(gateway))  # the old one is not needed any more
    del gateway.conf[PREVIOUS]
    gateway.start()
    signed_right(gateway, receiver)


@pytest.mark.parametrize("text, mode, says", [
    ("ab" * 31, 0o600, "64 hexadecimal digits"), ("ab" * 33, 0o600, "64 hexadecimal digits"),
    ("xy" * 32, 0o600, "64 hexadecimal digits"), ("", 0o600, "found none"), ("ab" * 32, 0o644, "chmod 600")])
def test_a_key_that_is_none(world, folder, text, mode, says):
    gateway = world[0]
    assert gateway.term() == 0
    path = new_key(folder)
    kit.write_secret(path, text)
    os.chmod(path, mode)
    gateway.conf[KEY_FILE] = path
    refuses(gateway, path, says)


def test_the_key_is_a_credential_of_the_service(make_gateway, folder):
    creds = os.path.join(folder, "creds")
    os.mkdir(creds, 0o700)
    os.rename(new_key(folder), os.path.join(creds, "secrets_key"))
    gateway = make_gateway(env={"CREDENTIALS_DIRECTORY": creds})
    assert not os.path.exists(key_path(gateway)) and gateway.term() == 0
    gateway.env = {}
    refuses(gateway, "there is no " + key_path(gateway))


def test_a_secret_does_not_open_in_anothers_place(world):
    """Who may write to the file and has no key cannot make one account's token another's secret."""
    gateway = world[0]
    assert gateway.term() == 0
    with changed(gateway) as db:
        db.execute("UPDATE account SET verify_token=token")
    refuses(gateway, "account.verify_token does not open")


# ---- in use ----

def everything_is_done(gateway, sandbox, receiver):
    """Whatever prints something about accounts and keys; what it said."""
    said = []

    def api(method, path, body=None, key=gateway.key):
        r = gateway.http.request(method, gateway.base + path, json=body, headers={"Authorization": "Bearer " + key})
        # the link to the next page is for the caller alone, and has the key that the caller sent
        said.append(r.text.replace("access_token=" + key, "") + str(r.headers))
        return r

    send = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "Hello"}}
    sandbox.say("Hi")
    assert api("POST", "/v26.0/%s/messages" % NUMBER, send).status_code == 200
    sandbox.inject(code=131026, next=1)
    api("POST", "/v26.0/%s/messages" % NUMBER, send)
    for path in ("/v26.0/%s" % NUMBER, "/v26.0/%s/message_templates?limit=2" % WABA, "/v26.0/%s/subscribed_apps" % WABA,
                 "/v26.0/debug_token?input_token=" + ACCOUNT["token"], "/v26.0/nothing/here",
                 "/v26.0/%s/phone_numbers" % WABA, "/api/v1/numbers", "/api/v1/accounts", "/api/v1/destinations",
                 "/api/v1/keys", "/api/v1/events", "/api/v1/messages", "/api/v1/contacts", "/metrics", "/readyz",
                 "/api/v1/version", "/api/v1/batches"):
        api("GET", path)
    api("POST", "/v26.0/%s/messages" % NUMBER, send, key="gwk_wrong")
    said.append(gateway.webhook(b'{"object":"x"}', secret="wrong").text)
    said.append(gateway.http.get(gateway.public + "/webhook", params={
        "hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "wrong"}).text)
    for words in (("doctor",), ("doctor", "--json"), ("config", "show"), ("config", "show", "--json"),
                  ("config", "check"),
                  ("destination", "list", "--json"), ("key", "list", "--json"), ("message", "list", "--json"),
                  ("event", "list", "--json"), ("config", "reload"), ("db", "backup"), ("version",)):
        done = gateway.cli(*words)
        said.append("%s\n%s%s" % (words, done.stdout, done.stderr))
    receiver.wait(1)
    gateway.api("POST", "destinations/%s/test" % gateway.api("GET", "destinations")["data"][0]["id"])
    sandbox.wait_quiet()
    said += [r.body.decode() + str(r.headers) for r in receiver.requests]
    return said


def test_they_come_out_nowhere(world):
    gateway, sandbox, receiver = world
    with open(key_path(gateway), encoding="ascii") as f:
        sealing = f.read().strip()
    wanted = {**ACCOUNT, "destination": gateway.secret, "key": gateway.key, "another key": gateway.make_key("read"),
              "sealing": sealing}
    said = everything_is_done(gateway, sandbox, receiver)
    gateway.graph("GET", "/v26.0/debug_token?input_token=" + ACCOUNT["token"])
    assert gateway.term() == 0
    said.append(gateway.log())
    assert " debug " in gateway.log()  # nothing was held back
    for name, secret in wanted.items():
        assert [text[:300] for text in said if secret in text] == [], name
        if name != "sealing":
            assert holders(gateway, secret) == [], name
    backups = [name for name in files(gateway) if name.endswith(".db") and name != "godwit.db"]
    assert backups, "a backup was searched, too"


# ---- in memory ----

@contextlib.contextmanager
def cores_allowed():
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def test_there_is_no_core(make_gateway, folder):
    """Its memory holds tokens. What a process of the same limits leaves shows that there could be one."""
    with cores_allowed():
        gateway = make_gateway(env={"ASAN_OPTIONS": "disable_coredump=0"})
        gateway.is_end_wanted = True
        gateway.popen.send_signal(signal.SIGABRT)
        status = os.waitpid(gateway.popen.pid, 0)[1]
        gateway.popen.returncode = -signal.SIGABRT
        shell = subprocess.Popen(["sh", "-c", "kill -ABRT $$"], cwd=folder)
        control = os.waitpid(shell.pid, 0)[1]
        shell.returncode = -signal.SIGABRT
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT
    assert not os.WCOREDUMP(status)
    assert os.WCOREDUMP(control), "nothing dumps core here: the test shows nothing"
