# SPDX-License-Identifier: MIT
"""test_relay_meta.py - one body of many things to endpoints that speak Meta's format: each sees its own, signed"""
import json

import pytest
from rig import (ADDRESS, NUMBER, OTHER_ADDRESS, OTHER_NUMBER, OTHER_WABA, PREVIOUS, SECRET, WABA, Gateway, Receiver,
                 Sandbox, change, encode, envelope, hub, one, settled, status, text, wamid)

ANN, BEN, CLEO = "4915100000011", "4915100000012", "4915100000013"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    s = Sandbox(str(tmp_path_factory.mktemp("sandbox")))
    s.set(enforce_window=False)
    yield s
    s.close()


@pytest.fixture
def gateway(sandbox):
    g = Gateway(sandbox)
    yield g
    g.close()


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


def verified(request, secret=SECRET):
    """What a receiver does that was written for Meta: raw bytes first, then JSON. One update is what it gets."""
    assert request.headers.get_all("X-Hub-Signature-256") == [hub(request.body, secret)]
    body = request.json()
    assert body["object"] == "whatsapp_business_account" and len(body["entry"]) == 1
    assert len(body["entry"][0]["changes"]) == 1
    return body["entry"][0]["id"], body["entry"][0]["changes"][0]


def updates(request):
    """(number, message or status) in it"""
    value = verified(request)[1]["value"]
    return [(value["metadata"]["phone_number_id"], item)
            for name in ("messages", "statuses") for item in value.get(name, [])]


def image(who):
    return {"from": who, "id": wamid(), "timestamp": text()["timestamp"], "type": "image",
            "image": {"id": "123", "mime_type": "image/jpeg", "sha256": "ab/cd=", "caption": "Grüße ☕ \\ \""}}


def reaction(who, to):
    return {"from": who, "id": wamid(), "timestamp": text()["timestamp"], "type": "reaction",
            "reaction": {"message_id": to, "emoji": "👍"}}


def mixed(opaque):
    """Two WABAs and numbers, three people, texts, images, a reaction, our status and a foreign one, a change."""
    ours, foreign = status(wamid(), "delivered", ANN), status(wamid(), "read", BEN)
    here = [text(ANN, "first"), image(BEN), text(BEN, "second"), reaction(ANN, wamid()), text(ANN, "third")]
    there = [text(CLEO, "fourth"), text(ANN, "fifth"), image(CLEO)]
    body = {"object": "whatsapp_business_account", "entry": [
        {"id": WABA, "changes": [change(here), change(statuses=[ours, foreign]),
                                 {"field": "phone_number_quality_update", "value": {
                                     "display_phone_number": ADDRESS, "event": "ONBOARDING"}}]},
        {"id": OTHER_WABA, "time": 1739321024, "changes": [change(there, number=OTHER_NUMBER, address=OTHER_ADDRESS)]}]}
    ours["biz_opaque_callback_data"], foreign["biz_opaque_callback_data"] = opaque, "somebody else's"
    return body, here, there, ours, foreign


def test_a_mixed_body_to_filtered_destinations(gateway, sandbox, receiver):
    got = gateway.post("hello", ANN, biz_opaque_callback_data="order/77 é")
    assert got.status == 200
    row = sandbox.messages(to=ANN)[-1]
    body, here, there, ours, foreign = mixed(row["opaque"])
    ours["id"] = row["id"]
    filters = {
        "/texts": {"types": ["message.received"], "kinds": ["text"], "numbers": [NUMBER]},
        "/there": {"numbers": [OTHER_NUMBER]},
        "/statuses": {"types": ["message.status"]},
        "/none": {"numbers": ["1"]},
    }
    for path, wanted in filters.items():
        gateway.add_destination(receiver.url(path), format="meta", filter=wanted)
    gateway.add_destination(receiver.url("/all"))
    raw = json.dumps(body, indent=1).encode()  # blanks between the tokens, as a test tool might write it
    gateway.take(raw)
    everything = receiver.wait(11, "/all")
    texts, rest = receiver.wait(3, "/texts"), receiver.wait(3, "/there")
    statuses = receiver.wait(2, "/statuses")
    settled(gateway)

    assert sorted((item["text"]["body"], number) for r in texts for number, item in updates(r)) == [
        ("first", NUMBER), ("second", NUMBER), ("third", NUMBER)]
    assert [item for r in texts for _, item in updates(r) if item["from"] == ANN] == [here[0], here[4]]
    assert sorted(item["id"] for r in rest for number, item in updates(r)) == sorted(item["id"] for item in there)
    assert {number for r in rest for number, _ in updates(r)} == {OTHER_NUMBER}
    assert {verified(r)[0] for r in rest} == {OTHER_WABA}
    assert {r.json()["entry"][0]["time"] for r in rest} == {1739321024}
    assert receiver.at("/none") == []
    for r in texts + rest:  # nobody else's name or number comes along
        value = verified(r)[1]["value"]
        assert [c["wa_id"] for c in value["contacts"]] == [value["messages"][0]["from"]]
        assert value["messages"][0] in here + there
    for r in receiver.at("/texts") + receiver.at("/statuses"):
        assert not any(word.encode() in r.body for word in (OTHER_NUMBER, OTHER_ADDRESS, OTHER_WABA, CLEO))

    told = {item["id"]: item for r in statuses for _, item in updates(r)}
    assert told[ours["id"]] == {**ours, "biz_opaque_callback_data": "order/77 é"}
    assert told[foreign["id"]] == foreign
    assert not any(row["opaque"].encode() in r.body for r in receiver.requests)

    kinds = [(r.json()["type"], r.json().get("opaque")) for r in everything]
    assert len({r.json()["id"] for r in everything}) == len(kinds) == 11
    assert ("message.status", "order/77 é") in kinds and ("message.status", "somebody else's") in kinds
    assert ("account.changed", None) in kinds

    gateway.take(raw)
    settled(gateway)
    assert [len(receiver.at(path)) for path in ("/all", "/texts", "/there", "/statuses")] == [11, 3, 3, 2]


