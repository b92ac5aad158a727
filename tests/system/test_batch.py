# SPDX-License-Identifier: MIT
"""Sending to a list (docs/api.md, Batches): checked first, each row once, what became of it."""
import csv
import io
import json
import urllib.parse

import pytest
from kit import wait_until
from sends import someone, words_of

OPEN = ("checking", "ready", "running", "paused")


def post(gateway, rows, body=None, **options):
    """A list as CSV: rows of cells, the first of them the names."""
    if body is None:
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        body = out.getvalue().encode()
    path = "/api/v1/batches?" + urllib.parse.urlencode({k.replace("__", "."): v for k, v in options.items()})
    return gateway.local("POST", path, body, {"Content-Type": "text/csv"})


def add(gateway, rows, **options):
    answer = post(gateway, rows, **options)
    assert answer.status == 202, answer.text
    assert answer.json["state"] in ("checking", "ready", "running", "refused", "done")  # it may have been fast
    return answer.json["id"]


def look(gateway, batch):
    return gateway.api("GET", "batches/" + batch)


def wait_state(gateway, batch, *states):
    def there():
        found = look(gateway, batch)
        return found if found["state"] in states else None
    return wait_until("%s %s" % (batch, states), there)


def order(gateway, batch, what, **body):
    return gateway.local("POST", "/api/v1/batches/%s/%s" % (batch, what), body or None)


def results(gateway, batch, **query):
    return gateway.api("GET", "batches/%s/results" % batch, **query)


def people(count):
    return [someone() for _ in range(count)]


def texts(sandbox, whom):
    return sorted(words_of(m["body"]) for w in whom for m in sandbox.messages(to=w))


def table(whom):
    return [["phone", "name", "order"]] + [["+" + w, "Ann \"%d\", A" % i, "A-%d" % i] for i, w in enumerate(whom)]


TEMPLATE = {"template": "order_shipped", "language": "en", "var__1": "name", "var__2": "order"}


def test_a_template_goes_to_a_list(stack):
    whom = people(3)
    rows = [["name", "phone", "order"]] + [["Ann %d" % i, "+" + w, "A-%d" % i] for i, w in enumerate(whom)]
    batch = add(stack.gateway, rows, name="spring", **TEMPLATE)
    ready = wait_state(stack.gateway, batch, "ready")
    assert ready["rows"] == {"total": 3, "ready": 3, "refused": 0, "duplicates": 0}
    assert ready["progress"]["waiting"] == 3 and ready["name"] == "spring"
    assert ready["preview"][0] == {"phone": "+" + whom[0], "body": "order_shipped (en) 1: Ann 0, 2: A-0"}
    assert stack.sandbox.messages() == []  # nothing leaves before the start

    assert order(stack.gateway, batch, "start").json["state"] == "running"
    done = wait_state(stack.gateway, batch, "done")
    assert done["progress"]["accepted"] == 3 and done["progress"]["waiting"] == 0
    for i, w in enumerate(whom):
        (message,) = stack.sandbox.messages(to=w)
        body = json.loads(message["body"])["template"]["components"][0]["parameters"]
        assert [p["text"] for p in body] == ["Ann %d" % i, "A-%d" % i]
    row = results(stack.gateway, batch)["data"][1]
    assert (row["code"], row["reason"], row["fix"]) == (None, None, None)  # what was sent needs none
    message = stack.gateway.message(row["id"])
    assert (message.batch, message.batch_row) == (batch, 2)
    assert stack.gateway.metric("batch_rows_total", fate="handed") == 3
    assert stack.gateway.metric("batches_total", state="done") == 1


def test_rows_of_json(stack):
    whom = people(2)
    body = {"template": {"name": "order_shipped", "language": "en", "variables": {"1": "name", "2": "order"}},
            "rows": [{"phone": "+" + w, "name": "Bo", "order": 7} for w in whom], "start": True}
    answer = stack.gateway.local("POST", "/api/v1/batches", body)
    assert answer.status == 202, answer.text
    wait_state(stack.gateway, answer.json["id"], "done")
    assert stack.gateway.metric("batches_total", state="running") == 1
    assert stack.gateway.metric("batches_total", state="ready") == 0, "a crash in between would forget the start"
    assert [len(stack.sandbox.messages(to=w)) for w in whom] == [1, 1]


