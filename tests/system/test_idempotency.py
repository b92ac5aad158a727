# SPDX-License-Identifier: MIT
"""Idempotency-Key: one message for one key, whatever happens in between."""
import collections
import concurrent.futures
import json
import threading

import pytest

from sends import HOUR_MS, NUMBER, someone, text, wait_until


def key(name="order-4711"):
    return {"Idempotency-Key": name}


def same(one, other):
    """The answer of the first call, again."""
    assert (one.status_code, one.content) == (other.status_code, other.content)
    assert one.headers["Godwit-Message"] == other.headers["Godwit-Message"]


def test_same_key_same_body(fronts, meta):
    gateway, body = fronts(), text(someone())
    first = gateway.send(body, key())
    assert first.status_code == 200
    same(first, gateway.send(body, key()))
    same(first, gateway.send(body, key()))
    assert len(meta.requests) == 1
    assert gateway.metric("godwit_outbox_accepted_total") == 1


def test_another_body_is_422(fronts, meta):
    gateway, to = fronts(), someone()
    assert gateway.send(text(to, "one"), key()).status_code == 200
    answer = gateway.send(text(to, "two"), key())
    assert answer.status_code == 422 and answer.headers["Godwit-Refused"] == "idempotency"
    assert answer.json()["error"]["code"] == 100 and "Idempotency-Key" in answer.text
    assert gateway.send(json.dumps(text(to, "one")).encode() + b" ", key()).status_code == 422  # by bytes
    assert len(meta.requests) == 1


def test_the_scope_is_key_path_and_header(fronts, meta):
    gateway, body = fronts(), text(someone())
    other = gateway.api("POST", "keys", {"name": "other", "scopes": ["send"]})["key"]
    ids = {gateway.send(body, headers, path=path).headers["Godwit-Message"]
           for headers, path in [(key(), "/v26.0/%s/messages" % NUMBER), (key("b"), "/v26.0/%s/messages" % NUMBER),
                                 (key(), "/v25.0/%s/messages" % NUMBER),
                                 ({**key(), "Authorization": "Bearer " + other}, "/v26.0/%s/messages" % NUMBER)]}
    assert len(ids) == 4 and len(meta.requests) == 4
    assert len({gateway.send(body).headers["Godwit-Message"] for _ in range(3)}) == 3  # without a key: each its own


def test_a_hundred_at_once(fronts, meta):
    gateway, to = fronts(), someone()
    meta.hold()
    bodies = [text(to, "the other" if i % 4 == 3 else "the one") for i in range(100)]
    threading.Timer(0.5, meta.release).start()
    answers = gateway.send_many(bodies, threads=100, headers=key())
    count = collections.Counter((a.status_code, a.content) for a in answers)
    assert len(meta.requests) == 1
    by_status = collections.Counter(a.status_code for a in answers)
    winner = json.loads(meta.requests[0].body)["text"]["body"]
    assert by_status == ({200: 75, 422: 25} if winner == "the one" else {200: 25, 422: 75})
    assert len(count) == 2, "they were told different things"
    assert len({a.headers["Godwit-Message"] for a in answers if a.status_code == 200}) == 1


@pytest.mark.parametrize("end", ["term", "kill"])
def test_after_a_restart(fronts, meta, end):
    gateway, body, refused = fronts(), text(someone()), text(someone())
    meta.answer_next(200, '{"messages":[{"id":"wamid.kept"}],  "as":"it was"}')
    meta.answer_next(400, '{"error":{"code":131009,"message":"no"} }')
    first, second = gateway.send(body, key()), gateway.send(refused, key("refused"))
    assert (first.status_code, second.status_code) == (200, 400)
    getattr(gateway, end)()
    gateway.start()
    same(first, gateway.send(body, key()))
    same(second, gateway.send(refused, key("refused")))
    assert gateway.send(text(someone()), key()).status_code == 422
    assert len(meta.requests) == 2


def test_killed_while_it_was_sent(fronts, meta):
    gateway, to = fronts(conf={"graph.wait_max": "200ms"}), someone()
    meta.hold()
    first = gateway.send(text(to), key())
    assert first.status_code == 202
    meta.wait(1)
    gateway.kill()
    meta.release()
    gateway.start()
    msg = first.headers["Godwit-Message"]
    gateway.wait_state(msg, "unknown")
    again = gateway.send(text(to), key())
    assert (again.status_code, again.headers["Godwit-Message"]) == (202, msg)
    assert len(meta.requests) == 1