def test_a_body_of_one_update_goes_on_as_it_came(gateway, receiver):
    """Original bytes, original signature: whatever Meta's serialiser does, a receiver sees the same."""
    gateway.add_destination(receiver.url("/meta"), format="meta")
    bodies = [encode(one(text(ANN, "a/b é 👋"))), json.dumps(one(text(BEN)), indent=4).encode(),
              encode(one(text(CLEO))).replace(b'"value":{', b'"value":{"x":1.50e+2,"x":-0,')]
    gateway.take(*bodies)
    got = receiver.wait(3, "/meta")
    assert sorted(r.body for r in got) == sorted(bodies)
    for r in got:
        verified(r)


def test_half_a_repetition_brings_the_new_half_only(gateway, receiver):
    gateway.add_destination(receiver.url("/meta"), format="meta")
    old, new = text(ANN, "old"), text(ANN, "new")
    gateway.take(one(old), one(old, new))
    got = receiver.wait(2, "/meta")
    settled(gateway)
    assert [item["text"]["body"] for r in receiver.at("/meta") for _, item in updates(r)] == ["old", "new"]
    assert len(got) == 2


def test_a_composed_body_is_signed_with_the_secret_of_today(gateway, receiver):
    """Meta still signed with the secret before; what we compose carries the one that receivers will have."""
    gateway.add_destination(receiver.url("/meta"), format="meta")
    gateway.take(one(text(ANN), text(BEN)), secret=PREVIOUS)
    for r in receiver.wait(2, "/meta"):
        verified(r)


def test_two_accounts_each_have_their_own_secret(sandbox, receiver):
    gateway = Gateway(sandbox, start=False)
    gateway.accounts["other"] = {**gateway.accounts["test"], "app_secret": "the-other-secret", "numbers": "42"}
    del gateway.accounts["other"]["app_secret_previous"]
    gateway.start()
    try:
        gateway.add_destination(receiver.url("/meta"), format="meta")
        gateway.take(one(text(ANN), text(BEN), number="42"), secret="the-other-secret")
        for r in receiver.wait(2, "/meta"):
            verified(r, "the-other-secret")
        gateway.take(one(text(ANN), text(BEN)))
        for r in receiver.wait(4, "/meta")[2:]:
            verified(r)
        # signed by one, told to be of the other
        assert gateway.hook(one(text()), path="/webhook/other").status == 401
        gateway.take(one(text(CLEO)), path="/webhook/test")
        assert gateway.hook(one(text()), path="/webhook/nobody").status == 401
    finally:
        gateway.close()


def test_history_and_changes_without_a_list_keep_their_value(gateway, receiver):
    gateway.add_destination(receiver.url("/meta"), format="meta")
    history = change(field="history", history=[{"metadata": {"phase": 0}, "threads": [{"id": ANN, "messages": []}]}])
    alert = {"field": "account_alerts", "value": {"entity_type": "BUSINESS", "alert_info": {"alert_severity": "HIGH"}}}
    gateway.take(envelope(history, alert, change([text(ANN)])))
    got = [verified(r)[1] for r in receiver.wait(3, "/meta")]
    assert history in got and alert in got


def test_a_refusal_after_a_202_is_a_failed_status_in_both_formats(gateway, sandbox, receiver):
    """Nothing came from Meta that could be passed on, so the body is ours, and signed like Meta's."""
    gateway.add_destination(receiver.url("/meta"), format="meta", filter={"types": ["message.status"]})
    gateway.add_destination(receiver.url("/godwit"), filter={"types": ["message.status"]})
    sandbox.inject(code=131026, to=ANN)
    got = gateway.post("never", ANN, headers={"Prefer": "respond-async"}, biz_opaque_callback_data="mine")
    assert got.status == 202
    [(number, item)] = updates(receiver.wait(1, "/meta")[0])
    assert (number, item["id"], item["status"]) == (NUMBER, got.headers["Godwit-Message"], "failed")
    assert item["biz_opaque_callback_data"] == "mine" and item["errors"][0]["code"] == 131026
    event = receiver.wait(1, "/godwit")[0].json()
    assert (event["sent_message"], event["opaque"]) == (got.headers["Godwit-Message"], "mine")
