# SPDX-License-Identifier: MIT
"""test_access.py - who may do what: keys with scopes and numbers, Host and Origin, the local socket

The routes are read from docs/api.md, so that one that is documented and not guarded fails here; that every route is
documented shows test_every_route_is_documented.
"""
import os
import re
import stat

import pytest
from kit import TOP
from rig import NUMBER, OTHER_NUMBER, Client, Gateway, Receiver, Sandbox, one, text

SCOPES = ("read", "send", "manage", "admin")


def documented():
    """(method, path, scope) of every row of the table "API" of docs/api.md."""
    with open(os.path.join(TOP, "docs", "api.md"), encoding="utf-8") as f:
        table = f.read().split("## API")[1]
    rows = re.findall(r"^\| `([A-Z]+) (/[^`?]*)[^`]*` \| (\S+) \|", table, re.MULTILINE)
    assert len(rows) > 15
    return rows


def routed():
    """The same from the table in the program."""
    with open(os.path.join(TOP, "src", "server", "api.c"), encoding="utf-8") as f:
        return [(m, re.sub(r"\*", "{id}", p), s.lower()) for m, p, s in re.findall(
            r'\{ "([A-Z]+)", "(/[^"]*)", SCOPE_(\w+), \w+, \w+ \}', f.read())]


ROUTES = documented()
GUARDED = [(m, p, s) for m, p, s in ROUTES if s != "–"] + [("GET", "/", "read")]
GRAPH = [("POST", "/v26.0/%s/messages" % NUMBER), ("POST", "/%s/messages" % NUMBER), ("GET", "/v26.0/%s" % NUMBER),
         ("POST", "/v99.1/%s/media" % NUMBER), ("DELETE", "/v26.0/1234"), ("GET", "/v26.0/me"), ("GET", "/v26.0/")]
ODD = [("GET", "/nothing"), ("PUT", "/api/v1/version"), ("GET", "/api/v1"), ("GET", "/api/v2/events"),
       ("POST", "/metrics"), ("GET", "/api/v1/../v1/version"), ("GET", "/%61pi/v1/version"),
       ("GET", "//api/v1/version"), ("GET", "/livez/"), ("GET", "/webhookx"), ("OPTIONS", "/api/v1/events"),
       ("HEAD", "/metrics")]
IDS = {"messages": "msg_", "events": "evt_", "destinations": "dst_", "keys": "key_",
       "contacts": "ctc_", "conversations": "cnv_", "batches": "bat_"}


def fill(path):
    """A path with an id of the right kind that nothing has."""
    noun = path.split("/")[3] if path.count("/") > 2 else ""
    return path.replace("{id}", IDS.get(noun, "") + "0" * 26)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    s = Sandbox(str(tmp_path_factory.mktemp("sandbox")))
    s.set(enforce_window=False)
    yield s
    s.close()


@pytest.fixture(scope="module")
def gateway(sandbox):
    g = Gateway(sandbox, conf={"api.hosts": "gateway.example other.example"})
    g.stray = g.make_key("read")  # something for the lists
    yield g
    g.close()


@pytest.fixture(scope="module")
def keys(gateway):
    return {scope: gateway.make_key(scope) for scope in SCOPES}


def bearer(key):
    return {"Authorization": "Bearer " + key}


def call(gateway, method, path, headers=None, body=None):
    client = Client(gateway.api_port)
    try:
        if body is None and method == "POST":
            body = b"{}"
        return client.call(method, path, body, headers or {})
    finally:
        client.close()


def test_every_route_is_documented():
    assert {r for r in ROUTES if r[2] != "–"} == {r for r in routed() if r[1] != "/"}
    assert [(m, p) for m, p, s in ROUTES if s == "–"] == [("GET", "/livez"), ("GET", "/readyz")]


def bad_credentials(gateway):
    revoked = gateway.api("POST", "keys", {"scopes": ["admin"]})
    gateway.api("DELETE", "keys/" + revoked["id"])
    good = gateway.stray
    return {
        "none": {},
        "wrong": bearer("gwk_" + "a" * (len(good) - 4)),
        "revoked": bearer(revoked["key"]),
        "cut": bearer(good[:-1]),
        "longer": bearer(good + "a"),
        "another case": bearer(good.upper()),
        "basic": {"Authorization": "Basic Z3drOmd3aw=="},
        "no scheme": {"Authorization": good},
        "empty": {"Authorization": "Bearer "},
        "Meta's token": bearer("test-token"),
        "the hash": bearer(gateway.query("SELECT hex(hash) FROM api_key LIMIT 1")[0][0].lower()),
        "a cookie": {"Cookie": "access_token=" + good},
        "two": {"Authorization": "Bearer x", "X-Api-Key": good},
    }


