# SPDX-License-Identifier: MIT
"""test_inbound_rules.py - what becomes of a signed body: kept, typed, counted once, in order, told truly"""
import contextlib
import itertools
import json
import os
import sqlite3

import pytest
from rig import (ANA, NUMBER, OTHER_NUMBER, Gateway, Receiver, Sandbox, change, encode, envelope, one, settled, status,
                 text, until, wamid)

LADDER = [None, "sent", "delivered", "read", "played"]
RANK = {word: rank for rank, word in enumerate(LADDER)}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    s = Sandbox(str(tmp_path_factory.mktemp("sandbox")))
    s.set(enforce_window=False, pair_refill_ms=0)
    yield s
    s.close()


@pytest.fixture(scope="module")
def gateway(sandbox):
    """Statuses come from the tests: the sandbox has no callback."""
    g = Gateway(sandbox, conf={"pacing.pair_burst": "45"})
    yield g
    g.close()


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


class Customers:
    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1
        return "49151%07d" % self.count


someone = Customers()


def of(gateway, who):
    """What there is of a customer, oldest first."""
    return [e for e in gateway.events() if e["contact"] and e["contact"]["phone"] == "+" + who]


# ---- kept, whatever it is

NONSENSE = [b"", b"{", b"not json", b'{"object":"whatsapp_business_account"} and more', b'{"object":"\xff\xfe"}',
            b'{"a":\x001}', b'{"a":01}', b"[" * 65 + b"]" * 65, b"[" * 200000]


def test_signed_nonsense_is_quarantined():
    """Answered 200, since a repetition cannot mend it; kept whole, and no event of it."""
    gateway = Gateway()
    try:
        gateway.take(*NONSENSE)
        assert gateway.metric("godwit_webhooks_total", result="quarantined") == len(NONSENSE)
        assert gateway.events() == []
        gateway.term()
        assert gateway.query("SELECT bytes FROM body WHERE quarantined = 1 ORDER BY row") == [(b,) for b in NONSENSE]
    finally:
        gateway.close()


@pytest.mark.parametrize("body", [b"null", b"[]", b"{}", b'"text"', b"0", b'{"object":"instagram"}', b'{"entry":[]}',
                                  b'{"object":"whatsapp_business_account","entry":[]}',
                                  b'{"object":"whatsapp_business_account","entry":{"id":1}}',
                                  b'{"object":"whatsapp_business_account","entry":[null,1,{"changes":[[]]}]}',
                                  b'{"object":"threads","entry":[{"id":"1","changes":[{"field":"x","value":3}]}]}'])
def test_json_that_is_no_notification_is_kept(gateway, body):
    before = gateway.metric("godwit_webhooks_total", result="ok")
    kept = len(gateway.events())
    gateway.take(body)
    quarantined = gateway.metric("godwit_webhooks_total", result="ok") == before
    assert quarantined or all(e["type"] == "unknown" for e in gateway.events()[kept:])


