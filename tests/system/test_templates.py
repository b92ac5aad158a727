# SPDX-License-Identifier: MIT
"""What is known of templates, though no header says it: the category for who opted out, the state for everybody."""
import contextlib
import json
import time

import pytest

from kit import WABA, wait_until
from rig import encode
from sends import HOUR_MS, Meta, someone, template, text

LIST = "/v26.0/%s/message_templates" % WABA
SALE = dict(name="spring_sale", language="en_US")
READS = {"templates.read": "yes"}


def sale(to, **more):
    """The sandbox's marketing template, sent as any other."""
    message = template(to, words=("Ann",), **SALE, **more)
    message["template"]["components"] += [
        {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://shop.example.com/a.png"}}]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "x"}]}]
    return message


def out(gateway, who):
    assert gateway.api("POST", "contacts/+%s/optout" % who)["marketing"] == "optout"
    return who


def refused(answer, reason="consent", code=131050, status=400):
    assert (answer.status_code, answer.headers.get("Godwit-Refused")) == (status, reason), answer.text
    assert answer.json()["error"]["code"] == code


def known(gateway):
    with contextlib.closing(gateway.database()) as db:
        return {(r[0], r[1]): (r[2], r[3]) for r in db.execute("SELECT name,language,category,state FROM template")}


def now_s():
    return int(time.time())


def hook(gateway, field, at=1795000000, **value):
    body = {"object": "whatsapp_business_account", "entry": [{"id": WABA, "time": at, "changes": [
        {"field": field, "value": {"message_template_id": 1, "message_template_name": "spring_sale",
                                   "message_template_language": "en_US", **value}}]}]}
    assert gateway.webhook(encode(body)).status_code == 200


def test_the_lists_are_read_at_a_start(stacks):
    stack = stacks(READS)
    gateway, who = stack.gateway, someone()
    wait_until("the list", lambda: known(gateway).get(("spring_sale", "en_US")) == ("MARKETING", "APPROVED"))
    refused(gateway.send(sale(out(gateway, who))))
    assert stack.accepted(who) == []
    assert gateway.send(template(who)).status_code == 200, "one that is no marketing"
    assert gateway.send(sale(someone())).status_code == 200, "who did not opt out"
    gateway.conf["templates.read"] = "no"
    gateway.crash()
    refused(gateway.send(sale(who)))  # the store knows it
    gateway.check_store()


def test_one_that_is_not_known_is_looked_up(stacks):
    """The first goes to Meta, since what is not known is not refused; meanwhile the list is read."""
    stack = stacks({"templates.read": "no"})
    gateway, who = stack.gateway, someone()
    gateway.conf["templates.read"] = "yes"
    gateway.write_conf()
    assert gateway.cli("config", "reload").returncode == 0
    out(gateway, who)
    assert gateway.send(sale(who)).status_code == 200
    wait_until("the list", lambda: ("spring_sale", "en_US") in known(gateway))
    refused(gateway.send(sale(who)))


def test_a_list_that_passes_by_tells(stack):
    gateway, who = stack.gateway, someone()
    assert known(gateway) == {}
    assert gateway.graph("GET", LIST + "?limit=100").status_code == 200
    wait_until("the list", lambda: known(gateway).get(("spring_sale", "en_US")) == ("MARKETING", "APPROVED"))
    refused(gateway.send(sale(out(gateway, who))))
    assert stack.accepted(who) == []


def test_a_creation_that_passes_by_tells(stack):
    gateway = stack.gateway
    made = gateway.graph("POST", LIST, {"name": "autumn", "language": "de", "category": "MARKETING", "components": [
        {"type": "BODY", "text": "It is autumn now."}]})
    assert made.status_code == 200, made.text
    wait_until("it", lambda: known(gateway) == {("autumn", "de"): ("MARKETING", "PENDING")})
    stack.advance(4000)
    stack.sandbox.wait_quiet()
    wait_until("its review", lambda: known(gateway) == {("autumn", "de"): ("MARKETING", "APPROVED")})


def test_a_price_tells(stack):
    gateway, who = stack.gateway, someone()
    assert gateway.send(sale(someone())).status_code == 200
    stack.advance(1000)
    stack.sandbox.wait_quiet()
    wait_until("the price", lambda: known(gateway).get(("spring_sale", "en_US")) == ("MARKETING", ""))
    refused(gateway.send(sale(out(gateway, who))))
    gateway.crash()
    refused(gateway.send(sale(who)))


def test_what_was_queued_is_asked_at_release(stack):
    gateway, who = stack.gateway, someone()
    stack.inject(to=who, code=131057, always=True)
    msg = gateway.send_async(sale(who))
    gateway.wait_state(msg, "waiting")
    out(gateway, who)
    hook(gateway, "template_category_update", previous_category="UTILITY", new_category="MARKETING")
    stack.sandbox.clear_faults()
    stack.advance(2 * HOUR_MS)
    assert gateway.wait_state(msg, "rejected")["code"] == 131050 and stack.accepted(who) == []


@pytest.mark.parametrize("event,code,status", [("PAUSED", 132015, 400), ("DISABLED", 132016, 400),
                                               ("REJECTED", 132001, 404), ("DELETED", 132001, 404)])
def test_one_that_meta_would_not_send_is_refused(fronts, meta, event, code, status):
    gateway, who = fronts(), someone()
    hook(gateway, "message_template_status_update", at=now_s(), event=event,
         message_template_category="MARKETING")
    refused(gateway.send(sale(who)), "template", code, status)
    assert Meta.bodies(meta) == []
    other = template(who, name="spring_sale", language="de")
    assert gateway.send(other).status_code == 200, "another language is another template"
    hook(gateway, "message_template_status_update", at=now_s() + 1, event="APPROVED")
    assert gateway.send(sale(who)).status_code == 200
    assert gateway.metric("outbox_refused_total", reason="template") == 1
    gateway.check_store()


def test_older_news_changes_nothing(fronts, meta):
    gateway, now = fronts(), now_s()
    hook(gateway, "message_template_status_update", at=now, event="APPROVED", message_template_language="en-US")
    hook(gateway, "message_template_status_update", at=now - 60, event="DISABLED")
    assert gateway.send(sale(someone())).status_code == 200
    assert known(gateway) == {("spring_sale", "en_US"): ("", "APPROVED")}


def test_a_pause_ends_by_itself(fronts, meta):
    """Who does not hear of its end would refuse for ever: after the longest pause Meta decides."""
    gateway = fronts()
    hook(gateway, "message_template_status_update", at=now_s() - 6 * 3600 - 1, event="PAUSED")
    assert gateway.send(sale(someone())).status_code == 200


def test_free_forms_and_the_header_stay_as_they_were(stack):
    gateway, who = stack.gateway, someone()
    stack.write(who)
    out(gateway, who)
    assert gateway.graph("GET", LIST + "?limit=100").status_code == 200
    wait_until("the list", lambda: known(gateway) != {})
    assert gateway.send(text(who)).status_code == 200
    refused(gateway.send(sale(who), {"Godwit-Category": "utility"}))
    refused(gateway.send(template(who), {"Godwit-Category": "marketing"}))
    assert json.loads(stack.accepted(who)[0]["body"])["type"] == "text"
