# SPDX-License-Identifier: MIT
"""SIGTERM: what was begun is finished, every request that was read is answered, and nothing is unknown."""
import json
import random
import signal
import socket
import threading
import time

import pytest

from kit import APP_SECRET, NUMBER, WABA, sign, wait_until
from sends import PATH, someone, text

ROUNDS = 20
DRAIN_MAX_S = 35


class Call:
    """One request on a connection of its own; the halves can be sent apart."""

    def __init__(self, gateway, kind, name):
        to = someone()
        if kind == "send":
            body = json.dumps(text(to, name))
            head = "POST %s HTTP/1.1\r\nAuthorization: Bearer %s\r\n" % (PATH, gateway.key)
        else:
            message = {"id": "wamid." + name, "from": to, "timestamp": str(int(time.time())), "type": "text",
                       "text": {"body": name}}
            value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, "messages": [message]}
            body = json.dumps({"object": "whatsapp_business_account", "entry": [
                {"id": WABA, "changes": [{"field": "messages", "value": value}]}]})
            head = "POST /webhook HTTP/1.1\r\nX-Hub-Signature-256: %s\r\n" % sign(body.encode(), APP_SECRET)
        self.kind, self.name, self.status, self.written = kind, name, None, None
        self.raw = ("%sHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body)).encode()
        self.port = int(gateway.base.rpartition(":")[2])
        self.socket = None

    def write(self, start=0, end=None):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.socket.sendall(self.raw[start:end])

    def finish(self):
        """The status, or None when the connection ended without one."""
        self.written = time.monotonic()
        answer = b""
        try:
            while b"\r\n" not in answer:
                part = self.socket.recv(4096)
                if not part:
                    break
                answer += part
        except OSError:
            pass
        self.status = int(answer.split()[1]) if b"\r\n" in answer else None
        self.socket.close()
        return self.status

    def run(self):
        try:
            self.write()
        except OSError:
            return self  # not even the head was read
        self.finish()
        return self


class Load:
    """Webhooks and sends, each on a new connection, until nobody listens any more."""

    def __init__(self, gateway, tag):
        self.gateway, self.tag, self.calls, self.over = gateway, tag, [], False
        self.threads = [threading.Thread(target=self.run, args=(kind, i), daemon=True)
                        for kind in ("send", "webhook") for i in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self, kind, worker):
        n = 0
        while not self.over:
            call = Call(self.gateway, kind, "%s-%s-%d-%d" % (self.tag, kind, worker, n)).run()
            n += 1
            if call.written is None:
                return
            self.calls.append(call)

    def join(self):
        self.over = True
        for thread in self.threads:
            thread.join(60)


def names_in_store(gateway, tag):
    """{name: kind} of the sends and webhooks of this round that are on disk."""
    db = gateway.database()
    try:
        sends = [json.loads(body)["text"]["body"] for body, in db.execute("SELECT body FROM message")]
        events = [name[len("wamid."):] for name, in db.execute("SELECT external_id FROM event")
                  if name and name.startswith("wamid." + tag)]
    finally:
        db.close()
    return {name for name in sends + events if name.startswith(tag)}


def test_twenty_drains_under_load(stacks):
    """What the gateway read it answers, what it answered it has, and what it has it sends once."""
    stack = stacks({"log.level": "info"}, limit=1000, limit_mps=1000, sent_ms=10, delivered_ms=10, read_ms=10)
    gateway, sandbox, draw = stack.gateway, stack.sandbox, random.Random(20)
    sandbox.set(answer_delay_ms=60)
    worst, caught, sent = 0, 0, set()
    for n in range(ROUNDS):
        tag = "r%02d" % n
        assert gateway.key
        load = Load(gateway, tag)
        wait_until("some answers", lambda: len(load.calls) >= 12)
        split = [Call(gateway, kind, "%s-%s-split" % (tag, kind)) for kind in ("send", "webhook")]
        for call in split:  # the head and half the body are there before the signal
            call.write(end=len(call.raw) - 30)
        time.sleep(draw.uniform(0.01, 0.06))
        begin = time.monotonic()
        gateway.signal(signal.SIGTERM)
        time.sleep(draw.uniform(0, 0.02))
        for call in split:
            call.write(start=len(call.raw) - 30)
            call.finish()
        assert gateway.wait() == 0, gateway.log()[-4000:]
        worst = max(worst, time.monotonic() - begin)
        load.join()
        caught += sum(c.written > begin - 0.06 for c in load.calls)
        kept = names_in_store(gateway, tag)
        for call in load.calls + split:
            if call.kind == "webhook":
                wanted = {200}
            else:
                wanted = {200, 202}
            if call.written < begin - 0.02 or call in split:
                assert call.status in wanted, "%s: %s" % (call.name, call.status)
            else:  # it came as the door was shut: either it was not read, or it was answered
                assert call.status in wanted | {None}, "%s: %s" % (call.name, call.status)
                assert (call.status is not None) == (call.name in kept), "%s: %s" % (call.name, call.status)
            if call.status is not None:
                assert call.name in kept, "%s was answered and is not there" % call.name
                if call.kind == "send":
                    sent.add(call.name)
        db = gateway.database()
        left = dict(db.execute("SELECT state, count(*) FROM message GROUP BY state"))
        db.close()
        assert not {"unknown", "sending"} & set(left), left
        gateway.start()
    print("%d sends and webhooks in flight at the signals, %d sends, the longest drain took %.2f s"
          % (caught, len(sent), worst))
    assert caught >= 5 * ROUNDS, "this was no load"
    assert worst < DRAIN_MAX_S
    wait_until("all of them sent", lambda: not any(gateway.messages(state=s) for s in ("queued", "sending")))
    taken = [json.loads(m["body"])["text"]["body"] for m in sandbox.messages(limit=20000)]
    assert sorted(taken) == sorted(sent)
    assert sandbox.counters()["doubled"] == 0


def waiting_call(gateway, to, words="Hello"):
    """(thread, box): a send that waits for its answer."""
    box = []
    thread = threading.Thread(target=lambda: box.append(gateway.send(text(to, words))))
    thread.start()
    return thread, box


def test_what_is_in_flight_is_finished_and_what_is_not_gets_202(stack):
    gateway, to = stack.gateway, someone()
    assert gateway.key
    stack.inject(fault="slow", to=to, delay_ms=1500)
    first, one = waiting_call(gateway, to, "in flight")
    wait_until("it to be in flight", lambda: stack.accepted(to))
    second, two = waiting_call(gateway, to, "behind it")
    wait_until("both to be on disk", lambda: len(gateway.messages(to=to)) == 2)
    begin = time.monotonic()
    assert gateway.term() == 0
    assert time.monotonic() - begin < 10
    first.join()
    second.join()
    assert one[0].status_code == 200 and one[0].json()["messages"][0]["id"] == stack.accepted(to)[0]["id"]
    assert two[0].status_code == 202 and two[0].json()["messages"][0]["message_status"] == "queued"
    gateway.start()
    msg = two[0].headers["Godwit-Message"]
    assert gateway.wait_state(msg, "accepted")["tries"] == 1
    assert stack.words(to) == ["in flight", "behind it"]


def test_what_waits_for_its_rate_or_time_is_answered_too(stack):
    """Backing off, paused and paced messages are not in flight: their callers hear 202 and the drain goes on."""
    gateway, to = stack.gateway, someone()
    assert gateway.key
    stack.inject(code=131056, retry_after=600, to=to)
    calls = [waiting_call(gateway, to, "%d" % i) for i in range(3)]
    wait_until("them on disk", lambda: len(gateway.messages(to=to)) == 3 and gateway.messages(to=to, state="waiting"))
    begin = time.monotonic()
    assert gateway.term() == 0
    assert time.monotonic() - begin < 3
    for thread, box in calls:
        thread.join()
        assert box[0].status_code == 202, box[0].text
    gateway.start()
    stack.advance(700000)
    for _, box in calls:
        gateway.wait_state(box[0].headers["Godwit-Message"], "accepted")
    assert sorted(stack.words(to)) == ["0", "1", "2"]


def test_readiness_ends_at_once_and_no_new_connection_is_taken(stack):
    gateway, to = stack.gateway, someone()
    stack.inject(fault="slow", to=to, delay_ms=1500)
    msg = gateway.send_async(text(to))
    wait_until("it to be in flight", lambda: stack.accepted(to))
    port = int(gateway.base.rpartition(":")[2])
    kept = socket.create_connection(("127.0.0.1", port), timeout=20)
    ask = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    kept.sendall(ask)
    assert b" 200 " in kept.recv(4096).split(b"\r\n")[0]
    gateway.signal(signal.SIGTERM)
    wait_until("the drain", lambda: "draining" in gateway.log())

    def closed():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=20).close()
            return False
        except ConnectionRefusedError:
            return True
    wait_until("the door to be shut", closed)
    try:  # a kept connection is answered and closed, or closed because it was idle
        kept.sendall(ask)
        answer = kept.recv(4096)
    except OSError:
        answer = b""
    assert answer == b"" or b" 503 " in answer.split(b"\r\n")[0]
    kept.close()
    assert gateway.wait() == 0
    gateway.start()
    assert gateway.state(msg) == "accepted"


