# SPDX-License-Identifier: MIT
"""test_accounts.py - two apps, two business accounts and three numbers in one gateway, told apart everywhere"""
import json

import pytest

from kit import NUMBER, WABA
from rig import OTHER_NUMBER, OTHER_WABA, change, encode, envelope
from rig import text as inbound
from sends import Meta, someone, text

SECOND, THIRD = "106540352242933", "106540352242944"  # of the first account; of one that comes later
SHOP = {"app_id": "610000000000002", "app_secret": "shop-app-secret", "verify_token": "shop-verify-token",
        "token": "shop-token", "business_id": OTHER_WABA, "numbers": OTHER_NUMBER}
LATER = {"app_id": "610000000000003", "app_secret": "later-app-secret", "verify_token": "later-verify-token",
         "token": "later-token", "business_id": "102290129340399", "numbers": THIRD}


class Shop(Meta):
    """Its ids are no other Meta's."""

    def __init__(self):
        super().__init__()
        mine = self.on_request
        self.on_request = lambda request: (200, mine(request)[1].replace("wamid.meta", "wamid.shop"))


@pytest.fixture
def world(make_gateway, closing):
    """The gateway, and what each account's Meta is asked."""
    closing += [Meta(), Shop()]
    first, shop = closing[-2:]
    gateway = make_gateway(start=False, account={"base_url": first.url, "numbers": "%s %s" % (NUMBER, SECOND)})
    gateway.accounts["shop"] = {**SHOP, "base_url": shop.url}
    return gateway.start(), first, shop


def send(gateway, number, to=None, **more):
    return gateway.graph_send(text(to or someone()), number=number, **more)


def asked(meta):
    """(path, token) of every call."""
    return [(r.path, r.headers["Authorization"].split()[-1]) for r in meta.requests]


def account(gateway, name):
    return gateway.api("GET", "accounts/" + name)


def hook(gateway, number, waba, secret):
    return gateway.webhook(encode(envelope(change([inbound(someone())], number=number), waba=waba)), secret=secret)


def reload(gateway):
    gateway.write_conf()
    done = gateway.cli("config", "reload")
    assert done.returncode == 0, done.stderr


def test_each_number_leaves_by_its_own_account(world):
    gateway, first, shop = world
    for number in (NUMBER, SECOND, OTHER_NUMBER):
        assert send(gateway, number).status_code == 200
    assert asked(first) == [("/v26.0/%s/messages" % n, "test-token") for n in (NUMBER, SECOND)]
    assert asked(shop) == [("/v26.0/%s/messages" % OTHER_NUMBER, "shop-token")]
    assert send(gateway, THIRD).status_code == 400 and len(first.requests) + len(shop.requests) == 3


def test_calls_that_pass_through_are_told_apart(world):
    gateway, first, shop = world
    for thing in (WABA + "/message_templates", NUMBER + "/whatsapp_business_profile"):
        assert gateway.graph("GET", "/v26.0/" + thing).status_code == 200
    for thing in (OTHER_WABA + "/message_templates", OTHER_NUMBER + "/whatsapp_business_profile"):
        assert gateway.graph("GET", "/v26.0/" + thing).status_code == 200
    assert {token for _, token in asked(first)} == {"test-token"} and len(first.requests) == 2
    assert {token for _, token in asked(shop)} == {"shop-token"} and len(shop.requests) == 2


def test_webhooks_of_each(world):
    gateway, _, _ = world
    assert hook(gateway, NUMBER, WABA, "test-app-secret").status_code == 200
    assert hook(gateway, OTHER_NUMBER, OTHER_WABA, "shop-app-secret").status_code == 200
    assert hook(gateway, NUMBER, WABA, "later-app-secret").status_code == 401
    assert [(e["account"]["id"], e["account"]["business_id"]) for e in gateway.wait_events(2)] == [
        (NUMBER, WABA), (OTHER_NUMBER, OTHER_WABA)]
    for word, status in (("test-verify-token", 200), ("shop-verify-token", 200), ("later-verify-token", 403)):
        got = gateway.http.get(gateway.public + "/webhook", params={
            "hub.mode": "subscribe", "hub.verify_token": word, "hub.challenge": "42"})
        assert got.status_code == status and (got.text == "42") == (status == 200)


