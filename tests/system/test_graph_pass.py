# SPDX-License-Identifier: MIT
"""Graph calls besides messages: they go on to Meta with its token, and nothing of it comes back."""
import contextlib
import hashlib
import http.client
import http.server
import json
import os
import threading
import types

import pytest

import kit
from kit import NUMBER, TOKEN, WABA
from sends import Front, module_folder

OTHER_NUMBER = "106540352242923"
APP = "610000000000001"
MEDIUM = os.urandom(3 << 20)


class Peer:
    """Meta's side: keeps every request; reply(request) gives status, headers and bytes."""

    def __init__(self):
        outer, self.requests, self.reply = self, [], None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = types.SimpleNamespace(method=self.command, path=self.path, headers=self.headers, body=body)
                outer.requests.append(request)
                answer = outer.reply(request) if outer.reply else (200, {}, b'{"success":true}')
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, raw = answer
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_DELETE = do_PUT = handle_any

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def say(self, value, status=200, **headers):
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.reply = lambda request: (status, {name.replace("_", "-"): v for name, v in headers.items()}, raw)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def pair():
    with module_folder() as path, contextlib.closing(Peer()) as peer, \
            contextlib.closing(Front(path, conf={"graph.timeout": "5s"}, meta=peer.url)) as gateway:
        yield gateway.start(), peer


@pytest.fixture(autouse=True)
def clean(pair):
    pair[1].requests.clear()
    pair[1].reply = None


CALLS = [
    ("GET", "/v26.0/%s?fields=id,status" % NUMBER, None),
    ("GET", "/v19.0/%s/message_templates?limit=2" % WABA, None),
    ("POST", "/v26.0/%s/message_templates" % WABA, b'{ "name":"a_b" ,"language":"en"}'),
    ("DELETE", "/v26.0/%s/message_templates?name=a_b" % WABA, None),
    ("POST", "/v26.0/%s/whatsapp_business_profile" % NUMBER, b'{"about":"\\u00e9"}'),
    ("POST", "/v26.0/%s/message_qrdls" % NUMBER, b'{"prefilled_message":"Hi"}'),
    ("DELETE", "/v26.0/%s/block_users" % NUMBER, b'{"block_users":[{"user":"+1"}]}'),
    ("GET", "/v26.0/1037543291543636", None),
    ("DELETE", "/v26.0/1037543291543636", None),
    ("POST", "/v26.0/%s/uploads?file_length=4" % APP, None),
    ("GET", "/v26.0/something_of_tomorrow/a/b?x=%20", None),
]


@pytest.mark.parametrize("method,path,body", CALLS)
def test_any_call_goes_on_word_for_word(pair, method, path, body):
    gateway, peer = pair
    peer.say(b'{ "ok" : [1, 2.50, "\\u00e9\\/"] }', status=201, X_App_Usage="{}", X_Odd="secret")
    answer = gateway.graph(method, path, body)
    assert (answer.status_code, answer.content) == (201, b'{ "ok" : [1, 2.50, "\\u00e9\\/"] }')
    assert answer.headers["X-App-Usage"] == "{}" and "X-Odd" not in answer.headers
    seen = peer.requests[0]
    assert (seen.method, seen.path, seen.body) == (method, path, body or b"")
    assert seen.headers["Authorization"] == "Bearer " + TOKEN
    assert gateway.key not in repr(seen.headers.items())


def test_no_version_is_the_accounts_and_uploads_have_a_scheme_of_their_own(pair):
    gateway, peer = pair
    assert gateway.graph("GET", "/%s" % NUMBER).status_code == 200
    answer = gateway.http.post(gateway.base + "/v26.0/upload:MTphd?sig=x", data=b"\x00\xffbytes", headers={
        "Authorization": "Bearer " + gateway.key, "file_offset": "0", "Content-Type": "application/octet-stream"})
    assert answer.status_code == 200
    assert peer.requests[0].path == "/v26.0/%s" % NUMBER
    upload = peer.requests[1]
    assert (upload.path, upload.body) == ("/v26.0/upload:MTphd?sig=x", b"\x00\xffbytes")
    assert upload.headers["Authorization"] == "OAuth " + TOKEN and upload.headers["file_offset"] == "0"


def test_the_key_in_query_and_form_is_taken_out(pair):
    gateway, peer = pair
    answer = gateway.http.post(gateway.base + "/v26.0/%s/register?a=1&access%%5Ftoken=%s" % (NUMBER, gateway.key),
                               data={"pin": "123456", "access_token": gateway.key})
    assert answer.status_code == 200  # its name may be encoded
    answer = gateway.http.post(gateway.base + "/v26.0/%s/register?a=1&access_token=%s" % (NUMBER, gateway.key),
                               data={"pin": "123456", "access_token": gateway.key, "messaging_product": "whatsapp"})
    assert answer.status_code == 200
    assert [r.path for r in peer.requests] == ["/v26.0/%s/register?a=1" % NUMBER] * 2
    assert [r.body for r in peer.requests] == [b"pin=123456", b"pin=123456&messaging_product=whatsapp"]


