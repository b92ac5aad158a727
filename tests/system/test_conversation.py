# SPDX-License-Identifier: MIT
"""Conversations: who writes with whom, and the state of the window as the guard sees it."""
import json

from kit import NUMBER
from sends import HOUR_MS, at_ms, someone, template, text, wait_until


def of(gateway, who):
    """The conversation with this customer; None: there is none."""
    return next((c for c in gateway.api("GET", "conversations")["data"]
                 if (c["contact"] or {}).get("phone") == "+" + who), None)


def test_a_window_opens_shuts_and_opens_again(stack):
    gateway, who = stack.gateway, someone()
    assert of(gateway, who) is None
    stack.write(who)
    c = of(gateway, who)
    assert c["number_id"] == NUMBER and c["channel"] == "whatsapp" and c["group_id"] is None
    assert c["window"]["state"] == "open"
    assert c["window"]["until_ms"] == at_ms(c["window"]["until"]) == at_ms(c["window"]["opened_at"]) + 24 * HOUR_MS
    assert c["last"]["seq"] == 1 and c["last"]["type"] == "message.received" and c["last"]["kind"] == "text"
    stack.advance(24 * HOUR_MS + 60000)
    shut = of(gateway, who)
    assert shut["window"] == {**c["window"], "state": "shut"}, "the same end, and it is past"
    answer = gateway.send(text(who))
    assert answer.headers["Godwit-Refused"] == "window", "what is shown is what is guarded"
    stack.write(who)
    again = of(gateway, who)
    assert again["id"] == c["id"] and again["window"]["state"] == "open" and again["last"]["seq"] == 2
    assert again["window"]["until_ms"] > c["window"]["until_ms"]
    assert gateway.send(text(who)).status_code == 200
    assert gateway.api("GET", "conversations/" + c["id"])["window"]["state"] == "open"


def test_who_never_wrote_has_no_window(stack):
    """A status alone makes no conversation open: only the customer does."""
    gateway, who = stack.gateway, someone()
    assert gateway.send(template(who)).status_code == 200
    stack.advance(1000)
    wait_until("its statuses", lambda: [e for e in gateway.events(type="message.status")
                                        if e["status"].get("recipient") == who])
    c = of(gateway, who)
    assert c is None or c["window"] == {"state": "never", "opened_at": None, "until": None, "until_ms": 0}


def test_pages_and_filters(stack):
    gateway, whos = stack.gateway, [someone() for _ in range(5)]
    for who in whos:
        stack.write(who)
    everything = [c["id"] for c in gateway.api("GET", "conversations", limit=1000)["data"]]
    for limit in (1, 2, len(everything)):
        rows, before = [], {}
        while True:
            page = gateway.api("GET", "conversations", limit=limit, **before)
            rows += [c["id"] for c in page["data"]]
            if page["page"]["next"] is None:
                break
            assert len(page["data"]) == limit
            before = {"before": page["page"]["next"]}
        assert rows == everything, limit
    newest = gateway.api("GET", "conversations", limit=5)["data"]
    assert [c["contact"]["phone"] for c in newest] == ["+" + who for who in reversed(whos)]
    one = gateway.api("GET", "conversations", contact=newest[2]["contact"]["id"])["data"]
    assert [c["id"] for c in one] == [newest[2]["id"]]
    assert gateway.api("GET", "conversations", number="999")["data"] == []
    for nobody in ("cnv_" + "0" * 26, "nonsense", newest[0]["contact"]["id"]):
        answer = gateway.local("GET", "/api/v1/conversations/" + nobody)
        assert (answer.status, answer.json["error"]["code"]) == (404, "no_such_id"), nobody


def test_the_command_line_shows_it(stack):
    gateway, who = stack.gateway, someone()
    stack.write(who)
    id_ = of(gateway, who)["id"]
    table = gateway.cli("conversation", "list")
    assert table.returncode == 0 and "WINDOW" in table.stdout and " open " in table.stdout
    assert who not in table.stdout, "numbers are masked"
    shown = gateway.cli("--show-pii", "conversation", "get", id_)
    assert shown.returncode == 0 and "open" in shown.stdout and "+" + who in shown.stdout
    assert json.loads(gateway.cli("--json", "conversation", "get", id_).stdout)["window"]["state"] == "open"
    assert gateway.cli("-o", "id", "conversation", "list", "--limit", "1").stdout.strip() == id_
    missing = gateway.cli("conversation", "get", "cnv_" + "0" * 26)
    assert missing.returncode == 3 and "no such conversation" in missing.stderr
