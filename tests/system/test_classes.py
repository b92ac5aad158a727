# SPDX-License-Identifier: MIT
"""What each answer of Meta proves: try again, give up, or do not know (design.md section 5 rule 7)."""

import pytest

from kit import Clock
from sends import HOUR_MS, MINUTE_MS, Meta, at_ms, someone, text, wait_until

THROTTLES = {4: 30, 80007: 30, 130429: 1, 131056: 1, 131057: 60, 133016: 60}  # code: first wait, s
REJECTIONS = {100: 400, 10: 403, 200: 403, 131005: 403, 131008: 400, 131009: 400, 131021: 400, 131026: 400,
              131030: 400, 131047: 400, 131048: 400, 131051: 400, 132000: 400, 132001: 404, 132015: 400,
              133010: 400, 135000: 400}
NO_PROOF = [1, 2, 131016, 133004, 131000]
ACCOUNT = {190: 401, 368: 403, 131031: 403, 131042: 400}


def envelope(code, subcode=None, **more):
    return {"error": {"message": "(#%d) no" % code, "type": "OAuthException", "code": code,
                      **({"error_subcode": subcode} if subcode else {}), "fbtrace_id": "Az", **more}}


def until_accepted(stack, msg, most_ms=2 * HOUR_MS):
    """Advance until it is accepted; how much that took."""
    step, gone = 1000, 0
    while stack.gateway.state(msg) != "accepted":
        assert gone < most_ms, stack.gateway.look(msg)
        stack.step(step, msg)
        gone += step
        step = min(step * 2, 60000)
    return gone


@pytest.mark.parametrize("code", THROTTLES)
def test_a_throttle_waits_and_burns_nothing(stacks, code):
    stack, to = stacks(), someone()
    stack.inject(to=to, code=code)
    msg = stack.gateway.send_async(text(to))
    message = stack.gateway.wait_state(msg, "waiting")
    assert (message["reason"], message["tries"], message["attempts"], message["code"]) == ("backoff", 1, 0, code)
    assert message["next_at"] is not None
    stack.advance(THROTTLES[code] * 1000 * 0.7)  # 20 % of jitter
    assert stack.gateway.state(msg) == "waiting"
    until_accepted(stack, msg)
    message = stack.gateway.look(msg)
    assert (message["tries"], message["attempts"]) == (2, 0)
    assert len(stack.accepted(to)) == 1
    assert stack.gateway.states(msg)[:2] == ["sending", "waiting"]


def delays_of(stack, msg, count):
    """How long it waits after each of its first tries, ms; the clock stands and is moved to the moment of the next."""
    clock, found = Clock(stack.sandbox), []
    for n in range(1, count + 1):
        message = wait_until("try %d" % n, lambda: tried(stack, msg, n))
        assert (message["reason"], message["attempts"]) == ("backoff", 0)
        found.append(at_ms(message["next_at"]) - clock.now_ms())
        clock.advance(ms=found[-1] - 1)
        assert stack.gateway.look(msg)["tries"] == n, "not before its time"
        clock.advance(ms=2)
    return found


def tried(stack, msg, n):
    message = stack.gateway.look(msg)
    return message if (message["tries"], message["state"]) == (n, "waiting") else None


@pytest.mark.parametrize("code", THROTTLES)
def test_delays_of_a_class(stack, code):
    """Twice as long each time (four times for the pair), with jitter, and no attempt burned."""
    clock, growth = Clock(stack.sandbox), 4 if code == 131056 else 2
    clock.freeze()
    to = someone()
    stack.inject(to=to, code=code, always=True)
    delays = delays_of(stack, stack.gateway.send_async(text(to)), 5)
    ratios = [d / (min(THROTTLES[code] * growth ** i, 60 if code == 130429 else 3600) * 1000)
              for i, d in enumerate(delays)]
    low, high = (1.0, 1.1) if code == 131056 else (0.8, 1.2)
    assert all(low - 0.01 <= r <= high + 0.01 for r in ratios), ratios
    assert len({round(r, 3) for r in ratios}) > 1, "no jitter"


def test_delays_where_nobody_answers(stack):
    """The same where Meta is not reached."""
    gateway, gone = stack.gateway, Meta()
    gone.close()
    gateway.term()
    gateway.accounts["test"]["base_url"] = gone.url
    gateway.start()
    Clock(stack.sandbox).freeze()
    delays = delays_of(stack, gateway.send_async(text(someone())), 8)
    assert all(0.8 <= d / (min(2 ** i, 60) * 1000) <= 1.21 for i, d in enumerate(delays)), delays
    assert len({round(d / 2 ** i) for i, d in enumerate(delays[:6])}) > 1, "no jitter"


