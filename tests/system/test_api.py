# SPDX-License-Identifier: MIT
"""test_api.py - the HTTP API as its callers meet it: every route answers what docs/api.md says, or says what is wrong

Who may call what is in test_access.py and test_key_limits.py, the stream in test_stream.py.
"""
import contextlib
import json
import os
import re

import pytest
from kit import TOP, wait_until
from rig import NUMBER, OTHER_NUMBER, Gateway, Receiver, change, envelope, one, status, text
from sends import Meta

NOWHERE = "0" * 26
HIM = "491510000001"
JSON = {"Content-Type": "application/json"}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class World:
    def __init__(self):
        self.meta, self.receiver = Meta(), Receiver()
        self.gateway = g = Gateway(base_url=self.meta.url.rstrip("/"))
        self.destination = g.add_destination(self.receiver.url("/"), filter={"types": ["message.received"]})
        self.messages = [g.post("hello %d" % i, HIM).headers["Godwit-Message"] for i in range(7)]
        g.take(*(one(text(HIM, "hello %d" % i)) for i in range(7)))
        self.wamid = g.message(self.messages[0])["wamid"]
        g.take(envelope(change(statuses=[status(self.wamid, "read", HIM)])))
        self.events = [e["id"] for e in g.events()]
        assert len(self.events) == 8
        self.conversation = g.events()[0]["conversation"]["id"]

    def ask(self, method, path, body=None, headers=None):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        path = path if path.startswith("/") else "/api/v1/" + path
        return self.gateway.user.call(method, path, body, JSON if headers is None else headers)

    def close(self):
        self.gateway.close()
        self.receiver.close()
        self.meta.close()


@pytest.fixture(scope="module")
def world():
    with contextlib.closing(World()) as one_:
        yield one_


@pytest.fixture
def own_world():
    """For who leaves events behind."""
    with contextlib.closing(World()) as one_:
        yield one_


def routed():
    with open(os.path.join(TOP, "src", "server", "api.c"), encoding="utf-8") as f:
        return [(m, p.replace("/api/v1/", "")) for m, p in re.findall(r'\{ "([A-Z]+)", "(/[^"]*)", SCOPE_', f.read())]


# ---- what is answered

