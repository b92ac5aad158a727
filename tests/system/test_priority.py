# SPDX-License-Identifier: MIT
"""Classes: authentication > reply > utility > marketing, so that a campaign delays a reply by one slot at most.

What is promised is an order, so it is read from the gateway's own trace, in which one thread writes what it
does in the order in which it does it: "queued" when the commit of a message's acceptance is through, "leaves"
when it takes its slot. A machine that is busy, or a disk that is slow, moves all of that and not the order.
"""
import re

import pytest

from kit import NUMBER, Clock, wait_until
from sends import someone, template, text

MARKETING = "/v26.0/%s/marketing_messages" % NUMBER
ASYNC = {"Prefer": "respond-async"}
STEP_MS = 12  # one slot at 80/s is 12.6
TRACE = re.compile(r"message id=(msg_[0-9A-Z]{26}) (queued|leaves) ")
CLAIMED = re.compile(r"message id=(msg_[0-9A-Z]{26}) from=queued to=sending ")


def password(to, code="123456"):
    """What Meta makes of an authentication template: the code in the body and in the button."""
    parameter = {"type": "text", "text": code}
    return {"messaging_product": "whatsapp", "to": to, "type": "template", "template": {
        "name": "otp", "language": {"code": "en"}, "components": [
            {"type": "body", "parameters": [parameter]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [parameter]}]}}


def trace(gateway):
    """[(message, "queued" or "leaves")], in the order of the events."""
    return TRACE.findall(gateway.log())


def slots_of(steps, msg):
    """How many messages left from the commit of this one's acceptance to its leaving, itself included."""
    since = steps[steps.index((msg, "queued")):]
    until = since[:since.index((msg, "leaves")) + 1]
    return sum(1 for _, what in until if what == "leaves")


def campaign(gateway, meta, total):
    """`total` of marketing, of which most still wait."""
    meta.hold()
    gateway.send_many([template(someone()) for _ in range(total)], threads=32, path=MARKETING, headers=ASYNC)
    meta.release()


def hand_in(gateway, body):
    """Again where the answer says so: a disk that is slow and busy too is over a second behind (503)."""
    def taken():
        answer = gateway.send(body, ASYNC)
        assert answer.status_code in (202, 503), answer.text
        return answer.headers["Godwit-Message"] if answer.status_code == 202 else None
    return wait_until("a disk that keeps up", taken)


@pytest.mark.parametrize("env", [{}, {"GODWIT_FAULT": "store.before_commit:1:slow"}],
                         ids=["any disk", "a slow disk"])
def test_a_reply_overtakes_a_campaign(fronts, meta, env):
    """Row 21 of the fault tests: two slots after it is on disk, though a slow disk takes ten for its intent."""
    gateway, total, replies = fronts(env=env), 600, []
    campaign(gateway, meta, total)
    for make in (text, password, text):
        meta.wait(len(meta.requests) + 10)
        replies.append(hand_in(gateway, make(someone())))
    wait_until("the replies", lambda: {m for m, what in trace(gateway) if what == "leaves"}.issuperset(replies))
    steps = trace(gateway)
    left = sum(1 for _, what in steps if what == "leaves")
    assert left < total, "the campaign was over before the test"
    assert [n for n in (slots_of(steps, msg) for msg in replies) if n > 2] == []
    gateway.kill()  # the campaign need not be finished


def test_a_reply_where_the_wire_is_full(fronts, meta):
    """Meta does not answer: graph.in_flight calls wait for it, never more, and the first free place is the reply's."""
    gateway, most, busy = fronts({"graph.in_flight": 10}), 10, 0
    meta.hold()
    gateway.send_many([template(someone()) for _ in range(100)], path=MARKETING, headers=ASYNC)
    meta.wait(most)
    reply = gateway.send_async(text(someone()))
    assert len(meta.requests) == most
    meta.release()
    meta.wait(60)
    for line in gateway.log().splitlines():
        busy += 1 if " leaves " in line else -1 if " attempt id=" in line else 0
        assert busy <= most, line
    assert slots_of(trace(gateway), reply) <= 2
    gateway.kill()  # the campaign need not be finished


def claims(gateway, at_least):
    """Messages that were claimed so far, when there are so many."""
    def there():
        found = CLAIMED.findall(gateway.log())
        return found if len(found) >= at_least else None
    return wait_until("%d claims" % at_least, there)


def test_a_reply_is_claimed_behind_a_full_batch(stacks):
    """All that may be claimed ahead is; no slot passes, and still the reply's intent is written down at once."""
    stack = stacks(limit=200, limit_mps=200)
    Clock(stack.sandbox).freeze()
    for _ in range(20):
        stack.gateway.send_async(template(someone()), path=MARKETING)
    before = claims(stack.gateway, 4)
    assert len(before) < 10
    reply = stack.gateway.send_async(text(someone()))
    assert reply == claims(stack.gateway, len(before) + 1)[-1]
    stack.gateway.kill()


def test_the_order_of_the_classes(stack):
    """All are queued while the clock stands still, the worst first; then they leave class by class.

    What becomes of them is not the subject: the sandbox knows neither the path nor the password's template.
    """
    gateway, clock, kinds = stack.gateway, Clock(stack.sandbox), {}
    clock.freeze()
    for kind, make, more in (("marketing", template, {"path": MARKETING}), ("utility", template, {}),
                             ("reply", text, {}), ("authentication", password, {})):
        for answer in gateway.send_many([make(someone()) for _ in range(30)], headers=ASYNC, **more):
            kinds[answer.headers["Godwit-Message"]] = kind
    behind = sum(1 for _, what in trace(gateway) if what == "leaves")  # in the slot that was there
    assert behind <= 1

    def left():
        clock.advance(ms=STEP_MS)
        order = [kinds[m] for m, what in trace(gateway) if what == "leaves"]
        return order[behind:] if len(order) == len(kinds) else None
    order = wait_until("all of them", left)
    place = {kind: [i for i, k in enumerate(order) if k == kind] for kind in set(order)}
    mean = {kind: sum(at) / len(at) for kind, at in place.items()}
    assert mean["authentication"] < mean["reply"] < mean["utility"] < mean["marketing"]
    # one in sixteen goes to a class that was passed over; none waits for the end of all others
    first = order[:len(place["authentication"])]
    assert first.count("authentication") >= 0.8 * len(first)
    assert place["marketing"][0] < place["authentication"][-1] + 20


def test_a_lane_goes_by_its_best_message(stacks):
    """A reply behind a campaign's message to the same person pulls that one along: their order holds.

    Of the two that are pulled one is claimed and waits for its slot behind others (at 200/s four are claimed
    ahead of a clock that stands still), and one is the last in the queue.
    """
    stack = stacks(limit=200, limit_mps=200)
    gateway, clock = stack.gateway, Clock(stack.sandbox)
    clock.freeze()
    queue = [gateway.send_async(template(someone()), path=MARKETING) for _ in range(40)]
    heads = [claims(gateway, 4)[-1], queue[-1]]
    replies = [gateway.send_async(text(gateway.look(msg)["to"], "the reply")) for msg in heads]
    behind = [m for m, what in trace(gateway) if what == "leaves"]
    assert not set(behind) & set(heads)

    def left():
        clock.advance(ms=STEP_MS)
        order = [m for m, what in trace(gateway) if what == "leaves"][len(behind):]
        return order if set(order).issuperset(replies) else None
    order = wait_until("the replies", left)
    assert set(order[:2]) == set(heads), "they waited for the campaign"
    assert all(order.index(head) < order.index(reply) for head, reply in zip(heads, replies))
