# SPDX-License-Identifier: MIT
"""What a caller is told: Meta's answer unchanged, 202 while it is open, 503 when nothing was taken."""
import json
import socket

import pytest

from sends import NUMBER, Meta, someone, text, wait_until

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
    return [(e["status"]["state"], e) for e in gateway.told(msg)]


SUCCESS = ('{ "messaging_product":"whatsapp",\n "contacts":[{"input":"x","wa_id":"1"}], "new\\u00e9":[1.0,1e2],'
           ' "messages":[ {"id":"wamid.AB\\/C","message_status":"accepted"} ]}\n')
REFUSAL = '{"error":{"message":"(#131009) \\u00e9é","type":"OAuthException","code":131009,\n"fbtrace_id":"Az"}}'


@pytest.mark.parametrize("status,body", [(200, SUCCESS), (201, SUCCESS), (400, REFUSAL), (403, REFUSAL),
                                         (404, REFUSAL), (500, REFUSAL)],
                         ids=[200, 201, 400, 403, 404, 500])
def test_metas_answer_is_returned_unchanged(fronts, meta, status, body):
    gateway = fronts()
    meta.answer_next(status, body)
    answer = gateway.send(text(someone()))
    assert answer.content == body.encode()
    assert answer.status_code == (200 if status < 300 else status)
    assert "Godwit-Refused" not in answer.headers
    message = gateway.look(answer.headers["Godwit-Message"])
    assert message["state"] == ("accepted" if status < 300 else "rejected")
    assert message["wamid"] == ("wamid.AB/C" if status < 300 else None)
    assert len(meta.requests) == 1


def test_after_wait_max_202_and_the_rest_is_told(fronts, meta):
    gateway, to = fronts(conf=FAST), "+" + someone()
    meta.hold()
    msg = queued(gateway.send(text(to, biz_opaque_callback_data="mine")), to)
    assert gateway.state(msg) == "sending"
    meta.release()
    message = gateway.wait_state(msg, "accepted")
    wait_until("the event", lambda: status_events(gateway, msg))
    (state, event), = status_events(gateway, msg)
    assert (state, event["message"]["id"], event["opaque"]) == ("accepted", message["wamid"], "mine")
    assert len(meta.requests) == 1


def test_a_refusal_after_the_202_is_a_failed_status_too(fronts, meta):
    gateway, to = fronts(conf=FAST), someone()
    meta.hold()
    meta.answer_next(400, REFUSAL)
    msg = queued(gateway.send(text(to, biz_opaque_callback_data="mine")), to)
    meta.release()
    gateway.wait_state(msg, "rejected")
    wait_until("two events", lambda: len(status_events(gateway, msg)) == 2)
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
    stack = stacks(conf=FAST, sent_ms=3600000, delivered_ms=3600000, read_ms=3600000)
    stack.sandbox.inject(**fault, always=True)
    to = someone()
    msg = queued(stack.gateway.send(text(to)), to)
    assert stack.gateway.state(msg) in ("waiting", "unknown")


@pytest.mark.parametrize("prefer", ["respond-async", "wait=5, Respond-Async", "return=minimal,respond-async"])
def test_prefer_respond_async(fronts, meta, prefer):
    gateway, to = fronts(), someone()
    meta.hold()
    answer = gateway.send(text(to), {"Prefer": prefer})
    msg = queued(answer, to)
    assert answer.headers["Preference-Applied"] == "respond-async"
    meta.release()
    gateway.wait_state(msg, "accepted")


def test_without_the_preference_there_is_none_applied(fronts):
    answer = fronts().send(text(someone()), {"Prefer": "wait=100, respond-asynchronous"})
    assert answer.status_code == 200 and "Preference-Applied" not in answer.headers


def test_our_id_works_in_a_context(stacks):
    stack, to = stacks(), someone()
    first = stack.gateway.send_async(text(to, "first"))
    answer = stack.gateway.send(text(to, "second", context={"message_id": first}))
    assert answer.status_code == 200, answer.text
    one, two = stack.accepted(to)
    assert json.loads(two["body"])["context"] == {"message_id": one["id"]}


def post_and_leave(gateway, body, whole=True):
    """Write a send to the socket, and close it without waiting."""
    raw = json.dumps(body).encode()
    head = ("POST /v26.0/%s/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
            "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (NUMBER, gateway.key, len(raw))).encode()
    with socket.create_connection(("127.0.0.1", int(gateway.base.rpartition(":")[2]))) as s:
        s.sendall(head + (raw if whole else raw[:-1]))


def test_a_vanished_client_changes_nothing(fronts, meta):
    gateway, people = fronts(), [someone() for _ in range(5)]
    meta.hold()
    for to in people:
        post_and_leave(gateway, text(to))
    meta.wait(5)
    meta.release()
    wait_until("five commits", lambda: gateway.metric("godwit_outbox_accepted_total") == 5)
    for to in people:
        row, = gateway.messages(to=to)
        gateway.wait_state(row["id"], "accepted")
    assert len(meta.requests) == 5


def test_half_a_request_is_none(fronts, meta):
    gateway, to = fronts(), someone()
    post_and_leave(gateway, text(to), whole=False)
    assert gateway.send(text(someone())).status_code == 200
    assert gateway.messages(to=to) == []
    assert len(meta.requests) == 1
    gateway.kill()  # a drain would give the rest of the body four seconds to come


def test_503_when_the_queue_is_full(fronts, meta):
    gateway = fronts(conf={"queue.max": 3})
    meta.hold()
    held = [gateway.send_async(text(someone())) for _ in range(3)]
    answer = gateway.send(text(someone()))
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) >= 1 and answer.headers["Godwit-Refused"] == "busy"
    assert answer.json()["error"]["code"] == 131016 and "Godwit-Message" not in answer.headers
    assert len(gateway.messages()) == 3
    meta.release()
    for msg in held:
        gateway.wait_state(msg, "accepted")
    assert gateway.send(text(someone())).status_code == 200
    assert len(meta.requests) == 4


def test_a_destination_in_metas_format_gets_the_refusal_composed(fronts, meta):
    with_destination = Meta()
    gateway = fronts(conf={**FAST, "egress.allow": "127.0.0.0/8"})
    try:
        gateway.api("POST", "destinations", {"url": with_destination.url + "/hook", "format": "meta", "name": "app"})
        meta.answer_next(400, REFUSAL)
        to = someone()
        msg = gateway.send_async(text(to, biz_opaque_callback_data="mine"))
        gateway.wait_state(msg, "rejected")

        def failed():
            for request in with_destination.requests:
                for status in json.loads(request.body)["entry"][0]["changes"][0]["value"]["statuses"]:
                    if status["status"] == "failed":
                        return status
            return None
        status = wait_until("the failed status", failed)
        assert (status["id"], status["biz_opaque_callback_data"]) == (msg, "mine")
        assert status["recipient_id"] == to and status["errors"][0]["code"] == 131009
    finally:
        with_destination.close()


def test_every_scrape_counts_every_message_once(fronts, meta):
    """Whatever moves while it is read: what is open and what was accepted add up."""
    gateway, count = fronts(), 40
    meta.hold()
    for _ in range(count):
        gateway.send_async(text(someone()))
    meta.release()

    def accepted():
        found = gateway.metrics()
        states = sum(value for (name, _), value in found.items() if name == "godwit_outbox_messages")
        ended = sum(value for (name, labels), value in found.items()
                    if name == "godwit_outbox_moves_total" and ("dst", "accepted") in labels)
        assert states + ended == count, (states, ended)
        return ended
    wait_until("all of them", lambda: accepted() == count)
