# SPDX-License-Identifier: MIT
"""What a caller is told: Meta's answer unchanged, 202 while it is open, 503 when nothing was taken."""
import json
import socket
import threading

import pytest

from sends import NUMBER, Meta, gateways, meta, someone, stacks, text, wait_for  # noqa: F401 (fixtures)

FAST = {"graph.wait_max": "200ms"}


def queued(answer, to):
    """The 202 of docs/api.md; returns our id."""
    assert answer.status_code == 202, answer.text
    msg = answer.headers["Godwit-Message"]
    assert msg.startswith("msg_") and len(msg) == 30
    assert answer.json() == {"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to.lstrip("+")}],
                             "messages": [{"id": msg, "message_status": "queued"}]}
    return msg


def status_events(gateway, msg):
    """(state, event) of every status that was told of this message, oldest first."""
    told = [e for e in gateway.events(type="message.status", limit=1000)]
    told.reverse()
    return [(e["status"]["state"], e) for e in told if e.get("sent_message") == msg or e["message"]["id"] == msg]


SUCCESS = (b'{ "messaging_product":"whatsapp",\n "contacts":[{"input":"x","wa_id":"1"}], "new\\u00e9":[1.0,1e2],'
           b' "messages":[ {"id":"wamid.AB\\/C","message_status":"accepted"} ]}\n')
REFUSAL = b'{"error":{"message":"(#131009) \\u00e9\xc3\xa9","type":"OAuthException","code":131009,\n"fbtrace_id":"Az"}}'


@pytest.mark.parametrize("status,body", [(200, SUCCESS), (201, SUCCESS), (400, REFUSAL), (403, REFUSAL),
                                         (404, REFUSAL), (500, REFUSAL)],
                         ids=[200, 201, 400, 403, 404, 500])
def test_metas_answer_is_returned_unchanged(gateways, meta, status, body):
    gateway = gateways()
    meta.answer(status, body)
    answer = gateway.send(text(someone()))
    assert answer.content == body
    assert answer.status_code == (200 if status < 300 else status)
    assert "Godwit-Refused" not in answer.headers
    message = gateway.message(answer.headers["Godwit-Message"])
    assert message["state"] == ("accepted" if status < 300 else "rejected")
    assert message["wamid"] == ("wamid.AB/C" if status < 300 else None)
    assert len(meta.requests) == 1


def test_after_wait_max_202_and_the_rest_is_told(gateways, meta):
    gateway, to = gateways(settings=FAST), "+" + someone()
    meta.hold = threading.Event()
    msg = queued(gateway.send(text(to, biz_opaque_callback_data="mine")), to)
    assert gateway.message(msg)["state"] == "sending"
    meta.hold.set()
    message = gateway.wait_state(msg, "accepted")
    wait_for(lambda: status_events(gateway, msg), "the event")
    (state, event), = status_events(gateway, msg)
    assert (state, event["message"]["id"], event["opaque"]) == ("accepted", message["wamid"], "mine")
    assert len(meta.requests) == 1


def test_a_refusal_after_the_202_is_a_failed_status_too(gateways, meta):
    gateway, to = gateways(settings=FAST), someone()
    meta.hold = threading.Event()
    meta.answer(400, REFUSAL)
    msg = queued(gateway.send(text(to, biz_opaque_callback_data="mine")), to)
    meta.hold.set()
    gateway.wait_state(msg, "rejected")
    wait_for(lambda: len(status_events(gateway, msg)) == 2, "two events")
    told = status_events(gateway, msg)
    assert [state for state, _ in told] == ["rejected", "failed"]
    for _, event in told:
        assert event["opaque"] == "mine" and event["message"]["id"] == msg
    assert told[1][1]["status"]["errors"][0]["code"] == 131009


@pytest.mark.parametrize("fault", [{"fault": "accept_close"}, {"fault": "5xx"},
                                   {"fault": "error", "code": 130429, "retry_after": 600},
                                   {"fault": "error", "code": 131000}, {"fault": "garbage"}],
                         ids=["lost", "5xx", "throttled", "131000", "garbage"])
def test_never_5xx_for_what_is_open(stacks, fault):
    stack = stacks(settings=FAST, sent_ms=3600000, delivered_ms=3600000, read_ms=3600000)
    stack.sandbox.inject(**fault, always=True)
    to = someone()
    msg = queued(stack.gateway.send(text(to)), to)
    assert stack.gateway.message(msg)["state"] in ("waiting", "unknown")


