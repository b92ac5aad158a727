# SPDX-License-Identifier: MIT
"""The opaque value: on the wire only ours, and the caller's in everything that is told."""
import contextlib
import json
import re

import pytest

import kit
from kit import NUMBER, WABA, Receiver, wait_until
from sends import HOUR_MS, Stack, module_folder, someone, text, token_of

VALUES = {
    "plain": "order 4711",
    "json in it": '{"a":"b\\\\n","c":[1]}',
    "controls and quotes": "tab\there \"and\" \\back\\ \n \u0001",
    "512 characters": "\U0001f426" * 512,
    "like ours": "w1.0123456789ABCDEFGHJKMNPQRS.1.00000000",
    "empty": "",
}


@pytest.fixture(scope="module")
def told():
    """(stack, endpoint in Meta's format, endpoint in ours)"""
    with contextlib.ExitStack() as end:
        as_meta, as_godwit = (end.enter_context(contextlib.closing(Receiver())) for _ in range(2))
        path = end.enter_context(module_folder())
        stack = end.enter_context(contextlib.closing(Stack(path)))
        for endpoint, form in ((as_meta, "meta"), (as_godwit, "godwit")):
            stack.gateway.api("POST", "destinations", {"url": endpoint.url + "hook", "format": form, "name": form})
        yield stack, as_meta, as_godwit


def meta_statuses(endpoint, to):
    for request in list(endpoint.requests):
        for entry in json.loads(request.body)["entry"]:
            for change in entry["changes"]:
                for status in change["value"].get("statuses", []):
                    if status.get("recipient_id") == to:
                        yield status


def godwit_statuses(endpoint, to):
    for request in list(endpoint.requests):
        event = json.loads(request.body)
        if event["type"] == "message.status" and event["status"]["recipient"] == to:
            yield event


def all_told(stack, endpoint, reader, to, n=3):
    wait_until("%d statuses" % n, lambda: len(list(reader(endpoint, to))) >= n)
    return list(reader(endpoint, to))


@pytest.mark.parametrize("name", VALUES)
def test_the_callers_value_comes_back(told, name):
    stack, as_meta, as_godwit = told
    to, value = someone(), VALUES[name]
    msg = stack.gateway.send_async(text(to, biz_opaque_callback_data=value))
    stack.gateway.wait_state(msg, "accepted")
    taken, = stack.accepted(to)
    token_of(taken)  # only ours is on the wire
    if value:
        assert value not in taken["body"] and json.dumps(value)[1:-1] not in taken["body"]
    stack.advance(1000)
    for status in all_told(stack, as_meta, meta_statuses, to):
        assert status.get("biz_opaque_callback_data", "") == value
    for event in all_told(stack, as_godwit, godwit_statuses, to):
        assert event.get("opaque", "") == value and event["sent_message"] == msg
    assert (stack.gateway.look(msg)["opaque"] or "") == value


def test_without_a_value_there_is_none(told):
    stack, as_meta, as_godwit = told
    to, null = someone(), someone()
    for body in (text(to), text(null, biz_opaque_callback_data=None)):
        assert stack.gateway.send(body).status_code == 200
    stack.advance(1000)
    for who in (to, null):
        for status in all_told(stack, as_meta, meta_statuses, who):
            assert "biz_opaque_callback_data" not in status
        for event in all_told(stack, as_godwit, godwit_statuses, who):
            assert "opaque" not in event


def test_failed_statuses_carry_it_too(told):
    stack, as_meta, as_godwit = told
    to = someone()
    stack.customer(to, **{"on_whatsapp": False})
    assert stack.gateway.send(text(to, biz_opaque_callback_data="f")).status_code == 200
    stack.advance(1000)
    status, = all_told(stack, as_meta, meta_statuses, to, 1)
    assert (status["status"], status["biz_opaque_callback_data"]) == ("failed", "f")
    event, = all_told(stack, as_godwit, godwit_statuses, to, 1)
    assert (event["status"]["state"], event["opaque"]) == ("failed", "f")
    assert stack.gateway.api("GET", "messages?to=" + to)["data"][0]["failed"] is True


def test_our_token_is_seen_nowhere_else(told):
    stack, as_meta, as_godwit = told
    to = someone()
    stack.gateway.send(text(to, biz_opaque_callback_data="value"))
    token = stack.accepted(to)[0]["opaque"]
    stack.advance(1000)
    all_told(stack, as_meta, meta_statuses, to)
    all_told(stack, as_godwit, godwit_statuses, to)
    seen = b"".join(r.body + r.headers.as_bytes() for e in (as_meta, as_godwit) for r in e.requests)
    seen += stack.gateway.log().encode() + stack.gateway.graph("GET", "/metrics").content
    for path in ("messages?limit=1000", "events?limit=1000"):
        seen += stack.gateway.graph("GET", "/api/v1/" + path).content
    assert token.encode() not in seen
    assert not re.search(rb"w1\.[0-9A-Z]{26}\.[0-9]+\.(?!00000000)", seen)


@pytest.mark.parametrize("alter", ["mac", "message", "try", "foreign"])
def test_a_token_that_is_not_of_this_store_proves_nothing(shared, alter):
    gateway, sandbox, to = shared.gateway, shared.sandbox, someone()
    shared.customer(to, sent_ms=HOUR_MS, delivered_ms=HOUR_MS, read_ms=HOUR_MS)
    shared.inject(fault="accept_close", to=to, next=1)
    msg = gateway.send_async(text(to))
    gateway.wait_state(msg, "unknown")
    token = shared.accepted(to)[0]["opaque"]
    w1, message, try_, mac = token.split(".")
    bad = {"mac": "%s.%s.%s.%08x" % (w1, message, try_, int(mac, 16) ^ 1),
           "message": "%s.%s.%s.%s" % (w1, ("1" if message[0] == "0" else "0") + message[1:], try_, mac),
           "try": "%s.%s.2.%s" % (w1, message, mac), "foreign": "order-4711"}[alter]
    now_s = kit.Clock(sandbox).now_ms() // 1000
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER},
             "statuses": [{"id": "wamid.foreign" + alter, "status": "sent", "timestamp": str(now_s),
                           "recipient_id": to, "biz_opaque_callback_data": bad}]}
    body = {"object": "whatsapp_business_account",
            "entry": [{"id": WABA, "changes": [{"field": "messages", "value": value}]}]}
    sandbox.post_raw(json.dumps(body))
    sandbox.wait_quiet()
    assert gateway.state(msg) == "unknown"
    value["statuses"][0].update(id="wamid.real" + alter, biz_opaque_callback_data=token)
    sandbox.post_raw(json.dumps(body))
    assert gateway.wait_state(msg, "accepted")["wamid"] == "wamid.real" + alter