def test_streams_that_come_in_a_drain_do_not_hold_it(stack):
    """Asked for on connections kept from before: refused, and the gateway leaves when its attempt is over."""
    gateway, to = stack.gateway, someone()
    assert gateway.key
    stack.inject(fault="slow", to=to, delay_ms=2000)
    thread, box = waiting_call(gateway, to)
    wait_until("it to be in flight", lambda: stack.accepted(to))
    port = int(gateway.base.rpartition(":")[2])
    kept = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(4)]
    for one in kept:
        one.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b" 200 " in one.recv(4096).split(b"\r\n")[0]
    begin = time.monotonic()
    gateway.signal(signal.SIGTERM)
    wait_until("the drain", lambda: "draining" in gateway.log())
    for one in kept:
        one.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n"
                    % gateway.key.encode())
    for one in kept:
        assert b" 503 " in one.recv(4096).split(b"\r\n")[0]
        one.close()
    assert gateway.wait() == 0
    assert time.monotonic() - begin < 10
    thread.join()
    assert box[0].status_code == 200
    gateway.start()


def test_the_end_of_its_patience(stacks):
    """An attempt that outlasts drain.grace is given up: unknown, its caller is told 202, and the exit is clean."""
    stack, to = stacks({"drain.grace": "1s"}), someone()
    gateway = stack.gateway
    assert gateway.key
    rule = stack.inject(fault="accept_hang", to=to)
    stack.customer(to, sent_ms=3600000, delivered_ms=3600000, read_ms=3600000)
    thread, box = waiting_call(gateway, to)
    wait_until("it to be in flight", lambda: stack.accepted(to))
    begin = time.monotonic()
    assert gateway.term() == 0
    assert time.monotonic() - begin < 8
    thread.join()
    assert box and box[0].status_code == 202, box
    stack.remove(rule)
    gateway.start()
    msg = box[0].headers["Godwit-Message"]
    gateway.wait_state(msg, "unknown")
    stack.advance(2 * 3600000)
    gateway.wait_state(msg, "accepted")
    assert len(stack.accepted(to)) == 1


def test_a_second_signal_leaves_at_once(stack):
    gateway, to = stack.gateway, someone()
    stack.inject(fault="accept_hang", to=to)
    msg = gateway.send_async(text(to))
    wait_until("it to be in flight", lambda: stack.accepted(to))
    gateway.signal(signal.SIGTERM)
    wait_until("the drain", lambda: "draining" in gateway.log())
    begin = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 1
    assert time.monotonic() - begin < 1
    stack.sandbox.clear_faults()
    gateway.start()
    gateway.wait_state(msg, "unknown", "accepted")
    stack.advance(60000)
    gateway.wait_state(msg, "accepted")
    assert len(stack.accepted(to)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_one_leaves_within_a_second(stack, number):
    begin = time.monotonic()
    stack.gateway.signal(number)
    assert stack.gateway.wait() == 0
    assert time.monotonic() - begin < 1
    stack.gateway.start()
