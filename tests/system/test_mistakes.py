# SPDX-License-Identifier: MIT
"""The mistakes that guides and troubleshooting pages describe: each is made, read about, and repaired.

A row makes one mistake against the sandbox, keeps what `send`, `why` or whoever meets it says, and does what
the fix says; then the same thing must work: delivered, answered, or arrived. What was said must hold the
catalogue's title, cause, fix and command, so that it is the same wherever it is met (test_advice.py).
Where `godwit doctor` can see it, it is asked before and after: it names the cause, and then it does not.

docs/mistakes.md is the table of them; GODWIT_WRITE_DOCS=1 writes it anew.
"""
import dataclasses
import itertools
import json
import os
import re
import subprocess
import typing

import pytest

import kit
from kit import NUMBER, WABA, wait_until
from sends import module_folder, template

DOCS = os.path.join(kit.TOP, "docs", "mistakes.md")
APP = "610000000000001"


class World:
    """A sandbox, a gateway, and customers who write or do not."""

    def __init__(self, folder):
        self.folder, self.people, self.latest = folder, itertools.count(1000), ""
        self.sandbox = kit.Sandbox(folder)
        self.sandbox.set(jitter_percent=0, sent_ms=20, delivered_ms=40, read_ms=60)
        self.gateway = kit.Gateway(folder, self.sandbox, conf={"graph.wait_max": "2s", "pacing.pair_burst": "45"})
        self.clock = kit.Clock(self.sandbox)
        wait_until("the handshake", lambda: self.sandbox.state()["ready"])

    def close(self):
        try:
            self.gateway.close()
        finally:
            self.sandbox.close()

    def someone(self, writes=True):
        """A customer; the window is open when she has written."""
        self.latest = phone = "+557199600%04d" % next(self.people)
        if writes:
            self.write(phone)
        return phone

    def write(self, phone, text="Hi"):
        self.sandbox.say(text, phone)
        self.sandbox.wait_quiet()

    def cli(self, *args, stdin=None):
        done = self.gateway.cli(*args, stdin=stdin)
        return done.stdout + done.stderr

    def refused(self, *args, body=None):
        """`godwit send`, which must fail; all that it said."""
        done = self.send(*args, body=body)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def send(self, *args, body=None):
        if body is not None:
            return self.gateway.cli("send", "--json-body", "-", *args, stdin=json.dumps(body))
        return self.gateway.cli("send", *args)

    def delivered(self, *args, body=None):
        done = self.send("--wait", "delivered", *args, body=body)
        assert done.returncode == 0, done.stdout + done.stderr
        return True

    def doctor(self, check, *args):
        """The row of one check, or of its worst."""
        done = self.gateway.cli("doctor", "--json", *args)
        assert done.returncode in (0, 9), done.stderr
        rows = [row for row in json.loads(done.stdout)["data"] if row["check"] == check]
        return min(rows, key=lambda row: ["fail", "warn", "ok", "skip"].index(row["result"]))

    def why(self, *args, body=None):
        """What `why` says of a message that `send` could not bring through."""
        said = self.refused(*args, body=body)
        return self.cli("why", re.search(r"msg_\w{26}", said).group())

    def hand_over(self, phone, body="Hi", **more):
        """As an application does, without waiting; our id."""
        return self.gateway.send_text(phone, body, **more)

    def graph(self, method, path, body=None, **more):
        return self.gateway.graph(method, "/v26.0/" + path, body, **more)

    def refused_call(self, method, path, body=None, **more):
        """What an application reads of a call that fails: Meta's body, and the header beside it."""
        answer = self.graph(method, path, body, **more)
        assert answer.status_code >= 400, answer.text
        return answer.headers.get("Godwit-Advice", "") + answer.text

    def done_call(self, method, path, body=None, **more):
        answer = self.graph(method, path, body, **more)
        assert answer.status_code == 200, answer.text
        return True

    def template(self, status, name="order_shipped", language="en"):
        self.sandbox.control("POST", "templates", {"name": name, "language": language, "status": status})

    def reload(self):
        self.gateway.write_conf()
        assert self.gateway.cli("config", "reload").returncode == 0
        return True

    def until_delivered(self, msg):
        """What waits goes through when its time has come."""
        def there():
            self.clock.advance(minutes=2)
            return self.gateway.api("GET", "messages/" + msg)["status"] in ("delivered", "read")
        return wait_until("%s delivered" % msg, there)