def good(w):
    """route: (path, body, status, members of the answer)"""
    message, event, destination = w.messages[0], w.events[0], w.destination["id"]
    m = {"id", "state", "status", "failed", "number_id", "to", "kind", "tries", "attempts", "reason", "wamid", "opaque",
         "policy", "created_at", "created_ms", "expires_at", "next_at", "http_status", "code", "error", "answer"}
    e = {"id", "type", "schema", "time", "received_at", "channel", "account", "conversation", "contact", "message"}
    d = {"id", "name", "url", "format", "filter", "include_raw", "relay_stale", "state", "created_at"}
    k = {"id", "name", "scopes", "numbers", "created_at", "revoked_at"}
    about = w.gateway.event(event)
    contact, conversation = about["contact"]["id"], about["conversation"]["id"]
    c = {"id", "phone", "user_id", "username", "name", "marketing", "marketing_since", "created_at", "record"}
    page = {"data", "page"}
    b = {"id", "state", "why", "name", "number", "text", "created_at", "created_ms", "moved_at", "rows", "progress",
         "delivery", "rate", "eta_s", "preview", "findings"}
    batch = w.gateway.api("POST", "batches", {"number": NUMBER, "text": "Hi", "rows": [{"phone": "+4915112345678"}]},
                          (202,))["id"]
    wait_until("the list is looked at", lambda: w.gateway.api("GET", "batches/" + batch)["state"] == "ready")
    return {
        ("POST", "batches"): ("batches", {"number": NUMBER, "text": "Hi", "rows": [{"phone": "+4915112345679"}]},
                             202, b),
        ("GET", "batches"): ("batches?limit=2", None, 200, page),
        ("GET", "batches/*"): ("batches/" + batch, None, 200, b),
        ("GET", "batches/*/results"): ("batches/%s/results" % batch, None, 200,
                                       {"id", "state", "sent", "failed", "data", "page"}),
        ("POST", "batches/*/pause"): ("batches/%s/pause" % batch, None, 409, {"error"}),
        ("POST", "batches/*/resume"): ("batches/%s/resume" % batch, None, 409, {"error"}),
        ("POST", "batches/*/start"): ("batches/%s/start" % batch, {"confirm": 1}, 200, b),
        ("POST", "batches/*/cancel"): ("batches/%s/cancel" % batch, None, 200, b),
        ("GET", "conversations"): ("conversations?limit=2", None, 200, page),
        ("GET", "conversations/*"): ("conversations/" + conversation, None, 200,
                                     {"id", "number_id", "channel", "group_id", "contact", "window", "created_at",
                                      "last"}),
        ("GET", "contacts"): ("contacts?limit=2", None, 200, page),
        ("GET", "contacts/*"): ("contacts/" + contact, None, 200, c),
        ("POST", "contacts/*/optout"): ("contacts/%s/optout" % contact, {"note": "asked by telephone"}, 200, c),
        ("POST", "contacts/*/optin"): ("contacts/%s/optin" % contact, None, 200, c),
        ("GET", "version"): ("version", None, 200, {"name", "version", "profile", "started_at", "number_ids"}),
        ("GET", "numbers"): ("numbers", None, 200, page),
        ("GET", "numbers/*"): ("numbers/" + NUMBER, None, 200,
                               {"id", "address", "business_id", "account", "limit_mps", "limit_from", "name", "status",
                                "quality", "throughput", "messaging_limit", "read_at", "read_error", "paused"}),
        ("GET", "accounts"): ("accounts", None, 200, page),
        ("GET", "accounts/*"): ("accounts/test", None, 200,
                                {"name", "app_id", "base_url", "version", "numbers", "has_token", "has_app_secret",
                                 "has_app_secret_previous", "has_verify_token", "paused"}),
        ("GET", "messages"): ("messages?limit=2", None, 200, page),
        ("GET", "messages/*"): ("messages/" + message, None, 200, m),
        ("GET", "messages/*/trail"): ("messages/%s/trail" % message, None, 200, m | {"trail"}),
        ("POST", "messages/*/resolve"): ("messages/%s/resolve" % message, {"as": "sent"}, 409, {"error"}),
        ("GET", "events"): ("events?limit=2", None, 200, page),
        ("GET", "events/*"): ("events/%s?raw=1&body=1" % event, None, 200, e | {"deliveries", "raw", "body"}),
        ("POST", "events/*/replay"): ("events/%s/replay" % event, {}, 200, {"replayed"}),
        ("GET", "destinations"): ("destinations", None, 200, page),
        ("POST", "destinations"): ("destinations", {"url": w.receiver.url("/b")}, 201, d | {"secret"}),
        ("POST", "destinations/*/test"): ("destinations/%s/test" % destination, None, 200,
                                          {"ok", "status", "ms", "answer"}),
        ("DELETE", "destinations/*"): ("destinations/{made}", None, 200, {"removed"}),
        ("GET", "keys"): ("keys", None, 200, page),
        ("POST", "keys"): ("keys", {"scopes": ["read"]}, 201, k | {"key"}),
        ("DELETE", "keys/*"): ("keys/{made}", None, 200, {"revoked"}),
        ("GET", "config"): ("config", None, 200, {"data"}),
        ("POST", "config/reload"): ("config/reload", None, 200, {"file", "changed", "restart", "accounts"}),
        ("POST", "doctor"): ("doctor", {}, 200, {"data"}),
        ("GET", "backup"): ("backup", None, 200, {"data"}),
        ("POST", "backup"): ("backup", None, 200, {"file", "bytes", "ms"}),
        ("GET", "/metrics"): ("/metrics", None, 200, None),
        ("GET", "/"): ("/", None, 200, None),
        ("GET", "stream"): None,  # does not end: test_stream.py
    }


