# SPDX-License-Identifier: MIT
"""test_key_limits.py - a key stays with us, and one that is limited to numbers opens what belongs to them and no more

Two numbers in one gateway, each with messages, events and a destination of its own. Every route of docs/api.md is
called with a key of the first: what it answers is what a gateway would that has never heard of the second.
"""
import json
import os
import re

import pytest
import requests
from kit import TOP, Stream, wait_until
from rig import NUMBER, OTHER_ADDRESS, OTHER_NUMBER, OTHER_WABA, Client, Gateway, Receiver, change, envelope, one, text
from sends import Meta

HIS, HER = "491510000001", "491510000002"  # customers: HIS of NUMBER, HER of OTHER_NUMBER
NOWHERE = "0" * 26
BODY = {"messaging_product": "whatsapp", "to": "+" + HIS, "type": "text", "text": {"body": "hello"}}


def bearer(key):
    return {"Authorization": "Bearer " + key, "Content-Type": "application/json"}


def documented():
    """{(method, path): what a key that is limited may} of the table "API" of docs/api.md."""
    with open(os.path.join(TOP, "docs", "api.md"), encoding="utf-8") as f:
        table = f.read().split("## API")[1]
    rows = re.findall(r"^\| `([A-Z]+) (/[^`?]*)[^`]*` \| (\S+) \|.*\| ([^|]+) \|$", table, re.MULTILINE)
    return {(m, p): limited for m, p, scope, limited in rows if scope != "–"}


def routed():
    """{(method, path): OWN or WHOLE} of the table in the program."""
    with open(os.path.join(TOP, "src", "server", "api.c"), encoding="utf-8") as f:
        rows = re.findall(r'\{ "([A-Z]+)", "(/[^"]*)", SCOPE_\w+, (\w+), \w+ \}', f.read())
    return {(m, p.replace("*", "{id}")): reach for m, p, reach in rows}


class World:
    """What there is of each number."""

    def __init__(self):
        self.meta, self.receiver = Meta(), Receiver()
        self.gateway = Gateway(base_url=self.meta.url.rstrip("/"))
        g = self.gateway
        self.mine = g.add_destination(self.receiver.url("/mine"), filter={"numbers": [NUMBER]})["id"]
        self.theirs = g.add_destination(self.receiver.url("/theirs"), filter={"numbers": [OTHER_NUMBER]})["id"]
        self.all = g.add_destination(self.receiver.url("/all"))["id"]
        self.both = g.add_destination(self.receiver.url("/both"), filter={"numbers": [NUMBER, OTHER_NUMBER]})["id"]
        for i in range(5):  # in one body and in bodies of their own
            g.take(envelope(change([text(HIS, "his %d" % i)]),
                            change([text(HER, "hers %d" % i)], number=OTHER_NUMBER, address=OTHER_ADDRESS)),
                   one(text(HIS, "his alone %d" % i)),
                   one(text(HER, "hers alone %d" % i), number=OTHER_NUMBER, address=OTHER_ADDRESS, waba=OTHER_WABA))
        self.sent = {n: [g.post("to %s %d" % (to, i), to, n).headers["Godwit-Message"] for i in range(5)]
                     for n, to in ((NUMBER, HIS), (OTHER_NUMBER, HER))}
        self.events = {n: [e for e in g.events() if e["account"]["id"] == n] for n in (NUMBER, OTHER_NUMBER)}
        assert len(self.events[NUMBER]) == len(self.events[OTHER_NUMBER]) == 10
        self.key = {scope: g.make_key(scope, numbers=[NUMBER]) for scope in ("send", "read", "manage", "admin")}
        self.secrets = [OTHER_NUMBER, OTHER_ADDRESS, OTHER_WABA, HER, self.theirs, self.all, self.both]
        self.secrets += self.sent[OTHER_NUMBER] + [e["id"] for e in self.events[OTHER_NUMBER]]

    def call(self, method, path, body=None, key="admin"):
        client = Client(self.gateway.api_port)
        try:
            got = client.call(method, path if path.startswith("/metrics") or path == "/" else "/api/v1/" + path,
                              body, bearer(self.key.get(key, key)))
        finally:
            client.close()
        return got

    def get(self, path):
        """A 200 in which nothing of the other number stands."""
        got = self.call("GET", path)
        assert got.status == 200, (path, got.body)
        self.is_silent(got.body.decode())
        return got.json()

    def is_silent(self, words):
        assert not [s for s in self.secrets if s in words], words

    def close(self):
        self.gateway.close()
        self.receiver.close()
        self.meta.close()


