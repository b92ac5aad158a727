# SPDX-License-Identifier: MIT
"""Whatever shows a code says what it means, what to do, and which command tells more (first-useful E4).

Each code of the sandbox's table is answered to a send, and told by a status; then every place that shows it
is searched for the catalogue's words: the log, the API, the events, `send`, `why`, `message get`, `listen`.
"""
import json
import os
import re
import signal
import subprocess

import pytest

import kit
from sends import MINUTE_MS, Stack, module_folder, someone, template, text, wait_until

with open(os.path.join(kit.TOP, "src", "sandbox", "errors.def"), encoding="utf-8") as f:
    CODES = [int(code) for code in re.findall(r"^METAERR\((\d+),", f.read(), re.MULTILINE)]
BY_A_PERSON = (190, 368, 131031, 131042)  # they pause the account until a message passes again


class Listen:
    """A `godwit listen` for the whole file, and its lines."""

    def __init__(self, gateway, folder):
        self.path = os.path.join(folder, "listen.out")
        with open(self.path, "w", encoding="utf-8") as out:
            self.popen = subprocess.Popen([kit.BIN, "listen", "--server", "unix:" + gateway.socket], stdout=out,
                                          stderr=subprocess.PIPE, encoding="utf-8", cwd=folder,
                                          env=dict(os.environ, LC_ALL="C.UTF-8"))
        assert self.popen.stderr.readline().startswith("Ready")

    def lines(self, word):
        with open(self.path, encoding="utf-8") as lines:
            return [line for line in lines if word in line]

    def close(self):
        self.popen.send_signal(signal.SIGINT)
        self.popen.wait(kit.WAIT)
        self.popen.stderr.close()


@pytest.fixture(scope="module")
def catalogue():
    done = subprocess.run([kit.BIN, "explain", "--json"], stdout=subprocess.PIPE, check=True)
    return {e["code"]: e for e in json.loads(done.stdout)["data"] if e["kind"] == "code" and e["subcode"] == 0}


@pytest.fixture(scope="module")
def setup():
    with module_folder() as folder:
        stack = Stack(folder, conf={"graph.wait_max": "1s"}, limit=1000, limit_mps=1000)
        tap = Listen(stack.gateway, folder)
        try:
            yield stack, tap
        finally:
            tap.close()
            stack.close()


def says_it(where, said, entry):
    """Title, cause, fix and the command, on the way that a person meets them."""
    said = re.sub(r"\s+", " ", said)
    for word in (str(entry["code"]), entry["title"], entry["meaning"], entry["fix"],
                 "godwit explain %d" % entry["code"]):
        assert word in said, "%s does not say %r: %s" % (where, word, said)


def has_it(where, error, entry):
    """The same as members."""
    assert error["code"] == entry["code"], where
    assert (error["meaning"], error["fix"], error["retry"], error["explain"]) == (
        entry["meaning"], entry["fix"], entry["retry"], "godwit explain %d" % entry["code"]), where


def settle(stack):
    """What a code has slowed down or paused works again."""
    stack.sandbox.clear_faults()
    stack.advance(70 * MINUTE_MS)
    assert stack.gateway.send(template(someone())).status_code in (200, 202)


def in_log(gateway, *words):
    found = [line for line in gateway.log().splitlines() if all(word in line for word in words)]
    assert found, "no line of the log has %s" % (words,)
    return found[-1]


@pytest.mark.parametrize("code", CODES)
def test_of_an_answer(setup, catalogue, code):
    stack, gateway = setup[0], setup[0].gateway
    entry, to = catalogue[code], someone()
    stack.inject(code=code, to=to, details="in Meta's words", always=True)
    answer = gateway.send(text(to))
    msg = answer.headers["Godwit-Message"]
    if answer.status_code != 202:
        error = answer.json()["error"]  # Meta's own, unchanged
        assert (error["code"], error["error_data"]["details"]) == (code, "in Meta's words")
        assert error["fbtrace_id"] != "godwit"
        says_it("the header", answer.headers["Godwit-Advice"], entry)
    if code == 0:
        settle(stack)
        return  # our record has no word for it: 0 is no code there
    says_it("the log", in_log(gateway, "attempt", msg, "graph=%d/0" % code), entry)
    message = gateway.look(msg)
    if message["code"] != 0:
        has_it("the message", message["error"], entry)
        says_it("message get", gateway.cli("message", "get", msg).stdout, entry)
    step = next(step for step in gateway.trail(msg) if step.get("code") == code)
    has_it("the trail", step, entry)
    if message["error"] is not None:
        says_it("why", gateway.cli("why", msg).stdout, entry)
    if message["state"] == "rejected" and code not in BY_A_PERSON:
        said = gateway.cli("send", "+" + to, "Hi")
        assert said.returncode != 0
        says_it("send", said.stderr, entry)
    settle(stack)