def test_every_route_answers_as_documented(own_world):
    world = own_world
    cases, made = good(world), None
    assert list(sorted(cases)) == sorted(routed())
    for route, case in cases.items():
        if case is None:
            continue
        path, body, code, members = case
        got = world.ask(route[0], path.replace("{made}", made or ""), body)
        assert got.status == code, (route, got.status, got.body)
        if members is None:
            continue
        assert got.headers["Content-Type"] == "application/json"
        assert set(got.json()) == members, route
        made = got.json().get("id", made)
        if "page" in members:
            assert isinstance(got.json()["data"], list) and set(got.json()["page"]) == {"next"}


def test_what_stands_in_them(world):
    g = world.gateway
    assert g.api("GET", "version")["number_ids"] == [NUMBER, OTHER_NUMBER]
    assert [n["id"] for n in g.api("GET", "numbers")["data"]] == [NUMBER, OTHER_NUMBER]
    m = g.api("GET", "messages/" + world.messages[0])
    assert (m["state"], m["status"], m["to"]) == ("accepted", "read", "+" + HIM)
    assert (m["kind"], m["wamid"]) == ("text", world.wamid)
    assert re.fullmatch(TIME, m["created_at"]) and isinstance(m["created_ms"], int)
    assert g.api("GET", "messages/" + world.wamid) == m  # by Meta's id
    trail = g.api("GET", "messages/%s/trail" % world.wamid)["trail"]
    assert [row.get("to", row.get("status")) for row in trail] == ["sending", "accepted", "read"]
    e = g.event(world.events[0], "raw", "body")
    assert e["message"]["text"] == json.loads(e["raw"])["text"]["body"] == "hello 0" and "hello 0" in e["body"]
    wait_until("delivered", lambda: [d["state"] for d in g.event(world.events[0])["deliveries"]] == ["delivered"])


@pytest.mark.parametrize("query,count", [
    ("messages?state=accepted", 7), ("messages?state=queued", 0), ("messages?state=", 7),
    ("messages?number=" + NUMBER, 7), ("messages?number=" + OTHER_NUMBER, 0),
    ("messages?to=%2B" + HIM, 7), ("messages?to=" + HIM, 7), ("messages?to=1", 0),
    ("events?type=message.received", 7), ("events?type=message.*", 8), ("events?type=template.*", 0),
    ("events?account=" + NUMBER, 8), ("events?account=1", 0),
    ("events?type=message.*&since=1", 8), ("events?until=1", 0),
    ("events?type=message.status&account=" + NUMBER, 1), ("events?conversation=cnv_" + NOWHERE[1:] + "1", 0)])
def test_filters(world, query, count):
    assert len(world.ask("GET", query).json()["data"]) == count


def test_a_conversation(world):
    got = world.gateway.api("GET", "events", conversation=world.conversation)["data"]
    assert [e["id"] for e in got] == world.events[:7][::-1]


@pytest.mark.parametrize("noun", ["messages", "events"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 1000])
def test_pages_by_key(world, noun, limit):
    wanted = (world.messages if noun == "messages" else world.events)[::-1]
    rows, before, pages = [], "", 0
    while before is not None:
        page = world.ask("GET", "%s?limit=%d%s" % (noun, limit, before)).json()
        rows += [row["id"] for row in page["data"]]
        pages += 1
        if pages == 1:  # what comes in meanwhile moves no page
            assert page["data"][0]["id"] == wanted[0]
        before = page["page"]["next"]
        assert before is None or before == rows[-1]
        before = before and "&before=" + before
    assert rows == wanted and pages <= len(wanted) // limit + 1


# ---- what is refused: (method, path, body, status, code, words of the sentence)