def test_pages_lead_back_here_with_the_callers_key(pair):
    gateway, peer = pair
    path = "/v26.0/%s/message_templates" % WABA
    peer.say({"data": [{"id": "1"}], "paging": {"cursors": {"after": "QVFI"}, "next": "%s%s?access_token=%s&limit=1"
                                                "&after=QVFI" % (peer.url, path, TOKEN)}})
    answer = gateway.graph("GET", path + "?limit=1")
    assert TOKEN not in answer.text
    following = answer.json()["paging"]["next"]
    assert following == "%s%s?access_token=%s&limit=1&after=QVFI" % (gateway.base, path, gateway.key)
    assert answer.json()["paging"]["cursors"] == {"after": "QVFI"}
    peer.say({"data": []})
    assert gateway.http.get(following).json() == {"data": []}  # as a client does: the link alone
    assert peer.requests[1].path == path + "?limit=1&after=QVFI"
    assert peer.requests[1].headers["Authorization"] == "Bearer " + TOKEN
    peer.say({"paging": {"next": "%s%s?access_token=%s" % (peer.url, path, TOKEN)}})
    assert json.loads(gateway.local("GET", path).text)["paging"]["next"].endswith(path)  # no key, none given away


def test_a_token_in_an_odd_place_is_not_passed_on(pair):
    gateway, peer = pair
    peer.say({"debug": "your token was " + TOKEN})
    answer = gateway.graph("GET", "/v26.0/%s" % NUMBER)
    assert answer.status_code == 502 and TOKEN not in answer.text


def media(peer):
    """Looks a medium up and hands it out to who has the token, as Meta does."""
    def reply(request):
        if request.path == "/v26.0/77":
            return 200, {}, json.dumps({"messaging_product": "whatsapp", "url": peer.url + "/whatsapp/?mid=7&hash=a/b",
                                        "mime_type": "image/jpeg", "sha256": "x", "file_size": 9, "id": "77"}).encode()
        if request.path == "/whatsapp/?mid=7&hash=a/b" and request.headers["Authorization"] == "Bearer " + TOKEN:
            return 200, {"Content-Type": "image/jpeg", "Content-Disposition": "inline; filename=a.jpg"}, MEDIUM
        return 404, {"Content-Type": "text/plain"}, b"gone"
    return reply


def test_media_come_byte_for_byte_through_a_link_of_ours(pair):
    gateway, peer = pair
    peer.reply = media(peer)
    found = gateway.graph("GET", "/v26.0/77").json()
    assert found["url"].startswith(gateway.base + "/media/") and found["mime_type"] == "image/jpeg"
    answer = gateway.http.get(found["url"], headers={"Authorization": "Bearer " + gateway.key})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.headers["Content-Disposition"] == "inline; filename=a.jpg"
    assert answer.content == MEDIUM
    assert peer.requests[1].headers["User-Agent"].startswith("godwit/")
    assert gateway.http.get(found["url"]).status_code == 401
    head, _, encoded = found["url"].rpartition("/")
    other = head[:-1] + ("1" if head[-1] == "0" else "0")
    for forged in (head + "/" + encoded[:-4] + "AAAA", other + "/" + encoded, gateway.base + "/media/1.00/aHR0",
                   gateway.base + "/media/x", gateway.base + "/media"):
        answer = gateway.http.get(forged, headers={"Authorization": "Bearer " + gateway.key})
        assert answer.status_code in (400, 404), (forged, answer.text)
    assert len(peer.requests) == 2  # nothing else was fetched with the token


def test_a_large_upload_goes_on_byte_for_byte(pair):
    gateway, peer = pair
    peer.say({"id": "1037"})
    form = {"messaging_product": (None, "whatsapp"), "file": ("a.bin", MEDIUM, "application/pdf")}
    answer = gateway.http.post(gateway.base + "/v26.0/%s/media" % NUMBER, files=form,
                               headers={"Authorization": "Bearer " + gateway.key})
    assert answer.json() == {"id": "1037"}
    seen = peer.requests[0]
    assert seen.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert hashlib.sha256(MEDIUM).digest() == hashlib.sha256(
        seen.body.split(b"application/pdf\r\n\r\n")[1][:len(MEDIUM)]).digest()
    chunks = (MEDIUM[i:i + 50000] for i in range(0, len(MEDIUM), 50000))
    answer = gateway.http.post(gateway.base + "/v26.0/%s/media" % NUMBER, data=chunks,
                               headers={"Authorization": "Bearer " + gateway.key})
    assert answer.json() == {"id": "1037"} and peer.requests[1].body == MEDIUM


def raw_post(gateway, length, key, sent=b""):
    connection = http.client.HTTPConnection(gateway.base[len("http://"):], timeout=30)
    connection.putrequest("POST", "/v26.0/%s/media" % NUMBER)
    connection.putheader("Content-Length", str(length))
    if key:
        connection.putheader("Authorization", "Bearer " + key)
    connection.endheaders(sent)
    return connection


