# SPDX-License-Identifier: MIT
"""A lost answer: the message is unknown, nothing is sent twice, and statuses, policies or people decide."""
import json
import socket

import pytest

from sends import HOUR_MS, MINUTE_MS, someone, text, token_of, wait_until

SETTINGS = {"graph.timeout": "400ms", "graph.wait_max": "100ms"}
NEVER = {"sent_ms": 100 * HOUR_MS, "delivered_ms": 100 * HOUR_MS, "read_ms": 100 * HOUR_MS}
TAKEN = ["accept_close", "accept_reset", "accept_hang", "accept_5xx", "garbage", "error_after_accept"]
NOT_TAKEN = ["close", "reset", "hang", "5xx"]


@pytest.fixture
def stack(stacks):
    return stacks(conf=SETTINGS)


def lose(stack, fault, status=None, policy="hold", **rule):
    """A message whose answer is lost by `fault`; its statuses come `status` after it was taken."""
    to = someone()
    stack.customer(to, **(status or NEVER))
    rule_id = stack.inject(fault=fault, to=to, **(rule or {"always": True}))
    answer = stack.gateway.send(text(to, biz_opaque_callback_data="mine"), {"Godwit-Unknown-Policy": policy})
    assert answer.status_code == 202, answer.text
    msg = answer.headers["Godwit-Message"]
    message = stack.gateway.wait_state(msg, "unknown")
    assert (message["tries"], message["attempts"], message["reason"]) == (1, 1, None)
    return to, msg, rule_id


def alive(stack, n=3):
    """Others are sent to, and their statuses come: the way back works."""
    for _ in range(n):
        stack.gateway.wait_state(stack.gateway.send_async(text(someone())), "accepted")
    stack.advance(1000)
    stack.sandbox.wait_quiet()


@pytest.mark.parametrize("fault", TAKEN)
def test_what_meta_took_is_never_sent_again_and_resolved_by_its_status(stack, fault):
    to, msg, rule = lose(stack, fault, {"sent_ms": 10 * HOUR_MS, "delivered_ms": 11 * HOUR_MS,
                                        "read_ms": 12 * HOUR_MS})
    alive(stack)
    for _ in range(5):
        stack.advance(HOUR_MS)
    assert stack.gateway.state(msg) == "unknown"
    assert (len(stack.accepted(to)), stack.fired(rule)) == (1, 1)
    stack.advance(5 * HOUR_MS)
    message = stack.gateway.wait_state(msg, "accepted")
    taken, = stack.accepted(to)
    assert (message["wamid"], message["tries"]) == (taken["id"], 1)
    assert stack.gateway.states(msg) == ["sending", "unknown", "accepted"]
    stack.sandbox.wait_quiet()
    assert stack.gateway.look(msg)["status"] == "sent"
    assert taken["accepted_count"] == 1 and stack.sandbox.counters()["doubled"] == 0


@pytest.mark.parametrize("fault", NOT_TAKEN)
def test_what_meta_did_not_take_is_not_sent_again_either(stack, fault):
    to, msg, rule = lose(stack, fault)
    alive(stack)
    for hours in (1, 5, 24, 48):
        stack.advance(hours * HOUR_MS)
    assert stack.gateway.state(msg) == "unknown"
    assert (stack.accepted(to), stack.fired(rule)) == ([], 1)


def test_a_failed_status_resolves_it_too(stack):
    to = someone()
    stack.customer(to, **{"on_whatsapp": False})
    stack.sandbox.set(failed_ms=MINUTE_MS)
    stack.inject(fault="accept_close", to=to)
    msg = stack.gateway.send_async(text(to))
    stack.gateway.wait_state(msg, "unknown")
    stack.advance(2 * MINUTE_MS)
    message = stack.gateway.wait_state(msg, "accepted")
    assert message["failed"] is True and message["wamid"] == stack.accepted(to)[0]["id"]


def test_a_status_that_overtakes_the_answer(stack):
    """Meta's status is here before its answer: the caller gets the answer, and it counts once."""
    to = someone()
    stack.sandbox.set(sent_ms=0)
    stack.inject(fault="slow", to=to, delay_ms=300)
    msg = stack.gateway.send_async(text(to))
    wait_until("the message at Meta", lambda: stack.accepted(to))
    stack.sandbox.wait_quiet()
    message = stack.gateway.wait_state(msg, "accepted")
    assert message["http_status"] == 200 and json.loads(message["answer"])["messages"][0]["id"] == message["wamid"]
    assert stack.gateway.states(msg) == ["sending", "accepted"]
    assert len(stack.accepted(to)) == 1


