# SPDX-License-Identifier: MIT
"""godwit db backup, check and restore: copies under load are whole, and what comes back sends nothing twice."""
import json
import os
import shutil
import sqlite3
import subprocess
import threading

import pytest

import kit
from lists import Lists, Typed
from sends import HOUR_MS, someone, text

NEVER = {"sent_ms": 100 * HOUR_MS, "delivered_ms": 100 * HOUR_MS, "read_ms": 100 * HOUR_MS}
OK, NOT_FOUND, REFUSED, CHECK, USAGE, TEMPORARY = 0, 3, 5, 9, 2, 7


def run(gateway, *args, code=OK):
    done = gateway.cli("db", *args)
    assert done.returncode == code, "%s: exit code %d\n%s%s" % (args, done.returncode, done.stdout, done.stderr)
    return done


def backup(gateway, path):
    return json.loads(run(gateway, "backup", path, "--json").stdout)


def restore(gateway, *args):
    """Into the data folder of a gateway that does not run."""
    return json.loads(run(gateway, "restore", *args, "--data", gateway.data, "--json").stdout)


def another(folder, stack, closing, name):
    gateway = kit.Gateway(folder, stack.sandbox, name=name, start=False)
    closing.append(gateway)
    return gateway


def test_a_copy_under_load_is_whole(stack, folder, closing):
    gateway, path = stack.gateway, os.path.join(folder, "copy.db")
    acknowledged, ended = [], threading.Event()

    def load():
        while not ended.is_set():
            acknowledged.append(gateway.send_async(text(someone())))
            stack.sandbox.say("word %d" % len(acknowledged))

    thread = threading.Thread(target=load)
    thread.start()
    kit.wait_until("some messages", lambda: len(acknowledged) > 20)
    before = list(acknowledged)
    told = backup(gateway, path)
    after = len(acknowledged)
    kit.wait_until("more messages", lambda: len(acknowledged) > after + 5)
    ended.set()
    thread.join()
    assert told["ok"] and told["findings"] == [] and told["bytes"] == os.path.getsize(path)
    assert os.stat(path).st_mode & 0o777 == 0o600 and not os.path.exists(path + ".part")
    assert len(before) <= told["messages"] <= len(acknowledged)
    originals = {m: gateway.message(m) for m in before}
    assert gateway.term() == 0
    copy = another(folder, stack, closing, "copy")
    told = run(copy, "restore", path, "--data", copy.data)
    assert "There is no %s/secrets.key" % copy.data in told.stderr and "What was there" not in told.stderr
    shutil.copy(os.path.join(gateway.data, "secrets.key"), copy.data)
    copy.start()
    for id_, original in originals.items():
        found = copy.message(id_)
        assert (found.to, found.created_ms) == (original.to, original.created_ms)
        assert found.state in ("accepted", "unknown")
    known = {m["opaque"] for m in stack.sandbox.messages()}
    copy.wait_message(copy.send_text(someone()), state="accepted")
    assert len({m["opaque"] for m in stack.sandbox.messages()} - known) == 1  # only the one just sent
    assert copy.term() == 0
    run(copy, "check", "--data", copy.data)


def unsent(stack, **customer):
    """A message that waits, as a backup finds it; the gateway sends it afterwards."""
    to = someone()
    stack.customer(to, **customer)
    rule = stack.inject(code=130429, to=to, always=True)
    id_ = stack.gateway.send_async(text(to, "once"))
    stack.gateway.wait_state(id_, "waiting")
    return to, id_


def restored(stack, folder, *options, **customer):
    to, id_ = unsent(stack, **customer)
    path = os.path.join(folder, "waits.db")
    assert backup(stack.gateway, path)["open"] == 1
    stack.sandbox.clear_faults()
    stack.advance(600 * 1000)
    stack.gateway.wait_state(id_, "accepted")
    assert stack.gateway.term() == 0
    told = restore(stack.gateway, path, *options)
    assert os.path.dirname(told["aside"]) == stack.gateway.data and os.path.exists(told["aside"])
    stack.gateway.start()
    return to, id_, told


def taken(stack, to):
    return [m for m in stack.sandbox.messages() if m["to"] == to]


def test_what_was_sent_since_is_not_sent_again(stack, folder):
    stack.gateway.accounts["test"]["app_secret"] = "another"  # from the restart on: no status proves anything
    to, id_, told = restored(stack, folder, **NEVER)
    assert told["held"] == 1
    assert stack.gateway.message(id_).state == "unknown"
    stack.advance(2 * HOUR_MS)
    stack.gateway.wait_state(stack.gateway.send_async(text(someone())), "accepted")
    assert stack.gateway.message(id_).state == "unknown"
    assert len(taken(stack, to)) == 1
    why = [t["why"] for t in stack.gateway.trail(id_) if t.get("to") == "unknown"]
    assert why == ["restored from a backup; it may have been sent since"]
    assert stack.gateway.cli("message", "resolve", id_, "--as", "resend").returncode == OK
    stack.gateway.wait_state(id_, "accepted")  # a person's word
    assert len(taken(stack, to)) == 2