@pytest.fixture(scope="module")
def world():
    w = World()
    yield w
    w.close()


def test_the_key_is_not_sent_on_however_its_name_is_spelled(world):
    key, base = world.gateway.make_key("send"), world.gateway.base
    for name in ("access_token", "access%5Ftoken", "%61ccess_token"):
        r = requests.post(f"{base}/v26.0/{NUMBER}/messages?{name}={key}&keep=1", json={**BODY, "to": "+491510000009"},
                          timeout=30)
        assert r.status_code == 200, r.text
    targets = [row[0] for row in world.gateway.query("SELECT target FROM message WHERE recipient='+491510000009'")]
    assert targets == [f"/v26.0/{NUMBER}/messages?keep=1"] * 3
    assert key not in world.gateway.log()


def test_the_table_is_documented():
    routes = {route: reach for route, reach in routed().items() if route[1] != "/"}
    assert {r: "refused" if reach == "WHOLE" else "own" for r, reach in routes.items()} == {
        r: "refused" if limited == "refused" else "own" for r, limited in documented().items()}


def test_what_concerns_the_whole_gateway_is_refused(world):
    refused = [route for route, reach in routed().items() if reach == "WHOLE"]
    assert {("GET", "/metrics"), ("POST", "/api/v1/keys"), ("POST", "/api/v1/backup")} < set(refused)
    assert len(refused) == 13
    for method, path in refused:
        path = path.replace("/api/v1/", "").replace("{id}", "key_" + NOWHERE)
        got = world.call(method, path, b"{}" if method == "POST" else None)
        error = got.json()["error"]
        assert (got.status, error["class"], error["code"]) == (403, "auth", "number_key"), path
        assert NUMBER in error["message"] and "--number" in error["message"]
        world.is_silent(error["message"])


def test_a_scope_is_still_needed(world):
    for (method, path), reach in routed().items():
        if method == "POST" and path.startswith("/api/v1/batches"):
            continue  # these need send
        if path != "/":
            path = path.replace("/api/v1/", "").replace("{id}", "msg_" + NOWHERE)
        got = world.call(method, path, b"{}" if method == "POST" else None, key="send")
        assert (got.status, got.json()["error"]["code"]) == (403, "no_scope"), path


def test_it_sends_from_its_numbers_alone(world):
    base = world.gateway.base
    for number, status in ((NUMBER, 200), (OTHER_NUMBER, 403), ("999", 403)):
        for key in ("send", "admin"):
            got = requests.post(f"{base}/v26.0/{number}/messages", json={**BODY, "to": "+491510000008"},
                                headers=bearer(world.key[key]), timeout=30)
            assert got.status_code == status, got.text
    quotes = {**BODY, "to": "+491510000008", "context": {"message_id": world.sent[OTHER_NUMBER][0]}}
    nothing = {**quotes, "context": {"message_id": "msg_" + NOWHERE}}
    answers = [requests.post(f"{base}/v26.0/{NUMBER}/messages", json=body, headers=bearer(world.key["send"]),
                             timeout=30) for body in (quotes, nothing)]
    assert [a.status_code for a in answers] == [400, 400]
    told = [a.text.replace(body["context"]["message_id"], "") for a, body in zip(answers, (quotes, nothing))]
    assert told[0] == told[1], "what another number sent does not exist"


def test_numbers_and_version(world):
    assert [n["id"] for n in world.get("numbers")["data"]] == [NUMBER]
    assert world.get("version")["number_ids"] == [NUMBER]
    assert world.call("GET", "/").status == 200  # the page; what it shows comes from the stream


@pytest.mark.parametrize("noun,more", [("messages", "to=%2B" + HIS), ("events", "type=message.received")])
def test_pages_hold_its_own_and_all_of_them(world, noun, more):
    wanted = world.sent[NUMBER] if noun == "messages" else [e["id"] for e in world.events[NUMBER]]
    for limit in (1, 2, 3, len(wanted), 1000):
        rows, before = [], ""
        while True:
            page = world.get("%s?%s&limit=%d%s" % (noun, more, limit, before))
            assert len(page["data"]) <= limit
            rows += [row["id"] for row in page["data"]]
            if page["page"]["next"] is None:
                break
            assert len(page["data"]) == limit and page["page"]["next"] == rows[-1]
            before = "&before=" + page["page"]["next"]
        assert rows == wanted[::-1], limit


