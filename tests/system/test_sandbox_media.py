# SPDX-License-Identifier: MIT
"""test_sandbox_media.py - media of `godwit sandbox` over HTTP: upload, look up, fetch, delete, expire"""
import base64
import hashlib
import json
import os

import requests
from test_sandbox import ANA, NUMBER, callback, start  # noqa: F401 (fixtures)

AUTH = {"Authorization": "Bearer any"}
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
                       "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def upload(s, content=PNG, mime="image/png", **fields):
    return s.http.post("%s/v26.0/%s/media" % (s.base, NUMBER), headers=AUTH, timeout=60,
                       data={"messaging_product": "whatsapp", **fields}, files={"file": ("a.bin", content, mime)})


def look_up(s, media):
    return s.http.get("%s/v26.0/%s" % (s.base, media), headers=AUTH, timeout=20)


def fetch(s, url, headers=AUTH):
    return s.http.get(url, headers=headers, timeout=60)


def test_the_life_of_a_file(start):  # noqa: F811
    s = start("--freeze", "--quiet-customer")
    media = upload(s).json()["id"]
    found = look_up(s, media).json()
    assert found["url"].startswith(s.base + "/")
    assert found["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (int(found["file_size"]), found["mime_type"], found["id"]) == (len(PNG), "image/png", media)
    got = fetch(s, found["url"])
    assert (got.status_code, got.content, got.headers["Content-Type"]) == (200, PNG, "image/png")
    assert fetch(s, found["url"], {}).json()["error"]["code"] == 104

    s.control("POST", "clock", advance="5m")
    assert fetch(s, found["url"]).status_code == 404
    assert fetch(s, look_up(s, media).json()["url"]).content == PNG

    s.control("POST", "say", **{"from": "+" + ANA, "text": "hello"})
    assert s.send(type="image", image={"id": media}).status_code == 200
    deleted = s.http.delete("%s/v26.0/%s" % (s.base, media), headers=AUTH, timeout=20)
    assert deleted.json() == {"success": True}
    assert look_up(s, media).json()["error"]["error_subcode"] == 33
    assert s.send(type="image", image={"id": media}).json()["error"]["code"] == 100


def test_ids_end_after_thirty_days_and_received_ones_after_seven(start):  # noqa: F811
    s = start("--freeze", "--quiet-customer")
    media = upload(s).json()["id"]
    s.control("POST", "say", **{"from": "+" + ANA, "message": {"type": "image", "image": {"caption": "c"}}})
    log = s.control("GET", "webhooks?wait=1&state=unsent")["webhooks"]
    image = json.loads(log[0]["body"])["entry"][0]["changes"][0]["value"]["messages"][0]["image"]
    got = fetch(s, look_up(s, image["id"]).json()["url"])
    assert base64.b64decode(image["sha256"]) == hashlib.sha256(got.content).digest()
    s.control("POST", "clock", advance="168h")
    assert look_up(s, image["id"]).status_code == 400
    assert look_up(s, media).status_code == 200
    s.control("POST", "clock", advance="552h")
    assert look_up(s, media).status_code == 400


def test_a_large_document_and_bodies_over_the_limit(start):  # noqa: F811
    s = start("--quiet-customer")
    large = os.urandom(1 << 20) * 20
    media = upload(s, large, "application/pdf").json()["id"]
    assert fetch(s, look_up(s, media).json()["url"]).content == large
    refused = upload(s, large, "video/mp4").json()["error"]
    assert refused["code"] == 131053 and "16777216" in refused["error_data"]["details"]
    elsewhere = requests.post("%s/v26.0/%s/messages" % (s.base, NUMBER), data=large, headers=AUTH, timeout=60)
    assert elsewhere.status_code == 413
    s.control("POST", "reset")
    assert look_up(s, media).status_code == 400


def test_a_resumable_upload_in_one_piece_over_the_usual_limit(start):  # noqa: F811
    s = start("--quiet-customer")
    content = bytes(5 << 20)
    session = s.http.post(s.base + "/v26.0/610000000000001/uploads", headers=AUTH, timeout=20, params={
        "file_name": "a.mp4", "file_length": len(content), "file_type": "video/mp4"}).json()["id"]
    done = s.http.post("%s/v26.0/%s" % (s.base, session), data=content, timeout=60,
                       headers={"Authorization": "OAuth any", "file_offset": "0"})
    assert done.json()["h"].startswith("4::"), done.text


def test_the_app_takes_a_callback_over_graph(start, callback):  # noqa: F811
    s = start("--quiet-customer")
    taken = s.http.post(s.base + "/v26.0/610000000000001/subscriptions", headers=AUTH, timeout=20, json={
        "object": "whatsapp_business_account", "callback_url": callback.url, "verify_token": "sandbox-verify-token"})
    assert taken.json() == {"success": True}
    s.control("POST", "say", **{"from": "+" + ANA, "text": "hello"})
    s.control("GET", "webhooks?wait=1")
    assert b"hello" in callback.posts[0][0]