def test_a_status_of_what_was_sent_since_settles_it(stack, folder):
    late = dict.fromkeys(NEVER, 10 * HOUR_MS)
    to, id_, told = restored(stack, folder, **late)
    assert told["held"] == 1 and stack.gateway.message(id_).state == "unknown"
    stack.advance(11 * HOUR_MS)
    stack.gateway.wait_state(id_, "accepted")
    assert len(taken(stack, to)) == 1


def test_resume_queue_sends_what_was_unsent_then(stack, folder):
    to, id_, told = restored(stack, folder, "--resume-queue", **NEVER)  # a status would settle it: the test above
    assert told["held"] == 0
    stack.advance(600 * 1000)
    stack.gateway.wait_state(id_, "accepted")
    assert len(taken(stack, to)) == 2


def test_what_was_on_its_way_in_a_backup_is_not_sent_again(stack, folder):
    """Not even with --resume-queue, and whatever is noted of departures: that was of the other database."""
    to, path = someone(), os.path.join(folder, "way.db")
    stack.customer(to, **NEVER)
    stack.inject(fault="accept_hang", to=to, next=1)
    id_ = stack.gateway.send_async(text(to, "once"))
    kit.wait_until("it is on its way", lambda: len(taken(stack, to)) == 1)
    backup(stack.gateway, path)
    stack.gateway.kill()
    notes = os.path.join(stack.gateway.data, "departures")
    with open(notes, "r+b") as f:  # as if thousands had left since, and its note had made room for theirs
        f.seek(72)
        f.write(bytes(os.path.getsize(notes) - 72))
    restore(stack.gateway, path, "--resume-queue")
    assert not os.path.exists(notes)
    stack.gateway.start()
    assert stack.gateway.wait_state(id_, "unknown")
    stack.advance(600 * 1000)
    stack.gateway.wait_state(stack.gateway.send_async(text(someone())), "accepted")
    assert len(taken(stack, to)) == 1


def test_the_default_name_and_no_file_is_replaced(stack, folder):
    name = json.loads(run(stack.gateway, "backup", "--json").stdout)["file"]
    assert os.path.dirname(name) == os.path.join(stack.gateway.data, "backup")
    size = os.path.getsize(name)
    done = run(stack.gateway, "backup", name, code=REFUSED)
    assert "is there already" in done.stderr and os.path.getsize(name) == size
    answer = stack.gateway.graph("POST", "/api/v1/backup", {"file": os.path.join(folder, "x.db")})
    assert answer.status_code == 403 and "local socket" in answer.text
    assert not os.path.exists(os.path.join(folder, "x.db"))


def test_a_running_gateway_keeps_its_folder(stack, folder):
    path = os.path.join(folder, "copy.db")
    backup(stack.gateway, path)
    for args in (["check", "--data", stack.gateway.data], ["restore", path, "--data", stack.gateway.data]):
        assert "stop the gateway" in run(stack.gateway, *args, code=REFUSED).stderr
    assert stack.gateway.api("GET", "version")


def damage(path):
    with open(path, "r+b") as f:
        f.seek(4096 * 3)
        f.write(b"\xa5" * 4096 * 8)


def newer(path):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=999")


def foreign(path):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA application_id=7")


def broken_promise(path):
    with sqlite3.connect(path) as db:
        db.execute("UPDATE message SET state='accepted'")


@pytest.mark.parametrize("spoil, code", [(damage, CHECK), (newer, REFUSED), (foreign, CHECK), (os.remove, NOT_FOUND),
                                         (broken_promise, CHECK)])
def test_a_bad_backup_changes_nothing(stack, folder, spoil, code):
    unsent(stack)
    path = os.path.join(folder, "copy.db")
    backup(stack.gateway, path)
    assert stack.gateway.term() == 0
    spoil(path)
    with open(os.path.join(stack.gateway.data, "godwit.db"), "rb") as f:
        before = f.read()
    run(stack.gateway, "check", path, code=code)
    run(stack.gateway, "restore", path, "--data", stack.gateway.data, code=code)
    with open(os.path.join(stack.gateway.data, "godwit.db"), "rb") as f:
        assert f.read() == before
    run(stack.gateway, "check", "--data", stack.gateway.data)


