# SPDX-License-Identifier: MIT
"""One line an attempt, with the delays split; and nothing in it, or anywhere, that nobody may see."""
import json
import re

import pytest

from kit import APP_SECRET, TOKEN, VERIFY_TOKEN
from sends import HOUR_MS, someone, template, text

LINE = re.compile(r"(?P<at>\S+) info  gateway: attempt id=(?P<id>msg_[0-9A-Z]{26}) to=(?P<to>\S+) try=(?P<try>\d+) "
                  r"result=(?P<result>ok|tempfail|permfail|unsure) http=(?P<http>\d+) "
                  r"graph=(?P<code>\d+)/(?P<subcode>\d+) "
                  r"delays=(?P<waited>\d+)/(?P<paced>\d+)/(?P<connect>\d+)/(?P<api>\d+)ms "
                  r"next=(?P<next>-|\+\d+s) wamid=(?P<wamid>[^\s:]+)(?P<advice>: \d+ .* \(godwit explain \S+\))?")


def attempts(gateway, msg):
    found = [LINE.fullmatch(line) for line in gateway.log().splitlines() if " attempt " in line and msg in line]
    assert all(found), gateway.log()
    return [m.groupdict() for m in found]


def test_an_accepted_message_has_one_line(stack):
    to = someone()
    stack.sandbox.set(answer_delay_ms=120)
    msg = stack.gateway.send(text(to)).headers["Godwit-Message"]
    line, = attempts(stack.gateway, msg)
    assert (line["try"], line["result"], line["http"], line["code"], line["next"]) == ("1", "ok", "200", "0", "-")
    assert line["wamid"] == stack.accepted(to)[0]["id"]
    assert 110 <= int(line["api"]) < 2000 and int(line["waited"]) < 1000 and int(line["paced"]) < 1000
    assert line["to"] == to[:5] + "*" * (len(to) - 7) + to[-2:]


@pytest.mark.parametrize("rule,result,http,code,next_", [
    ({"code": 130429, "http": 429, "retry_after": 40}, "tempfail", "429", "130429", r"\+(39|4[0-4])s"),
    ({"code": 131009}, "permfail", "400", "131009", "-"), ({"code": 2}, "unsure", "503", "2", "-"),
    ({"fault": "accept_close"}, "unsure", "0", "0", "-"), ({"fault": "5xx"}, "unsure", "502", "0", "-")],
    ids=["throttled", "refused", "proves nothing", "lost", "5xx"])
def test_the_line_says_what_came_of_it(shared, rule, result, http, code, next_):
    to = someone()
    shared.inject(**rule, to=to)
    msg = shared.gateway.send_async(text(to))
    shared.gateway.wait_state(msg, "waiting", "rejected", "unknown")
    line, = attempts(shared.gateway, msg)
    assert (line["result"], line["http"], line["code"], line["wamid"]) == (result, http, code, "-")
    assert re.fullmatch(next_, line["next"])


def test_every_attempt_has_its_line_and_its_delays(stack):
    to = someone()
    stack.inject(code=131057, to=to, next=2)
    msg = stack.gateway.send_async(text(to))
    stack.gateway.wait_state(msg, "waiting")
    assert [stack.step(160000, msg)["state"] for _ in range(2)] == ["waiting", "accepted"]
    lines = attempts(stack.gateway, msg)
    assert [(m["try"], m["result"]) for m in lines] == [("1", "tempfail"), ("2", "tempfail"), ("3", "ok")]
    trail = [row for row in stack.gateway.trail(msg) if "api_ms" in row]  # the same numbers in the record
    assert [(row["waited_ms"], row["paced_ms"], row["connect_ms"], row["api_ms"]) for row in trail] == \
        [tuple(int(m[k]) for k in ("waited", "paced", "connect", "api")) for m in lines]


def test_what_waits_for_its_rate_says_so(stacks):
    stack = stacks(limit=10)
    msgs = [stack.gateway.send_async(text(someone())) for _ in range(8)]
    stack.gateway.wait_state(msgs[-1], "accepted")
    line, = attempts(stack.gateway, msgs[-1])
    assert int(line["waited"]) + int(line["paced"]) >= 600  # seven slots of 100 ms


def test_nothing_is_shown_that_is_secret(stack):
    """Logs at their most talkative, metrics and answers, after a bit of everything."""
    gateway, sandbox = stack.gateway, stack.sandbox
    words = "very private words"
    people = [someone() for _ in range(8)]
    seen = b""
    for to, rule in zip(people, ({}, {"code": 130429}, {"code": 131009, "details": "no"}, {"code": 1},
                                 {"fault": "accept_close"}, {"fault": "garbage"}, {"fault": "reset"}, {"code": 190})):
        if rule:
            stack.inject(**rule, to=to)
        msg = gateway.send_async(text(to, words, biz_opaque_callback_data="private opaque"))
        gateway.wait_state(msg, "accepted", "waiting", "rejected", "unknown")
    stack.write(people[0])
    gateway.webhook({"entry": words}, headers={"X-Hub-Signature-256": "sha256=" + "0" * 64})
    gateway.webhook(words.encode())
    stack.advance(2 * HOUR_MS)
    sandbox.wait_quiet()
    for call in (lambda: gateway.send(b'{"' + words.encode()), lambda: gateway.send(text("+", words)),
                 lambda: gateway.send(template(people[1]), key="gwk_wrong" + words[:4]),
                 lambda: gateway.send(text(people[2], words), path="/v26.0/1/messages?access_token=" + gateway.key)):
        answer = call()
        assert words.encode() not in answer.content
        seen += answer.content + repr(answer.headers).encode()
    tokens = [m["opaque"] for to in people for m in stack.accepted(to)]
    assert tokens
    log = gateway.log()
    assert log.count(" attempt ") >= 8
    for to in people:
        assert to not in log, "a telephone number in the log"
        assert to not in gateway.graph("GET", "/metrics").text
    for words_ in (words, "private opaque"):
        assert words_ not in log and words_ not in gateway.graph("GET", "/metrics").text
    for path in ("/metrics", "/api/v1/messages?limit=1000", "/api/v1/events?limit=1000", "/api/v1/keys",
                 "/api/v1/config", "/api/v1/numbers", "/api/v1/version", "/livez", "/readyz", "/"):
        answer = gateway.graph("GET", path)
        assert answer.status_code in (200, 302, 303), path
        seen += answer.content + repr(answer.headers).encode()
    for message in json.loads(gateway.graph("GET", "/api/v1/messages?limit=1000").text)["data"]:
        seen += gateway.graph("GET", "/api/v1/messages/%s/trail" % message["id"]).content
    for secret in [TOKEN, APP_SECRET, VERIFY_TOKEN, gateway.key, *tokens]:
        assert secret not in log, "in the log: " + secret
        assert secret.encode() not in seen, "in an answer: " + secret