MSG, EVT, DST, KEY = ("%s_%s" % (p, NOWHERE) for p in ("msg", "evt", "dst", "key"))
RESOLVE, REPLAY = "messages/%s/resolve" % MSG, "events/%s/replay" % EVT
URL = "https://example.com/hook"
BAD = [
    # lists
    *[("GET", noun + "?limit=" + n, None, 400, "bad_limit", ["limit", "1 to 1000", '"%s"' % n])
      for noun in ("messages", "events") for n in ("0", "1001", "-1", "x", "1e2", "99999999999999999999")],
    ("GET", "messages?state=lost", None, 400, "bad_state", ['"lost"', "queued", "unknown", "expired"]),
    ("GET", "messages?before=evt_" + NOWHERE, None, 404, "no_such_id", ["evt_" + NOWHERE]),
    ("GET", "events?before=x", None, 404, "no_such_id", ['"x"']),
    ("GET", "events?conversation=cnv_1", None, 404, "no_such_id", ['"cnv_1"']),
    *[("GET", query + NOWHERE, None, 404, "no_such_id", [NOWHERE]) for query in (
        "events?conversation=cnv_", "events?before=evt_", "messages?before=msg_")],
    ("GET", "events?since=yesterday", None, 400, "bad_time", ["since", "milliseconds", '"yesterday"']),
    ("GET", "events?until=1.5", None, 400, "bad_time", ["until", '"1.5"']),
    # ids
    ("GET", "messages/" + MSG, None, 404, "no_such_message", []),
    ("GET", "messages/wamid.nobody", None, 404, "no_such_message", []),
    ("GET", "messages/%s/trail" % MSG, None, 404, "no_such_message", []),
    ("POST", RESOLVE, {"as": "sent"}, 404, "no_such_message", []),
    ("POST", "messages/1/resolve", {"as": "sent"}, 404, "no_such_id", ['"1"']),
    ("GET", "events/" + EVT, None, 404, "no_such_event", []),
    ("GET", "events/" + MSG, None, 404, "no_such_id", [MSG]),
    ("POST", REPLAY, {}, 404, "no_such_event", []),
    ("POST", REPLAY, {"destination": DST}, 404, "no_such_destination", []),
    ("POST", REPLAY, {"destination": KEY}, 404, "no_such_id", [KEY]),
    ("POST", "destinations/%s/test" % DST, None, 404, "no_such_destination", []),
    ("DELETE", "destinations/" + DST, None, 404, "no_such_destination", []),
    ("DELETE", "destinations/1", None, 404, "no_such_id", ['"1"']),
    ("DELETE", "keys/" + KEY, None, 404, "no_such_key", []),
    # bodies
    *[(m, p, body, 400, "bad_json", ["body"]) for m, p in (("POST", RESOLVE), ("POST", REPLAY), ("POST", "keys"),
                                                          ("POST", "destinations"))
      for body in (b"", b"{", b"[]", b"null", b'"x"', b"{}x", b"as=sent", b'{"as":"\xff"}', b"[" * 100)],
    *[("POST", p, {"colour": "red"}, 400, "unknown_member", ['"colour"', "known: ", word]) for p, word in (
        (RESOLVE, "as"), (REPLAY, "destination"), ("keys", "scopes"), ("destinations", "relay_stale"))],
    *[("POST", RESOLVE, {"as": word}, 400, "bad_as", ["sent, resend or expire", '"%s"' % word])
      for word in ("", "gone", "SENT")],
    ("POST", RESOLVE, {}, 400, "bad_as", ["as: want"]),
    ("POST", RESOLVE, {"as": 1}, 400, "bad_member", ["as: ", "string", "got 1"]),
    ("POST", REPLAY, {"destination": 7}, 400, "bad_member", ["destination", "string", "got 7"]),
    ("POST", REPLAY, {"destination": None}, 400, "bad_member", ["destination", "got null"]),
    ("POST", "destinations", {}, 400, "bad_url", ["url", "2048"]),
    ("POST", "destinations", {"url": 1}, 400, "bad_url", ["url"]),
    ("POST", "destinations", {"url": "https://e.com/" + "x" * 2048}, 400, "bad_url", ["2048"]),
    ("POST", "destinations", {"url": "ftp://example.com"}, 400, "bad_destination", ["https:// or http://"]),
    ("POST", "destinations", {"url": URL, "format": "xml"}, 400, "bad_format",
     ["godwit, meta or cloudevents", '"xml"']),
    ("POST", "destinations", {"url": URL, "format": 1}, 400, "bad_member", ["format", "got 1"]),
    ("POST", "destinations", {"url": URL, "name": "x" * 129}, 400, "bad_member", ["name", "128"]),
    ("POST", "destinations", {"url": URL, "include_raw": "yes"}, 400, "bad_member",
     ["include_raw", "true or false", '"yes"']),
    ("POST", "destinations", {"url": URL, "relay_stale": 0}, 400, "bad_member", ["relay_stale", "got 0"]),
    ("POST", "destinations", {"url": URL, "filter": []}, 400, "bad_destination", ["filter", "object"]),
    ("POST", "destinations", {"url": URL, "filter": {"to": ["1"]}}, 400, "bad_destination",
     ['"to"', "types, kinds, numbers"]),
    ("POST", "destinations", {"url": URL, "filter": {"numbers": "1"}}, 400, "bad_destination", ["numbers", "list"]),
    ("POST", "destinations", {"url": URL, "filter": {"kinds": ["x"] * 65}}, 400, "bad_destination", ["kinds", "64"]),
    ("POST", "keys", {}, 400, "bad_scope", ["at least one scope"]),
    ("POST", "keys", {"scopes": ["root"]}, 400, "bad_scope", ['"root"', "send, read, manage, admin"]),
    ("POST", "keys", {"scopes": "read"}, 400, "bad_list", ["lists of strings"]),
    ("POST", "keys", {"scopes": ["read"], "numbers": [1]}, 400, "bad_list", ["lists of strings"]),
    ("POST", "keys", {"scopes": ["read"], "numbers": ["1 2"]}, 400, "bad_number", ['"1 2"', "/api/v1/numbers"]),
    ("POST", "keys", {"scopes": ["read"], "name": 5}, 400, "bad_member", ["name", "got 5"]),
    ("GET", "stream?format=xml", None, 400, "bad_format", ["godwit or meta", '"xml"']),
    # paths
    *[("GET", path, None, 404, "no_such_path", ["docs/api.md"]) for path in (
        "", "nothing", "messages/", "messages//trail", "messages/%s/trail/" % MSG, "/api/v1", "/api/v2/messages",
        "EVENTS")],
]


