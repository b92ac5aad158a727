# SPDX-License-Identifier: MIT
"""test_reload.py - SIGHUP and `config reload`: all or nothing, LIVE keys at once, the rest is named"""
import http.client
import json
import os
import signal
import time

from kit import APP_SECRET, NUMBER, WABA, wait_until
from sends import someone, text


def hang_up(gateway, words="reload: done"):
    """SIGHUP, and what the log said of it."""
    before = len(gateway.log())
    gateway.write_conf()
    gateway.signal(signal.SIGHUP)
    wait_until(words, lambda: words in gateway.log()[before:])
    return gateway.log()[before:]


def shown(gateway, key):
    answer = gateway.local("GET", "/api/v1/config")
    assert answer.status == 200
    return {row["key"]: row["value"] for row in answer.json["data"]}[key]


def inbound(n):
    message = {"id": "wamid.reload%d" % n, "from": someone(), "timestamp": str(int(time.time())), "type": "text",
               "text": {"body": "x"}}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, "messages": [message]}
    return {"object": "whatsapp_business_account", "entry": [
        {"id": WABA, "changes": [{"field": "messages", "value": value}]}]}


def test_live_keys_follow_and_the_rest_is_named(stack):
    gateway, to = stack.gateway, someone()
    assert gateway.key
    gateway.conf.update({"graph.wait_max": "100ms", "queue.max": "77", "log.level": "warn"})
    log = hang_up(gateway, "wait for a restart")
    assert "queue.max" in log.split("wait for a restart:")[1].split("\n")[0]
    assert "graph.wait_max" not in log.split("wait for a restart:")[1].split("\n")[0]
    assert shown(gateway, "graph.wait_max") == "100ms" and shown(gateway, "queue.max") == "1000000"
    stack.inject(fault="slow", to=to, delay_ms=3000)
    begin = time.monotonic()
    answer = gateway.send(text(to))
    assert answer.status_code == 202 and time.monotonic() - begin < 2.5
    gateway.wait_state(answer.headers["Godwit-Message"], "accepted")
    assert " debug " not in gateway.log().split("wait for a restart")[-1]
    gateway.conf["log.level"] = "debug"
    hang_up(gateway)
    gateway.send(text(someone()))
    assert " debug " in gateway.log().split("reload: done")[-1]


def test_a_bad_file_changes_nothing(stack):
    gateway = stack.gateway
    held = dict(gateway.conf)
    gateway.conf.update({"graph.wait_max": "200ms", "queue.max": "many", "listen.api": "here", "log.level": "loud",
                         "egress.allow": "10.0.0.0/99"})
    log = hang_up(gateway, "nothing was changed")
    for word in ("queue.max", "listen.api", "log.level", "egress.allow"):
        assert "reload: %s:" % gateway.conf_path in log and word + ":" in log, word
    assert "4 problems" in log
    assert shown(gateway, "graph.wait_max") != "200ms"
    gateway.conf.clear()
    gateway.conf.update(held)
    os.unlink(gateway.conf_path)
    gateway.signal(signal.SIGHUP)
    wait_until("the missing file", lambda: "cannot open" in gateway.log())
    assert gateway.local("GET", "/readyz").status == 200
    hang_up(gateway)


def test_secrets_rotate_and_numbers_come(stack):
    gateway = stack.gateway
    account = gateway.accounts["test"]
    numbers = account["numbers"]
    assert gateway.webhook(inbound(1), secret=APP_SECRET).status_code == 200
    assert gateway.webhook(inbound(2), secret="the-next-secret").status_code == 401
    account.update(app_secret="the-next-secret", app_secret_previous=APP_SECRET,
                   numbers=numbers.split("=")[0] + "=7 555000111=9")
    hang_up(gateway)
    for n, secret in enumerate((APP_SECRET, "the-next-secret")):
        assert gateway.webhook(inbound(10 + n), secret=secret).status_code == 200
    listed = {n["id"] for n in gateway.local("GET", "/api/v1/numbers").json["data"]}
    assert {"555000111", NUMBER} <= listed
    del account["app_secret_previous"]
    hang_up(gateway)
    assert gateway.webhook(inbound(20), secret=APP_SECRET).status_code == 401
    account.update(app_secret=APP_SECRET, numbers=numbers)
    hang_up(gateway)
    assert gateway.webhook(inbound(21), secret=APP_SECRET).status_code == 200
    assert "the-next-secret" not in gateway.log()


def status_for(gateway, host):
    connection = http.client.HTTPConnection(gateway.base[len("http://"):], timeout=20)
    connection.request("GET", "/api/v1/version", headers={"Host": host, "Authorization": "Bearer " + gateway.key})
    status = connection.getresponse().status
    connection.close()
    return status


def test_listeners_see_it_too(stack):
    gateway = stack.gateway
    assert (status_for(gateway, "one.example"), status_for(gateway, "two.example")) == (421, 421)
    for hosts, want in (("one.example", (200, 421)), ("one.example two.example", (200, 200)), ("", (421, 421))):
        gateway.conf["api.hosts"] = hosts
        hang_up(gateway)
        assert (status_for(gateway, "one.example"), status_for(gateway, "two.example")) == want
    gateway.conf["store.disk_min"] = "1024G"
    hang_up(gateway)
    assert gateway.webhook(inbound(30)).status_code == 503
    gateway.conf["store.disk_min"] = "0"
    hang_up(gateway)
    assert gateway.webhook(inbound(30)).status_code == 200


def test_the_command(stack):
    gateway = stack.gateway
    gateway.restart()  # its file holds the ports that it has
    gateway.conf.update({"drain.grace": "9s", "graph.timeout": "9s"})
    gateway.write_conf()
    done = gateway.cli("config", "reload", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["changed"] == ["drain.grace"] and told["restart"] == ["graph.timeout"] and told["accounts"] == 1
    done = gateway.cli("config", "reload")
    assert done.returncode == 0 and "graph.timeout" in done.stdout and "drain.grace" not in done.stdout
    gateway.conf["queue.max"] = "many"
    gateway.conf["profile"] = "test"
    gateway.write_conf()
    done = gateway.cli("config", "reload")
    assert done.returncode == 2 and "queue.max" in done.stderr and '"test"' in done.stderr, done.stderr
    gateway.conf.update({"queue.max": "1000", "profile": "sandbox"})
    del gateway.conf["graph.timeout"], gateway.conf["drain.grace"], gateway.conf["queue.max"]
    hang_up(gateway)


def test_not_in_a_drain(stack):
    gateway, to = stack.gateway, someone()
    stack.inject(fault="slow", to=to, delay_ms=1500)
    gateway.send_async(text(to))
    wait_until("it to be in flight", lambda: stack.accepted(to))
    gateway.signal(signal.SIGTERM)
    wait_until("the drain", lambda: "draining" in gateway.log())
    gateway.signal(signal.SIGHUP)
    assert gateway.wait() == 0
    assert "reload: not now" in gateway.log()
    gateway.start()
