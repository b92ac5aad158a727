# SPDX-License-Identifier: MIT
"""Classes: authentication > reply > utility > marketing, so that a campaign delays a reply by one slot at most."""
import json

from kit import NUMBER, Clock, wait_until
from sends import someone, template, text, words_of

MARKETING = "/v26.0/%s/marketing_messages" % NUMBER
STEP_MS = 4  # one slot at 80/s is 12.6


def password(to, code="123456"):
    """What Meta makes of an authentication template: the code in the body and in the button."""
    parameter = {"type": "text", "text": code}
    return {"messaging_product": "whatsapp", "to": to, "type": "template", "template": {
        "name": "otp", "language": {"code": "en"}, "components": [
            {"type": "body", "parameters": [parameter]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [parameter]}]}}


def kind_of(request):
    if request.path.startswith(MARKETING):
        return "marketing"
    body = json.loads(request.body)
    if body["type"] == "text":
        return "reply"
    return "authentication" if body["template"]["name"] == "otp" else "utility"


def test_a_reply_overtakes_a_campaign(fronts, meta):
    """Row 21 of the fault tests, with a campaign of 1,000: two slots after it is on disk, at 80/s."""
    gateway, total = fronts(), 1000
    meta.hold()
    gateway.send_many([template(someone()) for _ in range(total)], threads=32, path=MARKETING,
                      headers={"Prefer": "respond-async"})
    meta.release()
    meta.wait(len(meta.requests) + 20)
    for _ in range(5):
        to = someone()
        gateway.send_async(text(to, "reply"))
        before = len(meta.requests)
        wait_until("the reply", lambda: any(json.loads(r.body)["to"] == to for r in meta.requests[before - 5:]))
        place = next(i for i, r in enumerate(meta.requests) if json.loads(r.body)["to"] == to)
        # two slots, and one that was on its way when the test looked
        assert place - before <= 3, "it left as number %d behind" % (place - before)
        meta.wait(place + 5)
    assert len(meta.requests) < total, "the campaign was over before the test"
    gateway.kill()  # the campaign need not be finished


def test_the_order_of_the_classes(fronts, meta):
    gateway = fronts()
    meta.hold()  # the first few are taken and not answered, so that a backlog is there
    for make, path in ((template, MARKETING), (template, None), (text, None), (password, None)):
        gateway.send_many([make(someone()) for _ in range(30)], headers={"Prefer": "respond-async"},
                          **({"path": path} if path else {}))
    behind = len(meta.requests)
    meta.release()
    meta.wait(120)
    order = [kind_of(r) for r in meta.requests[behind:]]
    place = {kind: [i for i, k in enumerate(order) if k == kind] for kind in set(order)}
    mean = {kind: sum(at) / len(at) for kind, at in place.items()}
    assert mean["authentication"] < mean["reply"] < mean["utility"] < mean["marketing"]
    # one in sixteen goes to a class that was passed over; none waits for the end of all others
    first = order[:len(place["authentication"])]
    assert first.count("authentication") >= 0.8 * len(first)
    assert place["marketing"][0] < place["authentication"][-1] + 20


def test_a_lane_goes_by_its_best_message(stack):
    """A reply behind a campaign's message to the same person pulls that one along: their order holds."""
    gateway, clock, one = stack.gateway, Clock(stack.sandbox), someone()
    clock.freeze()
    for _ in range(200):
        gateway.send_async(template(someone()))
    gateway.send_async(template(one))
    gateway.send_async(text(one, "the reply"))
    for n in range(2, 40):
        clock.advance(ms=STEP_MS)
        if len(stack.accepted(one)) == 2:
            break
    wait_until("both", lambda: clock.advance(ms=STEP_MS) and len(stack.accepted(one)) == 2)
    first, second = stack.accepted(one)
    assert json.loads(first["body"])["type"] == "template" and words_of(second["body"]) == "the reply"
    assert second["seq"] < 100, "it waited for the campaign"
