# SPDX-License-Identifier: MIT
"""A list at its number's limit, on the moved clock: as fast as allowed, nothing refused, and each row once though
gateway and command are killed half way. The long form on the real clock is `tools/run-bench --only bulk`."""
import csv
import os
import subprocess

import pytest

import kit
from kit import BIN, wait_until
from sends import someone
from test_pacing import SHARE, STEP_MS, TOLERANCE_MS, judge

ROWS, LIMIT = 240, 80
QUIET = {"sent_ms": 86400000, "delivered_ms": 86400000, "read_ms": 86400000}


class Sending:
    """`godwit send --csv` of ROWS people, and the clock that moves when everything due has been taken."""

    def __init__(self, stack):
        self.stack, self.taken, self.now = stack, 0, 0
        self.whom = [someone() for _ in range(ROWS)]
        self.clock = kit.Clock(stack.sandbox)
        self.clock.freeze()
        self.path = os.path.join(stack.folder, "people.csv")
        with open(self.path, "w", encoding="ascii", newline="") as f:
            rows = csv.writer(f)
            rows.writerow(["phone", "name", "order"])
            rows.writerows(["+" + w, "Ann", "A-%d" % i] for i, w in enumerate(self.whom))

    def send(self, *options):
        env = {**os.environ, "GODWIT_SERVER": "unix:" + self.stack.gateway.socket}
        return subprocess.Popen([BIN, "send", "--no-input", "--progress", "none", *options], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", env=env)

    def start(self):
        return self.send("--csv", self.path, "--template", "order_shipped", "--lang", "en", "--var", "1=name",
                         "--var", "2=order", "--confirm", str(ROWS))

    def batch(self):
        (found,) = self.stack.gateway.api("GET", "batches")["data"]
        return self.stack.gateway.api("GET", "batches/" + found["id"])

    def total(self):
        return self.stack.sandbox.control("GET", "messages", brief=1, limit=0)["total"]

    def until(self, count):
        """Steps of the clock, each when what was due before it is there; milliseconds that it took in all."""
        while self.taken < count:
            due = min(ROWS, int((self.now + TOLERANCE_MS - 0.01) / (1000 / (LIMIT * SHARE))) + 1)
            if due > self.taken:
                self.taken = self.stack.sandbox.control("GET", "messages", brief=1, limit=0, wait=due - self.taken,
                                                        after=self.taken, timeout_s=int(kit.WAIT))["total"]
                assert self.taken >= due, "%d of %d messages after %d ms" % (self.taken, due, self.now)
                wait_until("the answers", lambda: self.batch()["progress"]["accepted"] >= self.taken)
            if self.taken < count:
                self.clock.advance(ms=STEP_MS)
                self.now += STEP_MS
        return self.now


@pytest.fixture
def sendings(stacks):
    return lambda **settings: Sending(stacks({"log.level": "warn"}, LIMIT, limit_mps=LIMIT, **QUIET, **settings))


def test_a_list_leaves_as_fast_as_its_number_may(sendings):
    """The sandbox's bucket is no larger than what comes at once after a step, so it is as strict as can be."""
    sending = sendings(throughput_burst=2)
    command = sending.start()
    took = sending.until(ROWS)
    judge("list of %d at %d/s on the moved clock" % (ROWS, LIMIT), LIMIT, took / 1000, ROWS,
          sending.stack.sandbox.counters())
    said = command.communicate(timeout=kit.WAIT)[0]
    assert command.returncode == 0 and "%d of %d sent" % (ROWS, ROWS) in said, said
    assert [len(sending.stack.accepted(w)) for w in sending.whom] == [1] * ROWS


def test_killed_half_way_each_row_once(sendings):
    """What was claimed ahead of its slot has not left, and the next start can tell (record 023)."""
    sending = sendings()
    command = sending.start()
    sending.until(ROWS // 2)
    sending.stack.gateway.kill()
    command.kill()
    command.communicate()
    sending.stack.gateway.start()
    again = sending.send("--resume", sending.batch()["id"])
    sending.clock.resume()
    said = again.communicate(timeout=kit.WAIT)[0]
    assert again.returncode == 0 and "%d of %d sent" % (ROWS, ROWS) in said, said
    assert [len(sending.stack.accepted(w)) for w in sending.whom] == [1] * ROWS
    assert sending.stack.sandbox.counters()["refused"] == {}
