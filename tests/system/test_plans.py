# SPDX-License-Identifier: MIT
"""A text to a customer whose window is shut is not lost: a template goes in its place, or it waits for her to write."""
import json

import pytest
import requests

from kit import wait_until
from sends import HOUR_MS, someone, template, text

FALLBACK = {"Godwit-Fallback-Template": "order_shipped:en", "Godwit-Fallback-Vars": "1=Ann&2=A%20%C3%A9+7"}
PARK = {"Godwit-Park": "yes"}


@pytest.fixture
def shut(stacks):
    """A stack that keeps the window, and a customer who wrote 25 hours ago."""
    stack = stacks(enforce_window=True)
    who = someone()
    stack.write(who)
    stack.advance(25 * HOUR_MS)
    return stack, who


def kinds(stack, who):
    return [json.loads(m["body"])["type"] for m in stack.accepted(who)]


def plan(message):
    return (message.get("follows") or {}).get("id"), [(f["id"], f["as"]) for f in message.get("followed_by", [])]


def only(stack, who):
    found = stack.accepted(who)
    assert len(found) == 1, found
    return json.loads(found[0]["body"])


def test_the_template_goes_in_its_place(shut):
    stack, who = shut
    gateway = stack.gateway
    answer = gateway.send(text(who, "Your parcel is here", biz_opaque_callback_data="ord-7"), FALLBACK)
    assert answer.status_code == 200, answer.text
    first, second = answer.headers["Godwit-Fallback-For"], answer.headers["Godwit-Message"]
    sent = only(stack, who)["template"]
    assert (sent["name"], sent["language"]) == ("order_shipped", {"code": "en"})
    assert [p["text"] for p in sent["components"][0]["parameters"]] == ["Ann", "A \u00e9 7"]
    was, now = gateway.look(first), gateway.look(second)
    assert (was["state"], was["code"], was["fallback"]) == (
        "rejected", 131047, {"template": "order_shipped", "language": "en"})
    assert now["state"] == "accepted" and now["wamid"] == answer.json()["messages"][0]["id"]
    assert now["opaque"] == "ord-7", "the caller knows the answer by it"
    assert plan(was) == (None, [(second, "template")]) and plan(now) == (first, [])
    said = gateway.cli("why", first).stdout
    assert second in said and "fallback template" in said
    assert first in gateway.cli("why", second).stdout
    stack.write(who)
    assert gateway.send(text(who, "Hello"), FALLBACK).status_code == 200
    assert kinds(stack, who) == ["template", "text"], "none is needed in an open window"
    gateway.check_store()


def test_a_repetition_finds_the_template(shut):
    stack, who = shut
    gateway, keyed = stack.gateway, {**FALLBACK, "Idempotency-Key": "k-" + who}
    first = gateway.send(text(who), keyed)
    for _ in range(2):
        again = gateway.send(text(who), keyed)
        assert (again.status_code, again.text) == (200, first.text)
        for name in ("Godwit-Message", "Godwit-Fallback-For"):
            assert again.headers[name] == first.headers[name]
        gateway.crash()
    only(stack, who)


def test_it_waits_until_she_writes_and_leaves_in_order(shut):
    stack, who = shut
    gateway, ids = stack.gateway, []
    for words in ("one", "two"):
        answer = gateway.send(text(who, words), PARK)
        assert (answer.status_code, answer.headers["Godwit-Parked"]) == (202, "yes"), answer.text
        ids.append(answer.headers["Godwit-Message"])
    message = gateway.look(ids[0])
    assert (message["state"], message["reason"], message["tries"]) == ("waiting", "parked", 0)
    assert "writes" in gateway.cli("why", ids[0]).stdout
    assert gateway.send(template(who)).status_code == 200, "what needs no window goes past them"
    assert gateway.metric("outbox_parked_messages") == 2
    gateway.crash()
    assert kinds(stack, who) == ["template"]
    stack.write(who)
    for one in ids:
        gateway.wait_state(one, "accepted")
    assert [json.loads(m["body"])["text"]["body"] for m in stack.accepted(who)[1:]] == ["one", "two"]
    assert gateway.send(text(who, "three")).status_code == 200
    gateway.check_store()


def test_the_template_invites_once_and_the_texts_wait(shut):
    stack, who = shut
    gateway = stack.gateway
    keyed = {**PARK, **FALLBACK, "Idempotency-Key": "k-" + who}
    first = gateway.send(text(who, "one"), keyed)
    assert first.status_code == 202 and first.headers["Godwit-Parked"] == "yes"
    again = gateway.send(text(who, "one"), keyed)
    assert again.headers["Godwit-Message"] == first.headers["Godwit-Message"]
    second = gateway.send(text(who, "two"), {**PARK, **FALLBACK})
    assert second.status_code == 202
    wait_until("the invitation", lambda: kinds(stack, who) == ["template"])
    ids = [a.headers["Godwit-Message"] for a in (first, second)]
    (invitation, role), = plan(gateway.look(ids[0]))[1]
    assert role == "template" and plan(gateway.look(ids[1])) == (None, [])
    assert plan(gateway.look(invitation))[0] == ids[0]
    stack.write(who)
    for one in ids:
        gateway.wait_state(one, "accepted")
    assert kinds(stack, who) == ["template", "text", "text"]
    gateway.check_store()


