# SPDX-License-Identifier: MIT
"""test_doctor_here.py - what godwit doctor says of the gateway itself: made to fail, mended, and green again"""
import json
import threading

import pytest

import kit
from doctors import CHECK, OK, checks, fails, run
from kit import NUMBER, WABA, wait_until


def warns(gateway, check, evidence, *args, command=""):
    """This check warns, and none fails; its row."""
    row = checks(gateway, *args, code=OK)[check]
    assert row["result"] == "warn" and row["cause"] and row["fix"], row
    assert evidence in row["evidence"] and command in row["command"], row
    return row


def is_well(gateway, check, *args):
    row = checks(gateway, *args, code=OK)[check]
    assert row["result"] == "ok", row


# --- the store -----------------------------------------------------------------------------------

def test_a_slow_store(gateway):
    gateway.restart(GODWIT_FAULT="store.before_commit:1:slow")
    for n in range(12):  # the mean has to get there
        gateway.make_key("read", numbers=(NUMBER,) if n % 2 else ())
    row = warns(gateway, "store", "a commit takes", command="df")
    assert "waits for the disk" in row["cause"]
    gateway.restart()
    is_well(gateway, "store")


def test_a_store_that_cannot_be_written(gateway):
    """The gateway ends rather than acknowledge what is not kept; doctor says why it does not start again."""
    gateway.restart(GODWIT_FAULT="store.commit_fails:3:fail")
    while gateway.is_running():
        gateway.cli("key", "create", "--scope", "read")
    assert gateway.wait() == 74
    full = {"GODWIT_FAULT": "file.write:1:fail"}
    done = gateway.cli("doctor", "--json", "-c", gateway.conf_path, env=full)
    assert done.returncode == CHECK
    rows = {row["check"]: row for row in json.loads(done.stdout)["data"]}
    assert rows["store"]["result"] == "fail" and gateway.data in rows["store"]["evidence"]
    assert "Make room" in rows["store"]["fix"] and rows["store"]["command"]
    assert checks(gateway, "-c", gateway.conf_path, code=CHECK)["store"]["result"] == "ok"
    gateway.start()
    is_well(gateway, "store")


# --- out -----------------------------------------------------------------------------------------

def waiting(gateway, msg):
    return wait_until("it waits", lambda: gateway.api("GET", "messages/" + msg)["state"] == "waiting")


def test_a_paused_account(gateway, sandbox, clock):
    sandbox.inject(code=131042, always=True)
    msg = gateway.send_text()
    waiting(gateway, msg)
    row = fails(gateway, "sending", "paused by Meta's code", command="config reload")
    assert row["code"] == 131042 and row["account"] == "test" and "payment" in row["fix"]
    sandbox.clear_faults()
    clock.advance(minutes=2)
    gateway.wait_message(msg, state="accepted")
    is_well(gateway, "sending")


def test_a_number_that_pauses(gateway, sandbox, clock):
    sandbox.inject(code=131057, always=True)
    msg = gateway.send_text()
    waiting(gateway, msg)
    row = warns(gateway, "sending", "nothing leaves for the next", command="--state waiting")
    assert row["number"] == NUMBER
    assert msg in run(gateway, row)
    sandbox.clear_faults()
    clock.advance(minutes=2)
    gateway.wait_message(msg, state="accepted")
    is_well(gateway, "sending")


def test_a_queue_that_is_longer_than_its_number_may(sandbox, make_gateway, clock):
    gateway = make_gateway(sandbox, account={"numbers": NUMBER + "=1"})
    sent = [gateway.send_text("+49151%08d" % n) for n in range(20)]
    clock.advance(seconds=59)
    assert checks(gateway, code=OK)["sending"]["result"] == "ok"
    clock.advance(seconds=60)
    warns(gateway, "sending", "the oldest for 1", command="--state queued")

    def all_gone():
        clock.advance(seconds=1)
        return not gateway.api("GET", "messages", state="queued")["data"]
    wait_until("all %d have left" % len(sent), all_gone)
    is_well(gateway, "sending")


def test_an_answer_that_was_lost(gateway, sandbox):
    sandbox.set(sent_ms=3600000, delivered_ms=3600000, read_ms=3600000)
    sandbox.say("Hi")
    gateway.wait_events(1)  # else Meta tells that the window is shut
    sandbox.inject(fault="accept_close")
    msg = gateway.send_text()
    gateway.wait_message(msg, state="unknown")
    row = warns(gateway, "sending", "of 1 message it is not known", command="--state unknown")
    assert msg in run(gateway, row)
    assert gateway.local("POST", "/api/v1/messages/%s/resolve" % msg, {"as": "sent"}).status == 200
    is_well(gateway, "sending")