def test_a_status_instead_of_the_answer(stacks):
    """The answer never comes and the status does: the caller who waits is told of success."""
    stack, to = stacks(conf={"graph.timeout": "20s"}, sent_ms=0), someone()
    stack.inject(fault="accept_hang", to=to)
    answer = stack.gateway.send(text(to))
    assert answer.status_code == 200, answer.text
    taken, = stack.accepted(to)
    assert answer.json()["messages"] == [{"id": taken["id"]}]
    assert answer.json()["contacts"] == [{"input": to, "wa_id": to}]


def test_resend_needs_proof_and_happens_once(stack):
    to, msg, rule = lose(stack, "close", policy="resend", next=1)
    stack.advance(HOUR_MS)
    assert stack.gateway.state(msg) == "unknown", "absence was not proven: nothing else was sent"
    alive(stack, 2)
    assert stack.gateway.state(msg) == "unknown", "two are not enough"
    alive(stack, 1)
    message = stack.gateway.wait_state(msg, "accepted")
    assert (message["tries"], message["attempts"]) == (2, 1)
    taken, = stack.accepted(to)
    assert token_of(taken)[2] == "2"
    alive(stack)
    stack.advance(5 * HOUR_MS)
    assert len(stack.accepted(to)) == 1
    assert stack.gateway.states(msg) == ["sending", "unknown", "queued", "sending", "accepted"]


def test_resend_waits_out_the_time(stack):
    to, msg, _ = lose(stack, "close", policy="resend", next=1)
    alive(stack)
    stack.advance(MINUTE_MS + 30000)
    alive(stack, 1)
    assert stack.gateway.state(msg) == "unknown"
    stack.advance(MINUTE_MS)
    stack.gateway.wait_state(msg, "accepted")
    assert len(stack.accepted(to)) == 1


def forge(stack):
    assert stack.gateway.http.post(stack.gateway.base + "/webhook", data="{}",
                                   headers={"X-Hub-Signature-256": "sha256=" + "0" * 64}).status_code == 401


def test_a_stranger_cannot_prevent_a_proof(stack):
    """Between two calls that Meta signed with the same secret, what nobody signed was not Meta's."""
    alive(stack, 1)
    to, msg, _ = lose(stack, "close", policy="resend", next=1)
    for _ in range(3):
        forge(stack)
        alive(stack, 1)
    forge(stack)
    stack.advance(3 * MINUTE_MS)
    assert stack.gateway.state(msg) == "unknown", "nothing is known since the last call that Meta signed"
    alive(stack, 1)
    stack.gateway.wait_state(msg, "accepted")
    assert len(stack.accepted(to)) == 1


@pytest.mark.parametrize("size,proof", [(5 << 20, True), (100, False)])
def test_a_call_that_was_not_heard_out(stack, size, proof):
    """Larger than anything of Meta's is nothing; one that broke off comes again, and is waited for."""
    alive(stack, 1)
    to, msg, _ = lose(stack, "close", policy="resend", next=1)
    with socket.create_connection(("127.0.0.1", int(stack.gateway.base.rsplit(":", 1)[1]))) as s:
        s.sendall(b"POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n{" % size)
        if proof:
            assert s.recv(64).startswith(b"HTTP/1.1 413")
    wait_until("the end of the call",
               lambda: stack.gateway.metric("godwit_webhooks_total", result="too_large" if proof else "partial") == 1)
    alive(stack)
    stack.advance(10 * MINUTE_MS)
    alive(stack, 1)
    if not proof:
        assert stack.gateway.state(msg) == "unknown"
        stack.advance(HOUR_MS)
    stack.gateway.wait_state(msg, "accepted")
    assert len(stack.accepted(to)) == 1


def test_refused_signatures_before_any_that_was_right_are_no_proof(stack):
    """So it looks when the secret was wrong at first: the status may have been among what was refused."""
    to, msg, _ = lose(stack, "close", policy="resend", next=1)
    forge(stack)
    alive(stack)
    stack.advance(10 * HOUR_MS)
    alive(stack)
    assert stack.gateway.state(msg) == "unknown"
    assert stack.accepted(to) == []


def test_a_resend_that_was_wrong_is_counted(stack):
    late = {"sent_ms": HOUR_MS, "delivered_ms": 2 * HOUR_MS, "read_ms": 3 * HOUR_MS}
    to, msg, _ = lose(stack, "accept_close", late, policy="resend", next=1)
    alive(stack)
    stack.advance(3 * MINUTE_MS)
    stack.gateway.wait_state(msg, "accepted")
    one, two = stack.accepted(to)
    assert [token_of(t)[2] for t in (one, two)] == ["1", "2"]
    assert stack.gateway.metric("godwit_outbox_duplicates_detected_total") == 0
    stack.advance(2 * HOUR_MS)
    wait_until("the duplicate", lambda: stack.gateway.metric("godwit_outbox_duplicates_detected_total") == 1)
    stack.advance(2 * HOUR_MS)
    stack.sandbox.wait_quiet()
    assert stack.gateway.metric("godwit_outbox_duplicates_detected_total") == 1