@pytest.mark.parametrize("prefer", ["respond-async", "wait=5, Respond-Async", "return=minimal,respond-async"])
def test_prefer_respond_async(gateways, meta, prefer):
    gateway, to = gateways(), someone()
    meta.hold = threading.Event()
    answer = gateway.send(text(to), {"Prefer": prefer})
    msg = queued(answer, to)
    assert answer.headers["Preference-Applied"] == "respond-async"
    meta.hold.set()
    gateway.wait_state(msg, "accepted")


def test_without_the_preference_there_is_none_applied(gateways):
    answer = gateways().send(text(someone()), {"Prefer": "wait=100, respond-asynchronous"})
    assert answer.status_code == 200 and "Preference-Applied" not in answer.headers


def test_our_id_works_in_a_context(stacks):
    stack, to = stacks(), someone()
    first = stack.gateway.send_async(text(to, "first"))
    answer = stack.gateway.send(text(to, "second", context={"message_id": first}))
    assert answer.status_code == 200, answer.text
    one, two = stack.sandbox.accepted(to)
    assert json.loads(two["body"])["context"] == {"message_id": one["id"]}


def post_and_leave(gateway, body, whole=True):
    """Write a send to the socket, and close it without waiting."""
    raw = json.dumps(body).encode()
    head = ("POST /v26.0/%s/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
            "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (NUMBER, gateway.key, len(raw))).encode()
    with socket.create_connection(("127.0.0.1", gateway.port)) as s:
        s.sendall(head + (raw if whole else raw[:-1]))


def test_a_vanished_client_changes_nothing(gateways, meta):
    gateway, people = gateways(), [someone() for _ in range(5)]
    meta.hold = threading.Event()
    for to in people:
        post_and_leave(gateway, text(to))
    meta.arrived(5)
    meta.hold.set()
    wait_for(lambda: gateway.metric("godwit_outbox_accepted_total") == 5, "five commits")
    for to in people:
        row, = gateway.api("GET", "messages?to=" + to)["data"]
        gateway.wait_state(row["id"], "accepted")
    assert len(meta.requests) == 5


def test_half_a_request_is_none(gateways, meta):
    gateway, to = gateways(), someone()
    post_and_leave(gateway, text(to), whole=False)
    assert gateway.send(text(someone())).status_code == 200
    assert gateway.api("GET", "messages?to=" + to)["data"] == []
    assert len(meta.requests) == 1


def test_503_when_the_queue_is_full(gateways, meta):
    gateway = gateways(settings={"queue.max": 3})
    meta.hold = threading.Event()
    held = [gateway.send_async(text(someone())) for _ in range(3)]
    answer = gateway.send(text(someone()))
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) >= 1 and answer.headers["Godwit-Refused"] == "busy"
    assert answer.json()["error"]["code"] == 131016 and "Godwit-Message" not in answer.headers
    assert len(gateway.api("GET", "messages")["data"]) == 3
    meta.hold.set()
    for msg in held:
        gateway.wait_state(msg, "accepted")
    assert gateway.send(text(someone())).status_code == 200
    assert len(meta.requests) == 4


def test_a_destination_in_metas_format_gets_the_refusal_composed(gateways, meta):
    with_destination = Meta()
    gateway = gateways(settings={**FAST, "egress.allow": "127.0.0.0/8"})
    try:
        gateway.api("POST", "destinations", {"url": with_destination.url + "/hook", "format": "meta", "name": "app"})
        meta.answer(400, REFUSAL)
        to = someone()
        msg = gateway.send_async(text(to, biz_opaque_callback_data="mine"))
        gateway.wait_state(msg, "rejected")

        def failed():
            for request in with_destination.requests:
                for status in json.loads(request.body)["entry"][0]["changes"][0]["value"]["statuses"]:
                    if status["status"] == "failed":
                        return status
            return None
        status = wait_for(failed, "the failed status")
        assert (status["id"], status["biz_opaque_callback_data"]) == (msg, "mine")
        assert status["recipient_id"] == to and status["errors"][0]["code"] == 131009
    finally:
        with_destination.close()