def test_the_answer_follows_the_message(fronts, meta):
    gateway, body = fronts(), text(someone())
    meta.hold()
    msg = gateway.send_async(body, key())
    again = gateway.send(body, {**key(), "Prefer": "respond-async"})
    assert (again.status_code, again.headers["Godwit-Message"]) == (202, msg)
    meta.release()
    gateway.wait_state(msg, "accepted")
    last = gateway.send(body, key())
    assert last.status_code == 200 and last.json()["messages"][0]["id"] == gateway.look(msg)["wamid"]
    assert len(meta.requests) == 1


def test_a_refusal_at_the_door_binds_no_key(fronts, meta):
    gateway, to = fronts(), someone()
    bad = text(to, biz_opaque_callback_data="x" * 513)
    for _ in range(2):
        answer = gateway.send(bad, key())
        assert (answer.status_code, answer.headers["Godwit-Refused"]) == (400, "opaque")
    assert gateway.send(text(to), key()).status_code == 200
    assert len(meta.requests) == 1


def test_busy_binds_no_key(fronts, meta):
    gateway, body = fronts(conf={"queue.max": 1}), text(someone())
    meta.hold()
    held = gateway.send_async(text(someone()))
    assert gateway.send(body, key()).status_code == 503
    meta.release()
    gateway.wait_state(held, "accepted")
    assert gateway.send(body, key()).status_code == 200
    assert len(meta.requests) == 2


def test_a_refusal_at_release_binds_no_key(stack):
    gateway, who = stack.gateway, someone()
    stack.write(who)
    stack.advance(25 * HOUR_MS)
    answer = gateway.send(text(who), key())
    assert (answer.status_code, answer.headers["Godwit-Refused"]) == (400, "window")
    stack.write(who)
    answer = gateway.send(text(who), key())
    assert answer.status_code == 200, answer.text
    same(answer, gateway.send(text(who), key()))
    assert len(stack.accepted(who)) == 1


def test_a_key_is_kept_for_seven_days(stack):
    gateway, body = stack.gateway, text(someone())
    first = gateway.send(body, key())
    stack.advance(7 * 24 * HOUR_MS - 60000)
    same(first, gateway.send(body, key()))
    stack.advance(24 * HOUR_MS)

    def forgotten():
        answer = gateway.send(body, key())
        return answer.status_code == 200 and answer.headers["Godwit-Message"] != first.headers["Godwit-Message"]
    wait_until("the key to be free again", forgotten)
    assert len(stack.accepted(body["to"])) == 2


@pytest.mark.parametrize("again", ["Hello", "another body"])
def test_a_refusal_after_a_kill_frees_the_key(stacks, again):
    """It came from the store after the kill, and was refused there."""
    stack = stacks(conf={"queue.lifetime": "72h"})
    gateway, who = stack.gateway, someone()
    stack.write(who)
    stack.inject(code=131057, next=1, to=who)  # the number pauses for a minute
    waits = gateway.send_async(text(who), key())
    gateway.wait_state(waits, "waiting")
    gateway.kill()
    stack.advance(25 * HOUR_MS)
    gateway.start()
    assert gateway.wait_state(waits, "rejected")["code"] == 131047
    gateway.kill()
    gateway.start()
    stack.write(who)
    answer = gateway.send(text(who, again), key())
    assert answer.status_code == 200 and answer.headers["Godwit-Message"] != waits, answer.text
    same(answer, gateway.send(text(who, again), key()))
    assert stack.words(who) == [again]


@pytest.mark.parametrize("again", ["Hello", "another body"])
def test_a_blocked_account_binds_no_key_of_what_never_left(fronts, meta, again):
    gateway, who = fronts(), someone()
    blocked = {"error": {"code": 190, "message": "expired"}}
    meta.hold()
    meta.answer_next(401, blocked)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(gateway.send, text(who, "goes first"), key("first"))
        meta.wait(1)
        behind = pool.submit(gateway.send, text(who), key("behind"))
        wait_until("both to be there", lambda: len(gateway.messages()) == 2)
        meta.release()
        assert (first.result().status_code, behind.result().status_code) == (401, 401)
    assert len(meta.requests) == 1
    gateway.kill()
    gateway.start()
    answer = gateway.send(text(who, again), key("behind"))
    assert answer.status_code == 200, answer.text
    assert gateway.send(text(who, "goes first"), key("first")).json() == blocked  # Meta has spoken of this one
    assert [json.loads(r.body)["text"]["body"] for r in meta.requests] == ["goes first", again]


def test_what_expired_here_binds_no_key(stack):
    gateway, who = stack.gateway, someone()
    stack.inject(code=131057, next=1, to=who)
    waits = gateway.send_async(text(who), key())
    gateway.wait_state(waits, "waiting")
    gateway.kill()
    stack.advance(25 * HOUR_MS)
    gateway.start()
    gateway.wait_state(waits, "expired")
    answer = gateway.send(text(who), key())
    assert answer.status_code == 200 and answer.headers["Godwit-Message"] != waits, answer.text
