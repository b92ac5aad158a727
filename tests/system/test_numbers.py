# SPDX-License-Identifier: MIT
"""test_numbers.py - what Meta says of our numbers: read, shown, and heeded by pace and guard"""
import contextlib
import json

import pytest

import kit
from kit import ANA, NUMBER, WABA, wait_until
from rig import encode, now
from sends import someone, text

HOUR, MINUTE = 60, 1
CALLBACK = {"object": "whatsapp_business_account"}


@pytest.fixture
def gateway(make_sandbox, make_gateway):
    """Its number has no rate in the configuration."""
    sandbox = make_sandbox()
    sandbox.set(enforce_window=False, jitter_percent=0)
    return make_gateway(sandbox, conf={"numbers.read": "yes"})


def number(gateway):
    return gateway.api("GET", "numbers/" + NUMBER)


def told(gateway, **want):
    """What is shown, when it is this."""
    def there():
        n = number(gateway)
        return n if all(n[k] == v for k, v in want.items()) else None
    return wait_until("a number with %s" % want, there)


def meta_says(gateway, **words):
    gateway.sandbox.control("POST", "numbers", {"id": NUMBER, **words})


def minutes(gateway, n):
    kit.Clock(gateway.sandbox).advance(minutes=n)


def reads(gateway, outcome="ok"):
    return gateway.metric("number_reads_total", outcome=outcome)


def accepted(gateway, to):
    return gateway.sandbox.messages(to=to)


def send(gateway, to=None):
    return gateway.graph_send(text(to or someone()))


def test_read_at_a_start_and_shown(gateway):
    n = told(gateway, status="CONNECTED")
    assert (n["quality"], n["throughput"], n["messaging_limit"]) == ("GREEN", "STANDARD", "TIER_UNLIMITED")
    assert (n["limit_mps"], n["limit_from"], n["account"], n["business_id"]) == (80, "meta", "test", WABA)
    assert n["address"] == "+" + "".join(c for c in gateway.sandbox.state()["numbers"][0]["display_phone_number"]
                                         if c.isdigit())
    assert n["name"] and n["read_at"] and n["read_error"] is None and n["paused"] is False
    assert gateway.api("GET", "numbers")["data"] == [n]
    listed = gateway.cli("number", "list")
    assert listed.returncode == 0 and all(w in listed.stdout for w in (NUMBER, "CONNECTED", "GREEN", "80", "meta"))
    got = gateway.cli("number", "get", NUMBER)
    assert got.returncode == 0 and all(w in got.stdout for w in ("STANDARD", "TIER_UNLIMITED", n["name"]))
    assert json.loads(gateway.cli("number", "get", NUMBER, "--json").stdout) == n
    assert gateway.cli("number", "list", "-o", "id").stdout.split() == [NUMBER]
    missing = gateway.cli("number", "get", "1")
    assert missing.returncode == 3 and "no such number" in missing.stderr


def test_every_hour_and_kept(gateway):
    told(gateway, status="CONNECTED")
    meta_says(gateway, quality_rating="RED", messaging_limit="TIER_2K", limit_mps=1000)
    minutes(gateway, 53)  # 54 is an hour less a tenth
    assert send(gateway).status_code == 200  # by its answer, what was due has been asked for
    assert reads(gateway) == 1 and number(gateway)["quality"] == "GREEN"
    minutes(gateway, 14)
    n = told(gateway, quality="RED")
    assert (n["messaging_limit"], n["throughput"], n["limit_mps"]) == ("TIER_2K", "HIGH", 1000)
    assert "quality=RED" in gateway.log() and reads(gateway) == 2
    for expected in (3, 4):
        minutes(gateway, 67)
        wait_until("the next", lambda: reads(gateway) == expected)
    gateway.conf["numbers.read"] = "no"
    gateway.crash()
    n = number(gateway)
    assert (n["quality"], n["limit_mps"], n["limit_from"]) == ("RED", 1000, "meta"), "the store has it"
    assert reads(gateway) == 0
    gateway.accounts["test"]["numbers"] = NUMBER + "=30"
    gateway.write_conf()
    assert gateway.cli("config", "reload").returncode == 0
    assert (number(gateway)["limit_mps"], number(gateway)["limit_from"]) == (30, "configuration")