@dataclasses.dataclass
class Mistake:
    made: str  # what somebody did
    code: int  # Meta's
    tool: str  # who said so
    make: typing.Callable  # (world, state) -> what was said
    fix: str  # what was done about it, as the words said
    repair: typing.Callable  # (world, state) -> it works now
    subcode: int = 0
    says: str = ""  # instead of the catalogue's words, where no code comes


def text(to, words="Hi", **more):
    return {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": words}, **more}


def interactive(to, **content):
    return {"messaging_product": "whatsapp", "to": to, "type": "interactive", "interactive": content}


def buttons(to, titles):
    return interactive(to, type="button", body={"text": "Which?"}, action={"buttons": [
        {"type": "reply", "reply": {"id": str(i), "title": t}} for i, t in enumerate(titles)]})


def rows(to, count):
    return interactive(to, type="list", body={"text": "Which?"}, action={"button": "Pick", "sections": [
        {"title": "All", "rows": [{"id": str(i), "title": "Row %d" % i} for i in range(count)]}]})


def image(to, **medium):
    return {"messaging_product": "whatsapp", "to": to, "type": "image", "image": medium}


SHIPPED = ("--template", "order_shipped", "--lang", "en", "--var", "1=Ana", "--var", "2=77")


def upload(w, size, kind):
    return w.gateway.http.post(w.gateway.base + "/v26.0/%s/media" % NUMBER, data={"messaging_product": "whatsapp"},
                               files={"file": ("f", b"x" * size, kind)},
                               headers={"Authorization": "Bearer " + w.gateway.key})


def refused_upload(w, size, kind):
    answer = upload(w, size, kind)
    assert answer.status_code == 400
    return answer.headers["Godwit-Advice"] + answer.text


def on_hold(w, to, code, **rule):
    """A message that waits for a reason of Meta's, and what `why` says meanwhile."""
    if code:
        w.sandbox.inject(code=code, to=to, always=True, **rule)
    w.msg = w.hand_over(to)
    w.clock.advance(ms=200)  # its slot comes on a frozen clock, too
    wait_until("it waits", lambda: w.gateway.api("GET", "messages/" + w.msg)["state"] == "waiting")
    return w.cli("why", w.msg)


def freed(w):
    w.sandbox.clear_faults()
    return w.until_delivered(w.msg)


def held_account(w, code):
    """A code of the account: what was handed over waits until a person has acted."""
    said = on_hold(w, w.someone(), code)
    assert "account name=test paused" in w.gateway.log()
    return said


# --- the token and the ids -----------------------------------------------------------------------

def wrong_token(w, s):
    w.sandbox.set(check_token="rotated-token")
    return w.refused(w.someone(), "Hi")


def right_token(w, s):
    w.gateway.accounts["test"]["token"] = "rotated-token"
    w.reload()
    w.clock.advance(minutes=2)  # one message a minute tries whether a paused account works again
    done = w.delivered(w.someone(), "Hi")
    w.gateway.accounts["test"]["token"] = kit.TOKEN
    w.sandbox.set(check_token="")
    return w.reload() and done


def with_token(**settings):
    """What Meta thinks of the token."""
    def make(w, s):
        w.sandbox.set(**settings)
        return w.why(w.someone(), "Hi")
    return make


def then_with(**settings):
    def repair(w, s):
        w.sandbox.set(**settings)
        w.clock.advance(minutes=2)
        return w.delivered(w.someone(), "Hi")
    return repair


def metas_token_at_the_gateway(w, s):
    return w.refused_call("POST", NUMBER + "/messages", text("+1"), key="EAAMetasToken")


def key_without_scope(w, s):
    s["key"] = w.gateway.make_key("read")
    return w.refused_call("POST", NUMBER + "/messages", text("+1"), key=s["key"])


def unregistered(w, s):
    w.done_call("POST", NUMBER + "/register", {"messaging_product": "whatsapp", "pin": "123456"})
    w.done_call("POST", NUMBER + "/deregister")
    return w.why(w.someone(), "Hi")


def registered(w, s):
    return w.done_call("POST", NUMBER + "/register", {"messaging_product": "whatsapp", "pin": "123456"}) and \
        w.delivered(w.someone(), "Hi")


def wrong_pin(w, s):
    w.done_call("POST", NUMBER, {"pin": "123456"})
    return w.refused_call("POST", NUMBER + "/register", {"messaging_product": "whatsapp", "pin": "000000"})


# --- webhooks ------------------------------------------------------------------------------------

def not_subscribed(w, s):
    w.done_call("DELETE", WABA + "/subscribed_apps")
    s["to"] = w.someone(writes=False)
    done = w.gateway.cli("send", s["to"], *SHIPPED, "--wait", "delivered", "--timeout", "500ms")
    return w.cli("why", re.search(r"msg_\w{26}", done.stdout + done.stderr).group())


def subscribed(w, s):
    return w.done_call("POST", WABA + "/subscribed_apps") and w.delivered(s["to"], *SHIPPED)


def subscribe_to(w, url, token=kit.VERIFY_TOKEN):
    return w.graph("POST", APP + "/subscriptions", {"object": "whatsapp_business_account", "callback_url": url,
                                                     "verify_token": token, "fields": "messages"})


def answers_again(w):
    assert subscribe_to(w, w.gateway.public + "/webhook").status_code == 200
    wait_until("the handshake", lambda: w.sandbox.state()["ready"])
    event = w.sandbox.say("Does it arrive?", w.someone(writes=False))
    return wait_until("the event", lambda: event in json.dumps(w.gateway.api("GET", "events", limit=5)))


def wrong_verify_token(w, s):
    subscribe_to(w, w.gateway.public + "/webhook", "another-token")
    wait_until("the refusal", lambda: "handshake refused" in w.gateway.log())
    assert not w.sandbox.state()["ready"]
    return w.gateway.log()


def json_challenge(w, s):
    """A callback of one's own, as a framework answers it that makes JSON of everything."""
    s["own"] = kit.Receiver()
    s["own"].on_request = lambda request: (200, json.dumps({"challenge": re.search(
        r"hub.challenge=(\w+)", request.path).group(1)}))
    subscribe_to(w, s["own"].url)
    s["own"].wait(1)
    assert not w.sandbox.state()["ready"]
    return w.cli("explain", "2200")


def bare_challenge(w, s):
    s["own"].on_request = lambda request: (200, re.search(r"hub.challenge=(\w+)", request.path).group(1))
    subscribe_to(w, s["own"].url)
    wait_until("the handshake", lambda: w.sandbox.state()["ready"])
    done = answers_again(w)
    s["own"].close()
    return done


def wrong_app_secret(w, s):
    w.gateway.accounts["test"]["app_secret"] = "of-another-app"
    w.reload()
    s["wamid"] = w.sandbox.say("Do you read me?", w.someone(writes=False))
    wait_until("the refusal", lambda: w.sandbox.webhooks(contains=s["wamid"])[0]["attempts"])
    assert s["wamid"] not in json.dumps(w.gateway.api("GET", "events", limit=5))
    return "".join(line for line in w.gateway.graph("GET", "/metrics").text.splitlines() if not line.endswith(" 0"))


def right_app_secret(w, s):
    w.gateway.accounts["test"]["app_secret"] = kit.APP_SECRET
    w.reload()
    w.clock.advance(minutes=5)  # Meta tries again for seven days
    return wait_until("the event", lambda: s["wamid"] in json.dumps(w.gateway.api("GET", "events", limit=50)))


# --- templates -----------------------------------------------------------------------------------

def unapproved(w, s):
    w.sandbox.set(template_review_ms=3600000)
    w.done_call("POST", WABA + "/message_templates", {
        "name": "fresh_one", "language": "en", "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Your table is booked."}]})
    s["to"] = w.someone(writes=False)
    return w.refused(s["to"], "--template", "fresh_one", "--lang", "en")


