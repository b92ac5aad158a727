# SPDX-License-Identifier: MIT
"""The Graph front: what the caller wrote is what Meta gets, but for our token and Meta's key."""
import json
import re

import pytest

from kit import NUMBER, TOKEN
from sends import someone, template, text, without_token

KEPT = {
    "blanks": b'{ "messaging_product" : "whatsapp",\r\n\t"to" :"%s" , "text": { "body" : "x" } }\n',
    "no blanks": b'{"messaging_product":"whatsapp","to":"%s","type":"text","text":{"body":"x"}}',
    "escapes": b'{"to":"%s","text":{"body":"\\u00e9\\/\\ud83d\\udc4b \xc3\xa9"},"messaging_product":"whatsapp"}',
    "numbers": b'{"messaging_product":"whatsapp","to":"%s","type":"location","location":'
               b'{"latitude":37.758056000000001,"longitude":-1.2250e2,"x":12345678901234567890}}',
    "unknown members": b'{"messaging_product":"whatsapp","new":[{"a":[[]]},null,true],"to":"%s","text":{"body":"x"}}',
    "same key twice": b'{"messaging_product":"whatsapp","to":"%s","text":{"body":"a"},"text":{"body":"b"}}',
    "surrogate": b'{"messaging_product":"whatsapp","to":"%s","text":{"body":"\\ud800 \\u0000"}}',
    "to is a number": b'{"messaging_product":"whatsapp","to":%s,"text":{"body":"x"}}',
}
REFUSED = {
    "no json": b"hello",
    "cut json": b'{"messaging_product":"whatsapp","to":"155500"',
    "trailing bytes": b'{"messaging_product":"whatsapp","to":"155500","text":{"body":"x"}} x',
    "bad utf-8": b'{"messaging_product":"whatsapp","to":"155500","text":{"body":"\xff"}}',
    "empty": b"",
    "array": b'[{"messaging_product":"whatsapp","to":"155500"}]',
    "too deep": b'{"messaging_product":"whatsapp","to":"155500","x":' + b"[" * 70 + b"]" * 70 + b"}",
    "no product": b'{"to":"155500","text":{"body":"x"}}',
    "other product": b'{"messaging_product":"sms","to":"155500","text":{"body":"x"}}',
    "no recipient": b'{"messaging_product":"whatsapp","text":{"body":"x"}}',
    "no digits": b'{"messaging_product":"whatsapp","to":"+","text":{"body":"x"}}',
    "opaque is no string": b'{"messaging_product":"whatsapp","to":"155500","biz_opaque_callback_data":1}',
    "opaque is too long": b'{"messaging_product":"whatsapp","to":"155500","biz_opaque_callback_data":"%s"}'
                          % (b"x" * 513),
}
BYPASS = {
    "read": b'{"messaging_product":"whatsapp", "status" : "read","message_id":"wamid.1"}',
    "typing": b'{"messaging_product":"whatsapp","status":"read","message_id":"wamid.1",\n'
              b'"typing_indicator":{"type":"text"}}',
}


@pytest.fixture(autouse=True)
def clean(front):
    front[1].requests.clear()
    front[1].answers.clear()


@pytest.mark.parametrize("prefix,wire", [("/v26.0", "/v26.0"), ("/v19.0", "/v19.0"), ("/v123.45", "/v123.45"),
                                         ("/v1.0", "/v1.0"), ("", "/v26.0")])
def test_any_version_and_none(front, prefix, wire):
    gateway, meta = front
    answer = gateway.send(text(someone()), path="%s/%s/messages" % (prefix, NUMBER))
    assert answer.status_code == 200, answer.text
    assert [r.path for r in meta.requests] == ["%s/%s/messages" % (wire, NUMBER)]


@pytest.mark.parametrize("name", KEPT)
def test_the_callers_bytes_are_kept(front, name):
    gateway, meta = front
    body = KEPT[name] % someone().encode()
    answer = gateway.send(body)
    assert answer.status_code == 200, answer.text
    assert meta.requests[0].body != body
    assert without_token(meta.requests[0].body) == body


def test_an_opaque_value_is_exchanged_where_it_stands(front):
    gateway, meta = front
    before = b'{"to":"%s", "biz_opaque_callback_data" : ' % someone().encode()
    behind = b' ,"messaging_product":"whatsapp","text":{"body":"biz_opaque_callback_data"}}'
    assert gateway.send(before + b'"order \\u0034\\"711\\""' + behind).status_code == 200
    wire = meta.requests[0].body
    assert wire.startswith(before) and wire.endswith(behind)
    assert re.fullmatch(rb'"w1\.[0-9A-Z]{26}\.1\.[0-9a-f]{8}"', wire[len(before):-len(behind)])


def test_the_query_is_kept_without_the_key(front):
    gateway, meta = front
    path = "/v26.0/%s/messages?a=1&access_token=%s&b=%%20x&appsecret_proof=ff" % (NUMBER, gateway.key)
    answer = gateway.http.post(gateway.base + path, json=text(someone()))  # no Authorization
    assert answer.status_code == 200, answer.text
    assert meta.requests[0].path == "/v26.0/%s/messages?a=1&b=%%20x&appsecret_proof=ff" % NUMBER
    assert gateway.http.post(gateway.base + "/%s/messages?access_token=%s" % (NUMBER, gateway.key),
                                json=text(someone())).status_code == 200
    assert meta.requests[1].path == "/v26.0/%s/messages" % NUMBER
    assert gateway.key not in repr(meta.requests)


