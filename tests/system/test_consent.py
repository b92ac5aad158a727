# SPDX-License-Identifier: MIT
"""Consent: who wrote STOP gets no marketing by any path, until she says otherwise."""
import json

import pytest

from kit import NUMBER, wait_until
from rig import change, encode, envelope
from sends import HOUR_MS, Meta, someone, template, text

MARKETING = {"Godwit-Category": "marketing"}
EDGE = "/v26.0/%s/marketing_messages" % NUMBER


def say(stack, who, words):
    stack.sandbox.say(words, "+" + who)
    stack.sandbox.wait_quiet()


def contact(gateway, who):
    return gateway.api("GET", "contacts/+" + who)


def refused(answer):
    assert (answer.status_code, answer.headers.get("Godwit-Refused")) == (400, "consent"), answer.text
    error = answer.json()["error"]
    assert error["code"] == 131050 and error["message"] == "(#131050) User has stopped receiving marketing messages"
    assert error["error_data"]["details"].startswith("Godwit refused this message: ")
    return answer


def is_out(gateway, who):
    """Marketing is refused, by the header and by Meta's path for it, and nothing left."""
    refused(gateway.send(template(who), MARKETING))
    refused(gateway.send(template(who), path=EDGE))


def test_stop_refuses_marketing_and_start_lets_it_go_again(stack):
    gateway, who = stack.gateway, someone()
    stack.write(who)
    assert gateway.send(template(who), MARKETING).status_code == 200
    say(stack, who, "Stop!")
    is_out(gateway, who)
    assert len(stack.accepted(who)) == 1
    assert gateway.send(text(who)).status_code == 200, "a reply in the open window"
    assert gateway.send(template(who)).status_code == 200, "a template that is not said to be marketing"
    assert gateway.metric("outbox_refused_total", reason="consent") == 2
    known = contact(gateway, who)
    assert known["marketing"] == "optout" and known["phone"] == "+" + who
    assert [(r["what"], r["scope"], r["source"], r["note"], r["key"]) for r in known["record"]] == [
        ("optout", "marketing", "word", "Stop!", None)]
    events = gateway.events(type="consent.changed")
    assert [e["consent"] for e in events] == [{"what": "optout", "scope": "marketing", "source": "word"}]
    assert events[0]["id"] == known["record"][0]["event"] and events[0]["contact"]["id"] == known["id"]
    assert events[0]["change"]["value"]["value"] == "stop" and events[0]["account"]["id"] == NUMBER
    say(stack, who, "START")
    assert gateway.send(template(who), MARKETING).status_code == 200
    assert [r["what"] for r in contact(gateway, who)["record"]] == ["optout", "optin"]
    gateway.check_store()


def test_only_the_whole_text_is_a_word(stack):
    gateway, who = stack.gateway, someone()
    for words in ("Please stop by tomorrow", "stop it", "non-stop"):
        say(stack, who, words)
    assert contact(gateway, who)["marketing"] == "unknown"
    assert gateway.send(template(who), MARKETING).status_code == 200


@pytest.mark.conf({"consent.stop_words": "genug, es reicht", "consent.start_words": ""})
def test_the_words_are_the_configurations(sandbox, gateway):
    wait_until("the handshake", lambda: sandbox.state()["ready"])
    for who, words, then in (("+4915100000001", "STOP", "unknown"), ("+4915100000002", "Es reicht!", "optout"),
                             ("+4915100000002", "start", "optout")):
        sandbox.say(words, who)
        sandbox.wait_quiet()
        assert gateway.api("GET", "contacts/" + who)["marketing"] == then, words
    gateway.conf["consent.stop_words"] = "basta"
    gateway.write_conf()
    assert "consent.stop_words" in gateway.cli("config", "reload").stdout
    for words, then in (("genug", "unknown"), ("Basta!", "optout")):
        sandbox.say(words, "+4915100000001")
        sandbox.wait_quiet()
        assert gateway.api("GET", "contacts/+4915100000001")["marketing"] == then, words