def approved(w, s):
    w.clock.advance(hours=2)
    return w.delivered(s["to"], "--template", "fresh_one", "--lang", "en")


def in_state(status, name, language, *words):
    def make(w, s):
        w.template(status, name, language)
        s["to"] = w.someone(writes=False)
        return w.refused(s["to"], *words)
    return make


def unpaused(w, s):
    w.template("APPROVED")
    return w.delivered(s["to"], *SHIPPED)


def with_template(*words):
    """`send` with these words to who has not written."""
    return lambda w, s: w.refused(s.setdefault("to", w.someone(writes=False)), *words)


def then_template(*words):
    return lambda w, s: w.delivered(s["to"], *words)


def definition(name, body, **example):
    return {"name": name, "language": "en", "category": "UTILITY",
            "components": [{"type": "BODY", "text": body, **example}]}


def create(*words, **example):
    return lambda w, s: w.refused_call("POST", WABA + "/message_templates", definition(*words, **example))


def then_create(*words, **example):
    return lambda w, s: w.done_call("POST", WABA + "/message_templates", definition(*words, **example))


# --- recipients and windows ----------------------------------------------------------------------

def to_somebody(w, s, **customer):
    s["to"] = w.someone()
    w.sandbox.control("POST", "customers", {"phone": s["to"], **customer})
    return w.why(s["to"], "Hi")