def test_without_a_key_nothing(gateway):
    for what, headers in bad_credentials(gateway).items():
        for method, path in [(m, fill(p)) for m, p, _ in GUARDED] + GRAPH + ODD:
            got = call(gateway, method, path, headers)
            assert got.status == 401, (what, method, path, got.status, got.body)
            if method == "HEAD":
                continue
            error = got.json()["error"]
            # a path of nobody's may be one of Meta's
            allowed = (190, "no_key") if (method, path) in ODD else (190,) if (method, path) in GRAPH else ("no_key",)
            assert error["code"] in allowed, (what, method, path, error)
    got = call(gateway, "GET", "/api/v1/version?access_token=gwk_wrong")
    assert got.status == 401 and b"gwk_wrong" not in got.body


def test_what_is_open(gateway):
    for path in ("/livez", "/readyz"):
        assert call(gateway, "GET", path).status == 200
    assert call(gateway, "GET", "/webhook").status == 403  # a handshake without its words
    assert call(gateway, "POST", "/webhook").status == 401  # its own guard: the signature, and no word about keys
    assert call(gateway, "POST", "/webhook").body == b""


@pytest.mark.parametrize("route", GUARDED, ids=lambda r: " ".join(r[:2]))
def test_scopes(gateway, keys, route):
    method, path, wanted = route
    for scope, key in keys.items():
        if path == "/api/v1/stream":
            continue  # does not end; test_stream.py
        got = call(gateway, method, fill(path), bearer(key))
        if scope in (wanted, "admin"):
            assert got.status not in (401, 403), (scope, got.status, got.body)
        else:
            assert got.status == 403, (scope, got.status, got.body)
            assert got.json()["error"]["code"] == "no_scope"


def test_scopes_at_the_graph_front(gateway, keys):
    body = b'{"messaging_product":"whatsapp","to":"+491510000001","type":"text","text":{"body":"x"}}'
    for scope, key in keys.items():
        got = call(gateway, "POST", "/v26.0/%s/messages" % NUMBER, bearer(key), body)
        assert got.status == (200 if scope in ("send", "admin") else 403), got.body
        if got.status == 403:
            assert got.json()["error"]["type"] == "OAuthException"


def test_a_key_for_some_numbers(gateway, keys):
    body = b'{"messaging_product":"whatsapp","to":"+491510000002","type":"text","text":{"body":"x"}}'
    mine = bearer(gateway.make_key("send", numbers=[NUMBER]))
    assert call(gateway, "POST", "/v26.0/%s/messages" % NUMBER, mine, body).status == 200
    for path in ("/v26.0/%s/messages" % OTHER_NUMBER, "/%s/messages" % OTHER_NUMBER, "/v26.0/%s/messages?x=%s" % (
            OTHER_NUMBER, NUMBER), "/v26.0//%s/messages" % OTHER_NUMBER):
        got = call(gateway, "POST", path, mine, body)
        assert got.status in (400, 403, 404), (path, got.status, got.body)  # 400: the path names nothing
    assert call(gateway, "GET", "/v26.0/%s" % OTHER_NUMBER, mine).status == 403


def test_a_key_in_the_query_as_graph_clients_do(gateway, keys):
    assert call(gateway, "GET", "/api/v1/version?access_token=" + keys["read"]).status == 200
    # the header has the word when there are both
    assert call(gateway, "GET", "/api/v1/version?access_token=" + keys["read"], bearer("gwk_x")).status == 401


def test_revoked_is_revoked_at_once_and_for_ever(gateway):
    made = gateway.api("POST", "keys", {"name": "short", "scopes": ["read"]})
    client = gateway.client()
    assert client.call("GET", "/api/v1/version", None, bearer(made["key"])).status == 200
    gateway.api("DELETE", "keys/" + made["id"])
    assert client.call("GET", "/api/v1/version", None, bearer(made["key"])).status == 401
    gateway.restart()
    assert call(gateway, "GET", "/api/v1/version", bearer(made["key"])).status == 401
    assert [k for k in gateway.api("GET", "keys")["data"] if k["id"] == made["id"]][0]["revoked_at"]