def test_what_is_parked_expires_with_its_lifetime(shut):
    stack, who = shut
    msg = stack.gateway.send(text(who), PARK).headers["Godwit-Message"]
    stack.advance(25 * HOUR_MS)
    assert stack.gateway.wait_state(msg, "expired")["code"] == 131043
    assert stack.accepted(who) == []
    assert {e["status"]["state"] for e in stack.gateway.told(msg)} == {"expired", "failed"}


@pytest.mark.parametrize("how", ["template", "park", "both"])
def test_what_meta_fails_later_is_not_lost(stacks, how):
    """Of whom there is no record may be written to; Meta takes it and fails it by a status."""
    stack, who = stacks(enforce_window=True), someone()
    gateway = stack.gateway
    headers = {**(FALLBACK if how != "park" else {}), **(PARK if how != "template" else {})}
    answer = gateway.send(text(who, "Hello"), headers)
    assert answer.status_code == 200
    first = answer.headers["Godwit-Message"]
    stack.advance(1000)
    want = {"template": ["text", "template"], "park": ["text"], "both": ["text", "template"]}[how]
    message = wait_until("what follows", lambda: (m := gateway.look(first))["followed_by"] and m)
    assert message["failed"] and message["state"] == "accepted", "what Meta said stays"
    (follower, role), = plan(message)[1]
    wait_until("the template", lambda: kinds(stack, who) == want)
    gateway.crash()
    if how == "template":
        assert role == "template"
    else:
        copy = gateway.look(follower)
        assert (role, copy["state"], copy["reason"]) == ("again", "waiting", "parked")
        assert plan(copy)[0] == first and copy["expires_at"] == message["expires_at"]
        assert [f[1] for f in plan(copy)[1]] == (["template"] if how == "both" else [])
        stack.write(who)
        gateway.wait_state(follower, "accepted")
        assert [json.loads(m["body"])["type"] for m in stack.accepted(who)] == want + ["text"]
    stack.sandbox.wait_quiet()
    gateway.crash()
    stack.advance(1000)
    stack.sandbox.wait_quiet()
    assert len(stack.accepted(who)) == len(want) + (how != "template"), "once each"
    gateway.check_store()


@pytest.mark.parametrize("how", ["template", "park"])
def test_what_meta_refuses_at_once_is_not_lost(stacks, how):
    stack, who = stacks(enforce_window=True, window_sync_error=True), someone()
    gateway = stack.gateway
    answer = gateway.send(text(who, "Hello"), FALLBACK if how == "template" else PARK)
    if how == "template":
        assert answer.status_code == 200 and kinds(stack, who) == ["template"]
        first = gateway.look(answer.headers["Godwit-Fallback-For"])
        assert (first["state"], first["tries"], first["code"]) == ("rejected", 1, 131047)
    else:
        msg = answer.headers["Godwit-Message"]
        assert answer.status_code == 202 and gateway.look(msg)["reason"] == "parked"
        gateway.crash()
        stack.advance(HOUR_MS)
        assert gateway.look(msg)["tries"] == 1, "nothing tries it while nobody wrote"
        stack.write(who)
        gateway.wait_state(msg, "accepted")
    gateway.check_store()


def test_a_repeated_status_makes_nothing_again(shut):
    stack, who = stack_of_nobody(shut)
    gateway = stack.gateway
    first = gateway.send(text(who), {**PARK, **FALLBACK}).headers["Godwit-Message"]
    stack.advance(1000)
    wait_until("what follows", lambda: gateway.look(first)["followed_by"])
    failed = [w for w in stack.sandbox.webhooks() if '"failed"' in w.get("body", "")]
    for w in failed * 2:
        stack.sandbox.post_raw(w["body"])
    stack.sandbox.wait_quiet()
    assert len(gateway.look(first)["followed_by"]) == 1
    waiting = [m for m in gateway.api("GET", "messages", to=who)["data"] if m["state"] == "waiting"]
    assert [m["reason"] for m in waiting] == ["parked"]


def stack_of_nobody(shut):
    return shut[0], someone()


@pytest.mark.conf({"queue.parked_max": "2"})
def test_as_many_are_parked_as_may(stacks):
    stack, who = stacks({"queue.parked_max": "2"}), someone()
    stack.write(who)
    stack.advance(25 * HOUR_MS)
    for _ in range(2):
        assert stack.gateway.send(text(who), PARK).status_code == 202
    answer = stack.gateway.send(text(who), PARK)
    assert (answer.status_code, answer.headers["Godwit-Refused"]) == (400, "window")
    assert "queue.parked_max" in answer.json()["error"]["error_data"]["details"]
    assert stack.gateway.metric("outbox_parked_messages") == 2