def test_it_is_asked_at_release_and_not_at_the_door(stack):
    """What was queued before the STOP does not leave after it."""
    gateway, who = stack.gateway, someone()
    stack.write(who)
    stack.inject(to=who, code=131057, always=True)
    msg = gateway.send_async(template(who), MARKETING)
    gateway.wait_state(msg, "waiting")
    say(stack, who, "STOP")
    stack.sandbox.clear_faults()
    stack.advance(2 * HOUR_MS)
    message = gateway.wait_state(msg, "rejected")
    assert message["code"] == 131050 and stack.accepted(who) == []
    wait_until("the event of it", lambda: "rejected" in [e["status"]["state"] for e in gateway.told(msg)])


def test_a_restart_keeps_it(stack):
    gateway, who, waits = stack.gateway, someone(), someone()
    for one in (who, waits):
        stack.write(one)
    stack.inject(to=waits, code=131057, always=True)
    msg = gateway.send_async(template(waits), MARKETING)
    gateway.wait_state(msg, "waiting")
    say(stack, waits, "STOP")
    say(stack, who, "STOP")
    gateway.kill()
    gateway.start()
    is_out(gateway, who)
    stack.sandbox.clear_faults()
    stack.advance(2 * HOUR_MS)
    assert gateway.wait_state(msg, "rejected")["code"] == 131050, "one that was loaded"
    assert contact(gateway, who)["marketing"] == "optout"


def test_an_import_never_undoes_it(stack):
    gateway, who = stack.gateway, someone()
    say(stack, who, "unsubscribe")
    answer = gateway.api("POST", "contacts/+%s/optin" % who, {"source": "import", "note": "list of May"})
    assert answer["marketing"] == "optout", "it is recorded, and changes nothing"
    assert [(r["what"], r["source"]) for r in answer["record"]] == [("optout", "word"), ("optin", "import")]
    is_out(gateway, who)
    assert gateway.api("POST", "contacts/%s/optin" % answer["id"], {"note": "by telephone"})["marketing"] == "optin"
    assert gateway.send(template(who), MARKETING).status_code == 200


def test_who_is_not_known_can_opt_out(stack):
    gateway, who = stack.gateway, someone()
    assert gateway.local("GET", "/api/v1/contacts/%2B" + who).status == 404
    assert gateway.api("POST", "contacts/+%s/optout" % who)["marketing"] == "optout"
    is_out(gateway, who)
    assert stack.accepted(who) == []
    stack.write(who)
    refused(gateway.send(template(who), MARKETING))  # she is the same when she writes
    assert [c["contact"]["phone"] for c in gateway.api("GET", "conversations", number=NUMBER)["data"]] == ["+" + who]


def test_a_number_written_in_another_way_is_the_same_customer(stack):
    stack.gateway.api("POST", "contacts/+5571990000077/optout")
    for spelling in ("+55 (71) 99000-0077", "557190000077"):
        refused(stack.gateway.send(template(spelling), MARKETING))


def test_who_turns_out_to_be_one_is_one(stack):
    """A message waits for a user id; that it is hers who opted out by telephone number comes out meanwhile."""
    gateway, who, user = stack.gateway, someone(), "DE." + someone()
    to_user = {**template("x"), "recipient": user}
    del to_user["to"]
    stack.inject(code=131057, always=True)
    msg = gateway.send_async(to_user, MARKETING)
    gateway.wait_state(msg, "waiting")
    assert gateway.api("POST", "contacts/+%s/optout" % who)["marketing"] == "optout"
    both = change([{"from": who, "from_user_id": user, "id": "wamid.both", "timestamp": "1795000000", "type": "text",
                    "text": {"body": "hello"}}])
    assert gateway.webhook(encode(envelope(both))).status_code == 200
    assert contact(gateway, who)["user_id"] == user
    assert gateway.api("GET", "contacts/" + user)["marketing"] == "optout"
    stack.sandbox.clear_faults()
    stack.advance(2 * HOUR_MS)
    assert gateway.wait_state(msg, "rejected")["code"] == 131050
    refused(gateway.send(to_user, MARKETING))