def test_keys_are_shown_once(gateway):
    made = gateway.api("POST", "keys", {"name": "once", "scopes": ["send", "read"], "numbers": [NUMBER]})
    assert re.fullmatch(r"gwk_[0-9A-Z]{50,}", made["key"])
    listed = [k for k in gateway.api("GET", "keys")["data"] if k["id"] == made["id"]][0]
    assert (listed["name"], listed["numbers"]) == ("once", [NUMBER])
    for place in (gateway.user.call("GET", "/api/v1/keys").body, gateway.user.call("GET", "/api/v1/config").body,
                  gateway.user.call("GET", "/metrics").body, gateway.log().encode()):
        assert made["key"].encode() not in place
    for name in ("godwit.db", "godwit.db-wal"):
        with open(os.path.join(gateway.data, name), "rb") as f:
            assert made["key"].encode() not in f.read()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"scopes":[]}', b'{"scopes":["root"]}',
                                  b'{"scopes":"admin"}', b'{"scopes":[1]}', b'{"scopes":["read"],"numbers":[1]}'])
def test_keys_that_are_none(gateway, body):
    got = gateway.user.call("POST", "/api/v1/keys", body)
    assert got.status == 400, got.body


@pytest.mark.parametrize("host,status", [
    ("127.0.0.1", 200), ("localhost:8080", 200), ("LOCALHOST", 200), ("[::1]:8080", 200), ("192.168.3.4:80", 200),
    ("gateway.example", 200), ("other.example:8443", 200), ("evil.example", 421), ("localhost.evil.example", 421),
    ("127.0.0.1.evil.example", 421), ("", 421), ("gateway.example.", 421), ("[::1", 421)])
def test_hosts(gateway, keys, host, status):
    for path in ("/api/v1/version", "/metrics", "/"):
        got = call(gateway, "GET", path, {"Host": host, **bearer(keys["read"])})
        assert got.status == status, (path, got.status)


@pytest.mark.parametrize("origin,status", [
    ("http://gateway.example", 200), ("https://gateway.example", 200), ("https://evil.example", 403), ("null", 403),
    ("https://gateway.example.evil.example", 403), ("https://gateway.example:444", 403), ("", 403)])
def test_origins(gateway, keys, origin, status):
    got = call(gateway, "GET", "/api/v1/version", {"Host": "gateway.example", "Origin": origin, **bearer(keys["read"])})
    assert got.status == status
    assert "Access-Control-Allow-Origin" not in got.headers


def test_the_local_socket_is_its_owners(gateway):
    mode = os.lstat(gateway.socket).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    for method, path, scope in GUARDED:
        if path != "/api/v1/stream":
            got = gateway.user.call(method, fill(path), b"{}" if method == "POST" else None)
            assert got.status not in (401, 403), (method, path, got.status)
    # a wrong key is no key there, and no harm
    assert gateway.user.call("GET", "/api/v1/version", None, bearer("gwk_x")).status == 200


def test_the_public_port_alone_has_the_webhook_alone():
    gateway = Gateway(conf={"listen.api": "127.0.0.1:00"})  # another spelling, so another listener
    try:
        assert gateway.port != gateway.api_port
        key, public = bearer(gateway.make_key("admin")), gateway.client(gateway.port)
        for method, path, _ in GUARDED + ROUTES:
            if path != "/livez":
                got = public.call(method, fill(path), b"{}" if method == "POST" else None, key)
                assert (got.status, got.body) == (404, b""), path
        assert public.call("POST", "/v26.0/%s/messages" % NUMBER, b"{}", key).status == 404
        assert public.call("GET", "/livez").status == 200
        assert gateway.hook(one(text())).status == 200
        assert call(gateway, "GET", "/api/v1/version", key).status == 200
        assert gateway.hook(one(text()), client=gateway.client(gateway.api_port)).status in (401, 404)
        assert len(gateway.events()) == 1
    finally:
        gateway.close()


def test_the_sandbox_may_be_told_to_check_the_token(gateway, sandbox):
    """Meta's token stands between gateway and Meta; an application that shows its own key there has none."""
    sandbox.set(check_token="test-token")
    try:
        assert gateway.post(to="491510000009").status == 200
        client = Client(int(sandbox.base.rsplit(":", 1)[1]))
        for key in ("", "test-tokeN", gateway.stray):
            got = client.call("POST", "/v26.0/%s/messages" % NUMBER, b"{}", bearer(key))
            assert (got.status, got.json()["error"]["code"]) in ((400, 104), (401, 190))
        client.close()
    finally:
        sandbox.control("POST", "settings", {"check_token": ""})


def test_secrets_are_not_told(gateway):
    receiver = Receiver()
    made = gateway.add_destination(receiver.url("/"))
    answers = b"".join(gateway.user.call("GET", path).body for path in (
        "/api/v1/config", "/api/v1/destinations", "/api/v1/numbers", "/api/v1/version", "/metrics", "/api/v1/keys"))
    for secret in ("test-app-secret", "test-token", "test-verify-token", "the-secret-before", made["secret"]):
        assert secret.encode() not in answers and secret not in gateway.log()
    gateway.api("DELETE", "destinations/" + made["id"])
    receiver.close()
