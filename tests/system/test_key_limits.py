# SPDX-License-Identifier: MIT
"""A key stays with us, and opens no more than it says."""
import requests
from kit import ANA, NUMBER

TEXT = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "hello"}}


def test_the_key_is_not_sent_on_however_its_name_is_spelled(sandbox, gateway):
    key = gateway.make_key("send")
    for name in ("access_token", "access%5Ftoken", "%61ccess_token"):
        r = requests.post(f"{gateway.base}/v26.0/{NUMBER}/messages?{name}={key}&keep=1", json=TEXT, timeout=30)
        assert r.status_code == 200, r.text
    db = gateway.database()
    targets = [row[0] for row in db.execute("SELECT target FROM message")]
    db.close()
    assert targets == [f"/v26.0/{NUMBER}/messages?keep=1"] * 3
    assert key not in gateway.log()


def test_a_key_of_one_number_reads_nothing_of_the_others(sandbox, gateway):
    key = gateway.make_key("send", "read", "manage", numbers=[NUMBER])
    bearer = {"Authorization": f"Bearer {key}"}
    for path in ("events", "messages", "stream", "destinations", "numbers"):
        r = requests.get(f"{gateway.base}/api/v1/{path}", headers=bearer, timeout=30)
        assert r.status_code == 403, path
    assert requests.post(f"{gateway.base}/v26.0/{NUMBER}/messages", json=TEXT, headers=bearer,
                         timeout=30).status_code == 200
    assert requests.post(f"{gateway.base}/v26.0/999/messages", json=TEXT, headers=bearer,
                         timeout=30).status_code == 403