@pytest.mark.parametrize("point", ["store.before_commit", "store.after_commit"])
def test_a_crash_anywhere_loses_and_doubles_nothing(shut, point):
    """Killed at the 1st, 2nd, ... time, by message or status: the template goes once, and so does the text."""
    stack, _ = shut
    gateway, shut_ones = stack.gateway, [someone() for _ in range(2)]
    for who in shut_ones:
        stack.write(who)
    stack.advance(25 * HOUR_MS)
    for count in range(1, 3):
        for who in (shut_ones[count - 1], someone()):  # refused here, and failed by Meta
            headers = {**PARK, **FALLBACK, "Idempotency-Key": "k-" + who, "Prefer": "respond-async"}
            gateway.restart(GODWIT_FAULT="%s:%d:kill" % (point, count + 3))
            try:
                gateway.send(text(who, "x"), headers, timeout=5)
                stack.advance(1000)
            except requests.ConnectionError:
                pass
            wait_until("an end of it", lambda: not gateway.is_running() or all(
                w["state"] != "waiting" for w in stack.sandbox.webhooks()))
            gateway.crash()
            gateway.send(text(who, "x"), headers)
            stack.advance(60000)

            def states(w=who):
                return [m["state"] for m in gateway.api("GET", "messages", to=w)["data"]]
            # killed between intent and answer it is unknown and stays so: that is no loss, and no plan's
            wait_until("the invitation", lambda: "template" in kinds(stack, who) or "unknown" in states())
            if "unknown" in states():
                assert kinds(stack, who).count("template") <= 1
                continue
            stack.write(who)
            stack.advance(60000)
            wait_until("an end of all", lambda: not {"queued", "waiting", "sending"} & set(states()))
            want = ["template", "text"] if who in shut_ones else ["text", "template", "text"]
            assert kinds(stack, who) == want, (point, count, states())
    gateway.check_store()


@pytest.mark.parametrize("headers,word", [
    ({"Godwit-Park": "maybe"}, "Godwit-Park"), ({"Godwit-Fallback-Template": "Bad Name"}, "Godwit-Fallback-Template"),
    ({"Godwit-Fallback-Template": "a:!"}, "Godwit-Fallback-Template"),
    ({"Godwit-Fallback-Vars": "1=x"}, "needs Godwit-Fallback-Template"),
    ({"Godwit-Fallback-Template": "a", "Godwit-Fallback-Vars": "2=x"}, "Godwit-Fallback-Vars"),
    ({"Godwit-Fallback-Template": "a", "Godwit-Fallback-Vars": "1=x&name=y"}, "Godwit-Fallback-Vars"),
    ({"Godwit-Fallback-Template": "a", "Godwit-Fallback-Vars": "1=%zz"}, "Godwit-Fallback-Vars")])
def test_wrong_headers_are_told(shared, headers, word):
    answer = shared.gateway.send(text(someone()), headers)
    assert (answer.status_code, answer.headers["Godwit-Refused"]) == (400, "invalid")
    assert word in answer.json()["error"]["error_data"]["details"]


def test_a_template_needs_no_plan(shared):
    answer = shared.gateway.send(template(someone()), PARK)
    assert answer.status_code == 400 and "template needs no open window" in answer.text


def test_who_opted_out_is_not_invited(shut):
    """Marketing stays refused, whatever the plan."""
    stack, who = shut
    stack.gateway.api("POST", "contacts/+%s/optout" % who)
    answer = stack.gateway.send(text(who), {**FALLBACK, **PARK, "Godwit-Category": "marketing"})
    assert (answer.status_code, answer.headers["Godwit-Refused"]) == (400, "consent")
    assert stack.accepted(who) == []


def test_the_command_line(shut):
    stack, who = shut
    cli = stack.gateway.cli
    plan_words = ("--fallback-template", "order_shipped:en", "--fallback-var", "2=A & B", "--fallback-var", "1=Ann")
    out = cli("send", "+" + who, "Hello", *plan_words)
    assert out.returncode == 0 and "in place of msg_" in out.stderr, out
    assert [p["text"] for p in only(stack, who)["template"]["components"][0]["parameters"]] == ["Ann", "A & B"]
    out = cli("send", "+" + who, "Later", "--park")
    assert out.returncode == 0 and out.stdout.startswith("parked"), out
    assert "customer writes" in out.stderr
    assert json.loads(cli("--json", "send", "+" + who, "Later", "--park").stdout)["status"] == "parked"
    assert cli("send", "+" + who, "x", "--fallback-template", "a", "--fallback-var", "1").returncode == 2
