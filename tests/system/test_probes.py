# SPDX-License-Identifier: MIT
"""test_probes.py - /livez, /readyz, /metrics and the log: what an operator's tools read"""
import re
import signal

import pytest
from kit import TOP, parse_metrics
from rig import (Gateway, Receiver, Sandbox, change, encode, envelope, one, settled, status, text, until, wamid)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    s = Sandbox(str(tmp_path_factory.mktemp("sandbox")))
    s.set(enforce_window=False)
    yield s
    s.close()


@pytest.fixture(scope="module")
def gateway(sandbox):
    g = Gateway(sandbox)
    yield g
    g.close()


def probe(gateway, path):
    got = gateway.client(gateway.api_port).call("GET", path)
    return got.status, got.json()


def test_up(gateway):
    assert probe(gateway, "/livez") == (200, {"live": True})
    assert probe(gateway, "/readyz") == (200, {"ready": True})


def test_a_loop_that_stands_still_is_not_live(gateway):
    """The probe answers from another thread, so it can tell; a process that was stopped says nothing wrong."""
    gateway.signal(signal.SIGSTOP)
    gateway.signal(signal.SIGCONT)
    assert probe(gateway, "/livez")[0] == 200


def test_metrics_parse_and_count(gateway, sandbox):
    receiver = Receiver()
    gateway.add_destination(receiver.url("/"))
    before = gateway.metrics()
    body = one(text(), text())
    gateway.take(body, body, envelope(change(statuses=[status(wamid(), "read")])), b"nonsense",
                 envelope(change(field="some_field_of_tomorrow")))
    assert gateway.hook(body, secret="wrong").status == 401
    assert gateway.client(gateway.api_port).call("GET", "/api/v1/version").status == 401
    assert gateway.post().status == 200
    receiver.wait(4)
    settled(gateway)
    after = gateway.metrics()

    def grew(name, **labels):
        key = name, tuple(sorted(labels.items()))
        return after[key] - before[key]
    assert grew("godwit_webhooks_total", result="ok") == 4
    assert grew("godwit_webhooks_total", result="signature") == 1
    assert grew("godwit_webhooks_total", result="quarantined") == 1
    assert grew("godwit_events_total", fate="new") == 4
    assert grew("godwit_events_total", fate="duplicate") == 2
    assert grew("godwit_events_total", fate="unknown") == 1
    assert grew("godwit_events_total", fate="quarantined") == 1
    assert grew("godwit_relay_attempts_total", outcome="ok") == 4
    assert grew("godwit_outbox_accepted_total") == 1
    assert grew("godwit_outbox_attempts_total", outcome="ok") == 1
    assert grew("godwit_outbox_moves_total", src="sending", dst="accepted") == 1
    assert grew("godwit_api_refused_total") == 1
    assert grew("godwit_store_commits_total") >= 5
    assert 1 << 20 < after["godwit_resident_bytes", ()] < 1 << 31
    assert after["godwit_store_uncommitted_bytes", ()] == 0
    for name in ("godwit_relay_request_seconds", "godwit_graph_request_seconds"):
        buckets = [(float(dict(labels)["le"].replace("+Inf", "inf")), v) for (n, labels), v in after.items()
                   if n == name + "_bucket"]
        assert buckets and [v for _, v in sorted(buckets)] == sorted(v for _, v in buckets)
        assert max(buckets)[1] == after[name + "_count", ()] > 0
    receiver.close()


def test_every_metric_is_described(gateway):
    """HELP and TYPE stand before their series; every row of metrics.def is there."""
    text_ = gateway.user.call("GET", "/metrics").body.decode()
    parse_metrics(text_)
    described = set()
    for line in text_.splitlines():
        words = line.split()
        if line.startswith("# TYPE"):
            assert words[3] in ("counter", "gauge", "histogram") and words[2] not in described
            described.add(words[2])
        elif not line.startswith("#"):
            name = re.match(r"[a-z_]+", line).group(0)
            assert name in described or re.sub(r"_(bucket|sum|count)$", "", name) in described, line
    with open(TOP + "/src/gateway/metrics.def", encoding="utf-8") as f:
        assert set(re.findall(r'"(godwit_\w+)"', f.read())) == described


def test_one_log_line_for_each_attempt(gateway, sandbox):
    """With the delay split, the number masked, and no word of what was written."""
    who = "491517654321"
    got = gateway.post("a secret thought", who)
    id = got.headers["Godwit-Message"]
    lines = until(lambda: [line for line in gateway.log().splitlines() if id in line], "the line")
    assert len(lines) == 1
    line = lines[0]
    assert re.search(r" try=1 result=ok http=200 .*delays=\d+/\d+/\d+/\d+ms", line), line
    assert who not in gateway.log() and "secret thought" not in gateway.log()
    sandbox.inject(code=130429, to=who)
    assert gateway.post("once more", who, headers={"Prefer": "respond-async"}).status == 202
    until(lambda: "graph=130429" in gateway.log(), "the refused attempt")


def test_a_full_disk_refuses_what_it_cannot_keep(sandbox):
    """503 with Retry-After, before the body is read; nothing is stored, and Meta comes again."""
    gateway = Gateway(sandbox, conf={"store.disk_min": "1023G"})
    try:
        code, why = probe(gateway, "/readyz")
        assert (code, why["ready"]) == (503, False) and "disk" in why["reason"]
        assert probe(gateway, "/livez")[0] == 200
        body = encode(one(text()))
        got = gateway.hook(body)
        assert got.status == 503 and int(got.headers["Retry-After"]) >= 1
        assert gateway.metric("godwit_webhooks_total", result="busy") == 1
        assert gateway.events() == [] and gateway.query("SELECT count(*) FROM body") == [(0,)]
        assert gateway.hook(body, secret="wrong").status in (401, 503)
        gateway.conf["store.disk_min"] = "0"
        gateway.restart()
        assert probe(gateway, "/readyz")[0] == 200
        gateway.take(body)
        assert len(gateway.events()) == 1
    finally:
        gateway.close()


def test_a_slow_destination_is_no_reason_for_503(sandbox):
    receiver = Receiver()
    gateway = Gateway(sandbox)
    try:
        receiver.answer = lambda request: 500
        gateway.add_destination(receiver.url("/"))
        gateway.take(*(one(text(body=str(n))) for n in range(100)))
        assert probe(gateway, "/readyz")[0] == 200
        assert gateway.metric("godwit_webhooks_total", result="busy") == 0
    finally:
        gateway.close()
        receiver.close()
