# SPDX-License-Identifier: MIT
"""The commit point (W4, W5): what was answered 200 is on disk, whatever happens around the commit."""
import time

import pytest
import requests
from kit import NUMBER

# where it dies, and how it must leave
DEATHS = [
    ("store.before_begin:6:kill", -9),
    ("store.before_commit:6:kill", -9),
    ("store.after_commit:6:kill", -9),
    ("vfs.write:60:fail", 74),
    ("vfs.sync:12:fail", 74),
]


NOW = str(int(time.time()))  # of all: to repeat a message repeats its second, which is part of what it is


def webhook(n):
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Ann"}, "wa_id": "4915100000001"}],
        "messages": [{"from": "4915100000001", "id": f"wamid.C{n}", "timestamp": NOW,
                      "type": "text", "text": {"body": f"message {n}"}}]}}]}]}


def post_until_it_dies(gateway):
    acked = []
    for n in range(200):
        try:
            if gateway.webhook(webhook(n), timeout=10).status_code == 200:
                acked.append(f"wamid.C{n}")
        except requests.RequestException:
            return acked
    return None


def stored(gateway):
    return [e["message"]["id"] for e in gateway.events(type="message.received")]


@pytest.mark.parametrize("fault,code", DEATHS, ids=[d[0].split(":")[0] for d in DEATHS])
def test_what_was_answered_200_is_on_disk(make_gateway, fault, code):
    gateway = make_gateway(None, name="gateway")
    gateway.restart(GODWIT_FAULT=fault)
    acked = post_until_it_dies(gateway)
    assert acked is not None, f"{fault} was never reached"
    assert gateway.wait() == code
    gateway.start()
    kept = stored(gateway)
    assert [w for w in acked if w not in kept] == []


def test_meta_repeats_what_was_not_answered_and_it_counts_once(make_gateway):
    gateway = make_gateway(None, name="gateway")
    gateway.restart(GODWIT_FAULT="store.after_commit:6:kill")
    acked = post_until_it_dies(gateway)
    gateway.wait()
    gateway.start()
    for n in range(len(acked) + 1):  # the last one was committed, and nobody was told
        assert gateway.webhook(webhook(n)).status_code == 200
    assert sorted(stored(gateway)) == sorted(f"wamid.C{n}" for n in range(len(acked) + 1))