def test_filters_do_not_widen_it(world):
    hers = world.events[OTHER_NUMBER][0]
    for path in ("messages?number=" + OTHER_NUMBER, "messages?to=%2B" + HER, "events?account=" + OTHER_NUMBER,
                 "events?conversation=" + hers["conversation"]["id"], "conversations?number=" + OTHER_NUMBER,
                 "conversations?contact=" + hers["contact"]["id"], "messages?number=%25", "events?account=%2C"):
        assert world.get(path)["data"] == [], path
    assert world.get("messages?to=%2B" + HIS + "&number=" + NUMBER)["data"]
    assert world.get("events?account=" + NUMBER)["data"]
    assert {c["phone"] for c in world.get("contacts?limit=1000")["data"]} >= {"+" + HIS}  # and not HER: get() looks
    # from an id of another's it goes on as from one that nobody has at that place
    here = world.events[NUMBER]
    page = world.get("events?limit=1000&before=" + world.events[OTHER_NUMBER][-1]["id"])
    assert set(e["id"] for e in page["data"]) <= {e["id"] for e in here}


def batches_by_id(world):
    rows = [{"phone": "+4915112345678"}]
    batch = tuple(world.gateway.api("POST", "batches", {"number": n, "text": "Hi", "rows": rows}, (202,))["id"]
                  for n in (NUMBER, OTHER_NUMBER)) + ("bat_" + NOWHERE,)
    routes = [("GET", ""), ("GET", "/results")] + [("POST", "/" + w) for w in ("start", "pause", "resume", "cancel")]
    return {(m, "/api/v1/batches/{id}" + more): [(None, batch)] for m, more in routes}


def by_id(world):
    """(method, path, body, what is mine, what is theirs, what is nobody's)"""
    message = (world.sent[NUMBER][0], world.sent[OTHER_NUMBER][0], "msg_" + NOWHERE)
    wamid = [world.gateway.message(m)["wamid"] for m in message[:2]] + ["wamid.nobody"]
    event = (world.events[NUMBER][0]["id"], world.events[OTHER_NUMBER][0]["id"], "evt_" + NOWHERE)
    conversation = tuple(world.events[n][0]["conversation"]["id"] for n in (NUMBER, OTHER_NUMBER)) + (
        "cnv_" + NOWHERE,)
    contact = tuple(world.events[n][0]["contact"]["id"] for n in (NUMBER, OTHER_NUMBER)) + ("ctc_" + NOWHERE,)
    destination = (world.mine, world.theirs, "dst_" + NOWHERE)
    to = json.dumps({"destination": world.mine}).encode()
    return {
        **batches_by_id(world),
        ("GET", "/api/v1/numbers/{id}"): [(None, (NUMBER, OTHER_NUMBER, "1"))],
        ("GET", "/api/v1/messages/{id}"): [(None, message), (None, wamid)],
        ("GET", "/api/v1/messages/{id}/trail"): [(None, message), (None, wamid)],
        ("POST", "/api/v1/messages/{id}/resolve"): [(b'{"as":"expire"}', message)],
        ("GET", "/api/v1/contacts/{id}"): [(None, contact), (None, ("+" + HIS, "+" + HER, "+499999999999"))],
        ("GET", "/api/v1/conversations/{id}"): [(None, conversation)],
        ("GET", "/api/v1/events/{id}"): [(None, event)],
        ("POST", "/api/v1/events/{id}/replay"): [(to, event)],
        ("POST", "/api/v1/destinations/{id}/test"): [(None, destination)] + [
            (None, (world.mine, d, destination[2])) for d in (world.all, world.both)],
        ("DELETE", "/api/v1/destinations/{id}"): [(None, (None, d, destination[2])) for d in (
            world.theirs, world.all, world.both)],
    }