def from_now_on(w, s, **customer):
    w.sandbox.control("POST", "customers", {"phone": s["to"], **customer})
    return w.delivered(s["to"], "Hi")


def shut_window(w, s):
    s["to"] = w.someone()
    w.clock.advance(hours=25)
    return w.refused(s["to"], "Hi again")


def writes_again(w, s):
    w.write(s["to"])
    return w.delivered(s["to"], "Hi again")


def not_on_the_list(w, s):
    w.sandbox.control("POST", "recipients", {"allowed": ["+557199600000"]})
    s["to"] = w.someone()
    return w.refused(s["to"], "Hi")


def on_the_list(w, s):
    w.sandbox.control("POST", "recipients", {"allowed": [s["to"]]})
    done = w.delivered(s["to"], "Hi")
    w.sandbox.control("POST", "recipients", {"allowed": None})
    return done


def without_country(w, s):
    """Ten digits are a number of the business's own country, and of nobody there."""
    w.sandbox.control("POST", "customers", {"phone": "+17199600001", "on_whatsapp": False})
    return w.why("7199600001", "--template", "hello_world")


def to_who_opted_out(w, s):
    s["to"] = w.someone()
    w.write(s["to"], "STOP")
    wait_until("the optout", lambda: "optout" in [
        c["marketing"] for c in w.gateway.api("GET", "contacts")["data"] if c["phone"] == s["to"]])
    return w.refused(s["to"], "--template", "hello_world", "--category", "marketing")


def opted_in(w, s):
    w.write(s["to"], "START")
    return w.delivered(s["to"], "--template", "hello_world", "--category", "marketing")


def blocked_by_us(w, s):
    s["to"] = w.someone()
    w.done_call("POST", NUMBER + "/block_users", {"messaging_product": "whatsapp", "block_users": [{"user": s["to"]}]})
    return w.why(s["to"], "Hi")


def unblocked(w, s):
    return w.done_call("DELETE", NUMBER + "/block_users",
                       {"messaging_product": "whatsapp", "block_users": [{"user": s["to"]}]}) and \
        w.delivered(s["to"], "Hi")


# --- rates ---------------------------------------------------------------------------------------

def pair_limit(w, s):
    """More to one person than Meta takes, and more than the gateway was told to hold back."""
    w.sandbox.set(pair_burst=1, pair_refill_ms=60000)
    to = w.someone()
    w.delivered(to, "One")
    return on_hold(w, to, 0)


def in_its_time(w, s):
    done = w.until_delivered(w.msg)
    w.sandbox.set(pair_burst=45, pair_refill_ms=6000)
    return done


def others_use_the_rate(w, s):
    """A second program sends from the same number, past the gateway."""
    w.sandbox.set(limit_mps=1)
    body, to = text(w.someone()), w.someone()

    def other():
        w.sandbox.http.post(w.sandbox.base + "/v26.0/%s/messages" % NUMBER, json=body,
                            headers={"Authorization": "Bearer x"})
    w.clock.freeze()
    for _ in range(3):
        other()
    said = on_hold(w, to, 0)
    w.clock.resume()
    return said


def slower(w, s):
    done = w.until_delivered(w.msg)
    w.sandbox.set(limit_mps=80)
    return done


def sent_twice(w, s):
    """A job that runs again after a crash makes another message of the same order, under the same key."""
    s["to"] = w.someone()
    s["headers"] = {"Idempotency-Key": "order-%s" % s["to"]}
    assert w.gateway.send(s["to"], "Order 77", headers=s["headers"]).status_code == 200
    answer = w.gateway.send(s["to"], "Order 77, again", headers=s["headers"])
    assert answer.status_code == 422
    return answer.text


def sent_once(w, s):
    assert w.gateway.send(s["to"], "Order 77", headers=s["headers"]).status_code == 200  # the first one's answer
    return len(w.sandbox.messages(to=s["to"])) == 1


