# SPDX-License-Identifier: MIT
"""bulk.py - the 10,000 messages of the guides at 80/s: a list of ours beside the loop that they teach

OURS        `godwit send --csv` of a list with a template of two variables, through a gateway with the profile
            live, confirmed by --confirm. From the start of the command (the list is read, sent up and checked in
            that time) to the last acceptance by the sandbox.
PEER        peer/bulk.mjs on the same list, without a gateway. From its start to its last acceptance. Its batches
            are what counts; the other loops are there to compare (peer/bulk.mjs says what they are).
BETWEEN     a sandbox of its own for each, with 80/s, a bucket of one second and ANSWER_MS until an answer. Ours has
            its webhooks delivered and stored, three for each message; the loop hears of no status.
CPU         user and system time of command and gateway until the batch is done; of node. Never the sandbox's.
KILLED      kill -9 of everything but the sandbox when half is accepted, then what a person does: the gateway is
            started and `godwit send --resume` typed; the loop is started again. A message is lost when the
            sandbox never took it, doubled for each time more than once.
"""
import collections
import csv
import io
import os
import re
import subprocess
import time

from rig import NUMBER, STARTED, Gateway, Sandbox, cpu_seconds, say

ROWS, RATE = 10000, 80
ANSWER_MS = 150
SAMPLE = 250  # rows of the loop that waits for each answer: all would take it half an hour
IDEAL_S = ROWS / RATE
THROUGHPUT = 130429
PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer", "bulk.mjs")

GATES = [("bulk_10k_s", "within", (IDEAL_S * 0.98, IDEAL_S * 1.02)), ("bulk_429s", "<=", 0), ("bulk_lost", "<=", 0),
         ("bulk_doubled", "<=", 0), ("bulk_kill_lost", "<=", 0), ("bulk_kill_doubled", "<=", 0)]