def test_what_is_of_others_does_not_exist(world):
    cases = by_id(world)
    assert set(cases) == {r for r, reach in routed().items() if "{id}" in r[1] and reach == "OWN"}
    for (method, path), rows in cases.items():
        for body, (mine, theirs, nobodys) in rows:
            def ask(id_):
                return world.call(method, path.replace("/api/v1/", "").replace("{id}", id_), body)
            if mine is not None:
                assert ask(mine).status in (200, 409), (path, mine, ask(mine).body)
            got, none = ask(theirs), ask(nobodys)
            assert (got.status, got.body) == (none.status, none.body), (path, theirs)
            assert got.status == 404
            assert sorted(got.headers.keys()) == sorted(none.headers.keys())
    assert [d["id"] for d in world.gateway.api("GET", "destinations")["data"]] == [
        world.mine, world.theirs, world.all, world.both]


def test_an_event_tells_of_its_own_deliveries_and_its_part_of_the_body(world):
    for event in world.events[NUMBER]:
        got = world.get("events/%s?raw=1&body=1" % event["id"])
        assert [d["destination"] for d in got["deliveries"]] == [world.mine]
        said = json.loads(got["body"])["entry"]
        assert [m["id"] for e in said for c in e["changes"] for m in c["value"]["messages"]] == [event["message"]["id"]]
    whole = world.gateway.event(world.events[NUMBER][0]["id"], "body")
    assert HER in whole["body"] and len(whole["deliveries"]) == 3  # who is not limited sees all


def test_a_replay_goes_to_a_destination_of_its_own(world):
    event = world.events[NUMBER][0]["id"]
    for destination in (world.theirs, world.all, world.both, "dst_" + NOWHERE):
        got = world.call("POST", "events/%s/replay" % event, {"destination": destination}, "manage")
        assert (got.status, got.json()["error"]["code"]) == (404, "no_such_destination")
    got = world.call("POST", "events/%s/replay" % event, {}, "manage")
    assert (got.status, got.json()["error"]["code"]) == (403, "number_key")
    assert "destination" in got.json()["error"]["message"]


def test_destinations_of_its_own(world):
    assert [d["id"] for d in world.get("destinations")["data"]] == [world.mine]
    url = world.receiver.url("/new")
    for bad in (None, {}, {"numbers": []}, {"numbers": [OTHER_NUMBER]}, {"numbers": [NUMBER, OTHER_NUMBER]},
                {"types": ["message.*"]}):
        got = world.call("POST", "destinations", {"url": url, **({} if bad is None else {"filter": bad})}, "manage")
        assert (got.status, got.json()["error"]["code"]) == (403, "number_key"), bad
        assert "filter.numbers" in got.json()["error"]["message"]
    made = world.call("POST", "destinations", {"url": url, "filter": {"numbers": [NUMBER]}}, "manage")
    assert made.status == 201 and made.json()["secret"].startswith("whsec_")
    assert world.call("POST", "destinations/%s/test" % made.json()["id"], None, "manage").json()["ok"]
    assert world.call("DELETE", "destinations/" + made.json()["id"], None, "manage").status == 200


class Listener(Stream):
    """The stream over TCP, with a key."""

    def __init__(self, world, key, last_event_id=None, query=""):
        self.connection = requests.Session()
        self.response = self.connection.get(
            world.gateway.base + "/api/v1/stream" + query, stream=True, timeout=60,
            headers={"Authorization": "Bearer " + key, **({"Last-Event-ID": last_event_id} if last_event_id else {})})
        assert self.response.status_code == 200
        self.lines = self.response.iter_lines(1)
        assert next(self.lines).startswith(b":")
        self.raw, self.events = [], []

    def wait_for(self, words):
        """Everything up to the event in which these words stand."""
        while not (self.raw and words in self.raw[-1]):
            line = next(self.lines).decode()
            if line.startswith("data: "):
                self.raw.append(line[6:])
        return self.raw

    def close(self):
        self.response.close()
        self.connection.close()


@pytest.mark.parametrize("query", ["", "?format=meta", "?numbers=%s,%s" % (NUMBER, OTHER_NUMBER)],
                         ids=["godwit", "meta", "both"])
def test_the_stream_is_of_its_numbers(world, query, request):
    last = "the last of " + request.node.callspec.id
    live = Listener(world, world.key["read"], query=query)
    late = Listener(world, world.key["read"], world.events[NUMBER][0]["id"], query)
    world.gateway.take(
        envelope(change([text(HER, "not for you")], number=OTHER_NUMBER, address=OTHER_ADDRESS),
                 change([text(HIS, "for you")])),
        one(text(HER, "nor this"), number=OTHER_NUMBER, address=OTHER_ADDRESS), one(text(HIS, last)))
    for stream, count in ((live, 2), (late, len(world.events[NUMBER]) - 1 + 2)):
        got = stream.wait_for(last)
        world.is_silent("\n".join(got))
        assert not [words for words in got if "not for you" in words or "nor this" in words]
        assert len([words for words in got if "his" in words or "for you" in words or "the last" in words]) >= count
        stream.close()