def test_a_key_of_one_number(world):
    gateway, first, shop = world
    key = gateway.make_key("send", "read", "manage", numbers=[OTHER_NUMBER])
    assert send(gateway, OTHER_NUMBER, key=key).status_code == 200
    assert send(gateway, NUMBER, key=key).status_code == 403 and first.requests == []
    assert len(shop.requests) == 1
    assert send(gateway, NUMBER).status_code == 200
    rows = gateway.graph("GET", "/api/v1/messages", key=key).json()["data"]
    assert {row["number_id"] for row in rows} == {OTHER_NUMBER}
    assert [n["id"] for n in gateway.graph("GET", "/api/v1/numbers", key=key).json()["data"]] == [OTHER_NUMBER]
    assert gateway.graph("GET", "/api/v1/accounts", key=key).status_code == 403
    assert gateway.graph("GET", "/api/v1/accounts", key=gateway.make_key("read")).status_code == 403
    assert gateway.graph("GET", "/api/v1/accounts", key=gateway.make_key("manage")).status_code == 200


def test_one_is_paused_and_the_other_goes_on(world):
    gateway, first, shop = world
    shop.answer_next(401, {"error": {"message": "expired", "type": "OAuthException", "code": 190}})
    assert send(gateway, OTHER_NUMBER).json()["error"]["code"] == 190
    assert (account(gateway, "shop")["paused"], account(gateway, "shop")["paused_code"]) == (True, 190)
    refused = send(gateway, OTHER_NUMBER)
    assert (refused.status_code, refused.headers["Godwit-Refused"]) == (401, "account")
    assert len(shop.requests) == 1
    for number in (NUMBER, SECOND):
        assert send(gateway, number).status_code == 200
    assert account(gateway, "test")["paused"] is False and len(first.requests) == 2
    gateway.accounts["shop"]["token"] = "shop-token-of-today"
    reload(gateway)
    assert account(gateway, "shop")["paused"] is False
    assert send(gateway, OTHER_NUMBER).status_code == 200
    assert asked(shop)[-1][1] == "shop-token-of-today"


def test_a_reload_adds_an_account_and_a_number(world):
    gateway, first, shop = world
    fourth = "106540352242955"
    gateway.accounts["later"] = {**LATER, "base_url": shop.url}
    gateway.accounts["test"]["numbers"] += " " + fourth
    reload(gateway)
    assert send(gateway, THIRD).status_code == 200 and send(gateway, fourth).status_code == 200
    assert asked(shop) == [("/v26.0/%s/messages" % THIRD, "later-token")]
    assert asked(first) == [("/v26.0/%s/messages" % fourth, "test-token")]
    assert hook(gateway, THIRD, LATER["business_id"], "later-app-secret").status_code == 200
    del gateway.accounts["later"]  # one that is not named any more stays
    reload(gateway)
    gateway.crash()
    assert account(gateway, "later")["numbers"] == [THIRD] and send(gateway, THIRD).status_code == 200


def test_shown_without_secrets(world):
    gateway, _, _ = world
    listed, got = gateway.cli("account", "list"), gateway.cli("account", "get", "shop", "--json")
    assert listed.returncode == 0 and NUMBER + " " + SECOND in listed.stdout and "shop" in listed.stdout
    shown = json.loads(got.stdout)
    assert shown == account(gateway, "shop")
    assert (shown["app_id"], shown["numbers"], shown["has_token"], shown["has_app_secret_previous"]) == (
        SHOP["app_id"], [OTHER_NUMBER], True, False)
    for word in (SHOP["token"], SHOP["app_secret"], SHOP["verify_token"], "test-token", "test-app-secret"):
        assert word not in listed.stdout + got.stdout + gateway.local("GET", "/api/v1/accounts").text
    assert gateway.cli("account", "get", "nobody").returncode == 3
    assert gateway.cli("account", "add").returncode == 2
    assert "[account NAME]" in gateway.cli("help", "account", "list").stdout