def test_rows_that_are_not_fit_say_why(stack):
    good, twin = someone(), "5571987654321"
    rows = [["phone", "name", "order"], ["+" + good, "Ann", "1"], ["", "No", "2"], ["hello", "Bad", "3"],
            ["4.91512E+12", "Excel", "4"], ["0151234567", "Home", "5"], ["+" + good, "Again", "6"],
            ["+" + twin, "Bra", "7"], ["+55 71 8765-4321", "The same", "8"], ["+4915112345678", " ", "9"],
            ["+4915112345679", "Tab\there", "10"], ["+4915112345670", "More", "11", "cells"]]
    batch = add(stack.gateway, rows, **TEMPLATE)
    found = wait_state(stack.gateway, batch, "ready")
    assert found["rows"] == {"total": 11, "ready": 2, "refused": 9, "duplicates": 2}
    assert [(f["row"], f["code"]) for f in found["findings"]] == [
        (2, "no_phone"), (3, "bad_phone"), (4, "spreadsheet_number"), (5, "national_phone"), (6, "duplicate"),
        (8, "duplicate"), (9, "missing_value"), (10, "bad_value"), (11, "extra_cells")]
    by_row = {f["row"]: f for f in found["findings"]}
    assert by_row[8]["reason"].endswith("row 7") and "name" in by_row[9]["reason"] and by_row[9]["fix"]
    assert order(stack.gateway, batch, "start").status == 200
    wait_state(stack.gateway, batch, "done")
    assert sum(len(stack.sandbox.messages(to=w)) for w in (good, twin)) == 2


@pytest.mark.parametrize("body, options, why", [
    (b"phone,name\n+491511,a\"b\n", {"text": "Hi"}, "line 2: a quote"),
    (b"phone,name\n+4915112345678,\xe4\n", {"text": "Hi"}, "line 2: bytes that are not UTF-8"),
    (b"\xff\xfep\0h\0\n\0", {"text": "Hi"}, "UTF-16"),
    (b"who,name\n+4915112345678,x\n", {"text": "Hi"}, "no column \"phone\""),
    (b"phone\n+4915112345678\n", {"text": "Hi {{name}}"}, "no column \"name\""),
    (b"phone\n", {"text": "Hi"}, "no rows"),
    (b"phone\nx\n", {"text": "Hi"}, "none of its 1 rows"),
], ids=["quote", "latin1", "utf16", "no phone", "no column", "empty", "nobody"])
def test_a_list_that_cannot_be_used_is_refused(shared, body, options, why):
    batch = add(shared.gateway, None, body=body, **options)
    refused = wait_state(shared.gateway, batch, "refused")
    assert why in refused["why"], refused["why"]
    assert order(shared.gateway, batch, "start").status == 409


def test_what_is_asked_for_must_make_sense(shared):
    for options, word in (({}, "template or a text"), ({"text": "a", "template": "b"}, "not both"),
                          ({"template": "order_shipped"}, "language"), ({"text": "a", "odd": "1"}, "odd"),
                          ({"template": "t", "language": "en", "var__2": "x"}, "missing"),
                          ({"text": "a", "number": "1"}, "no number"), ({"text": "a", "start": "yes"}, "start")):
        answer = post(shared.gateway, [["phone"], ["+4915112345678"]], **options)
        assert answer.status == 400 and word in answer.json["error"]["message"], (options, answer.text)
    assert shared.gateway.local("GET", "/api/v1/batches/bat_01JD8K3V9Q7TM2000000000000").status == 404


def test_a_text_goes_to_open_windows_only(stack):
    here, never = someone(), someone()
    stack.write(here)
    batch = add(stack.gateway, [["phone", "name"], ["+" + here, "Ann"], ["+" + never, "Bo"]],
                text="Hi {{name}}!", start="1")
    wait_state(stack.gateway, batch, "done")
    assert stack.words(here) == ["Hi Ann!"] and stack.words(never) == []
    rows = results(stack.gateway, batch)
    assert [(r["state"], r["code"]) for r in rows["data"]] == [("sent", None), ("failed", 131047)]
    assert rows["sent"] == 1 and [r["phone"] for r in rows["failed"]] == ["+" + never]


def test_who_opted_out_gets_no_marketing(stack):
    out, fine = someone(), someone()
    stack.gateway.api("POST", "contacts/%2B" + out + "/optout", {"source": "api"})
    batch = add(stack.gateway, [["phone"], ["+" + out], ["+" + fine]], template="spring_sale", language="en",
                category="marketing", start="1")
    wait_state(stack.gateway, batch, "done")
    assert [r["code"] for r in results(stack.gateway, batch)["data"]][0] == 131050
    assert stack.accepted(out) == []


def test_pause_resume_cancel(stacks):
    stack = stacks(limit=5)
    whom = people(200)
    batch = add(stack.gateway, table(whom), start="1", **TEMPLATE)
    wait_until("some are accepted", lambda: look(stack.gateway, batch)["progress"]["accepted"] >= 2)
    assert order(stack.gateway, batch, "pause").json["state"] == "paused"
    paused = look(stack.gateway, batch)["progress"]
    assert paused["waiting"] > 0
    stack.advance(60000)
    assert look(stack.gateway, batch)["progress"]["waiting"] == paused["waiting"]  # nothing more is handed over
    assert order(stack.gateway, batch, "pause").status == 200
    assert order(stack.gateway, batch, "resume").json["state"] == "running"
    wait_until("more is handed over", lambda: look(stack.gateway, batch)["progress"]["waiting"] < paused["waiting"])
    assert order(stack.gateway, batch, "cancel").json["state"] == "cancelled"
    over = look(stack.gateway, batch)["progress"]
    assert over["waiting"] == 0 and over["cancelled"] > 0
    assert order(stack.gateway, batch, "resume").status == 409
    rows = results(stack.gateway, batch, limit=1000, state="cancelled")["data"]
    assert len(rows) == over["cancelled"]