def test_the_pace_is_metas(gateway):
    """With 80 a second one leaves every 12.6 ms: steps of 5 ms that let one out each show that it is 1,000."""
    told(gateway, throughput="STANDARD")
    clock, to = kit.Clock(gateway.sandbox), [someone() for _ in range(40)]
    meta_says(gateway, limit_mps=1000)
    minutes(gateway, 67)
    told(gateway, throughput="HIGH", limit_mps=1000)
    clock.freeze()
    for who in to:
        gateway.send_text("+" + who)

    def out():
        return sum(len(accepted(gateway, who)) for who in to)
    for step in range(30):
        before = out()
        clock.advance(ms=5)
        wait_until("one more in step %d" % step, lambda: out() > before or out() == len(to))
    assert out() >= 30
    clock.resume()
    wait_until("all", lambda: out() == len(to))


def test_in_the_app_as_well(gateway):
    told(gateway, limit_mps=80)
    meta_says(gateway, is_on_biz_app=True)
    minutes(gateway, 67)
    told(gateway, limit_mps=20, limit_from="meta")


@pytest.mark.parametrize("status, code, http", [("DISCONNECTED", 133010, 400), ("BANNED", 131031, 403)])
def test_a_number_that_sends_nothing(gateway, status, code, http):
    told(gateway, status="CONNECTED")
    meta_says(gateway, status=status)
    minutes(gateway, 67)
    told(gateway, status=status)
    wait_until("the log", lambda: "godwit explain " + status in gateway.log())
    who = someone()
    refused = send(gateway, who)
    assert (refused.status_code, refused.headers["Godwit-Refused"]) == (http, "number"), refused.text
    error = refused.json()["error"]
    assert error["code"] == code and status in error["error_data"]["details"]
    assert gateway.metric("outbox_refused_total", reason="number") == 1 and accepted(gateway, who) == []
    meta_says(gateway, status="CONNECTED")
    minutes(gateway, 2)
    send(gateway, who)  # refused or not: it is asked about again
    told(gateway, status="CONNECTED")
    assert send(gateway, who).status_code == 200


def test_what_was_taken_waits_for_the_number(gateway):
    told(gateway, status="CONNECTED")
    meta_says(gateway, status="BANNED")
    minutes(gateway, 67)
    told(gateway, status="BANNED")
    who = someone()
    answer = gateway.graph_send(text(who), headers={"Prefer": "respond-async"})
    id_ = answer.headers["Godwit-Message"]
    wait_until("it waits", lambda: gateway.message(id_).state == "waiting")
    assert "BANNED" in [t for t in gateway.trail(id_) if t.get("to") == "waiting"][-1]["why"]
    assert accepted(gateway, who) == []
    meta_says(gateway, status="CONNECTED")
    minutes(gateway, 2)  # it is looked at again, and Meta asked
    told(gateway, status="CONNECTED")
    minutes(gateway, 2)
    wait_until("it was sent", lambda: gateway.message(id_).state == "accepted")
    assert len(accepted(gateway, who)) == 1


def test_what_another_process_read_stops_nobody(gateway):
    """The number may have been registered again while nobody ran."""
    told(gateway, status="CONNECTED")
    meta_says(gateway, status="DISCONNECTED")
    minutes(gateway, 67)
    told(gateway, status="DISCONNECTED")
    gateway.conf["numbers.read"] = "no"
    gateway.crash()
    assert number(gateway)["status"] == "DISCONNECTED"
    who = someone()
    answer = send(gateway, who)  # Meta decides
    assert "Godwit-Refused" not in answer.headers, answer.text