def people(count):
    """The list: its first line names the columns."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["phone", "name", "order"])
    rows.writerows([f"+4915112{i:06d}", f"Customer {i}", f"A-{i}"] for i in range(count))
    return out.getvalue()


def recipients(count):
    return [f"4915112{i:06d}" for i in range(count)]


def lost_and_doubled(sandbox, count):
    taken = collections.Counter(m["to"].lstrip("+") for m in sandbox.messages())
    whom = recipients(count)
    if set(taken) - set(whom):
        raise SystemExit("somebody got a message who is not on the list")
    return sum(w not in taken for w in whom), sum(n - 1 for n in taken.values())


class Command:
    """A program with its output in a file; what it cost is known when it has ended."""

    def __init__(self, argv, log, env):
        self.log = log
        with open(log, "ab") as out:
            self.began = time.monotonic()
            self.child = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env)
        STARTED.append(self.child)

    def kill(self):
        self.child.kill()
        self.wait()

    def wait(self):
        """Its exit code and CPU seconds."""
        _, status, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        return self.child.returncode, usage.ru_utime + usage.ru_stime

    def words(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()


class Bulk:
    def __init__(self, bench):
        self.bench, self.note, self.loops = bench, bench.note, 0
        self.list = os.path.join(bench.tmp, "people.csv")
        with open(self.list, "w", encoding="ascii") as f:
            f.write(people(ROWS))

    def run(self):
        self.ours()
        self.ours_killed()
        self.peer()
        self.peer_killed()
        self.peer_others()

    # ---- ours

    def stack(self, name):
        """A gateway in front of a sandbox that has its address."""
        g = Gateway(self.bench, name, limit=RATE, profile="live", starts=False)
        sandbox = Sandbox(self.bench, f"{name}-sandbox", RATE, secrets=g.dir, answer_delay_ms=ANSWER_MS)
        g.configure(sandbox.base)
        g.start()
        with open(os.path.join(g.dir, "verify_token"), encoding="ascii") as f:
            sandbox.control("POST", "callback", {"url": f"http://127.0.0.1:{g.port}/webhook",
                                                 "verify_token": f.read()})
        return g, sandbox

    def send(self, g, *options):
        return Command([self.bench.godwit, "send", "--no-input", *options], os.path.join(g.dir, "send.log"),
                       {**os.environ, "GODWIT_SERVER": f"unix:{g.sock}"})

    def send_list(self, g):
        return self.send(g, "--csv", self.list, "--template", "order_shipped", "--lang", "en", "--var", "1=name",
                         "--var", "2=order", f"--confirm={ROWS}", "--progress", "plain")

    @staticmethod
    def batch(g):
        (found,) = g.call("GET", "/api/v1/batches")["data"]
        return g.call("GET", "/api/v1/batches/" + found["id"])["progress"]

    def ours(self):
        g, sandbox = self.stack("bulk")
        before = cpu_seconds(g.pid)
        command = self.send_list(g)
        sandbox.wait_accepted(ROWS, 300)
        self.note("bulk_10k_s", time.monotonic() - command.began, "s")
        code, cpu = command.wait()
        if code != 0:
            say(command.words())
        self.note("bulk_429s", sandbox.refused(THROUGHPUT), "answers")
        self.note("bulk_cpu", cpu + cpu_seconds(g.pid) - before, "s")
        lost, doubled = lost_and_doubled(sandbox, ROWS)
        self.note("bulk_lost", lost, "messages")
        self.note("bulk_doubled", doubled, "messages")
        g.stop()
        sandbox.stop()

    def ours_killed(self):
        g, sandbox = self.stack("bulk-killed")
        command = self.send_list(g)
        sandbox.wait_accepted(ROWS // 2, 300)
        g.kill()
        command.kill()
        batch = re.search(r"batch=(bat_\w+)", command.words()).group(1)
        g.start()
        code, _ = self.send(g, "--resume", batch, "--progress", "plain").wait()
        if code not in (0, 8):
            say(command.words())
        lost, doubled = lost_and_doubled(sandbox, ROWS)
        self.note("bulk_kill_lost", lost, "messages")
        self.note("bulk_kill_doubled", doubled, "messages")
        self.note("bulk_kill_unknown", self.batch(g)["unknown"], "messages")
        self.note("bulk_kill_429s", sandbox.refused(THROUGHPUT), "answers")
        g.stop()
        sandbox.stop()

    # ---- the loop

    def loop(self, sandbox, how, rows=ROWS):
        self.loops += 1
        name = f"peer{self.loops}-{how}"
        path = os.path.join(self.bench.tmp, name + ".csv")
        with open(path, "w", encoding="ascii") as f:
            f.write(people(rows))
        return Command(["node", PEER, f"{sandbox.base}/v26.0/{NUMBER}/messages", path, how],
                       os.path.join(self.bench.tmp, name + ".log"), {**os.environ, "WHATSAPP_TOKEN": "bench-token"})

    def looped(self, how, rows=ROWS):
        """What it accepted, refused, lost and took; seconds until the last acceptance."""
        sandbox = Sandbox(self.bench, f"peer-{how}-sandbox", RATE, answer_delay_ms=ANSWER_MS)
        began = time.time()
        command = self.loop(sandbox, how, rows)
        _, cpu = command.wait()
        lost, doubled = lost_and_doubled(sandbox, rows)
        if doubled:
            raise SystemExit("a loop that ran once sent twice")
        last_ms = max(m["at_ms"] for m in sandbox.messages())
        found = {"seconds": last_ms / 1000 - began, "cpu": cpu, "refused": sandbox.refused(THROUGHPUT),
                 "lost": lost}
        sandbox.stop()
        return found

    def peer(self):
        found = self.looped("batches")
        self.note("peer_bulk_10k_s", found["seconds"], "s")
        self.note("peer_bulk_429s", found["refused"], "answers")
        self.note("peer_bulk_cpu", found["cpu"], "s")
        self.note("peer_bulk_lost", found["lost"], "messages")

    def peer_killed(self):
        """Started again from the top; and how many it had sent without having said so, for who would cut the list."""
        sandbox = Sandbox(self.bench, "peer-killed-sandbox", RATE, answer_delay_ms=ANSWER_MS)
        command = self.loop(sandbox, "batches")
        sandbox.wait_accepted(ROWS // 2, 300)
        command.kill()
        unsaid = sandbox.accepted() - command.words().count("sent to ")
        self.loop(sandbox, "batches").wait()
        lost, doubled = lost_and_doubled(sandbox, ROWS)
        self.note("peer_bulk_kill_lost", lost, "messages")
        self.note("peer_bulk_kill_doubled", doubled, "messages")
        self.note("peer_bulk_kill_unsaid", unsaid, "messages")
        self.note("peer_bulk_kill_429s", sandbox.refused(THROUGHPUT), "answers")
        sandbox.stop()

    def peer_others(self):
        """The loops that do not wait as long as they should, and the one that waits too long."""
        for how in ("paced", "all"):
            found = self.looped(how)
            self.note(f"peer_bulk_{how}_10k_s", found["seconds"], "s")
            self.note(f"peer_bulk_{how}_429s", found["refused"], "answers")
            self.note(f"peer_bulk_{how}_lost", found["lost"], "messages")
        found = self.looped("sequential", SAMPLE)
        self.note("peer_bulk_sequential_10k_s", found["seconds"] * ROWS / SAMPLE, "s")
