# SPDX-License-Identifier: MIT
"""A list from the command line to Meta: the real command, the real gateway in a live profile, and the sandbox as Meta

test_send_list.py has the command alone, test_batch.py the gateway alone. Here both are stopped, killed and followed.
"""
import csv
import json
import os
import re
import signal
import subprocess

import pytest

from kit import BIN, NUMBER, WAIT, wait_until
from lists import Typed
from sends import someone
from test_batch import look

OK, PARTIAL, SIGINT = 0, 8, 130
READY, LIMIT = 240, 30  # eight seconds of the number: nobody is late for the middle of it
TEMPLATE = ("--template", "order_shipped", "--lang", "en", "--var", "1=name", "--var", "2=order")


class Live:
    """A stack whose gateway is live, the list, and the command at its local socket."""

    def __init__(self, stack, folder):
        self.stack, self.folder, self.batch = stack, folder, None
        self.whom = [someone() for _ in range(READY)]
        self.path = os.path.join(folder, "people.csv")
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith("GODWIT_")}, "LC_ALL": "C.UTF-8",
                    "TERM": "xterm", "GODWIT_SERVER": "unix:" + stack.gateway.socket}
        rows = [("+" + w, 'Ann "%d", A' % i, "A-%d" % i) for i, w in enumerate(self.whom)]
        rows[100:100] = [("nobody", "Bad", "B-1"), ("+" + self.whom[3], "Again", "B-2"), ("+4915112345678", "", "B-3")]
        with open(self.path, "w", encoding="utf-8", newline="") as f:
            csv.writer(f).writerows([("phone", "name", "order"), *rows])

    def run(self, *args):
        return subprocess.run([BIN, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, encoding="utf-8", timeout=WAIT + 60, env=self.env, check=False)

    def progress(self):
        return look(self.stack.gateway, self.batch)["progress"]

    def state(self):
        return look(self.stack.gateway, self.batch)["state"]

    def wait_accepted(self, count):
        wait_until("%d accepted" % count, lambda: self.progress()["accepted"] >= count)

    def taken(self):
        """How often Meta's side took a message of each."""
        count = {}
        for m in self.stack.sandbox.messages():
            count[m["to"].lstrip("+")] = count.get(m["to"].lstrip("+"), 0) + 1
        return count


@pytest.fixture
def live(stacks, folder):
    return Live(stacks(conf={"profile": "live", "clock.follow": ""}, limit=LIMIT), folder)


@pytest.fixture
def typed(closing):
    def start(live, *args):
        closing.append(Typed(live.env, *args))
        return closing[-1]
    return start


def batch_of(shown):
    return re.search(r"bat_[0-9a-zA-Z]+", shown).group(0)


def read_results(live):
    """{row: (state, phone, code)} of the files that the command writes: both say the same."""
    paths = [os.path.join(live.folder, "results." + kind) for kind in ("csv", "json")]
    for path in paths:
        done = live.run("batch", "results", live.batch, "--out", path)
        assert done.returncode == OK, done.stderr
    with open(paths[0], encoding="utf-8", newline="") as f:
        rows = {int(r["row"]): r for r in csv.DictReader(f)}
    with open(paths[1], encoding="utf-8") as f:
        told = json.load(f)
    both = {r["row"]: r for r in told["sent"] + told["failed"]}
    assert len(both) == len(told["sent"]) + len(told["failed"])
    assert {n: (r["state"], r["phone"]) for n, r in rows.items()} == {
        n: (r["state"], r["phone"]) for n, r in both.items()}
    assert all(r["state"] == "sent" and r["wamid"] == rows[r["row"]]["wamid"] for r in told["sent"])
    assert all(r["reason"] and r["fix"] and r["code"] for r in told["failed"] if r["state"] == "refused")
    return rows


def test_a_list_through_pauses_and_kills(live, typed):
    gateway, sandbox = live.stack.gateway, live.stack.sandbox
    first = typed(live, "send", "--csv", live.path, *TEMPLATE)
    first.until("Type %d to send it: " % READY)
    for line in ("rows              %d" % (READY + 3), "ready             %d" % READY, "row 101", "row 103",
                 "row 102", "duplicates          1", "takes about 0:08", 'order_shipped (en) 1: Ann "0", A'):
        assert line in first.shown, first.shown
    live.batch = batch_of(first.shown)
    assert live.state() == "ready" and sandbox.messages() == [], "nothing leaves before the count is typed"
    first.type("%d\n" % READY)
    live.wait_accepted(10)
    shown = first.until("\u2588")
    assert re.search(r"\d+ %%  .*\d+/%d  .*/s  ETA 0:0\d" % READY, shown), shown
    first.type("\x03")
    assert first.end() == SIGINT, first.shown
    assert live.state() == "paused" and "godwit send --resume " + live.batch in first.shown
    wait_until("what was queued has gone", lambda: live.progress()["queued"] + live.progress()["sending"] == 0)
    paused = live.progress()
    assert 0 < paused["accepted"] < READY and paused["accepted"] + paused["waiting"] == READY
    assert sum(live.taken().values()) == paused["accepted"]

    second = typed(live, "send", "--resume", live.batch)  # goes on, and is killed: the batch is the gateway's
    second.until("ETA")
    second.kill(signal.SIGKILL)
    assert second.end() == -signal.SIGKILL and live.state() in ("running", "done")

    third = typed(live, "send", "--resume", live.batch, "--results", os.path.join(live.folder, "followed.json"))
    third.until("\u2588")
    gateway.kill()
    third.until("the gateway does not answer; waiting for it")
    assert sum(live.taken().values()) < READY, "in the middle"
    gateway.accounts["test"]["numbers"] = "%s=%d" % (NUMBER, 80)  # the rest of it need not take as long
    gateway.start()
    assert third.end() == PARTIAL, third.shown  # three rows were refused
    done = look(gateway, live.batch)
    assert done["state"] == "done" and done["rows"] == {"total": READY + 3, "ready": READY, "refused": 3,
                                                        "duplicates": 1}
    settle(live, third.shown)


def settle(live, shown):
    """Each row once; every result is what Meta's side has."""
    taken, rows = live.taken(), read_results(live)
    assert max(taken.values()) == 1, "sent twice"
    assert sorted(rows) == list(range(1, READY + 4))
    assert [(rows[n]["state"], rows[n]["code"]) for n in (101, 102, 103)] == [
        ("refused", "bad_phone"), ("refused", "duplicate"), ("refused", "missing_value")]
    ids = {m["to"].lstrip("+"): m["id"] for m in live.stack.sandbox.messages()}
    lost = 0  # an answer that the kill cut off, which no status has told of yet
    for n, w in zip([n for n in rows if n not in (101, 102, 103)], live.whom):
        assert rows[n]["phone"] == "+" + w
        if rows[n]["state"] == "unknown":
            lost += 1
        else:
            assert (rows[n]["state"], rows[n]["wamid"]) == ("sent", ids[w]), rows[n]
    assert len(taken) >= READY - lost
    assert re.search(r"\d+ of %d sent" % READY, shown), shown
    with open(os.path.join(live.folder, "followed.json"), encoding="utf-8") as f:
        assert len(json.load(f)["failed"]) >= 3


