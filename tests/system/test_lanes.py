# SPDX-License-Identifier: MIT
"""Lanes: one message to a recipient at a time, in order, and nobody waits for somebody else."""
import collections
import contextlib
import json
import threading

from sends import HOUR_MS, Front, Meta, module_folder, recipient, someone, text, wait_until


def word(request):
    return json.loads(request.body)["text"]["body"]


def test_two_to_one_are_never_in_flight_together(fronts, meta):
    gateway, one, others = fronts(), someone(), [someone() for _ in range(5)]
    meta.hold()
    mine = [gateway.send_async(text(one, "%d" % i)) for i in range(3)]
    for to in others:
        gateway.send_async(text(to))
    meta.wait(6)
    gateway.send_async(text(someone(), "last of all"))
    meta.wait(7)  # whatever was due has left
    assert collections.Counter(recipient(r) for r in meta.requests)[one] == 1
    assert [gateway.state(m) for m in mine] == ["sending", "queued", "queued"]
    meta.release()
    for msg in mine:
        gateway.wait_state(msg, "accepted")
    assert [word(r) for r in meta.requests if recipient(r) == one] == ["0", "1", "2"]


class Counting(Meta):
    """Meta's stand-in that notes how many requests of one recipient are there at once."""

    def __init__(self):
        super().__init__()
        self.now, self.most, self.guard = collections.Counter(), 0, threading.Lock()

    def answer(self, handler, request):
        to = recipient(request)
        with self.guard:
            self.now[to] += 1
            self.most = max(self.most, self.now[to])
        threading.Event().wait(0.002)  # the answer takes its time
        with self.guard:
            self.now[to] -= 1  # before the answer: the next may come at once
        super().answer(handler, request)


def test_order_and_one_at_a_time_under_load():
    with module_folder() as path, contextlib.closing(Counting()) as meta, contextlib.closing(Front(
            path, conf={"pacing.pair_burst": 45}, limit=1000, meta=meta.url.rstrip("/"))) as gateway:
        gateway.start()
        people = [someone() for _ in range(8)]

        def feed(to):
            for i in range(25):
                gateway.send_async(text(to, "%d" % i))
        threads = [threading.Thread(target=feed, args=(to,)) for to in people]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        meta.wait(200)
        assert meta.most == 1
        for to in people:
            assert [word(r) for r in meta.requests if recipient(r) == to] == ["%d" % i for i in range(25)]


def test_one_person_written_in_many_ways_is_one_lane(fronts, meta):
    gateway, n = fronts(), someone()
    ways = [n, "+" + n, "+%s (%s) %s-%s" % (n[0], n[1:4], n[4:7], n[7:]), " %s " % n]
    meta.hold()
    for i, to in enumerate(ways):
        gateway.send_async(text(to, "%d" % i))
    gateway.send_async(text(someone(), "other"))
    meta.wait(2)
    assert sorted(word(r) for r in meta.requests) == ["0", "other"]
    meta.release()
    meta.wait(5)
    assert [word(r) for r in meta.requests if word(r) != "other"] == list("0123")
    assert [json.loads(r.body)["to"] for r in meta.requests if word(r) != "other"] == ways  # and said as it was said


def test_a_brazilian_with_and_without_the_nine_is_one(fronts, meta):
    gateway = fronts()
    meta.hold()
    gateway.send_async(text("+5571990000099", "with"))
    gateway.send_async(text("+557190000099", "without"))
    gateway.send_async(text(someone(), "other"))
    meta.wait(2)
    assert sorted(word(r) for r in meta.requests) == ["other", "with"]
    meta.release()
    meta.wait(3)


def test_unknown_holds_its_lane_for_thirty_seconds(stack):
    gateway, to = stack.gateway, someone()
    stack.customer(to, **{"sent_ms": HOUR_MS, "delivered_ms": 2 * HOUR_MS,
                                          "read_ms": 3 * HOUR_MS})
    stack.inject(fault="accept_close", to=to)
    lost = gateway.send_async(text(to, "lost"))
    gateway.wait_state(lost, "unknown")
    behind = [gateway.send_async(text(to, "%d" % i)) for i in range(2)]
    assert gateway.send(text(someone())).status_code == 200  # the others do not wait
    stack.advance(28000)
    assert gateway.send(text(someone())).status_code == 200
    assert [gateway.state(m) for m in behind] == ["queued", "queued"]
    stack.advance(3000)
    for msg in behind:
        gateway.wait_state(msg, "accepted")
    assert stack.words(to) == ["lost", "0", "1"]
    assert gateway.state(lost) == "unknown"
    assert "id=%s is unknown for too long" % lost in gateway.log()  # flagged


def test_how_long_is_a_setting(stacks):
    stack, to = stacks(conf={"lane.unknown_wait": "5m"}), someone()
    stack.inject(fault="close", to=to)
    lost = stack.gateway.send_async(text(to))
    stack.gateway.wait_state(lost, "unknown")
    behind = stack.gateway.send_async(text(to))
    stack.advance(290000)
    assert stack.gateway.state(behind) == "queued"
    stack.advance(15000)
    stack.gateway.wait_state(behind, "accepted")


def test_evidence_lets_the_lane_go_on(stack):
    gateway, to = stack.gateway, someone()
    stack.customer(to, **{"sent_ms": 5000, "delivered_ms": 6000, "read_ms": 7000})
    stack.inject(fault="accept_close", to=to)
    lost, behind = gateway.send_async(text(to)), gateway.send_async(text(to))
    gateway.wait_state(lost, "unknown")
    assert gateway.state(behind) == "queued"
    stack.advance(6000)
    gateway.wait_state(lost, "accepted")
    gateway.wait_state(behind, "accepted")


def test_an_operator_lets_the_lane_go_on(stack):
    gateway, to = stack.gateway, someone()
    stack.inject(fault="close", to=to)
    lost, behind = gateway.send_async(text(to, "lost")), gateway.send_async(text(to, "behind"))
    gateway.wait_state(lost, "unknown")
    assert gateway.resolve(lost, "resend").status_code == 200
    gateway.wait_state(behind, "accepted")
    words = stack.words(to)
    assert words == ["lost", "behind"]


def test_a_refusal_frees_the_lane(stack):
    gateway, to = stack.gateway, someone()
    stack.inject(to=to, code=131009)
    msgs = [gateway.send_async(text(to, "%d" % i)) for i in range(2)]
    gateway.wait_state(msgs[0], "rejected")
    gateway.wait_state(msgs[1], "accepted")


def test_the_end_of_its_life_frees_the_lane(stacks):
    stack, to = stacks(conf={"queue.lifetime": "10m"}), someone()
    rule = stack.inject(to=to, code=131057, always=True)
    first = stack.gateway.send_async(text(to, "first"))
    stack.gateway.wait_state(first, "waiting")
    stack.advance(550000)
    second = stack.gateway.send_async(text(to, "second"))
    stack.remove(rule)
    stack.inject(to=to, code=131056)
    stack.gateway.wait_state(first, "waiting", "accepted")
    for _ in range(8):
        stack.step(60000, first)
    wait_until("the second", lambda: stack.gateway.state(second) == "accepted")
    assert stack.gateway.state(first) in ("accepted", "expired")
    words = stack.words(to)
    assert words == (["first", "second"] if stack.gateway.state(first) == "accepted" else ["second"])