ODD = {
    "no timestamp": lambda who: {k: v for k, v in text(who).items() if k != "timestamp"},
    "a number for a timestamp": lambda who: {**text(who), "timestamp": 1700000000},
    "words for a timestamp": lambda who: {**text(who), "timestamp": "yesterday"},
    "a time before time": lambda who: {**text(who), "timestamp": "-5"},
    "a time beyond time": lambda who: {**text(who), "timestamp": "99999999999999999999"},
    "a type of tomorrow": lambda who: {"from": who, "id": wamid(), "timestamp": "1700000000", "type": "hologram",
                                       "hologram": {"depth": 3}},
    "no type": lambda who: {"from": who, "id": wamid(), "timestamp": "1700000000"},
    "a text that is none": lambda who: {**text(who), "text": [1, 2]},
    "half a surrogate": lambda who: text(who, body="\ud83d half"),
    "a NUL": lambda who: text(who, body="a\0b"),
    "a long id": lambda who: text(who, id="wamid." + "x" * 4000),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_item_is_one_event_and_leaves_its_siblings_alone(gateway, what):
    who = someone()
    before, odd, after = text(who, body="before"), ODD[what](who), text(who, body="after")
    body = one(before, odd, after)
    gateway.take(body, body)
    events = gateway.events()[-3:]
    assert [e["message"]["id"] for e in (events[0], events[2])] == [before["id"], after["id"]]
    assert [e["message"]["text"] for e in (events[0], events[2])] == ["before", "after"]
    assert json.loads(gateway.event(events[1]["id"], "raw")["raw"]) == odd
    assert [e["type"] for e in (events[0], events[2])] == ["message.received"] * 2
    assert len(gateway.events()) == len({e["id"] for e in gateway.events()})


@pytest.mark.parametrize("item", [7, "text", None, [], {}, {"text": {"body": "x"}}])
def test_an_item_that_cannot_be_typed_is_unknown(gateway, item):
    who = someone()
    gateway.take(envelope(change([text(who, body=repr(item)), item])))
    events = gateway.events()[-2:]
    assert events[0]["message"]["text"] == repr(item)
    assert events[1]["type"] == "unknown"
    assert json.loads(gateway.event(events[1]["id"], "raw")["raw"]) == item


def test_an_item_that_the_store_refuses_is_unknown(receiver):
    """Answered 200, kept with its bytes and once, its siblings what they are, no gap in their seq."""
    gateway, who = Gateway(), someone()
    try:
        gateway.add_destination(receiver.url("/typed"), filter={"types": ["message.received"]})
        gateway.term()
        with contextlib.closing(sqlite3.connect(os.path.join(gateway.data, "godwit.db"))) as db:
            db.execute("CREATE TRIGGER refuse BEFORE INSERT ON event WHEN new.external_id LIKE 'wamid.REFUSED%' "
                       "BEGIN SELECT RAISE(ABORT, 'does not fit'); END")
        gateway.start()
        odd = [text(who, id="wamid.REFUSED1"), status("wamid.REFUSED2", "delivered")]
        body = envelope(change([text(who, body="before"), odd[0], text(who, body="after")]), change(statuses=odd[1:]))
        assert gateway.hook(encode(body)).status == 200
        events = gateway.events()
        assert [e["type"] for e in events] == ["message.received", "unknown", "message.received", "unknown"]
        assert [json.loads(gateway.event(events[n]["id"], "raw")["raw"]) for n in (1, 3)] == odd
        assert [events[n]["conversation"]["seq"] for n in (0, 2)] == [1, 2]
        assert gateway.metric("godwit_events_total", fate="refused") == 2
        assert gateway.log().count("does not fit") == 1
        assert len(receiver.wait(2, "/typed")) == 2
        assert gateway.hook(encode(body)).status == 200
        assert len(gateway.events()) == 4
    finally:
        gateway.close()


@pytest.mark.parametrize("lack", ["id", "status"])
def test_a_status_needs_its_id_and_its_word_and_nothing_else(gateway, lack):
    whole = status(wamid(), "delivered")
    gateway.take(envelope(change(statuses=[{k: v for k, v in whole.items() if k != lack},
                                           {"id": whole["id"], "status": "delivered"}])))
    events = gateway.events()[-2:]
    assert [e["type"] for e in events] == ["unknown", "message.status"]
    assert events[1]["status"]["state"] == "delivered" and events[1]["time"] is None


def test_undated_items_are_told_apart_by_their_bytes(gateway):
    who, item = someone(), text(someone())
    del item["timestamp"]
    first, second = {**item, "text": {"body": "1"}}, {**item, "text": {"body": "2"}}
    kept = len(gateway.events())
    gateway.take(one(first), one(second), one(first), one(second, text(who)))
    assert len(gateway.events()) == kept + 3


def test_duplicate_keys_first_wins_and_is_counted(gateway):
    item = text(someone(), body="first")
    body = encode(one(item)).replace(b'"body":"first"', b'"body":"first","body":"second"')
    before = gateway.metric("godwit_json_duplicate_keys_total")
    gateway.take(body)
    assert gateway.events()[-1]["message"]["text"] == "first"
    assert gateway.metric("godwit_json_duplicate_keys_total") == before + 1


def test_an_unknown_number_is_stored_and_relayed(gateway, receiver):
    made = gateway.add_destination(receiver.url("/unknown-number"), filter={"numbers": ["999999999999999"]})
    who = someone()
    gateway.take(one(text(who), number="999999999999999", address="15550009999", waba="888888888888888"))
    assert receiver.wait(1, "/unknown-number")[0].json()["account"] == {
        "id": "999999999999999", "address": "+15550009999", "business_id": "888888888888888"}
    gateway.api("DELETE", "destinations/" + made["id"])


# ---- counted once

def test_repetitions_are_no_events_not_even_after_a_kill(gateway):
    who = someone()
    bodies = [one(text(who, body=str(n))) for n in range(5)]
    bodies += [envelope(change(statuses=[status(wamid(), word, who)])) for word in ("sent", "delivered", "read")]
    gateway.take(*bodies)
    kept = [e["id"] for e in gateway.events()]
    gateway.take(*bodies[::-1])
    gateway.crash()
    gateway.take(*bodies)
    # the same items in other company, other order of members, other spelling
    again = one(*(b["entry"][0]["changes"][0]["value"]["messages"][0] for b in bodies[:5]))
    gateway.take(json.dumps(again, indent=1, sort_keys=True).encode())
    assert [e["id"] for e in gateway.events()] == kept


def test_one_status_of_two_participants_is_two_events(gateway):
    id, group = wamid(), "group-7"
    kept = len(gateway.events())
    rows = [status(id, "delivered", group, recipient_type="group", recipient_participant_id=who)
            for who in (someone(), someone())]
    gateway.take(envelope(change(statuses=rows)), envelope(change(statuses=rows[:1])))
    assert len(gateway.events()) == kept + 2


def test_old_news_is_stored_and_flagged(receiver, tmp_path):
    """Nine days are the memory of what was seen; what is older and new is `stale`, relayed unless told otherwise."""
    sandbox = Sandbox(str(tmp_path))
    gateway = Gateway(sandbox)
    try:
        gateway.add_destination(receiver.url("/all"))
        gateway.add_destination(receiver.url("/fresh"), relay_stale=False)
        began, who = sandbox.now(), ANA
        early = one(text(who, body="early", at=began))
        gateway.take(early)
        sandbox.advance(days=8)
        gateway.take(early)
        assert len(gateway.events()) == 1
        sandbox.advance(days=1, hours=1)
        gateway.take(one(text(who, body="late", at=began + 60)), one(text(who, body="now", at=sandbox.now())),
                     envelope(change(field="history", history=[{"threads": []}])))
        late, new, history = gateway.events()[1:]
        assert late["message"]["text"] == "late" and late["stale"] is True
        assert "stale" not in new and "stale" not in history
        assert gateway.metric("godwit_events_total", fate="stale") == 1
        assert [r.json()["id"] for r in receiver.wait(4, "/all")].count(late["id"]) == 1
        receiver.wait(3, "/fresh")
        settled(gateway)
        assert late["id"] not in [r.json()["id"] for r in receiver.at("/fresh")]
    finally:
        gateway.close()
        sandbox.close()


# ---- in order

def test_seq_is_dense_in_each_conversation(gateway):
    people, said, repeated = [someone() for _ in range(5)], [], []
    for n in range(8):
        rows = [text(who, body=str(n)) for who in people[n % 2:]]
        said += [one(*rows)]
        repeated += [one(*rows, text(people[n % 5], body="new among old %d" % n))] if n % 3 == 0 else []
        gateway.take(said[-1], *repeated[-1:], envelope(change(statuses=[status(wamid(), "read", people[0])])))
    gateway.take(one(text(people[0], body="at the other number"), number=OTHER_NUMBER))
    for who in people:
        rows = [e for e in of(gateway, who) if e["type"] == "message.received"]
        by = {}
        for e in rows:
            by.setdefault(e["conversation"]["id"], []).append(e["conversation"]["seq"])
        assert all(row == list(range(1, len(row) + 1)) for row in by.values()), by
        assert len(by) == (2 if who == people[0] else 1)
    for e in of(gateway, people[0]):
        assert ("seq" in (e["conversation"] or {})) == (e["type"] == "message.received")


def test_what_is_old_and_delivered_goes_and_all_else_works_on(receiver):
    """Retention by a start over a database of 40 days ago; the invariants are checked at the end."""
    gateway, who, other = Gateway(), someone(), someone()
    age = 40 * 86400000
    try:
        made = gateway.add_destination(receiver.url("/kept"))
        gateway.take(*(one(text(who, body=str(n))) for n in range(20)), one(text(other, body="last")))
        receiver.wait(21, "/kept")
        until(lambda: gateway.query("SELECT count(*) FROM delivery WHERE state != 'delivered'") == [(0,)], "delivered")
        gateway.term()
        with contextlib.closing(sqlite3.connect(os.path.join(gateway.data, "godwit.db"))) as db:
            db.create_function("older", 1, lambda id: (int.from_bytes(id[:6], "big") - age).to_bytes(6, "big") + id[6:])
            for change_it in ("event SET id = older(id), received_ms = received_ms - %d, at_s = at_s - %d / 1000, "
                              "dedupe_s = dedupe_s - %d / 1000",
                              "body SET received_ms = received_ms - %d", "delivery SET moved_ms = moved_ms - %d",
                              "dedupe SET second = second - %d / 1000"):
                db.execute("UPDATE " + change_it.replace("%d", str(age)))
            db.commit()
        gateway.start()
        until(lambda: len(gateway.events()) == 2, "one event of each conversation")
        assert gateway.metric("godwit_store_swept_rows_total") >= 19 * 3
        gateway.take(one(text(who, body="again")))
        assert of(gateway, who)[-1]["conversation"]["seq"] == 21
        assert receiver.wait(22, "/kept")[-1].json()["message"]["text"] == "again"
        gateway.api("DELETE", "destinations/" + made["id"])
    finally:
        gateway.close()


def test_spellings_of_one_number_are_one_conversation(gateway):
    """Brazil's ninth digit and Mexico's 1 come and go; the conversation stays."""
    for spellings in (("5571987654321", "557187654321"), ("5215512345678", "525512345678")):
        gateway.take(*(one(text(who)) for who in spellings))
        pair = gateway.events()[-2:]
        assert len({e["conversation"]["id"] for e in pair}) == 1
        assert [e["conversation"]["seq"] for e in pair] == [1, 2]
        assert {e["contact"]["id"] for e in pair} == {pair[0]["contact"]["id"]}


# ---- what became of a message of ours

def sent(gateway, sandbox, opaque=None):
    """A message that Meta took: (our id, wamid, the token on the wire, the customer)."""
    who = someone()
    got = gateway.post("hello", who, **({"biz_opaque_callback_data": opaque} if opaque is not None else {}))
    assert got.status == 200, got.body
    row = sandbox.messages(to=who)[0]
    assert row["id"] == got.json()["messages"][0]["id"]
    return got.headers["Godwit-Message"], row["id"], row["opaque"], who


ERRORS = [{"code": 131026, "title": "Message undeliverable", "message": "Message undeliverable",
           "error_data": {"details": "é / \" word for word"}, "href": "https://example.com/"}]


def tell(gateway, id, word, who, token, **members):
    extra = {"errors": ERRORS} if word == "failed" else {}
    if token is not None:
        extra["biz_opaque_callback_data"] = token
    gateway.take(envelope(change(statuses=[status(id, word, who, **extra, **members)])))
    return gateway.events()[-1]


@pytest.mark.parametrize("echoed", [True, False], ids=["token", "wamid"])
def test_evidence_in_any_order_never_lowers(gateway, sandbox, echoed):
    for order in itertools.permutations(["sent", "delivered", "read", "failed"]):
        id, meta_id, token, who = sent(gateway, sandbox)
        best, failed, version = 0, False, 0  # `failed` is the word only while nothing shows that it arrived
        for word in order:
            event = tell(gateway, meta_id, word, who, token if echoed else None)
            assert event["sent_message"] == id and event["state_version"] > version
            version = event["state_version"]
            failed = failed or word == "failed"
            best = max(best, RANK.get(word, 0))
            m = until(lambda: [m for m in [gateway.message(id)] if len(m["trail"]) >= version], "the evidence")[0]
            want = "failed" if failed and best < RANK["delivered"] else LADDER[best]
            assert (m["status"], m["failed"]) == (want, failed), (order, word)
            assert m["state"] == "accepted"


def test_evidence_before_metas_answer(gateway, sandbox):
    """The status overtakes the answer: by the token it finds its message, and the answer keeps what it said."""
    for echoed in (True, False):
        who = someone()
        sandbox.inject(fault="slow", delay_ms=400, to=who)
        got = gateway.post("slowly", who, headers={"Prefer": "respond-async"})
        assert got.status == 202
        id = got.headers["Godwit-Message"]
        row = sandbox.messages(to=who, wait=1, timeout_s=10)[0]
        tell(gateway, row["id"], "read", who, row["opaque"] if echoed else None)
        tell(gateway, row["id"], "sent", who, row["opaque"] if echoed else None)
        m = until(lambda: [m for m in [gateway.message(id)] if m["wamid"] and m["http_status"] == 200], "the answer")[0]
        assert (m["state"], m["status"]) == ("accepted", "read"), (echoed, m)


def test_a_lost_answer_is_resolved_by_a_status(gateway, sandbox):
    who = someone()
    sandbox.inject(fault="accept_close", to=who)
    got = gateway.post("lost", who, headers={"Prefer": "respond-async"})
    id = got.headers["Godwit-Message"]
    until(lambda: gateway.message(id)["state"] == "unknown", "an unknown message")
    row = sandbox.messages(to=who)[0]
    tell(gateway, row["id"], "delivered", who, row["opaque"])
    m = until(lambda: [m for m in [gateway.message(id)] if m["state"] == "accepted"], "the resolution")[0]
    assert (m["wamid"], m["status"]) == (row["id"], "delivered")
    assert len(sandbox.messages(to=who)) == 1


def test_metas_errors_are_kept_word_for_word(gateway, sandbox):
    id, meta_id, token, who = sent(gateway, sandbox)
    event = tell(gateway, meta_id, "failed", who, token)
    assert event["status"]["errors"] == ERRORS
    m = until(lambda: [m for m in [gateway.message(id)] if m["failed"]], "the failure")[0]
    assert m["error"]["code"] == 131026 and m["error"]["details"] == ERRORS[0]["error_data"]["details"]


@pytest.mark.parametrize("value", ["order-77", "", 'quotes " and \\ and /', "Olá 👋 " + "x" * 500, None])
def test_the_callers_opaque_value_comes_back_in_every_format(gateway, sandbox, receiver, value):
    path = "/opaque"
    made = [gateway.add_destination(receiver.url(path + "/" + f), format=f) for f in ("godwit", "meta", "cloudevents")]
    id, meta_id, token, who = sent(gateway, sandbox, value)
    assert token != value
    tell(gateway, meta_id, "delivered", who, token)
    godwit = receiver.wait(1, path + "/godwit")[0]
    event = receiver.wait(1, path + "/cloudevents")[0]
    item = receiver.wait(1, path + "/meta")[0]
    told = item.json()["entry"][0]["changes"][0]["value"]["statuses"][0]
    assert (told["id"], told["status"]) == (meta_id, "delivered")
    assert told.get("biz_opaque_callback_data") == (value or None)
    assert godwit.json().get("opaque") == event.json()["data"].get("opaque") == (value or None)
    assert godwit.json()["sent_message"] == event.json()["data"]["sent_message"] == id
    for r in (godwit, event, item):
        assert token.encode() not in r.body
    for d in made:
        gateway.api("DELETE", "destinations/" + d["id"])


def test_a_foreign_token_is_somebody_elses_value(gateway, sandbox):
    """Same shape, another store's key: not ours, so not resolved and not taken away."""
    id, meta_id, token, who = sent(gateway, sandbox)
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    event = tell(gateway, wamid(), "read", who, forged)
    assert event["opaque"] == forged and "sent_message" not in event
    assert gateway.message(id)["status"] != "read"