@pytest.mark.parametrize("status", ["FLAGGED", "RESTRICTED", "RATE_LIMITED"])
def test_one_that_may_still_send(gateway, status):
    told(gateway, status="CONNECTED")
    meta_says(gateway, status=status)
    minutes(gateway, 67)
    told(gateway, status=status)
    assert send(gateway).status_code == 200


def test_old_news_stops_nobody(gateway):
    told(gateway, status="CONNECTED")
    meta_says(gateway, status="DISCONNECTED")
    minutes(gateway, 67)
    told(gateway, status="DISCONNECTED")
    meta_says(gateway, status="CONNECTED")
    gateway.conf["numbers.read"] = "no"
    gateway.write_conf()
    assert gateway.cli("config", "reload").returncode == 0
    minutes(gateway, 100)
    assert send(gateway).headers["Godwit-Refused"] == "number"
    minutes(gateway, 21)
    assert send(gateway).status_code == 200 and number(gateway)["status"] == "DISCONNECTED"


def test_a_look_that_fails_stops_nothing(gateway):
    told(gateway, status="CONNECTED")
    rule = gateway.sandbox.inject(code=190, target="any", always=True)
    minutes(gateway, 67)
    n = wait_until("the failure", lambda: number(gateway) if number(gateway)["read_error"] else None)
    assert (n["read_error"]["http"], n["read_error"]["code"], n["status"]) == (401, 190, "CONNECTED")
    assert "190" in n["read_error"]["advice"] and "godwit explain 190" in gateway.log()
    assert reads(gateway, "permfail") == 1 and "because" in gateway.cli("number", "get", NUMBER).stdout
    gateway.sandbox.control("DELETE", "inject/%d" % rule)
    assert n["paused"] is False and send(gateway).status_code == 200
    gateway.sandbox.inject(fault="5xx", target="any", next=1)
    minutes(gateway, 6)  # five minutes, a tenth more or less
    wait_until("an answer that tells nothing", lambda: reads(gateway, "tempfail") == 1)
    minutes(gateway, 8)  # ten, likewise
    assert send(gateway).status_code == 200 and reads(gateway) == 1
    minutes(gateway, 4)
    assert told(gateway, read_error=None)["read_at"] != n["read_at"]
    assert reads(gateway) == 2


def test_what_passes_by_is_a_reason_to_look(gateway):
    told(gateway, status="CONNECTED")
    assert gateway.graph("POST", "/v26.0/%s/deregister" % NUMBER).status_code == 200
    minutes(gateway, 2)
    told(gateway, status="PENDING")
    minutes(gateway, 2)
    assert gateway.graph("POST", "/v26.0/%s/register" % NUMBER,
                         {"messaging_product": "whatsapp", "pin": "123456"}).status_code == 200
    told(gateway, status="CONNECTED")


def test_a_webhook_is_a_reason_to_look(gateway):
    told(gateway, status="CONNECTED")
    meta_says(gateway, limit_mps=1000)
    minutes(gateway, 2)
    body = {**CALLBACK, "entry": [{"id": WABA, "time": now(), "changes": [{
        "field": "phone_number_quality_update",
        "value": {"display_phone_number": "1", "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"}}]}]}
    assert gateway.webhook(encode(body)).status_code == 200
    told(gateway, throughput="HIGH", limit_mps=1000)


def test_not_asked(make_sandbox, make_gateway):
    gateway = make_gateway(make_sandbox(), conf={"numbers.read": "no"})
    assert gateway.send(ANA, "x").status_code == 200
    n = number(gateway)
    assert (n["status"], n["read_at"], n["limit_mps"], n["limit_from"]) == (None, None, 80, "default")
    minutes(gateway, 67)
    assert gateway.send(ANA, "y").status_code == 200 and reads(gateway) == 0
    gateway.conf["numbers.read"] = "yes"
    gateway.write_conf()
    assert gateway.cli("config", "reload").returncode == 0
    told(gateway, status="CONNECTED")
    with contextlib.closing(gateway.database()) as db:
        assert [tuple(r) for r in db.execute("SELECT number_id,status FROM number_fact")] == [(NUMBER, "CONNECTED")]