@pytest.mark.parametrize("code", [code for code in CODES if code != 0])
def test_of_a_status(setup, catalogue, code):
    (stack, tap), entry, to = setup, catalogue[code], someone()
    gateway = stack.gateway
    answer = gateway.send(text(to))
    msg, wamid = answer.headers["Godwit-Message"], answer.json()["messages"][0]["id"]
    stack.sandbox.control("POST", "status", {"message": wamid, "status": "failed", "code": code})
    message = wait_until("the failure", lambda: (lambda m: m["failed"] and m)(gateway.look(msg)))
    has_it("the message", message["error"], entry)
    says_it("the log", in_log(gateway, "status id=" + msg, "graph=%d" % code), entry)
    event = next(e for e in gateway.told(msg) if e["status"]["state"] == "failed")
    has_it("the event", event["status"]["error"], entry)
    has_it("the trail", next(s for s in gateway.trail(msg) if s.get("status") == "failed"), entry)
    says_it("why", gateway.cli("why", msg).stdout, entry)
    line, = wait_until("the line of listen", lambda: tap.lines(event["id"]))
    says_it("listen", line, entry)


# --- what Godwit itself refuses ------------------------------------------------------------------

def test_of_our_own_refusals(stack, catalogue):
    """In Meta's shape, with the way out in the details; and in the log, without the caller's words."""
    gateway, who = stack.gateway, someone()
    stack.write(who)
    stack.advance(25 * 60 * MINUTE_MS)
    shut = gateway.send(text(who))
    nowhere = gateway.send(text(who), path="/v26.0/%s/messages" % kit.WABA)
    odd = gateway.send(b'{"to": very private')
    for answer, code in ((shut, 131047), (odd, 100)):
        details = answer.json()["error"]["error_data"]["details"]
        assert details.startswith("Godwit refused this message: ")
        says_it("the answer", details, catalogue[code])
        says_it("the log", in_log(gateway, "refused id=", "graph=%d/" % code), catalogue[code])
    assert "godwit explain 100/33" in nowhere.json()["error"]["error_data"]["details"]
    assert "very private" not in gateway.log()
    msg = shut.headers["Godwit-Message"]
    says_it("why", gateway.cli("why", msg).stdout, catalogue[131047])
    said = gateway.cli("send", "+" + who, "Hi")
    assert said.returncode == 5
    says_it("send", said.stderr, catalogue[131047])


def test_of_a_refusal_that_came_after_the_202(stack):
    """Destinations in Meta's format hear of it by a failed status, which says what to do."""
    gateway, who = stack.gateway, someone()
    receiver = kit.Receiver()
    try:
        gateway.add_destination(receiver.url, format="meta")
        stack.inject(code=131026, to=who, details="Message Undeliverable.")
        msg = gateway.send_async(text(who))
        gateway.wait_state(msg, "rejected")

        def failed():
            return [s for body in receiver.bodies() for s in body["entry"][0]["changes"][0]["value"].get("statuses", [])
                    if s["id"] == msg and s["status"] == "failed"]
        error, = wait_until("the failed status", failed)[0]["errors"]
        assert (error["code"], error["title"]) == (131026, "Undeliverable")
        assert "Message Undeliverable" in error["error_data"]["details"]
        assert "(godwit explain 131026)" in error["error_data"]["details"]
    finally:
        receiver.close()


def test_of_what_passes_through(stack):
    gateway = stack.gateway
    answer = gateway.graph("POST", "/v26.0/%s/message_templates" % kit.WABA, {"name": "A b", "language": "en"})
    assert answer.status_code == 400
    assert "godwit explain 100" in answer.headers["Godwit-Advice"]
    assert "godwit explain 100" in in_log(gateway, "graph method=POST", "message_templates")
    answer = gateway.graph("GET", "/v26.0/%s/tomorrow" % kit.NUMBER)
    assert "godwit explain 2500" in answer.headers["Godwit-Advice"]
    answer = gateway.graph("GET", "/v26.0/%s" % kit.NUMBER, key="gwk_none")
    assert answer.status_code == 401
    assert "(godwit explain 190)" in answer.json()["error"]["error_data"]["details"]
