# SPDX-License-Identifier: MIT
"""test_send_list.py - godwit send --csv and godwit batch: what the command asks of the gateway, shows, and ends with"""
import csv
import json
import os
import signal
import subprocess

import pytest

from kit import NUMBER, WAIT, wait_until
from lists import ID, Lists, Typed

OK, USAGE, NOT_FOUND, REFUSED, REJECTED, TEMPORARY, PARTIAL, SIGINT = 0, 2, 3, 5, 6, 7, 8, 130
TEMPLATE = ("--template", "order_shipped", "--lang", "en", "--var", "1=name", "--var", "2=order")


@pytest.fixture
def make_lists(closing):
    def make(*args, **more):
        closing.append(Lists(*args, **more))
        return closing[-1]
    return make


@pytest.fixture
def people(folder):
    path = os.path.join(folder, "people.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("phone,name,order\n+4915112345000,Ann,A-1\n")
    return path


@pytest.fixture
def typed(closing):
    def start(lists, *args, **more):
        closing.append(Typed(lists.env, *args, **more))
        return closing[-1]
    return start


def words(lists):
    return [word for word, _ in lists.orders]


# --- what is asked of the gateway ----------------------------------------------------------------

def test_the_file_goes_up_as_it_is(make_lists, people):
    lists = make_lists()
    r = lists.run("send", "--csv", people, *TEMPLATE, "--category", "utility", "--phone", "phone")
    assert r.returncode == OK, r.stderr
    query, kind, body = lists.uploads[0]
    assert query == {"number": NUMBER, "template": "order_shipped", "language": "en", "var.1": "name",
                     "var.2": "order", "category": "utility", "phone": "phone", "name": "people.csv"}
    with open(people, "rb") as f:
        assert (kind, body) == ("text/csv", f.read())
    assert lists.orders == [("start", {"confirm": 100})], "the sandbox starts at once"
    for line in ("people.csv", "ready             100", "Hi Ann, order A-1 is on its way", "takes about 0:02",
                 "100 of 100 sent"):
        assert line in r.stdout, r.stdout
    assert "5112345000" not in r.stdout, "numbers are masked"


def test_a_large_list_from_a_pipe(make_lists):
    lists = make_lists()
    body = "phone,name\n" + "".join("+49151%08d,Ann %d\n" % (i, i) for i in range(200000))
    r = lists.run("send", "--csv", "-", "--text", "Hi {{name}}", "--name", "May", stdin=body)
    assert r.returncode == OK, r.stderr
    query, _, got = lists.uploads[0]
    assert query["text"] == "Hi {{name}}" and query["name"] == "May" and "template" not in query
    assert got.decode() == body


@pytest.mark.parametrize("args, error", [
    (["--csv", "x"], "either --template or --text"),
    (["--csv", "x", "--text", "a", "--template", "b"], "either --template or --text"),
    (["--csv", "x", "--text", "a", "--var", "1=b"], "--var is for templates"),
    (["--csv", "x", "--resume", "bat_1"], "either --csv or --resume"),
    (["--csv", "x", "--text", "a", "+49151"], "stands in the list"),
    (["--csv", "x", "--text", "a", "--wait", "read"], "are for one message"),
    (["--csv", "x", "--text", "a", "--progress", "loud"], '"loud" is none'),
    (["--csv", "/nonexistent/x", "--text", "a"], "cannot open /nonexistent/x"),
    (["--csv", "/dev/null", "--text", "a"], "null is empty"),
    (["--csv", "/", "--text", "a"], "is a folder"),
    (["--csv", "x", "--template", "a", "--var", "name"], '--var "name" has no name'),
    (["+49151", "--dry-run"], "are for lists"),
    (["+49151", "--text", "a"], "are for lists"),
])
def test_a_wrong_call_sends_nothing(make_lists, args, error):
    lists = make_lists()
    r = lists.run("send", *args)
    assert (r.returncode, r.stdout, lists.uploads) == (USAGE, "", []), r.stderr
    assert error in r.stderr


# --- before the start ----------------------------------------------------------------------------

@pytest.mark.parametrize("refused, code", [(0, OK), (7, PARTIAL)])
def test_a_dry_run_sends_nothing(make_lists, people, refused, code):
    lists = make_lists("live", refused=refused)
    r = lists.run("send", "--csv", people, *TEMPLATE, "--dry-run")
    assert (r.returncode, words(lists)) == (code, ["cancel"]), r.stderr
    if refused:
        assert "row 101" in r.stdout and "no telephone number" in r.stdout and "country code" in r.stdout
        assert "and 2 more" in r.stdout
    told = json.loads(make_lists().run("send", "--csv", people, *TEMPLATE, "--dry-run", "--json").stdout)
    assert told["state"] == "ready" and told["preview"][0]["body"].startswith("Hi Ann")


def test_live_asks_for_the_count(make_lists, people, typed):
    lists = make_lists("live")
    terminal = typed(lists, "send", "--csv", people, *TEMPLATE)
    terminal.until("Type 100 to send it: ")
    assert lists.orders == [], "nothing starts by itself"
    terminal.type("100\n")
    assert terminal.end() == OK, terminal.shown
    assert lists.orders == [("start", {"confirm": 100})]


@pytest.mark.parametrize("answer, code", [("99\n", REFUSED), ("\n", REFUSED), ("yes\n", REFUSED), ("\x04", SIGINT),
                                          ("\x03", SIGINT)])
def test_any_other_answer_sends_nothing(make_lists, people, typed, answer, code):
    lists = make_lists("live")
    terminal = typed(lists, "send", "--csv", people, *TEMPLATE)
    terminal.until("to send it: ")
    terminal.type(answer)
    assert terminal.end() == code, terminal.shown
    assert words(lists) == ["cancel"] and "nothing was sent" in terminal.shown


def test_scripts_confirm_by_an_option(make_lists, people):
    lists = make_lists("live")
    r = lists.run("send", "--csv", people, *TEMPLATE, "--no-input")
    assert (r.returncode, lists.uploads) == (USAGE, []) and "--confirm=COUNT" in r.stderr
    r = lists.run("send", "--csv", people, *TEMPLATE, "--confirm=99")
    assert (r.returncode, words(lists)) == (REFUSED, ["cancel"]) and '100 messages would be sent, not "99"' in r.stderr
    lists = make_lists("live")
    assert lists.run("send", "--csv", people, *TEMPLATE, "--confirm=100", "--no-input").returncode == OK
    assert lists.orders == [("start", {"confirm": 100})]


def test_a_list_that_is_no_use(make_lists, people):
    lists = make_lists(ready=0, refused=3)
    r = lists.run("send", "--csv", people, *TEMPLATE)
    assert (r.returncode, words(lists)) == (REFUSED, ["cancel"]) and "no row of the list can be sent" in r.stderr
    lists = make_lists()
    lists.batch.update(state="refused", why='there is no column "name"')
    r = lists.run("send", "--csv", people, *TEMPLATE)
    assert (r.returncode, lists.orders) == (REFUSED, []) and 'there is no column "name"' in r.stderr


# --- under way -----------------------------------------------------------------------------------

def test_something_is_shown_before_anybody_answers(make_lists, people, typed):
    lists = make_lists()
    lists.gate.clear()
    terminal = typed(lists, "send", "--csv", people, *TEMPLATE)
    terminal.until("reading " + people)
    assert lists.uploads == []
    lists.gate.set()
    assert terminal.end() == OK


def test_a_bar_on_a_terminal(make_lists, people, typed):
    lists = make_lists(ready=10000, step=41)
    lists.until = 4120
    terminal = typed(lists, "send", "--csv", people, *TEMPLATE)
    terminal.until("%  \u2588")
    shown = terminal.until("  74.8/s  ETA 1:19").split("\r")[-1]
    assert "/10,000" in shown and "\u2591" in shown
    lists.until, lists.step = 10000, 10000
    assert terminal.end() == OK
    assert "100 %  " + "\u2588" * 20 + "  10,000/10,000  done" in terminal.shown
    narrow = typed(make_lists(), "send", "--csv", people, *TEMPLATE, "--progress", "bar", columns=30)
    assert narrow.end() == OK and "\u2588" not in narrow.shown


def test_lines_in_a_pipe(make_lists, people):
    lists = make_lists(ready=10000, step=2060)  # --resume looks before it follows
    lists.batch["state"] = "running"
    lists.finish(3, "failed", code=131026, reason="Message undeliverable", fix="ask her")
    r = lists.run("send", "--resume", ID)
    lines = r.stderr.splitlines()
    assert lines[0] == "batch=%s sent=4120/10000 failed=3 rate=74.8/s eta=00:01:19" % ID
    assert lines[1] == "batch=%s state=done sent=9997/10000 failed=3" % ID, "one in ten seconds, and the last"
    assert "\r" not in r.stderr and r.returncode == PARTIAL


@pytest.mark.parametrize("args, count", [(["--progress", "json"], 1), (["--progress", "none"], 0), (["-q"], 0),
                                         (["--json"], 0)])
def test_progress_for_programs(make_lists, people, args, count):
    r = make_lists(step=1000).run("send", "--csv", people, *TEMPLATE, *args)
    lines = [json.loads(line) for line in r.stderr.splitlines()]
    assert r.returncode == OK and len(lines) >= count and (count > 0 or not lines)
    if count:
        assert lines[-1] == {"batch": ID, "state": "done", "rows": 100, "ready": 100, "sent": 100, "failed": 0,
                             "rate": 74.8, "eta_s": 79}


def test_ctrl_c_pauses_and_resume_goes_on(make_lists, people):
    lists = make_lists(step=10)
    lists.until = 40
    p = lists.start("send", "--csv", people, *TEMPLATE)
    wait_until("40 sent", lambda: lists.batch["progress"]["accepted"] == 40)
    p.send_signal(signal.SIGINT)
    _, error = p.communicate(timeout=WAIT)
    assert p.returncode == SIGINT and words(lists) == ["start", "pause"]
    assert "paused after 40 of 100 messages" in error and "godwit send --resume " + ID in error
    lists.until = 100
    r = lists.run("send", "--resume", ID)
    assert r.returncode == OK and words(lists) == ["start", "pause", "resume"] and "100 of 100 sent" in r.stdout


def test_ctrl_c_on_a_terminal_pauses(make_lists, people, typed):
    lists = make_lists(step=10)
    lists.until = 40
    terminal = typed(lists, "send", "--csv", people, *TEMPLATE)
    terminal.until("40/100")
    terminal.type("\x03")
    assert terminal.end() == SIGINT and words(lists) == ["start", "pause"]


@pytest.mark.parametrize("how", ["the terminal is closed", signal.SIGKILL, signal.SIGTERM])
def test_who_leaves_otherwise_leaves_it_running(make_lists, people, typed, how):
    lists = make_lists(step=10)
    lists.until = 40
    terminal = typed(lists, "send", "--csv", people, *TEMPLATE)
    terminal.until("40/100")
    if isinstance(how, str):
        terminal.hang_up()
    else:
        terminal.kill(how)
    assert terminal.end() == -(how if not isinstance(how, str) else signal.SIGHUP)
    assert words(lists) == ["start"] and lists.batch["state"] == "running"
    lists.until = 100
    r = lists.run("send", "--resume", ID)
    assert r.returncode == OK and words(lists) == ["start"], "there is nothing to resume: it only follows"


def test_a_gateway_that_is_away_is_waited_for(make_lists, people, typed):
    lists = make_lists(step=10)
    lists.until = 40
    terminal = typed(lists, "send", "--csv", people, *TEMPLATE)
    terminal.until("40/100")
    lists.is_gone = True
    terminal.until("the gateway does not answer; waiting for it")
    lists.is_gone, lists.until = False, 100
    assert terminal.end() == OK and words(lists) == ["start"]


def test_who_paused_it_is_told(make_lists, people):
    lists = make_lists()
    lists.until = 0
    p = lists.start("send", "--csv", people, *TEMPLATE)
    lists.wait_looks(4)
    lists.batch.update(state="paused", why="the account was locked (131031)")
    _, error = p.communicate(timeout=WAIT)
    assert p.returncode == TEMPORARY and "the batch was paused: the account was locked (131031)" in error


# --- the end -------------------------------------------------------------------------------------

def failing(lists):
    lists.batch["state"] = "running"
    lists.finish(9, "failed", code=131026, reason="Message undeliverable", fix="ask her")
    lists.finish(2, "failed", code=131049, reason="Not delivered to keep the ecosystem healthy", fix="wait a day")
    lists.finish(1, "unknown", reason="the answer was lost")
    return lists


def test_reasons_are_counted(make_lists):
    r = failing(make_lists(refused=3)).run("send", "--resume", ID)
    assert r.returncode == PARTIAL and "15 of 103 rows were not sent" in r.stderr
    assert "88 of 100 sent" in r.stdout
    found = [line.split()[1:4] for line in r.stdout.splitlines() if line.startswith("\u2717")]
    assert found == [["9", "failed", "131026"], ["3", "refused", "phone"], ["2", "failed", "131049"],
                     ["1", "unknown", "the"]]
    assert "wait a day" in r.stdout
    r = failing(make_lists(refused=3)).run("send", "--resume", ID, "--json")
    told, error = json.loads(r.stdout), json.loads(r.stderr)["error"]
    assert (told["id"], told["state"], told["progress"]["accepted"]) == (ID, "done", 88)
    assert told["reasons"][0] == {"count": 9, "state": "failed", "code": 131026, "reason": "Message undeliverable",
                                  "fix": "ask her"}
    assert (error["class"], error["exit"]) == ("partial", PARTIAL) and ID in error["fix"]


def test_all_rejected_is_no_part(make_lists):
    lists = make_lists(ready=5)
    lists.batch["state"] = "running"
    lists.finish(5, "failed", code=132001, reason="Template does not exist", fix="create it")
    assert lists.run("send", "--resume", ID).returncode == REJECTED


def test_results_in_files(make_lists, folder):
    lists = failing(make_lists(ready=2500, refused=3, step=2500))
    lists.rows[20]["phone"] = '+49 "15,1'
    paths = [os.path.join(folder, name) for name in ("out.json", "out.csv")]
    assert lists.run("send", "--resume", ID, "--results", paths[0]).returncode == PARTIAL
    with open(paths[0], encoding="utf-8") as f:
        told = json.load(f)
    assert len(told["sent"]) == 2488 and len(told["failed"]) == 15
    assert told["failed"][0] == {"row": 1, "phone": "+4915112345000", "state": "failed", "id": "msg_1",
                                 "code": 131026, "reason": "Message undeliverable", "fix": "ask her"}
    assert os.stat(paths[0]).st_mode & 0o777 == 0o600
    assert lists.run("batch", "results", ID, "--out", paths[1]).returncode == OK
    with open(paths[1], encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert [r["row"] for r in rows] == [str(i + 1) for i in range(2503)] and rows[20]["phone"] == '+49 "15,1'
    assert sorted(os.listdir(folder)) == ["out.csv", "out.json"], "nothing half written is left"
    r = lists.run("send", "--resume", ID, "--results", "/nonexistent/out.csv")
    assert r.returncode == 1 and "cannot write /nonexistent/out.csv" in r.stderr


def test_the_nouns(make_lists):
    lists = failing(make_lists())
    assert lists.run("batches", "list", "-o", "id").stdout.strip() == ID
    assert "people.csv" in lists.run("batch", "list").stdout
    assert "running" in lists.run("batch", "get", ID).stdout
    assert "131026" in lists.run("batch", "results", ID, "--state", "failed").stdout
    for word in ("pause", "resume", "cancel"):
        r = lists.run("batch", word, ID)
        assert r.returncode == OK and lists.batch["state"] in r.stdout
    assert words(lists) == ["pause", "resume", "cancel"]
    r = lists.run("batch", "get", "bat_nothing")
    assert r.returncode == NOT_FOUND and "there is no such batch" in r.stderr