def test_expire_with_proof(stack):
    to, msg, rule = lose(stack, "close", policy="expire")
    alive(stack)
    stack.advance(3 * MINUTE_MS)
    stack.gateway.wait_state(msg, "expired")
    assert (stack.accepted(to), stack.fired(rule)) == ([], 1)


def test_expire_without_proof_at_the_end_of_its_life(stack):
    to, msg, rule = lose(stack, "close", policy="expire")
    stack.advance(20 * HOUR_MS)
    assert stack.gateway.state(msg) == "unknown"
    stack.advance(5 * HOUR_MS)
    stack.gateway.wait_state(msg, "expired")
    assert stack.fired(rule) == 1


def test_the_default_policy_is_a_setting(stacks):
    stack, to = stacks(conf={**SETTINGS, "unknown.policy": "resend", "unknown.wait": "10s"}), someone()
    stack.inject(fault="close", to=to)
    msg = stack.gateway.send_async(text(to))
    stack.gateway.wait_state(msg, "unknown")
    alive(stack)
    stack.advance(15000)
    stack.gateway.wait_state(msg, "accepted")


@pytest.mark.parametrize("how,state,taken", [("sent", "accepted", 0), ("resend", "accepted", 1),
                                             ("expire", "expired", 0)])
def test_an_operator_decides(stack, how, state, taken):
    to, msg, _ = lose(stack, "close", next=1)
    answer = stack.gateway.resolve(msg, how)
    assert answer.status_code == 200, answer.text
    message = stack.gateway.wait_state(msg, state)
    assert len(stack.accepted(to)) == taken
    assert message["tries"] == 1 + taken
    again = stack.gateway.resolve(msg, how)
    assert again.status_code in (404, 409) and again.json()["error"]["class"] in ("state", "not_found")


def test_only_unknown_messages_are_resolved(stack):
    gateway = stack.gateway
    to = someone()
    stack.inject(to=to, code=130429, retry_after=900)
    msg = gateway.send_async(text(to))
    gateway.wait_state(msg, "waiting")
    answer = gateway.resolve(msg, "resend")
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "not_unknown"
    assert gateway.resolve("msg_" + "0" * 26, "sent").status_code == 404
    assert gateway.resolve(msg, "maybe").status_code == 400


@pytest.mark.parametrize("restart", [False, True])
def test_what_waits_for_a_person_or_a_status_does_not_fill_the_queue(stacks, restart):
    """After a while it lives in the store alone, is counted, and both still find it there."""
    stack = stacks(conf={**SETTINGS, "queue.max": "3"})
    lost = [lose(stack, "accept_close", {"sent_ms": 10 * HOUR_MS, "delivered_ms": 11 * HOUR_MS,
                                         "read_ms": 12 * HOUR_MS}, next=1) for _ in range(3)]
    assert stack.gateway.send(text(someone())).status_code == 503
    stack.advance(15 * MINUTE_MS)
    wait_until("room", lambda: stack.gateway.send(text(someone())).status_code == 200)
    if restart:
        stack.gateway.kill()
        stack.gateway.start()
    unknown = lambda: stack.gateway.metric("godwit_outbox_messages", src="unknown")
    assert unknown() == 3
    assert stack.gateway.resolve(lost[0][1], "expire").status_code == 200
    assert stack.gateway.cli("message", "resolve", lost[1][1], "--as", "sent").returncode == 0
    assert [stack.gateway.state(msg) for _, msg, _ in lost] == ["expired", "accepted", "unknown"]
    assert unknown() == 1
    stack.advance(11 * HOUR_MS)
    message = stack.gateway.wait_state(lost[2][1], "accepted")
    assert message["wamid"] == stack.accepted(lost[2][0])[0]["id"]
    assert unknown() == 0
    assert all(len(stack.accepted(to)) == 1 for to, _, _ in lost)