@pytest.mark.parametrize("code", THROTTLES)
def test_a_class_ends_with_its_life(stacks, code):
    """What burns no attempt is capped by the lifetime, whatever attempts_max is."""
    stack, to = stacks(conf={"queue.attempts_max": 1, "queue.lifetime": "1h"}), someone()
    stack.inject(to=to, code=code, always=True)
    msg = stack.gateway.send_async(text(to))
    stack.gateway.wait_state(msg, "waiting")
    stack.advance(HOUR_MS - 3 * MINUTE_MS)
    stack.gateway.wait_state(msg, "waiting")
    stack.advance(3 * MINUTE_MS)
    message = stack.gateway.wait_state(msg, "expired")
    assert message["attempts"] == 0 and message["tries"] >= 1 and stack.accepted(to) == []


def test_a_throttle_is_one_whatever_its_http_status(shared):
    for http in (400, 403, 429, 500, 503):
        to = someone()
        shared.inject(to=to, code=131056, http=http)
        msg = shared.gateway.send_async(text(to))
        assert shared.gateway.wait_state(msg, "waiting")["attempts"] == 0


def test_retry_after_is_kept(stack):
    to = someone()
    stack.inject(to=to, code=130429, retry_after=300)
    msg = stack.gateway.send_async(text(to))
    stack.gateway.wait_state(msg, "waiting")
    stack.advance(299000 - 5000)
    assert stack.gateway.state(msg) == "waiting"
    stack.advance(36000)  # a tenth of jitter is on top
    stack.gateway.wait_state(msg, "accepted")


def test_a_throttle_counts_no_attempts_and_ends_with_its_life(stacks):
    stack, to = stacks(conf={"queue.attempts_max": 2, "queue.lifetime": "30m"}), someone()
    stack.inject(to=to, code=130429, always=True)
    msg = stack.gateway.send_async(text(to))
    for _ in range(10):
        message = stack.step(2 * MINUTE_MS, msg)
        assert message["state"] == "waiting"
    assert message["tries"] > 2 and message["attempts"] == 0
    stack.advance(20 * MINUTE_MS)
    stack.gateway.wait_state(msg, "expired")
    assert stack.accepted(to) == []


@pytest.mark.parametrize("code", REJECTIONS)
def test_a_refusal_is_final(shared, code):
    to = someone()
    shared.inject(to=to, code=code, details="because")
    answer = shared.gateway.send(text(to))
    assert (answer.status_code, answer.json()["error"]["code"]) == (REJECTIONS[code], code), answer.text
    assert "Godwit-Refused" not in answer.headers
    message = shared.gateway.look(answer.headers["Godwit-Message"])
    assert (message["state"], message["code"], message["http_status"]) == ("rejected", code, REJECTIONS[code])
    shared.advance(HOUR_MS)
    assert shared.accepted(to) == []


@pytest.mark.parametrize("code", NO_PROOF)
def test_a_server_error_proves_nothing(shared, code):
    to = someone()
    shared.inject(to=to, code=code)
    msg = shared.gateway.send_async(text(to))
    message = shared.gateway.wait_state(msg, "unknown")
    assert (message["tries"], message["attempts"], message["code"]) == (1, 1, code)
    shared.advance(HOUR_MS)
    assert shared.gateway.state(msg) == "unknown"
    assert shared.accepted(to) == []


@pytest.mark.parametrize("code", NO_PROOF)
def test_the_switch_says_that_it_does(stacks, code):
    stack, to = stacks(conf={"assume.server_errors_prove_nothing": "no", "queue.attempts_max": 3}), someone()
    stack.inject(to=to, code=code, next=2)
    msg = stack.gateway.send_async(text(to))
    if code == 131000:  # not in the switch: Meta sends it after accepting, too
        stack.gateway.wait_state(msg, "unknown")
        return
    assert stack.gateway.wait_state(msg, "waiting")["attempts"] == 1
    until_accepted(stack, msg)
    assert stack.gateway.look(msg)["attempts"] == 2
    to = someone()
    rule = stack.inject(to=to, code=code, always=True)
    msg = stack.gateway.send_async(text(to))
    for _ in range(4):
        message = stack.step(2 * MINUTE_MS, msg)
    assert message["state"] == "rejected"  # attempts_max
    assert (message["tries"], message["attempts"]) == (3, 3)
    assert stack.fired(rule) == 3


def success(n, **more):
    return {"messaging_product": "whatsapp", "messages": [{"id": "wamid.success%d" % n, **more}]}