M = Mistake
MISTAKES = [
    # ids, tokens, registration
    M("the phone number stands where its id belongs", 100, "send", lambda w, s: w.refused(
        "--from", "15550783881", w.someone(), "Hi"), "the id of the number",
      lambda w, s: w.delivered("--from", NUMBER, w.someone(), "Hi"), 33),
    M("the account's id (WABA) stands where the number's belongs", 100, "send", lambda w, s: w.refused(
        "--from", WABA, w.someone(), "Hi"), "the id of the number",
      lambda w, s: w.delivered("--from", NUMBER, w.someone(), "Hi"), 33),
    M("the token was replaced and the old one is still used", 190, "send", wrong_token,
      "new token in `token_file`, `godwit config reload`", right_token, 467),
    M("the token has expired", 190, "why", with_token(token_expires_at=1000000000),
      "a new token, of a system user, that does not end", then_with(token_expires_at=0), 463),
    M("the token lacks whatsapp_business_messaging", 10, "why", with_token(scope_messaging=False),
      "the permission, and a new token", then_with(scope_messaging=True)),
    M("Meta's token is sent to the gateway", 190, "the answer", metas_token_at_the_gateway,
      "a key of `godwit key create`", lambda w, s: w.done_call("POST", NUMBER + "/messages", text(w.someone()))),
    M("a key that may not send", 10, "the answer", key_without_scope, "a key with the scope send",
      lambda w, s: w.done_call("POST", NUMBER + "/messages", text(w.someone()), key=w.gateway.make_key("send"))),
    M("the number was never registered, or was deregistered", 133010, "why", unregistered,
      "POST /{number}/register with its PIN", registered),
    M("the number is registered with another PIN", 133005, "the answer", wrong_pin, "the PIN that was set", registered),
    # webhooks
    M("the app is not subscribed to the account: no status ever comes", 0, "why", not_subscribed,
      "POST /{waba}/subscribed_apps", subscribed, says="is the app subscribed to the account's webhooks?"),
    M("the callback answers the challenge with JSON", 2200, "explain", json_challenge, "the bare challenge as text",
      bare_challenge),
    M("the verify token is another at Meta's", 0, "the log", wrong_verify_token, "the same token at both ends",
      lambda w, s: answers_again(w), says="webhook: handshake refused"),
    M("the app secret is another app's: every webhook is answered 401", 0, "/metrics", wrong_app_secret,
      "the right `app_secret_file`, `godwit config reload`; Meta repeats", right_app_secret,
      says='godwit_webhooks_total{result="signature"}'),
    # templates
    M("the template is not approved yet", 132001, "send", unapproved, "wait for the review", approved),
    M("the template's name is misspelt", 132001, "send", with_template(
        "--template", "order_shiped", "--lang", "en", "--var", "1=Ana", "--var", "2=77"),
      "the name as it was approved", then_template(*SHIPPED)),
    M("the language code is another (en_US for en)", 132001, "send", with_template(
        "--template", "order_shipped", "--lang", "en_US", "--var", "1=Ana", "--var", "2=77"),
      "the code as it was approved", then_template(*SHIPPED)),
    M("too few parameters", 132000, "send", with_template(*SHIPPED[:-2]), "as many as the template has",
      then_template(*SHIPPED)),
    M("too many parameters", 132000, "send", with_template(*SHIPPED, "--var", "3=today"),
      "as many as the template has", then_template(*SHIPPED)),
    M("a line break in a parameter", 132012, "send", with_template(*SHIPPED[:-2], "--var", "2=77\n78"),
      "one line, without tabs", then_template(*SHIPPED)),
    M("a header's picture is missing", 132012, "send", with_template(
        "--template", "spring_sale", "--var", "1=Ana"), "every component that the template has",
      lambda w, s: w.delivered(body={"messaging_product": "whatsapp", "to": s["to"], "type": "template", "template": {
          "name": "spring_sale", "language": {"code": "en_US"}, "components": [
              {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://shop.example/a.jpg"}}]},
              {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
              {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "a"}]}]}})),
    M("the template is paused for its quality", 132015, "send", in_state("PAUSED", "order_shipped", "en", *SHIPPED),
      "wait until it is active again", unpaused),
    M("the template was disabled", 132016, "send", in_state(
        "DISABLED", "hello_sandbox", "en_US", "--template", "hello_sandbox"), "another template",
      then_template("--template", "hello_world")),
    M("a template is created under a name that there is", 2388024, "the answer", create(
        "order_shipped", "Sent."), "another name", then_create("order_sent", "Sent.")),
    M("a template begins with a variable", 2388299, "the answer", create(
        "order_late", "{{1}} is late.", example={"body_text": [["77"]]}), "words before and after it",
      then_create("order_late", "Order {{1}} is late.", example={"body_text": [["77"]]})),
    # whom one may write to, and when
    M("the first message to somebody is free text", 131047, "why", lambda w, s: w.why(
        s.setdefault("to", w.someone(writes=False)), "Hello!"), "a template", then_template(*SHIPPED)),
    M("more than 24 hours after the customer wrote", 131047, "send", shut_window,
      "wait until the customer writes, or a template", writes_again),
    M("the sender's own number", 131021, "send", lambda w, s: w.refused("+15550783881", "--template", "hello_world"),
      "another recipient", lambda w, s: w.delivered(w.someone(), "Hi")),
    M("a test number, to somebody who is not on its list", 131030, "send", not_on_the_list,
      "the recipient on the list of the test number", on_the_list),
    M("a telephone number without its country", 131026, "why", without_country, "+ and the country's code",
      lambda w, s: w.delivered("+557199600001", "--template", "hello_world")),
    M("somebody who is not on WhatsApp", 131026, "why", lambda w, s: to_somebody(w, s, on_whatsapp=False),
      "the number of somebody who is", lambda w, s: from_now_on(w, s, on_whatsapp=True)),
    M("somebody who has blocked the business", 131026, "why", lambda w, s: to_somebody(w, s, blocked=True),
      "asked by another channel, she lets it through", lambda w, s: from_now_on(w, s, blocked=False)),
    M("somebody whom the business has blocked", 130403, "why", blocked_by_us, "DELETE /{number}/block_users",
      unblocked),
    M("marketing to who opted out", 131050, "send", to_who_opted_out, "none until she writes START", opted_in),
    # what a message may hold
    M("a text of more than 4,096 characters", 100, "send", lambda w, s: w.refused(w.someone(), "x" * 4097),
      "a shorter text", lambda w, s: w.delivered(w.someone(), "x" * 4096)),
    M("no `messaging_product`", 100, "send", lambda w, s: w.refused(body={
        "to": w.someone(), "type": "text", "text": {"body": "Hi"}}), "the parameter that the details name",
      lambda w, s: w.delivered(body=text(w.someone()))),
    M("four buttons", 131009, "send", lambda w, s: w.refused(body=buttons(w.someone(), "ABCD")), "three at most",
      lambda w, s: w.delivered(body=buttons(w.someone(), "ABC"))),
    M("a button's title of more than 20 characters", 131009, "send", lambda w, s: w.refused(body=buttons(
        w.someone(), ["x" * 21])), "a shorter title", lambda w, s: w.delivered(body=buttons(w.someone(), ["x" * 20]))),
    M("a list of eleven rows", 131009, "send", lambda w, s: w.refused(body=rows(w.someone(), 11)), "ten at most",
      lambda w, s: w.delivered(body=rows(w.someone(), 10))),
    M("a link to a picture on one's own machine", 131053, "why", lambda w, s: w.why(body=image(
        w.someone(), link="http://localhost:3000/a.jpg")), "a link that everybody reaches",
      lambda w, s: w.delivered(body=image(w.someone(), link="https://shop.example/a.jpg"))),
    M("a link to a picture on a host that is not there", 131053, "why", lambda w, s: w.why(body=image(
        w.someone(), link="https://shop.invalid/a.jpg")), "a link that everybody reaches",
      lambda w, s: w.delivered(body=image(w.someone(), link="https://shop.example/a.jpg"))),
    M("the id of a medium that is not there any more", 100, "send", lambda w, s: w.refused(body=image(
        w.someone(), id="1037543291543636")), "upload it again",
      lambda w, s: w.delivered(body=image(w.someone(), id=upload(w, 1000, "image/jpeg").json()["id"]))),
    M("a picture of more than 5 MB", 131053, "the answer", lambda w, s: refused_upload(w, 6 << 20, "image/jpeg"),
      "a smaller file", lambda w, s: upload(w, 1 << 20, "image/jpeg").status_code == 200),
    M("a sound file of a type that is not taken (WAV)", 131053, "the answer", lambda w, s: refused_upload(
        w, 1000, "audio/wav"), "a type of the list, such as audio/ogg",
      lambda w, s: upload(w, 1000, "audio/ogg").status_code == 200),
    M("a message is marked as read that nobody sent", 131009, "the answer", lambda w, s: w.refused_call(
        "POST", NUMBER + "/messages", {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.no"}),
      "the id of a message that came in", lambda w, s: w.done_call("POST", NUMBER + "/messages", {
          "messaging_product": "whatsapp", "status": "read", "message_id": w.sandbox.say("Hi", w.someone())})),
    # rates and the account
    M("too many messages to one person", 131056, "why", pair_limit, "nothing: it goes in its time", in_its_time),
    M("others use up the number's rate", 130429, "why", others_use_the_rate, "nothing: it goes more slowly", slower),
    M("an order is sent again under the same key", 100, "the answer", sent_twice,
      "the same bytes again, which are not sent twice", sent_once),
    M("no payment method, or one that fails", 131042, "why", lambda w, s: held_account(w, 131042),
      "pay; what waits is sent then", lambda w, s: freed(w)),
    M("the account broke a policy", 368, "why", lambda w, s: held_account(w, 368),
      "appeal; what waits is sent when it is open again", lambda w, s: freed(w)),
    M("the account is locked", 131031, "why", lambda w, s: held_account(w, 131031),
      "unlock it; what waits is sent then", lambda w, s: freed(w)),
    M("Meta upgrades the number just now", 131057, "why", lambda w, s: on_hold(w, w.someone(), 131057),
      "nothing: it is tried again in a minute", lambda w, s: freed(w)),
]


# --- what `godwit doctor` sees -----------------------------------------------------------------------

@dataclasses.dataclass
class Seen:
    check: str
    options: typing.Callable = lambda w, s: ()
    after: typing.Callable = None  # the options when it is repaired; None: the same
    says: str = ""  # words of its evidence
    code: int = None  # None: the mistake's; 0: none, there is a topic
    cause: str = ""  # words of the topic


def the_last(w, s):
    """What became of the last message to the last customer."""
    return "--to", s.get("to", w.latest)


def option(*words):
    return lambda w, s: words


LAST = Seen("message", the_last)
SENDING = Seen("sending")
DOCTOR = {
    "the phone number stands where its id belongs": Seen(
        "number", option("--number", "15550783881"), option("--number", NUMBER),
        "is the phone number itself; its id is " + NUMBER, 0, "Meta wants the phone number id"),
    "the account's id (WABA) stands where the number's belongs": Seen(
        "number", option("--number", WABA), option("--number", NUMBER),
        "is the business account's id; its numbers: " + NUMBER, 0, "Meta wants the phone number id"),
    "the token was replaced and the old one is still used": Seen("token"),
    "the token has expired": Seen("token"),
    "the token lacks whatsapp_business_messaging": Seen("token", says="it lacks whatsapp_business_messaging", code=200),
    "the number was never registered, or was deregistered": Seen("registration"),
    "the app is not subscribed to the account: no status ever comes": Seen(
        "subscription", code=0, cause="everything works and nothing ever arrives"),
    "the callback answers the challenge with JSON": Seen(
        "callback", lambda w, s: ("--public-url", s["own"].url), lambda w, s: ("--public-url", w.gateway.public),
        "comes back as {", 0, "must be the challenge alone"),
    "the verify token is another at Meta's": Seen(
        "webhooks", says="a verify token of no account", code=0, cause="the verify token of this account"),
    "the app secret is another app's: every webhook is answered 401": Seen(
        "app-secret", says="Meta does not take it", code=0, cause="with another one every webhook is refused"),
    "the template is not approved yet": Seen("template", option("--template", "fresh_one:en"), says="is PENDING"),
    "the template's name is misspelt": Seen(
        "template", option("--template", "order_shiped:en"), option("--template", "order_shipped:en"),
        says="has no template order_shiped"),
    "the language code is another (en_US for en)": Seen(
        "template", option("--template", "order_shipped:en_US"), option("--template", "order_shipped:en"),
        says="is not there in en_US; there is: en"),
    "the template is paused for its quality": Seen(
        "template", option("--template", "order_shipped:en"), says="is PAUSED"),
    "the template was disabled": Seen(
        "template", option("--template", "hello_sandbox:en_US"), option("--template", "hello_world:en_US"),
        says="is DISABLED"),
    "more than 24 hours after the customer wrote": Seen("window", the_last, says="free text is refused"),
    "the sender's own number": Seen("message", option("--to", "+15550783881"), the_last),
    "a telephone number without its country": Seen(
        "message", option("--to", "7199600001"), option("--to", "+557199600001")),
    "marketing to who opted out": Seen("consent", the_last, says="opted out of marketing"),
    "no payment method, or one that fails": SENDING,
    "the account broke a policy": SENDING,
    "the account is locked": SENDING,
    **dict.fromkeys((
        "the first message to somebody is free text",
        "too few parameters",
        "too many parameters",
        "a line break in a parameter",
        "a header's picture is missing",
        "a test number, to somebody who is not on its list",
        "somebody who is not on WhatsApp",
        "somebody who has blocked the business",
        "somebody whom the business has blocked",
        "a text of more than 4,096 characters",
        "four buttons",
        "a button's title of more than 20 characters",
        "a list of eleven rows",
        "a link to a picture on one's own machine",
        "a link to a picture on a host that is not there",
        "the id of a medium that is not there any more",
        "too many messages to one person",
        "others use up the number's rate",
        "Meta upgrades the number just now",
    ), LAST),
}


@pytest.fixture(scope="module")
def world():
    with module_folder() as folder:
        world = World(folder)
        try:
            yield world
        finally:
            world.close()


@pytest.fixture(scope="module")
def catalogue():
    done = subprocess.run([kit.BIN, "explain", "--json"], stdout=subprocess.PIPE, check=True)
    return {(e["code"], e["subcode"]): e for e in json.loads(done.stdout)["data"] if e["kind"] == "code"}


def row_of(catalogue, mistake):
    if (mistake.code, mistake.subcode) in catalogue:
        return catalogue[mistake.code, mistake.subcode]
    return catalogue[mistake.code, 0]


def doctor_names(world, catalogue, mistake, seen, state):
    """The check does not say ok, and names the cause with its fix."""
    row = world.doctor(seen.check, *seen.options(world, state))
    assert row["result"] in ("fail", "warn"), row
    assert seen.says in row["evidence"] and row["command"], row
    if seen.code == 0:
        assert seen.cause in row["cause"] and row["fix"], row
        return
    entry = row_of(catalogue, mistake)
    if seen.code is not None:
        entry = catalogue[seen.code, 0]
    assert (row["code"], row["cause"], row["fix"]) == (entry["code"], entry["meaning"], entry["fix"]), row


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.made)
def test_it_is_told_and_what_is_told_repairs_it(world, catalogue, mistake):
    state, seen = {}, DOCTOR.get(mistake.made)
    said = re.sub(r"\s+", " ", mistake.make(world, state))
    if seen:
        doctor_names(world, catalogue, mistake, seen, state)
    assert mistake.repair(world, state)
    if seen:
        row = world.doctor(seen.check, *(seen.after or seen.options)(world, state))
        assert row["result"] == "ok", row
    if mistake.says:
        assert mistake.says in said
        return
    entry = row_of(catalogue, mistake)
    for words in (str(entry["code"]), entry["title"], entry["meaning"], entry["fix"]):
        assert words in said, "%r is not in: %s" % (words, said)


def test_there_are_as_many_as_was_asked_for():
    assert len(MISTAKES) >= 25
    assert len({m.made for m in MISTAKES}) == len(MISTAKES)


def seen_in_words(catalogue, mistake):
    seen = DOCTOR.get(mistake.made)
    if seen is None:
        return "\u2013"
    if seen.code == 0:
        return "`%s`: \"%s\"" % (seen.check, seen.says or seen.cause)
    return "`%s`: %s" % (seen.check, seen.code or row_of(catalogue, mistake)["id"])


def test_what_doctor_sees_is_told_of_mistakes_that_there_are():
    assert set(DOCTOR) <= {m.made for m in MISTAKES} and len(DOCTOR) == 41


def test_the_document_says_so(catalogue):
    lines = ["| mistake | who says so | what is said | `godwit doctor` | what was done | repaired |",
             "| --- | --- | --- | --- | --- | --- |"]
    for m in MISTAKES:
        entry = None if m.says else row_of(catalogue, m)
        said = "\"%s\"" % m.says if m.says else "%s %s: %s **%s**" % (
            entry["id"], entry["title"], entry["meaning"], entry["fix"])
        lines.append("| %s | %s | %s | %s | %s | yes |" % (
            m.made, m.tool if " " in m.tool or "/" in m.tool else "`%s`" % m.tool, said.replace("|", "\\|"),
            seen_in_words(catalogue, m), m.fix))
    made = "\n".join(lines) + "\n"
    with open(DOCS, encoding="utf-8") as f:
        head, mark, kept = f.read().partition("| mistake |")
    if os.environ.get("GODWIT_WRITE_DOCS") == "1":
        with open(DOCS, "w", encoding="utf-8") as f:
            f.write(head + made)
    else:
        assert mark + kept == made, "docs/mistakes.md is stale: GODWIT_WRITE_DOCS=1 writes it anew"