def test_a_large_body_is_not_read_without_a_key_nor_over_the_limit(pair):
    gateway, peer = pair
    for length, key, status in ((50 << 20, None, 401), (50 << 20, "gwk_" + "0" * 52, 401),
                                (200 << 20, gateway.key, 413)):
        connection = raw_post(gateway, length, key)
        assert connection.getresponse().status == status  # not a byte of the body was sent
        connection.close()
    assert peer.requests == []


def test_uploads_that_end_in_the_middle_leave_nothing_open(pair):
    gateway, peer = pair
    peer.say({"id": "1"})
    for _ in range(40):  # more than there may be at once
        raw_post(gateway, 1 << 20, gateway.key, b"x" * 1000).close()

    def works():
        answer = gateway.http.post(gateway.base + "/v26.0/%s/media" % NUMBER, data=MEDIUM,
                                   headers={"Authorization": "Bearer " + gateway.key})
        return answer.status_code == 200
    kit.wait_until("an upload", works)


def test_scopes(pair):
    gateway, peer = pair
    keys = {scope: gateway.make_key(scope) for scope in ("send", "read", "manage")}
    wanted = [("POST", "/%s/media" % NUMBER, {"send"}), ("GET", "/77", {"send", "read"}),
              ("GET", "/%s/message_templates" % WABA, {"read"}), ("POST", "/%s/register" % NUMBER, {"manage"}),
              ("DELETE", "/77", {"manage"})]
    for method, path, may in wanted:
        for scope, key in keys.items():
            answer = gateway.graph(method, path, b"{}" if method == "POST" else None, key=key)
            assert answer.status_code == (200 if scope in may else 403), (method, path, scope, answer.text)


def test_a_key_of_one_number_reaches_no_other(pair):
    gateway, peer = pair
    key = gateway.make_key("send", "read", "manage", numbers=[NUMBER])
    for path, status in (("/%s" % NUMBER, 200), ("/%s/whatsapp_business_profile" % NUMBER, 200),
                         ("/77?phone_number_id=%s" % NUMBER, 200), ("/77", 403), ("/%s" % WABA, 403),
                         ("/77?phone_number_id=%s" % OTHER_NUMBER, 403), ("/%s/message_templates" % WABA, 403),
                         ("/%s" % OTHER_NUMBER, 403)):
        answer = gateway.graph("GET", path, key=key)
        assert answer.status_code == status, (path, answer.text)


def test_meta_cannot_be_reached_or_is_silent(pair):
    gateway, peer = pair
    peer.reply = lambda request: None  # takes the call, and closes
    answer = gateway.graph("POST", "/v26.0/%s/register" % NUMBER, b'{"pin":"1"}')
    assert (answer.status_code, answer.headers["Godwit-Refused"]) == (504, "lost")
    assert "not known" in answer.json()["error"]["error_data"]["details"]
    assert len(peer.requests) == 1  # never repeated


def test_a_quota_of_management(folder, closing):
    peer = Peer()
    closing.append(peer)
    gateway = Front(folder, conf={"graph.management_per_hour": "3"}, meta=peer.url)
    closing.append(gateway)
    gateway.start()
    path = "/v26.0/%s/message_templates" % WABA
    assert [gateway.graph("GET", path).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = gateway.graph("GET", path)
    assert answer.headers["Godwit-Refused"] == "quota" and answer.json()["error"]["code"] == 80007
    assert 1100 < int(answer.headers["Retry-After"]) <= 1200
    assert gateway.graph("GET", "/v26.0/77").status_code == 200  # media are not counted
    assert len(peer.requests) == 4


def test_several_accounts_must_be_told_apart(folder, closing):
    peers = [Peer(), Peer()]
    closing.extend(peers)
    gateway = Front(folder, meta=peers[0].url)
    gateway.accounts["second"] = {"app_id": "610000000000002", "app_secret": "s" * 32, "verify_token": "v",
                                  "token": "TOKEN-OF-THE-SECOND", "business_id": "102290129340399",
                                  "base_url": peers[1].url, "numbers": OTHER_NUMBER}
    closing.append(gateway)
    gateway.start()
    answer = gateway.graph("GET", "/v26.0/77")
    assert answer.status_code == 400 and "Godwit-Account" in answer.text
    for path, headers, which in (("/%s" % OTHER_NUMBER, {}, 1), ("/102290129340399/message_templates", {}, 1),
                                 ("/77?phone_number_id=%s" % OTHER_NUMBER, {}, 1),
                                 ("/77", {"Godwit-Account": "second"}, 1),
                                 ("/610000000000002/uploads", {}, 1), ("/77", {"Godwit-Account": "test"}, 0)):
        before = [len(p.requests) for p in peers]
        assert gateway.graph("GET", "/v26.0" + path, headers=headers).status_code == 200, path
        assert len(peers[which].requests) == before[which] + 1, path
    assert peers[1].requests[0].headers["Authorization"] == "Bearer TOKEN-OF-THE-SECOND"
    assert peers[1].requests[0].path == "/v26.0/%s" % OTHER_NUMBER