@pytest.mark.parametrize("policy", ["resend", "expire"])
def test_evidence_after_its_life_is_recorded(stacks, policy):
    stack = stacks(conf={**SETTINGS, "queue.lifetime": "1h"})
    to, msg, _ = lose(stack, "accept_close", {"sent_ms": 3 * HOUR_MS, "delivered_ms": 9 * HOUR_MS,
                                              "read_ms": 9 * HOUR_MS}, policy=policy, next=1)
    stack.advance(2 * HOUR_MS)
    stack.gateway.wait_state(msg, "expired")
    stack.advance(2 * HOUR_MS)
    wait_until("the status", lambda: stack.gateway.look(msg)["status"] == "sent")
    assert stack.gateway.state(msg) == "expired"
    assert len(stack.accepted(to)) == 1


def test_the_operator_at_the_command_line(stack):
    to, msg, _ = lose(stack, "close", next=1)
    run = ["message", "resolve", msg, "--as", "resend"]
    done = stack.gateway.cli(*run)
    assert done.returncode == 0, done.stderr
    stack.gateway.wait_state(msg, "accepted")
    assert len(stack.accepted(to)) == 1
    assert stack.gateway.cli(*run).returncode in (3, 5)


@pytest.mark.parametrize("fault,taken", [("accept_hang", 1), ("hang", 0)])
@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_a_kill_while_it_is_sent(stacks, fault, taken, policy):
    stack, to = stacks(conf={"graph.wait_max": "100ms"}, sent_ms=10 * MINUTE_MS, delivered_ms=HOUR_MS,
                       read_ms=HOUR_MS), someone()
    gateway, sandbox = stack.gateway, stack.sandbox
    rule = stack.inject(fault=fault, to=to, always=True)
    msg = gateway.send_async(text(to), {"Godwit-Unknown-Policy": policy})
    wait_until("the message at Meta", lambda: stack.fired(rule))
    behind = gateway.send_async(text(to, "behind"))
    gateway.kill()
    stack.remove(rule)
    gateway.start()
    assert gateway.wait_state(msg, "unknown")["tries"] == 1
    assert gateway.state(behind) == "queued"
    sandbox.set(sent_ms=20)
    alive(stack)
    stack.advance(5 * MINUTE_MS)
    gateway.wait_state(behind, "accepted")
    assert gateway.state(msg) == "unknown"
    stack.advance(10 * MINUTE_MS)
    if taken:
        assert gateway.wait_state(msg, "accepted")["tries"] == 1
    stack.advance(10 * HOUR_MS)
    alive(stack)
    words = stack.words(to)
    assert words == ["Hello"] * taken + ["behind"]
    assert gateway.state(msg) == ("accepted" if taken else "unknown")


def test_evidence_that_came_in_the_dark_is_found_at_the_start(stacks):
    """The status was stored, the move was not: the next start settles it."""
    stack, to = stacks(conf={"graph.wait_max": "100ms"}, sent_ms=0), someone()
    stack.inject(fault="accept_hang", to=to, always=True)
    msg = stack.gateway.send_async(text(to))
    wait_until("the status", lambda: stack.gateway.events(type="message.status"))
    stack.gateway.kill()  # most often within the second that the answer is waited for
    stack.gateway.start()
    message = stack.gateway.wait_state(msg, "accepted")
    assert message["wamid"] == stack.accepted(to)[0]["id"]
    assert len(stack.accepted(to)) == 1


@pytest.mark.parametrize("fault, state, taken", [("outbox.leaves", "accepted", 1), ("outbox.noted", "unknown", 0)])
def test_killed_right_before_the_first_byte(stack, fault, state, taken):
    """What is not noted has never left and goes out after the start; what is noted may have left (record 023)."""
    gateway = stack.gateway
    gateway.wait_state(gateway.send_async(text(someone())), "accepted")  # there is a file
    gateway.restart(GODWIT_FAULT=fault + ":1:kill")
    to = someone()
    msg = gateway.send_async(text(to))
    gateway.is_end_wanted = True
    wait_until("it dies", lambda: not gateway.is_running())
    gateway.start()
    gateway.wait_state(msg, state)
    alive(stack)
    stack.advance(HOUR_MS)
    assert (gateway.state(msg), len(stack.accepted(to))) == (state, taken)
    assert gateway.look(msg)["tries"] == (2 if state == "accepted" else 1)


def test_killed_before_there_is_a_file(stack):
    """A gateway that never sent has noted nothing, so it proves nothing: unknown, as after a power cut."""
    gateway = stack.gateway
    gateway.restart(GODWIT_FAULT="outbox.leaves:1:kill")
    to = someone()
    msg = gateway.send_async(text(to))
    gateway.is_end_wanted = True
    wait_until("it dies", lambda: not gateway.is_running())
    gateway.start()
    gateway.wait_state(msg, "unknown")
    alive(stack)
    assert (gateway.state(msg), stack.accepted(to)) == ("unknown", [])
