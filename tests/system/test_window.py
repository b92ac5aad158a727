# SPDX-License-Identifier: MIT
"""The 24-hour window: what we know to be shut is refused here, what we do not know goes to Meta."""
import pytest

from sends import HOUR_MS, someone, template, text, wait_until


@pytest.fixture
def kept(stacks):
    """The sandbox keeps the window, too."""
    return stacks(enforce_window=True)


def closed(answer):
    assert (answer.status_code, answer.headers["Godwit-Refused"]) == (400, "window"), answer.text
    error = answer.json()["error"]
    assert error["code"] == 131047 and error["message"] == "(#131047) Re-engagement message"
    assert error["error_data"]["messaging_product"] == "whatsapp"
    details = error["error_data"]["details"]
    assert details.startswith("Godwit refused this message: ") and "template" in details and "24 hours" in details


def test_open_shut_and_open_again(kept):
    gateway, who = kept.gateway, someone()
    kept.write(who)
    assert gateway.send(text(who)).status_code == 200
    kept.advance(24 * HOUR_MS - 60000)
    assert gateway.send(text(who)).status_code == 200
    kept.advance(120000)
    answer = gateway.send(text(who))
    closed(answer)
    message = gateway.look(answer.headers["Godwit-Message"])
    assert (message["state"], message["tries"], message["code"]) == ("rejected", 0, 131047)
    assert len(kept.accepted(who)) == 2, "nothing is sent to find out"
    assert gateway.send(template(who)).status_code == 200  # that is what templates are for
    kept.write(who)
    assert gateway.send(text(who)).status_code == 200
    kept.advance(1000)
    kept.sandbox.wait_quiet()
    assert all("failed" not in [s["status"] for s in m["statuses"]] for m in kept.accepted(who))
    assert gateway.metric("outbox_refused_total", reason="window") == 1


@pytest.mark.parametrize("kind,content", [("image", {"link": "https://x.invalid/a.png"}),
                                          ("reaction", {"message_id": "wamid.x", "emoji": "\U0001f44d"}),
                                          ("location", {"latitude": 1, "longitude": 2})])
def test_all_free_forms_need_it(stack, kind, content):
    who = someone()
    stack.write(who)
    stack.advance(25 * HOUR_MS)
    closed(stack.gateway.send({"messaging_product": "whatsapp", "to": who, "type": kind, kind: content}))
    assert stack.accepted(who) == []


def test_of_whom_there_is_no_record_meta_decides(kept):
    gateway, who = kept.gateway, someone()
    answer = gateway.send(text(who))
    assert answer.status_code == 200, answer.text
    msg = answer.headers["Godwit-Message"]
    kept.advance(1000)

    def failed():
        m = gateway.look(msg)
        return m if m["failed"] else None
    message = wait_until("the failed status", failed)
    assert message["state"] == "accepted" and message["error"]["code"] == 131047
    event = next(e for e in gateway.events(type="message.status") if e.get("sent_message") == msg)
    assert event["status"]["state"] == "failed" and event["status"]["errors"][0]["code"] == 131047


def test_our_own_messages_do_not_open_it(kept):
    who = someone()
    kept.write(who)
    kept.advance(23 * HOUR_MS)
    assert kept.gateway.send(text(who)).status_code == 200
    kept.advance(2 * HOUR_MS)
    closed(kept.gateway.send(text(who)))


def test_it_is_asked_at_release_not_at_the_door(stack):
    """A message that waited too long is refused when its turn comes, and its caller hears of it."""
    gateway, who = stack.gateway, someone()
    stack.write(who)
    stack.advance(23 * HOUR_MS)
    stack.inject(to=who, code=131057, always=True)
    msg = gateway.send_async(text(who))
    gateway.wait_state(msg, "waiting")
    stack.advance(2 * HOUR_MS)
    message = gateway.wait_state(msg, "rejected")
    assert message["code"] == 131047 and stack.accepted(who) == []

    def told():
        return [e["status"]["state"] for e in gateway.events(type="message.status") if e["message"]["id"] == msg]
    wait_until("the events of it", lambda: sorted(told()) == ["failed", "rejected"])


def test_a_customer_who_writes_opens_it_for_what_waits(stack):
    gateway, who = stack.gateway, someone()
    stack.write(who)
    stack.advance(23 * HOUR_MS)
    rule = stack.inject(to=who, code=131057, always=True)
    msg = gateway.send_async(text(who))
    gateway.wait_state(msg, "waiting")
    stack.write(who)
    stack.advance(2 * HOUR_MS)
    stack.remove(rule)
    stack.advance(HOUR_MS)
    gateway.wait_state(msg, "accepted")


def test_windows_survive_a_restart(stack):
    shut, open_ = someone(), someone()
    stack.write(shut)
    stack.advance(25 * HOUR_MS)
    stack.write(open_)
    stack.gateway.kill()
    stack.gateway.start()
    closed(stack.gateway.send(text(shut)))
    assert stack.gateway.send(text(open_)).status_code == 200


def test_a_number_written_in_another_way_is_the_same_customer(stack):
    stack.write("5571990000077")
    stack.advance(25 * HOUR_MS)
    closed(stack.gateway.send(text("+55 (71) 99000-0077")))
    closed(stack.gateway.send(text("557190000077")))  # without the ninth digit