@pytest.mark.parametrize("status,body,state", [
    (400, envelope(999999), "rejected"), (403, envelope(888888, 2494000), "rejected"),
    (500, envelope(999999), "unknown"), (503, envelope(131009), "rejected"), (500, envelope(132000), "rejected"),
    (400, "<html>Bad Request</html>", "unknown"), (404, "", "unknown"), (429, "slow down", "unknown"),
    (502, "<html>Bad Gateway</html>", "unknown"), (504, "", "unknown"), (500, {"error": "down"}, "unknown"),
    (200, "", "unknown"), (200, "{}", "unknown"), (200, '{"messages":[]}', "unknown"),
    (200, '{"messages":[{"id":""}]}', "unknown"), (200, '{"messages":[{"id":"wamid.x"}]', "unknown"),
    (200, envelope(131009), "unknown"), (302, "", "unknown"), (400, {"error": {"message": "no code"}}, "unknown"),
    (200, success(1), "accepted"), (202, success(2), "accepted"),
    (200, success(3, message_status="held_for_quality_assessment"), "accepted"),
], ids=lambda v: None if isinstance(v, dict) else str(v)[:12])
def test_what_an_answer_proves(front, status, body, state):
    gateway, meta = front
    unlisted, before = gateway.metric("outbox_unlisted_codes_total"), len(meta.requests)
    meta.answer_next(status, body)
    msg = gateway.send_async(text(someone()))
    assert gateway.wait_state(msg, "accepted", "rejected", "unknown", "waiting")["state"] == state
    assert len(meta.requests) == before + 1
    new = isinstance(body, dict) and "code" in body.get("error", ()) and body["error"]["code"] in (999999, 888888)
    assert gateway.metric("outbox_unlisted_codes_total") == unlisted + new


def test_where_nothing_was_sent_it_waits(stacks):
    """Nobody listens at Meta's address: no byte left, so the message simply waits for better times."""
    stack = stacks()
    gateway, gone = stack.gateway, Meta()
    gone.close()
    gateway.term()
    account = gateway.accounts["test"]
    account["base_url"], good = gone.url, account["base_url"]
    gateway.start()
    to = someone()
    msg = gateway.send_async(text(to))
    message = gateway.wait_state(msg, "waiting")
    assert (message["reason"], message["attempts"]) == ("backoff", 0)
    stack.advance(HOUR_MS)
    assert gateway.wait_state(msg, "waiting")["attempts"] == 0
    gateway.term()
    account["base_url"] = good
    gateway.start()
    until_accepted(stack, msg)
    assert len(stack.accepted(to)) == 1


def test_order_is_kept_behind_a_throttle(stack):
    to, other = someone(), someone()
    stack.inject(to=to, code=130429, next=2)
    msgs = [stack.gateway.send_async(text(to, "%d" % i)) for i in range(5)]
    stack.gateway.wait_state(msgs[0], "waiting")
    assert stack.gateway.send(text(other)).status_code == 200  # nobody else waits with them
    for _ in range(4):
        assert {stack.gateway.state(m) for m in msgs[1:]} == {"queued"} or \
            stack.gateway.state(msgs[0]) == "accepted"
        until_accepted(stack, msgs[0])
    for msg in msgs:
        until_accepted(stack, msg)
    assert stack.words(to) == list("01234")


# --- codes of the account ---

@pytest.mark.parametrize("code", ACCOUNT)
def test_a_code_of_the_account_pauses_it(stack, code):
    gateway = stack.gateway
    rule = stack.inject(code=code, always=True, details="by Meta")
    first = someone()
    answer = gateway.send(text(first))  # somebody waits: Meta's words at once, and it is over
    assert (answer.status_code, answer.json()["error"]["code"]) == (ACCOUNT[code], code), answer.text
    assert "Godwit-Refused" not in answer.headers and "by Meta" in answer.text
    assert gateway.state(answer.headers["Godwit-Message"]) == "rejected"

    answer = gateway.send(text(someone()))  # the next ones hear of it from us
    assert (answer.status_code, answer.headers["Godwit-Refused"]) == (ACCOUNT[code], "account")
    assert answer.json()["error"]["code"] == code
    later = [gateway.send_async(text(someone())) for _ in range(3)]  # nobody waits: it waits
    fired = stack.fired(rule)
    assert fired == 1, "a paused account is not tried for each message"

    stack.advance(MINUTE_MS + 1000)
    wait_until("one that waits for the account", lambda: any(gateway.look(m)["reason"] == "paused" for m in later))
    stack.advance(MINUTE_MS + 1000)
    assert all(gateway.look(m)["attempts"] == 0 for m in later)
    stack.remove(rule)
    stack.advance(MINUTE_MS + 1000)
    for msg in later:
        gateway.wait_state(msg, "accepted")
    assert gateway.send(text(someone())).status_code == 200
    assert stack.accepted(first) == []


def test_a_pause_is_not_forgotten_by_messages_over_a_restart(stack):
    gateway, to = stack.gateway, someone()
    rule = stack.inject(code=190, always=True)
    msg = gateway.send_async(text(to))
    assert gateway.wait_state(msg, "waiting")["reason"] == "paused"
    gateway.term()
    gateway.start()
    assert gateway.wait_state(msg, "waiting")["reason"] == "paused"
    stack.remove(rule)
    until_accepted(stack, msg)
    assert len(stack.accepted(to)) == 1