def test_an_id_that_is_not_of_its_numbers_keeps_its_place(world):
    """It tells when, and nothing else: what came before it does not come again."""
    world.gateway.take(one(text(HIS, "before")))
    world.gateway.take(one(text(HER, "hers"), number=OTHER_NUMBER, address=OTHER_ADDRESS))
    hidden = world.gateway.events()[-1]
    assert hidden["account"]["id"] == OTHER_NUMBER
    world.gateway.take(one(text(HIS, "after")))
    stream = Listener(world, world.key["read"], hidden["id"])
    world.gateway.take(one(text(HIS, "and the last")))
    got = stream.wait_for("and the last")
    assert [words for words in (json.loads(e)["message"]["text"] for e in got) if words != "after"] == ["and the last"]
    assert "after" in got[0]
    stream.close()


def test_a_stream_of_others_is_empty():
    world = World()
    try:
        stream = Listener(world, world.key["read"], query="?numbers=" + OTHER_NUMBER)
        late = Listener(world, world.key["read"], world.events[OTHER_NUMBER][0]["id"], "?numbers=" + OTHER_NUMBER)
        world.gateway.take(one(text(HER, "hers"), number=OTHER_NUMBER, address=OTHER_ADDRESS), one(text(HIS, "his")))
        world.gateway.term()  # ends the streams after all that was written to them
        lines = list(stream.lines) + list(late.lines)
        assert not [line for line in lines if line and not line.startswith(b":")]
        stream.close()
        late.close()
    finally:
        world.close()


def test_listen_and_why_with_such_a_key(world):
    env = {"GODWIT_SERVER": world.gateway.base, "GODWIT_KEY": world.key["admin"]}
    got = world.gateway.cli("why", world.sent[NUMBER][0], env=env)
    assert got.returncode == 0, got.stderr
    got, none = (world.gateway.cli("why", id_, env=env) for id_ in (world.sent[OTHER_NUMBER][0], "msg_" + NOWHERE))
    assert got.returncode == none.returncode != 0
    world.is_silent(got.stdout + got.stderr.replace(world.sent[OTHER_NUMBER][0], ""))


def test_an_unknown_message_is_resolved_by_its_own_key(world):
    gateway, path = world.gateway, "messages/%s/resolve"
    keys = {n: gateway.make_key("manage", numbers=[n]) for n in (NUMBER, OTHER_NUMBER)}
    world.meta.script(Meta.CLOSE)
    msg = gateway.post(to="491510000077", headers={"Prefer": "respond-async"}).headers["Godwit-Message"]
    wait_until("unknown", lambda: gateway.message(msg)["state"] == "unknown")
    other, nobody = (world.call("POST", path % id_, {"as": "sent"}, keys[OTHER_NUMBER])
                     for id_ in (msg, "msg_" + NOWHERE))
    assert (other.status, other.body) == (nobody.status, nobody.body) and other.status == 404
    assert gateway.message(msg)["state"] == "unknown"
    mine = world.call("POST", path % msg, {"as": "sent"}, keys[NUMBER])
    assert (mine.status, mine.json()) == (200, {"resolved": True})
    assert gateway.message(msg)["state"] == "accepted"


@pytest.mark.parametrize("numbers", [["1,2"], ["1 2"], [" "], ["1", "2\n"], ["\u00e9"]])
def test_an_id_that_would_be_another_list_is_refused(world, numbers):
    got = world.gateway.user.call("POST", "/api/v1/keys", {"scopes": ["read"], "numbers": numbers})
    assert (got.status, got.json()["error"]["code"]) == (400, "bad_number")


@pytest.mark.parametrize("empty", ["", ",", " , "])
def test_an_empty_list_of_numbers_makes_no_key(world, empty):
    """An unset variable of a script must not make a key for all numbers."""
    got = world.gateway.cli("key", "create", "--number", empty)
    assert got.returncode == 2 and "--number is empty" in got.stderr, got
