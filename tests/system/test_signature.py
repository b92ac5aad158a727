# SPDX-License-Identifier: MIT
"""test_signature.py - a webhook without the right signature: 401, empty, nothing stored, nothing echoed"""
import hashlib
import hmac

import pytest
from rig import PREVIOUS, SECRET, Gateway, encode, hub, one, text, wamid

NAME = "X-Hub-Signature-256"
OTHER = encode(one(text(body="another body")))


@pytest.fixture(scope="module")
def gateway():
    g = Gateway()
    yield g
    g.close()


def sha1(body):
    return "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()


BAD = {
    "none": lambda body: [],
    "empty": lambda body: [(NAME, "")],
    "only the prefix": lambda body: [(NAME, "sha256=")],
    "wrong": lambda body: [(NAME, "sha256=" + "0" * 64)],
    "wrong secret": lambda body: [(NAME, hub(body, "a wrong secret"))],
    "no secret": lambda body: [(NAME, hub(body, ""))],
    "the last digit": lambda body: [(NAME, hub(body)[:-1] + ("0" if hub(body)[-1] != "0" else "1"))],
    "one digit less": lambda body: [(NAME, hub(body)[:-1])],
    "half": lambda body: [(NAME, hub(body)[:39])],
    "one digit more": lambda body: [(NAME, hub(body) + "0")],
    "twice in one": lambda body: [(NAME, hub(body) + "," + hub(body))],
    "two headers": lambda body: [(NAME, hub(body)), (NAME, hub(body))],
    "good and bad": lambda body: [(NAME, hub(body)), (NAME, "sha256=" + "0" * 64)],
    "bad and good": lambda body: [(NAME, "sha256=" + "0" * 64), (NAME, hub(body))],
    "no prefix": lambda body: [(NAME, hub(body)[7:])],
    "prefix in capitals": lambda body: [(NAME, "SHA256=" + hub(body)[7:])],
    "another hash": lambda body: [(NAME, "sha512=" + hub(body)[7:])],
    "blank in front of the digits": lambda body: [(NAME, "sha256= " + hub(body)[7:])],
    "no hex": lambda body: [(NAME, "sha256=" + "g" * 64)],
    "sha1 only": lambda body: [("X-Hub-Signature", sha1(body))],
    "sha1 in the other header": lambda body: [(NAME, sha1(body))],
    "another header": lambda body: [("X-Hub-Signature", hub(body))],
    "of another body": lambda body: [(NAME, hub(OTHER))],
    "of the body without its end": lambda body: [(NAME, hub(body[:-1]))],
    "of nothing": lambda body: [(NAME, hub(b""))],
}


def post(gateway, body, headers, path="/webhook"):
    client = gateway.client()
    client.connect()
    c = client.connection
    c.putrequest("POST", path)
    c.putheader("Content-Length", str(len(body)))
    for name, value in headers:
        c.putheader(name, value)
    c.endheaders(body)
    answer = c.getresponse()
    return answer.status, answer.read(), answer.getheaders()


@pytest.mark.parametrize("what", BAD)
def test_refused(gateway, what):
    marker = wamid()
    body = encode(one(text(id=marker, body="marker " + marker)))
    before = gateway.metric("godwit_webhooks_total", result="signature")
    status, answer, headers = post(gateway, body, BAD[what](body))
    assert (status, answer) == (401, b"")
    told = " ".join("%s: %s" % h for h in headers)
    assert marker not in told and hub(body)[7:39] not in told
    assert gateway.metric("godwit_webhooks_total", result="signature") == before + 1
    assert gateway.events() == []
    assert gateway.query("SELECT count(*) FROM body") == [(0,)]
    assert marker not in gateway.log()


def test_a_body_that_was_changed_on_its_way(gateway):
    body = encode(one(text(body="ten dollars")))
    for changed in (body.replace(b"ten", b"two"), body + b" ", b" " + body, body.replace(b'":', b'": ')):
        assert post(gateway, changed, [(NAME, hub(body))])[:2] == (401, b"")
    assert gateway.events() == []


def test_a_handshake_needs_the_token(gateway):
    for query, status, answer in (
            ("hub.mode=subscribe&hub.verify_token=test-verify-token&hub.challenge=158201%204444", 200, b"158201 4444"),
            ("hub.mode=subscribe&hub.verify_token=test-verify-tokeN&hub.challenge=1", 403, b""),
            ("hub.mode=subscribe&hub.verify_token=&hub.challenge=1", 403, b""),
            ("hub.mode=subscribe&hub.challenge=1", 403, b""),
            ("hub.mode=unsubscribe&hub.verify_token=test-verify-token&hub.challenge=1", 403, b""),
            ("hub.mode=subscribe&hub.verify_token=test-verify-token", 403, b""), ("", 403, b"")):
        got = gateway.meta.call("GET", "/webhook?" + query)
        assert (got.status, got.body) == (status, answer), query
        if status == 200:
            assert got.headers["Content-Type"].startswith("text/plain")
    for method in ("PUT", "DELETE", "PATCH"):
        assert gateway.meta.call(method, "/webhook", b"").status == 405


def test_both_secrets_are_taken_and_no_third(gateway):
    """While the secret rotates Meta signs with the one or the other."""
    kept = len(gateway.events())
    for secret in (SECRET, PREVIOUS):
        gateway.take(one(text()), secret=secret)
    for digits in (hub(OTHER), "sha256=" + hub(OTHER)[7:].upper()):  # hex is hex
        assert post(gateway, OTHER, [(NAME, digits)])[0] in (200, 401)
    assert gateway.hook(one(text()), secret=PREVIOUS + "x").status == 401
    assert len(gateway.events()) == kept + 3


def test_what_was_refused_may_come_again(gateway):
    """No trace of it: the same body with the right signature is new."""
    body, kept = encode(one(text())), len(gateway.events())
    assert post(gateway, body, [])[0] == 401
    gateway.take(body)
    assert len(gateway.events()) == kept + 1
