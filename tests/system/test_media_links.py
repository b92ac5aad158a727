# SPDX-License-Identifier: MIT
"""test_media_links.py - links to media in what is relayed: they lead here, a key opens them, and nothing else does"""
import base64
import json

import pytest

import kit
from kit import ANA, NUMBER, TOKEN, wait_until
from rig import SECRET, envelope, hub

PICTURE = bytes(range(256)) * 200
SECOND = "573542517421700"


def say(sandbox, **content):
    sandbox.say(message={"type": "image", "image": {
        "mime_type": "image/png", "data": base64.b64encode(PICTURE).decode(), **content}})


def image_of(request):
    """What an application that was written for Meta finds; the signature is checked first."""
    assert request.headers["X-Hub-Signature-256"] == hub(request.body, SECRET)
    return json.loads(request.body)["entry"][0]["changes"][0]["value"]["messages"][0]["image"]


def fetch(gateway, url, key=None):
    headers = {"Authorization": "Bearer " + key} if key else {}
    return gateway.http.get(url, headers=headers)


def metas(gateway, sandbox, receiver, **content):
    gateway.add_destination(receiver.url, format="meta", filter={"types": ["message.received"]})
    say(sandbox, **content)
    return receiver.wait(1)[0]


def test_a_link_in_metas_format_leads_here(gateway, sandbox, receiver):
    request = metas(gateway, sandbox, receiver, caption="Grüße")
    image = image_of(request)
    assert image["url"] == "%s/media/%s/%s" % (gateway.base, NUMBER, image["id"])
    assert image["caption"] == "Grüße" and image["mime_type"] == "image/png"
    assert TOKEN.encode() not in request.body and b"attachments" not in request.body
    answer = fetch(gateway, image["url"], gateway.make_key("read"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert answer.content == PICTURE


def test_it_opens_when_metas_own_has_long_expired(gateway, sandbox, receiver, clock):
    url = image_of(metas(gateway, sandbox, receiver))["url"]
    clock.advance(days=3)
    assert fetch(gateway, url, gateway.make_key("read")).content == PICTURE


def test_who_may_open_it(gateway, sandbox, receiver):
    url = image_of(metas(gateway, sandbox, receiver))["url"]
    assert fetch(gateway, url).status_code == 401
    assert fetch(gateway, url, gateway.make_key("manage")).status_code == 403
    assert fetch(gateway, url, gateway.make_key("read", numbers=[SECOND])).status_code == 403
    assert fetch(gateway, url, gateway.make_key("read", numbers=[NUMBER])).content == PICTURE


def test_a_number_does_not_open_what_is_anothers(make_gateway, sandbox, receiver):
    """Meta is asked for a medium of that number, so it cannot be had by naming a number that the key may."""
    sandbox.control("POST", "numbers", {"id": SECOND, "phone": "15550783999"})
    gateway = make_gateway(sandbox, account={"numbers": NUMBER + " " + SECOND})
    url = image_of(metas(gateway, sandbox, receiver))["url"]
    key = gateway.make_key("read", numbers=[SECOND])
    assert fetch(gateway, url, key).status_code == 403
    answer = fetch(gateway, url.replace(NUMBER, SECOND), key)
    assert answer.status_code in (400, 404) and answer.json()["error"]["code"] == 100, answer.text


def test_other_objects_are_no_media(make_gateway, sandbox):
    """A key of one number gets no other object by way of a medium's link."""
    sandbox.control("POST", "numbers", {"id": SECOND, "phone": "15550783999"})
    gateway = make_gateway(sandbox, account={"numbers": NUMBER + " " + SECOND})
    key = gateway.make_key("read", numbers=[NUMBER])
    for id_ in (SECOND, NUMBER, kit.WABA, "610000000000001", "me", "debug_token"):
        answer = fetch(gateway, "%s/media/%s/%s" % (gateway.base, NUMBER, id_), key)
        assert answer.status_code in (400, 404) and set(answer.json()) == {"error"}, (id_, answer.text)
        assert "15550783999" not in answer.text


def test_what_does_not_lead_to_a_medium(gateway, sandbox):
    key = gateway.make_key("read")
    for rest, status in (("999/77", 404), (NUMBER, 404), (NUMBER + "/", 404), (NUMBER + "/..%2Fme", 404),
                         (NUMBER + "/77/78", 404), (NUMBER + "/123", 400)):
        answer = fetch(gateway, gateway.base + "/media/" + rest, key)
        assert answer.status_code in (status, 400) and "error" in answer.json(), (rest, answer.text)
        assert TOKEN not in answer.text


@pytest.mark.parametrize("kind", ["godwit", "cloudevents"])
def test_a_normalized_event_has_it_too(gateway, sandbox, receiver, kind):
    gateway.add_destination(receiver.url, format=kind, filter={"types": ["message.received"]})
    say(sandbox)
    event = json.loads(receiver.wait(1)[0].body)
    media = (event["data"] if kind == "cloudevents" else event)["message"]["media"]
    assert media["url"] == "%s/media/%s/%s" % (gateway.base, NUMBER, media["id"])
    stored = gateway.events(type="message.received")[-1]["message"]["media"]
    assert stored["url"] == media["url"]
    assert fetch(gateway, stored["url"], gateway.key).content == PICTURE


def test_among_others_in_one_body(gateway, sandbox, receiver):
    """A body of several is cut into one for each; the links of each lead here."""
    gateway.add_destination(receiver.url, format="meta", filter={"types": ["message.received"]})
    whose = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    body = envelope({"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": whose, "messages": [
            {"from": ANA.lstrip("+"), "id": "wamid.%d" % i, "timestamp": "1795000000", "type": "image",
             "image": {"id": str(700 + i), "mime_type": "image/png", "sha256": "x",
                       "url": "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=%d" % i}}
            for i in range(3)]}}, waba=kit.WABA)
    raw = json.dumps(body).replace("/", "\\/").encode()
    assert gateway.webhook(raw).status_code == 200
    images = [image_of(r) for r in receiver.wait(3)]
    assert sorted(i["url"] for i in images) == ["%s/media/%s/%d" % (gateway.base, NUMBER, 700 + i) for i in range(3)]


def test_without_links_the_bytes_are_metas(gateway, sandbox, receiver):
    sandbox.set(media_url=False)
    request = metas(gateway, sandbox, receiver)
    assert "url" not in image_of(request)
    hooks = [w for w in sandbox.webhooks() if w["kind"] == "event"]
    assert request.body.decode() in [w["body"] for w in hooks]


@pytest.mark.conf({"api.url": "https://wa.example.com/"})
def test_where_links_begin_can_be_said(gateway, sandbox, receiver):
    image = image_of(metas(gateway, sandbox, receiver))
    assert image["url"] == "https://wa.example.com/media/%s/%s" % (NUMBER, image["id"])


def test_the_record_stays_as_it_came(gateway, sandbox):
    """`raw` and `body` are evidence: they are Meta's bytes, word for word."""
    say(sandbox)
    event = wait_until("the event", lambda: gateway.events(type="message.received"))[-1]
    whole = gateway.api("GET", "events/%s?raw=1&body=1" % event["id"])
    assert "attachments" in whole["raw"] and "attachments" in whole["body"]
    assert whole["message"]["media"]["url"].startswith(gateway.base + "/media/")