def test_a_live_start_names_the_count(stacks):
    stack = stacks(conf={"profile": "live", "clock.follow": ""})
    batch = add(stack.gateway, table([someone(), someone()]), start="1", **TEMPLATE)
    held = wait_state(stack.gateway, batch, "ready")
    assert "2 messages would be sent" in held["why"]
    for body in ({}, {"confirm": 3}):
        answer = order(stack.gateway, batch, "start", **body)
        assert answer.status == 409 and "2 messages" in answer.json["error"]["message"]
    assert order(stack.gateway, batch, "start", confirm=2).status == 200
    wait_state(stack.gateway, batch, "done")


def test_results_as_json_and_csv(stack):
    whom = people(30)
    batch = add(stack.gateway, table(whom) + [["bad", "x", "y"]], start="1", **TEMPLATE)
    wait_state(stack.gateway, batch, "done")
    seen, after = [], 0
    while after is not None:
        page = results(stack.gateway, batch, after=after, limit=7)
        seen += page["data"]
        after = page["page"]["next"]
    assert [r["row"] for r in seen] == list(range(1, 32))
    assert {r["state"] for r in seen[:-1]} == {"sent"} and seen[-1]["code"] == "bad_phone"
    answer = stack.gateway.local("GET", "/api/v1/batches/%s/results?format=csv" % batch)
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(r["row"], r["phone"], r["state"], r["id"]) for r in lines] == [
        (str(r["row"]), r["phone"], r["state"], r["id"] or "") for r in seen]
    failed = stack.gateway.local("GET", "/api/v1/batches/%s/results?format=csv&state=refused" % batch)
    assert [r["row"] for r in csv.DictReader(io.StringIO(failed.text))] == ["31"]
    assert batch in [b["id"] for b in stack.gateway.api("GET", "batches")["data"]]


def test_killed_in_the_middle_each_row_once(stacks):
    stack = stacks(limit=300, pair_refill_ms=0)
    whom = people(600)
    batch = add(stack.gateway, table(whom), start="1", **TEMPLATE)
    died = 0
    wait_until("it runs", lambda: look(stack.gateway, batch)["progress"]["accepted"] > 0)
    for fault in ("store.before_commit:40:kill", "batch.handed:30:kill", "store.after_commit:25:kill"):
        stack.gateway.kill()
        stack.gateway.start(GODWIT_FAULT=fault)
        stack.gateway.is_end_wanted = True
        wait_until("it dies", lambda: not stack.gateway.is_running() or look_or_none(stack.gateway, batch) == "done")
        died += not stack.gateway.is_running()
    assert died >= 2  # in the middle
    stack.gateway.kill()
    stack.gateway.start()
    stack.advance(200000)
    done = wait_state(stack.gateway, batch, "done")
    taken = [len(stack.accepted(w)) for w in whom]
    assert max(taken) == 1, "sent twice"
    assert sum(taken) >= len(whom) - done["progress"]["unknown"]
    assert done["progress"]["accepted"] + done["progress"]["unknown"] == len(whom), done["progress"]


def look_or_none(gateway, batch):
    try:
        return look(gateway, batch)["state"]
    except (OSError, AssertionError, ValueError):
        return None


def test_a_list_that_was_looked_at_when_it_stopped_is_refused(stack):
    rows = [["phone"]] + [["+49151%08d" % i] for i in range(30000)]
    batch = add(stack.gateway, rows, text="Hi")
    stack.gateway.crash()
    wait_until("what became of it", lambda: look(stack.gateway, batch)["state"] != "checking")
    state = look(stack.gateway, batch)
    assert state["state"] in ("refused", "ready")  # it may have been faster
    if state["state"] == "refused":
        assert "hand it in again" in state["why"]


def test_a_key_of_one_number_sees_its_own(stacks):
    stack = stacks()
    batch = add(stack.gateway, table([someone()]), **TEMPLATE)
    wait_state(stack.gateway, batch, "ready")
    key = stack.gateway.api("POST", "keys", {"name": "other", "scopes": ["send", "read"],
                                             "numbers": ["1"]})["key"]
    headers = {"Authorization": "Bearer " + key}
    base = stack.gateway.base + "/api/v1/batches"
    assert stack.gateway.http.get(base + "/" + batch, headers=headers).status_code == 404
    assert stack.gateway.http.post(base + "/" + batch + "/start", headers=headers).status_code == 404
    assert stack.gateway.http.get(base + "/" + batch + "/results", headers=headers).status_code == 404
    assert stack.gateway.http.get(base, headers=headers).json()["data"] == []