def test_wrong_calls_are_told(stack):
    gateway = stack.gateway
    for path, body, status, code in (
            ("ctc_" + "0" * 26 + "/optout", {}, 404, "no_such_contact"), ("nobody/optout", {}, 404, "no_such_contact"),
            ("+12/optin", {}, 404, "no_such_contact"), ("+15550001111/optin", {"source": "word"}, 400, "bad_source"),
            ("+15550001111/optin", {"note": 1}, 400, "bad_member"),
            ("+15550001111/optin", {"x": 1}, 400, "unknown_member"),
            ("+15550001111/optin", {"note": "x" * 513}, 400, "bad_member")):
        answer = gateway.local("POST", "/api/v1/contacts/" + path, body)
        assert (answer.status, answer.json["error"]["code"]) == (status, code), path
    assert gateway.api("GET", "contacts")["data"] == []
    bad = gateway.send(template("15550001111"), {"Godwit-Category": "promotion"})
    assert bad.status_code == 400 and "Godwit-Category" in bad.text


def test_the_key_that_decided_is_in_the_record(stack):
    gateway, who = stack.gateway, someone()
    path = "/api/v1/contacts/%2B" + who
    answer = gateway.graph("POST", path + "/optout", {"note": "letter"}, key=gateway.make_key("manage"))
    assert answer.status_code == 200, answer.text
    row = answer.json()["record"][0]
    assert row["key"] in [k["id"] for k in gateway.api("GET", "keys")["data"]] and row["source"] == "api"
    limited = gateway.make_key("manage", numbers=[NUMBER])
    answer = gateway.graph("POST", path + "/optin", {}, key=limited)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "number_key")


def preference(who, value, at):
    return envelope(change(field="user_preferences", user_preferences=[
        {"wa_id": who, "detail": "x", "category": "marketing_messages", "value": value, "timestamp": at}]))


def test_metas_own_preference_counts(fronts, meta):
    gateway, who = fronts(), someone()
    for value, then, at in (("stop", "optout", 1795000006), ("resume", "optin", 1795000007),
                            ("stop", "optin", 1795000001)):
        assert gateway.webhook(encode(preference(who, value, at))).status_code == 200
        assert contact(gateway, who)["marketing"] == then, "a late one does not undo what came after it"
    assert gateway.webhook(encode(preference(who, "stop", 1795000009))).status_code == 200
    refused(gateway.send(template(who), MARKETING))
    assert {r["source"] for r in contact(gateway, who)["record"]} == {"meta_preference"}
    assert Meta.bodies(meta) == []


def test_a_repeated_webhook_is_one_decision(fronts):
    gateway, who = fronts(), someone()
    body = encode(envelope(change([{"from": who, "id": "wamid.stop", "timestamp": "1795000000", "type": "text",
                                    "text": {"body": "stop"}}])))
    for _ in range(3):
        assert gateway.webhook(body).status_code == 200
    assert len(contact(gateway, who)["record"]) == 1
    assert len(gateway.events(type="consent.changed")) == len(gateway.events(type="message.received")) == 1


def test_the_command_line(stack):
    gateway, who = stack.gateway, someone()
    stack.write(who)
    out = gateway.cli("contact", "optout", "+" + who, "--note", "asked in the shop")
    assert out.returncode == 0 and "optout" in out.stdout and "asked in the shop" in out.stdout
    assert who not in out.stdout, "numbers are masked"
    got = json.loads(gateway.cli("--json", "contact", "get", "+" + who).stdout)
    assert got["marketing"] == "optout" and got["record"][0]["source"] == "cli"
    listed = gateway.cli("contact", "list")
    assert "MARKETING" in listed.stdout and "optout" in listed.stdout
    send = ("send", "+" + who, "--template", "order_shipped", "--lang", "en", "--var", "1=Ann", "--var", "2=4711")
    no = gateway.cli(*send, "--category", "marketing")
    assert no.returncode == 5 and "131050" in no.stderr, no
    assert stack.accepted(who) == []
    assert gateway.cli("send", "+" + who, "Yes").returncode == 0
    assert gateway.cli("contact", "optin", got["id"]).returncode == 0
    assert gateway.cli(*send, "--category", "marketing").returncode == 0
    nobody = gateway.cli("contact", "get", "+999999999999")
    assert nobody.returncode == 3 and "no such contact" in nobody.stderr