@pytest.mark.parametrize("case", BAD, ids=lambda c: "%s %s %.40s" % (c[0], c[1][:40], c[2]))
def test_a_refusal_says_what_and_why(world, case):
    method, path, body, code, name, words = case
    got = world.ask(method, path, body)
    error = got.json()["error"]
    assert (got.status, error["code"]) == (code, name), got.body
    assert set(got.json()) == {"error"} and set(error) == {"class", "code", "message"}
    assert error["class"] == ("usage" if code == 400 else "not_found")
    assert got.headers["Content-Type"] == "application/json"
    for word in words:
        assert word in error["message"], error["message"]
    assert not error["message"].endswith(".") and 10 < len(error["message"]) < 1000


def test_nothing_was_changed_by_a_refusal(world):
    before = [world.gateway.api("GET", noun) for noun in ("destinations", "keys")]
    for method, path, body, *_ in BAD:
        world.ask(method, path, body)
    assert [world.gateway.api("GET", noun) for noun in ("destinations", "keys")] == before


def test_a_long_odd_value_is_quoted_in_part(world):
    got = world.ask("POST", "destinations", {"url": URL, "name": "\u00e9" * 5000})
    assert got.status == 400 and len(got.body) < 1000 and "128" in got.json()["error"]["message"]


def test_methods(world):
    takes = {}
    for method, path in routed():
        takes.setdefault(path, []).append(method)
    for path, methods in takes.items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            if method in methods:
                continue
            got = world.ask(method, path.replace("*", MSG), b"{}" if method != "GET" else None)
            error = got.json()["error"]
            assert (got.status, error["class"], error["code"]) == (405, "usage", "method"), (method, path)
            assert got.headers["Allow"].split(", ") == methods
            assert ", ".join(methods) in error["message"] and method in error["message"]


@pytest.mark.parametrize("kind", [None, "text/plain", "application/json; charset=utf-8",
                                  "application/x-www-form-urlencoded", "x"])
def test_the_content_type_is_not_what_counts(world, kind):
    """The bytes are JSON or they are refused as what they are."""
    headers = {} if kind is None else {"Content-Type": kind}
    made = world.ask("POST", "keys", {"scopes": ["read"], "name": "typed"}, headers)
    assert made.status == 201 and made.json()["name"] == "typed"
    got = world.ask("POST", "keys", b"scopes=read&name=typed", headers)
    assert (got.status, got.json()["error"]["code"]) == (400, "bad_json")