def test_meta_sees_its_own_key_and_nothing_of_the_callers_head(front):
    gateway, meta = front
    assert gateway.send(text(someone()), {"Cookie": "c=1", "X-Mine": "m", "User-Agent": "caller/1",
                                          "Idempotency-Key": "k-of-the-head"}).status_code == 200
    head = {name.lower(): value for name, value in meta.requests[0].headers.items()}
    assert head["authorization"] == "Bearer " + TOKEN
    assert head["content-type"] == "application/json"
    assert "expect" not in head and "transfer-encoding" not in head
    for word in ("c=1", "x-mine", "caller/1", "k-of-the-head", gateway.key):
        assert word not in repr(head).lower()


@pytest.mark.parametrize("name", BYPASS)
def test_receipts_and_typing_go_straight_on(front, name):
    gateway, meta = front
    count = gateway.metric("godwit_outbox_accepted_total")
    meta.answer_next(200, '{ "success" : true }')
    meta.answer_next(400, '{"error":{"code":131009,"message":"no such message"}}')
    answer = gateway.send(BYPASS[name], path="/v24.0/%s/messages?x=1&access_token=no" % NUMBER)
    assert (answer.status_code, answer.content) == (200, b'{ "success" : true }')
    assert "Godwit-Message" not in answer.headers
    answer = gateway.send(BYPASS[name], path="/%s/messages" % NUMBER)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 131009)
    assert [r.body for r in meta.requests] == [BYPASS[name]] * 2
    assert [r.path for r in meta.requests] == ["/v24.0/%s/messages?x=1" % NUMBER, "/v26.0/%s/messages" % NUMBER]
    assert {r.headers["Authorization"] for r in meta.requests} == {"Bearer " + TOKEN}
    assert gateway.metric("godwit_outbox_accepted_total") == count


def refused(answer, code, subcode=None, status=400):
    """Refused here, said as Meta would say it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Godwit-Refused"]
    assert answer.headers["Content-Type"].startswith("application/json")
    error = answer.json()["error"]
    assert (error["code"], error.get("error_subcode")) == (code, subcode)
    assert error["type"] in ("OAuthException", "GraphMethodException") and error["message"]
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["error_data"]["details"].startswith("Godwit refused this")
    return error["error_data"]["details"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_sent_is_refused_in_metas_shape(front, name):
    gateway, meta = front
    count = gateway.metric("godwit_outbox_accepted_total")
    refused(gateway.send(REFUSED[name]), 100)
    assert not meta.requests
    assert gateway.metric("godwit_outbox_accepted_total") == count


def test_an_unknown_number_is_100_33(front):
    gateway, meta = front
    for body in (text(someone()), {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}):
        assert "1234" in refused(gateway.send(body, path="/v26.0/1234/messages"), 100, 33)
    assert not meta.requests


@pytest.mark.parametrize("headers", [{"Idempotency-Key": "k" * 256}, {"Godwit-Unknown-Policy": "maybe"}],
                         ids=["key too long", "policy unknown"])
def test_headers_of_ours_are_checked(front, headers):
    gateway, meta = front
    refused(gateway.send(text(someone()), headers), 100)
    assert not meta.requests


def test_the_largest_of_each(front):
    gateway, meta = front
    smile = "\U0001f642"
    assert gateway.send(text(someone(), biz_opaque_callback_data=smile * 512),
                        {"Idempotency-Key": "k" * 255}).status_code == 200
    refused(gateway.send(text(someone(), biz_opaque_callback_data=smile * 513)), 100)
    large = text(someone(), "x" * 250000)
    assert gateway.send(large).status_code == 200
    assert len(meta.requests[-1].body) > 250000
    assert gateway.send(text(someone(), "x" * 262144)).status_code == 413
    assert len(meta.requests) == 2


@pytest.mark.parametrize("kind,content", [
    ("image", {"link": "https://x.invalid/a.png"}), ("document", {"id": "1", "filename": "a.pdf"}),
    ("reaction", {"message_id": "wamid.1", "emoji": "\U0001f44d"}), ("contacts", [{"name": {"formatted_name": "A"}}]),
    ("interactive", {"type": "button", "body": {"text": "x"}, "action": {"buttons": []}}), ("sticker", {"id": "1"}),
    ("something_new", {"a": 1})])
def test_every_kind_goes_through_the_outbox(front, kind, content):
    gateway, meta = front
    answer = gateway.send({"messaging_product": "whatsapp", "to": someone(), "type": kind, kind: content})
    assert answer.status_code == 200, answer.text
    assert gateway.look(answer.headers["Godwit-Message"])["kind"] == kind
    assert json.loads(meta.requests[0].body)[kind] == content


def test_a_template_too(front):
    gateway, meta = front
    answer = gateway.send(template(someone()))
    assert gateway.look(answer.headers["Godwit-Message"])["kind"] == "template"
    assert len(meta.requests) == 1