# --- in ------------------------------------------------------------------------------------------

def test_nothing_has_come(gateway, sandbox):
    row = warns(gateway, "events", "none has come", command="listen")
    assert "Write to the number" in row["fix"]
    sandbox.say("Hi")
    gateway.wait_events(1)
    is_well(gateway, "events")


def test_meta_tells_nothing_of_what_it_took(gateway, sandbox, clock):
    sandbox.say("Hi")
    gateway.wait_events(1)
    assert gateway.local("DELETE", "/v26.0/%s/subscribed_apps" % WABA).status == 200
    clock.advance(seconds=1)
    gateway.wait_message(gateway.send_text(), state="accepted")
    clock.advance(minutes=4)
    fails(gateway, "subscription", "not subscribed")
    clock.advance(minutes=2)
    row = fails(gateway, "events", "Meta took 1 message up to 6 min ago", command="doctor --fix",
                others=["subscription"])
    assert "webhooks do not arrive" in row["cause"]
    assert gateway.cli("doctor", "--fix").returncode == CHECK  # an event has to come first
    sandbox.say("Hi again")
    gateway.wait_events(2)
    is_well(gateway, "events")


def test_webhooks_that_are_refused(gateway, sandbox):
    assert gateway.webhook(b"{}", secret="of another app").status_code == 401
    row = warns(gateway, "webhooks", "an app secret of no account", command="config reload")
    assert "every webhook is refused" in row["cause"]
    warns(gateway, "webhooks", "an app secret of no account")  # doctor's own probes do not count
    sandbox.say("Hi")
    gateway.wait_events(1)
    is_well(gateway, "webhooks")
    answer = gateway.http.get(gateway.public + "/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong")
    assert answer.status_code == 403
    warns(gateway, "webhooks", "a verify token of no account")
    warns(gateway, "webhooks", "a verify token of no account")
    sandbox.callback(gateway.public + "/webhook")
    wait_until("the handshake", lambda: sandbox.state()["ready"])
    is_well(gateway, "webhooks")


@pytest.mark.conf({"public.url": ""})
def test_a_slow_callback(gateway, sandbox, receiver):
    slow = [True]

    def answer(request):
        if request.method == "GET":
            if slow[0]:
                threading.Event().wait(1.2)  # what is slow takes its time
            return 200, request.path.split("hub.challenge=")[1].split("&")[0]
        return 200 if request.headers["X-Hub-Signature-256"] == kit.sign(request.body) else 401
    receiver.on_request = answer
    sandbox.callback(receiver.url + "webhook")
    wait_until("the handshake", lambda: sandbox.state()["ready"])
    row = warns(gateway, "callback", "ms to answer", command="--public-url")
    assert "quarter of a second" in row["cause"]
    slow[0] = False
    assert "echoed the challenge" in checks(gateway, code=OK)["callback"]["evidence"]


# --- on ------------------------------------------------------------------------------------------

def test_a_destination_that_is_down(gateway, sandbox, receiver, clock):
    receiver.on_request = lambda request: 500
    made = gateway.add_destination(receiver.url)
    for n in range(10):
        sandbox.say("Hi", "+49151%08d" % n)
    wait_until("an open breaker", lambda: gateway.metric("godwit_relay_open_breakers") == 1)
    row = fails(gateway, "destinations", "does not answer, 10 waiting", command="destination test " + made["id"])
    assert "Most of its last deliveries failed" in row["cause"]
    receiver.on_request = None
    run(gateway, row)

    def closed():
        clock.advance(seconds=31)
        return gateway.metric("godwit_relay_open_breakers") == 0 and gateway.metric("godwit_relay_pending") == 0
    wait_until("everything delivered", closed)
    is_well(gateway, "destinations")


def test_a_destination_that_is_slow(gateway, sandbox, receiver, clock):
    receiver.hold()
    made = gateway.add_destination(receiver.url)
    sandbox.say("Hi")
    receiver.wait(1)
    clock.advance(seconds=59)
    is_well(gateway, "destinations")
    clock.advance(seconds=2)
    warns(gateway, "destinations", "lags, 1 waiting", command="destination test " + made["id"])
    receiver.release()
    wait_until("delivered", lambda: gateway.metric("godwit_relay_pending") == 0)
    is_well(gateway, "destinations")