def test_a_body_over_the_limit_is_not_read(world):
    got = world.ask("POST", "keys", b'{"name":"' + b"x" * 300000 + b'"}')
    assert got.status == 413


# ---- what changes

def test_resolve(world):
    g = world.gateway
    for how, state in (("sent", "accepted"), ("expire", "expired"), ("resend", "accepted")):
        world.meta.script(Meta.CLOSE)
        msg = g.post(to="49151000010%d" % len(how), headers={"Prefer": "respond-async"}).headers["Godwit-Message"]
        wait_until("unknown", lambda: g.message(msg)["state"] == "unknown")
        assert world.ask("POST", "messages/%s/resolve" % msg, {"as": how}).json() == {"resolved": True}
        wait_until(state, lambda: g.message(msg)["state"] == state)
        got = world.ask("POST", "messages/%s/resolve" % msg, {"as": how})
        assert (got.status, got.json()["error"]["code"]) == (409, "not_unknown")
        assert state in got.json()["error"]["message"]


def test_a_destination_from_its_making_to_its_end(world):
    g, url = world.gateway, world.receiver.url("/life")
    made = world.ask("POST", "destinations", {"url": url, "format": "meta", "name": "n\u00e4me", "include_raw": True,
                                              "relay_stale": False, "filter": {"kinds": ["image"]}}).json()
    assert made["secret"].startswith("whsec_")
    listed = [d for d in g.api("GET", "destinations")["data"] if d["id"] == made["id"]][0]
    assert listed == {k: v for k, v in made.items() if k != "secret"}
    assert (listed["url"], listed["format"], listed["name"], listed["state"]) == (url, "meta", "n\u00e4me", "active")
    assert (listed["filter"], listed["include_raw"], listed["relay_stale"]) == ({"kinds": ["image"]}, True, False)
    told = world.ask("POST", "destinations/%s/test" % made["id"]).json()
    assert (told["ok"], told["status"]) == (True, 200) and world.receiver.wait(1, "/life")
    got = world.ask("POST", "events/%s/replay" % world.events[1], {"destination": made["id"]}).json()
    assert got == {"replayed": 1} and world.receiver.wait(2, "/life")  # it goes where it is told, whatever the filter
    assert world.ask("DELETE", "destinations/" + made["id"]).json() == {"removed": True}
    got = world.ask("DELETE", "destinations/" + made["id"])
    assert (got.status, got.json()["error"]["code"]) == (404, "no_such_destination")
    assert made["id"] not in [d["id"] for d in g.api("GET", "destinations")["data"]]


def test_replay(world):
    before = len(world.receiver.at("/"))
    wait_until("the first time", lambda: [d["state"] for d in world.gateway.event(
        world.events[2])["deliveries"]] == ["delivered"])
    for body in ({}, {"destination": world.destination["id"]}):
        assert world.ask("POST", "events/%s/replay" % world.events[2], body).json() == {"replayed": 1}
        before += 1
        wait_until("once more", lambda: [d["state"] for d in world.gateway.event(
            world.events[2])["deliveries"]] == ["delivered"])
    got = world.receiver.wait(before)
    assert [json.loads(r.body)["id"] for r in got].count(world.events[2]) >= 3


def test_a_key_from_its_making_to_its_end(world):
    made = world.ask("POST", "keys", {"name": "short", "scopes": ["send", "read"], "numbers": [NUMBER]}).json()
    assert (made["scopes"], made["numbers"], made["revoked_at"]) == ("send,read", [NUMBER], None)
    assert re.fullmatch(r"gwk_\w{52}", made["key"]) and re.fullmatch(r"key_\w{26}", made["id"])
    assert re.fullmatch(TIME, made["created_at"])
    assert world.ask("DELETE", "keys/" + made["id"]).json() == {"revoked": True}
    listed = [k for k in world.gateway.api("GET", "keys")["data"] if k["id"] == made["id"]][0]
    assert re.fullmatch(TIME, listed["revoked_at"]) and "key" not in listed