def test_an_interrupted_exchange_is_finished_at_the_next_start(stack, folder):
    path, data = os.path.join(folder, "copy.db"), stack.gateway.data
    stack.gateway.wait_state(stack.gateway.send_async(text(someone())), "accepted")
    backup(stack.gateway, path)
    later = stack.gateway.send_async(text(someone()))
    stack.gateway.wait_state(later, "accepted")
    stack.gateway.kill()  # its -wal stays
    assert os.path.getsize(os.path.join(data, "godwit.db-wal")) > 0
    shutil.copy(path, os.path.join(data, "godwit.restored.db"))  # as far as the decision, no further
    stack.gateway.start()
    assert len(stack.gateway.messages()) == 1
    assert not os.path.exists(os.path.join(data, "godwit.restored.db"))
    aside = [n for n in os.listdir(data) if n.startswith("godwit.before-")]
    assert sorted(n.endswith(".db-wal") for n in aside) == [False, True]
    old = [n for n in aside if n.endswith(".db")][0]
    told = json.loads(run(stack.gateway, "check", os.path.join(data, old), "--json").stdout)
    assert told["messages"] == 2  # with what was in the -wal


def test_which_one_is_meant(stack):
    run(stack.gateway, "check", code=USAGE)
    run(stack.gateway, "restore", "x.db", code=USAGE)


def test_how_far_it_is(stack, folder):
    """A disk that is slow: each MiB takes 100 ms more."""
    assert stack.gateway.term() == 0
    stack.gateway.env["GODWIT_FAULT"] = "backup.step:1:slow"
    stack.gateway.start()
    for i in range(8):
        assert stack.gateway.webhook(b"%d" % i + b"x" * 1000000).status_code == 200  # no JSON: kept as it is
    seen = []

    def partial():
        path = os.path.join(folder, "%d.db" % len(seen))
        done = subprocess.Popen([kit.BIN, "db", "backup", path, "--progress", "json"],
                                env={**os.environ, "GODWIT_SERVER": "unix:" + stack.gateway.socket},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        while done.poll() is None:
            seen.extend(stack.gateway.api("GET", "backup")["data"])
        error = done.communicate()[1]
        assert done.returncode == OK, error
        told = [json.loads(line) for line in error.splitlines() if line.startswith("{")]
        return [t for t in told if 0 < t["pages_done"] < t["pages_total"] and t["file"].startswith(folder)]

    kit.wait_until("a look in the middle of a copy", partial)
    assert [s for s in seen if 0 < s["pages"]["done"] < s["pages"]["total"] and s["state"] == "copying" and s["ms"] > 0]
    by_file = [(s["file"], s["pages"]["done"]) for s in seen]
    for file in {f for f, _ in by_file}:
        pages = [n for f, n in by_file if f == file]
        assert pages == sorted(pages), "a copy never starts over"
    assert stack.gateway.api("GET", "backup")["data"] == []


class Copies(Lists):
    """A gateway that copies until it is let, and then says that it cannot."""

    def __init__(self):
        super().__init__()
        self.copying, self.full = [], threading.Event()

    def answer(self, method, path, query, body, headers):
        assert path == "/api/v1/backup"
        if method == "POST":
            file = json.loads(body).get("file", "/var/lib/godwit/backup/now.db")
            self.copying.append({"file": "/another.db", "state": "copying", "pages": {"done": 9, "total": 9}, "ms": 1})
            self.copying.append({"file": file, "state": "copying", "pages": {"done": 1024, "total": 4096}, "ms": 2000})
            self.full.wait(kit.WAIT)
            return 503, {"error": {"class": "unavailable", "code": "backup", "message": "no backup was made"}}
        self.looks += 1
        if self.looks >= 3:
            self.full.set()
        return 200, {"data": self.copying}


@pytest.mark.parametrize("args, lines", [
    ([], 1), (["--progress", "plain"], 1), (["--progress", "none"], 0), (["--quiet"], 0), (["--json"], 0)])
def test_progress_in_a_pipe(closing, args, lines):
    """The first look at once, the next after ten seconds; who wants none asks for none."""
    gateway = Copies()
    closing.append(gateway)
    end = threading.Timer(1, gateway.full.set)  # four looks, if it looked
    if lines > 0:
        end = threading.Thread(target=lambda: (gateway.wait_looks(1), gateway.full.set()))
    end.start()
    r = gateway.run("db", "backup", "/tmp/copy.db", *args)
    shown = [line for line in r.stderr.splitlines() if line.startswith("copy=")]
    assert r.returncode == TEMPORARY and "no backup was made" in r.stderr
    assert shown == ["copy=/tmp/copy.db pages=1024/4096 eta=00:00:06"] * lines, r.stderr
    assert gateway.looks == lines


def test_a_bar_on_a_terminal(closing):
    gateway = Copies()
    closing.append(gateway)
    terminal = Typed(gateway.env, "db", "backup")
    closing.append(terminal)
    terminal.until(" 25 %  " + "\u2588" * 5 + "\u2591" * 15 + "  1,024/4,096 pages  ETA 0:06")
    assert terminal.end() == TEMPORARY and gateway.looks >= 3
    assert "\r\033[K" in terminal.shown.split("ETA 0:06")[-1], "the bar is gone before what comes after it"
