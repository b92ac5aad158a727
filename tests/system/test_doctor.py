# SPDX-License-Identifier: MIT
"""test_doctor.py - godwit doctor: each check of Meta made to fail, its fix made, and green again"""
import pytest

import kit
from doctors import APP, OK, checks, fails, run, set_conf
from kit import ANA, NUMBER, WABA

GERMAN = "+4915112345678"


def test_all_is_well(gateway, sandbox):
    sandbox.say("Hi")
    gateway.wait_events(1)
    gateway.wait_message(gateway.send_text(), status="read")
    before = len(gateway.events())
    rows = checks(gateway, "--to", ANA, "--template", "hello_world:en_US", code=OK)
    assert list(rows) == ["gateway", "token", "account", "number", "registration", "window", "consent", "message",
                          "template", "subscription", "callback", "webhooks", "limits", "app-secret", "health",
                          "sending", "clock", "disk", "store", "destinations", "events"]
    assert {row["result"] for row in rows.values()} == {"ok"}
    assert "SYSTEM_USER" in rows["token"]["evidence"] and "never expires" in rows["token"]["evidence"]
    assert "echoed the challenge" in rows["callback"]["evidence"]
    assert len(gateway.events()) == before  # the right signature left no event behind
    text = gateway.cli("doctor", "--to", ANA, "--template", "hello_world")
    assert text.returncode == OK and text.stdout.count("\u2713") == 21
    skipped = checks(gateway, code=OK)
    assert (skipped["window"]["result"], skipped["template"]["result"]) == ("skip", "skip")
    assert "--to" in skipped["window"]["evidence"]


def test_an_expired_token(gateway, sandbox):
    sandbox.set(token_expires_at=1000000000)
    row = fails(gateway, "token", "190/463", command="config reload")
    assert "expired" in row["evidence"].lower() and "token" in row["fix"]
    assert checks(gateway)["number"]["result"] == "skip"
    assert checks(gateway)["number"]["evidence"] == "the token does not work"
    sandbox.set(token_expires_at=0)  # another token
    run(gateway, row)
    checks(gateway, code=OK)


def test_a_token_that_ends_soon_or_is_a_persons(gateway, sandbox):
    now_s = kit.Clock(sandbox).now_ms() // 1000
    sandbox.set(token_expires_at=now_s + 3 * 86400 + 60)
    row = checks(gateway, code=OK)["token"]
    assert row["result"] == "warn" and "3 days left" in row["evidence"]
    sandbox.set(token_expires_at=0, token_of_user=True)
    assert checks(gateway, code=OK)["token"]["result"] == "warn"


@pytest.mark.parametrize("setting, scope", [("scope_messaging", "whatsapp_business_messaging"),
                                            ("scope_management", "whatsapp_business_management")])
def test_a_permission_is_missing(gateway, sandbox, setting, scope):
    sandbox.set(**{setting: False})
    row = fails(gateway, "token", "lacks " + scope)
    sandbox.set(**{setting: True})
    run(gateway, row)
    checks(gateway, code=OK)


def test_a_token_that_only_the_app_may_ask_about(gateway, sandbox):
    sandbox.set(debug_needs_app_token=True)
    assert "never expires" in checks(gateway, code=OK)["token"]["evidence"]


@pytest.mark.parametrize("wrong, says", [
    (WABA, "the business account's id; its numbers: " + NUMBER),
    ("15550783881", "the phone number itself; its id is " + NUMBER),
    (APP, "the app's id"),
    ("999999999999999", "100/33"),
])
def test_a_wrong_number_id(sandbox, make_gateway, wrong, says):
    gateway = make_gateway(sandbox, account={"numbers": wrong})
    row = fails(gateway, "number", says, command="config reload")
    assert row["number"] == wrong
    assert checks(gateway)["registration"]["result"] == "skip"
    set_conf(gateway, numbers=NUMBER)
    run(gateway, row)
    assert checks(gateway, "--number", NUMBER, code=OK)["number"]["result"] == "ok"


def test_a_business_id_that_is_a_number(sandbox, make_gateway):
    gateway = make_gateway(sandbox, account={"business_id": NUMBER})
    row = fails(gateway, "account", "is the id of number +1 555-078-3881")
    set_conf(gateway, business_id=WABA)
    run(gateway, row)
    checks(gateway, code=OK)


def test_a_number_that_is_not_registered(gateway, sandbox):
    sandbox.control("POST", "numbers", {"id": NUMBER, "registered": False})
    row = fails(gateway, "registration", "PENDING", command="/register", others=["health"])
    assert row["code"] == 133010
    assert "true" in run(gateway, row)
    checks(gateway, code=OK)


@pytest.mark.parametrize("told, check, result, says", [
    ({"status": "BANNED"}, "number", "fail", "BANNED"),
    ({"status": "FLAGGED"}, "number", "warn", "FLAGGED"),
    ({"quality_rating": "RED"}, "limits", "fail", "quality RED"),
    ({"quality_rating": "YELLOW"}, "limits", "warn", "quality YELLOW"),
    ({"health_code": 141006}, "health", "fail", "141006"),
    ({"status": "UNVERIFIED", "verified": False}, "registration", "fail", "NOT_VERIFIED"),
])
def test_what_meta_says_of_the_number(gateway, sandbox, told, check, result, says):
    sandbox.control("POST", "numbers", {"id": NUMBER, **told})
    row = checks(gateway)[check]
    assert row["result"] == result and says in row["evidence"]
    assert row["cause"] and row["fix"] and row["command"]
    sandbox.control("POST", "numbers", {"id": NUMBER, "status": "CONNECTED", "quality_rating": "", "health_code": 0,
                                        "verified": True})
    checks(gateway, code=OK)


def test_a_limit_over_what_meta_gives(sandbox, make_gateway):
    gateway = make_gateway(sandbox, account={"numbers": NUMBER + "=500"})
    fails(gateway, "limits", "configured for 500")
    sandbox.control("POST", "numbers", {"id": NUMBER, "limit_mps": 1000})
    checks(gateway, code=OK)


def test_a_shut_window(gateway, sandbox, clock):
    fails(gateway, "window", "nothing has come", "--to", GERMAN)
    sandbox.say("Hi")
    gateway.wait_events(1)
    clock.advance(hours=25)
    row = fails(gateway, "window", "shut since", "--to", ANA, command="--template")
    assert row["code"] == 131047
    sandbox.say("again")
    gateway.wait_events(2, type="message.received")
    checks(gateway, "--to", ANA, code=OK)


@pytest.mark.parametrize("sent, asked", [
    ("5571996000001", "+55 71 99600-0001"),
    ("+557196000001", "+5571996000001"),  # without the ninth digit, and with it
    ("5571996000001", "557196000001"),
])
def test_the_last_message_in_any_form_of_the_number(gateway, sandbox, sent, asked):
    sandbox.say("Hi", "+5571996000001")
    gateway.wait_events(1)
    msg = gateway.send_text("+5571996000002")
    gateway.wait_message(msg, failed=True)
    mine = gateway.send_text(sent)
    gateway.wait_message(mine, state="accepted")
    assert mine in checks(gateway, "--to", asked)["message"]["evidence"]
    row = checks(gateway, "--to", "+5571996000002")["message"]
    assert row["result"] == "fail" and row["code"] == 131047 and row["command"].endswith("why " + msg)
    assert msg in run(gateway, row)
    assert checks(gateway, "--to", "+5571996000003")["message"]["result"] == "skip"


def test_templates(gateway, sandbox):
    assert fails(gateway, "template", "no template gone", "--template", "gone")["code"] == 132001
    fails(gateway, "template", "there is: en_US", "--template", "hello_world:de")
    for status, code in (("PAUSED", 132015), ("DISABLED", 132016), ("PENDING", 132001)):
        sandbox.control("POST", "templates", {"name": "hello_world", "status": status})
        assert fails(gateway, "template", status, "--template", "hello_world")["code"] == code
    sandbox.control("POST", "templates", {"name": "hello_world", "status": "APPROVED"})
    checks(gateway, "--template", "hello_world", code=OK)


def test_the_app_is_subscribed_again(gateway, sandbox):
    assert gateway.local("DELETE", "/v26.0/%s/subscribed_apps" % WABA).status == 200
    sandbox.say("nobody hears this")
    row = fails(gateway, "subscription", "not subscribed to account " + WABA, command="doctor --fix --account test")
    assert "nothing ever arrives" in row["cause"]
    run(gateway, row)
    assert "is subscribed" in checks(gateway, code=OK)["subscription"]["evidence"]
    sandbox.say("Hi")
    assert [e["message"]["text"] for e in gateway.wait_events(1)] == ["Hi"]


def test_another_apps_secret(sandbox, make_gateway):
    gateway = make_gateway(sandbox, account={"app_secret": "that-of-another-app"})
    row = fails(gateway, "app-secret", "does not take it for app " + APP, command="config reload")
    set_conf(gateway, app_secret=kit.APP_SECRET)
    run(gateway, row)
    checks(gateway, code=OK)


def challenge(request):
    return request.path.split("hub.challenge=")[1].split("&")[0]


@pytest.mark.parametrize("answer, topic, says", [
    (lambda r: (200, '{"challenge":"%s"}' % challenge(r)), "plain text", "comes back as"),
    (lambda r: 403, "verify token", "HTTP 403 to the handshake"),
    (lambda r: (200, challenge(r)) if r.method == "GET" else 200, "invent messages", "HTTP 200 to a body with a wrong"),
    (lambda r: (200, challenge(r)) if r.method == "GET" else 401, "another app secret", "HTTP 401 to a body with the"),
    (lambda r: kit.Receiver.CLOSE, "got no answer", "http://"),
])
def test_a_callback_that_is_wrong(gateway, receiver, answer, topic, says):
    receiver.on_request = answer
    row = fails(gateway, "callback", says, "--public-url", receiver.url, command="--public-url")
    assert topic in row["cause"]
    checks(gateway, "--public-url", gateway.public, code=OK)


def test_meta_calls_another_address(gateway, sandbox, receiver):
    receiver.on_request = lambda r: (200, challenge(r)) if r.method == "GET" else 200
    sandbox.callback(receiver.url)
    fails(gateway, "callback", "Meta calls " + receiver.url, "--public-url", gateway.public)
    sandbox.callback(gateway.public + "/webhook")
    checks(gateway, code=OK)


@pytest.mark.conf({"egress.allow": ""})
def test_a_private_callback_is_not_called(gateway, receiver):
    row = fails(gateway, "callback", "loopback", "--public-url", receiver.url)
    assert "only this network reaches" in row["cause"] and receiver.requests == []


def test_the_clock(gateway, sandbox):
    sandbox.set(date_ahead_s=600)
    row = fails(gateway, "clock", "behind Meta's", command="timedatectl")
    assert "NTP" in row["fix"]
    sandbox.set(date_ahead_s=0)
    checks(gateway, code=OK)


def test_the_disk(gateway):
    gateway.conf["store.disk_min"] = "1048576M"
    gateway.write_conf()
    assert gateway.cli("config", "reload").returncode == OK
    fails(gateway, "disk", "MiB free", command="df", others=["callback"])
    gateway.conf["store.disk_min"] = "0"
    gateway.write_conf()
    assert gateway.cli("config", "reload").returncode == OK
    checks(gateway, code=OK)


def test_a_destination_that_is_gone(gateway, sandbox, receiver):
    receiver.on_request = lambda request: 410
    made = gateway.add_destination(receiver.url)
    sandbox.say("Hi")
    kit.wait_until("disabled", lambda: gateway.api("GET", "destinations")["data"][0]["state"] == "disabled")
    row = fails(gateway, "destinations", made["id"], command="destination remove " + made["id"])
    run(gateway, row)
    checks(gateway, code=OK)


def test_meta_cannot_be_reached(gateway, sandbox):
    sandbox.inject(fault="close", target="any", always=True)
    fails(gateway, "token", "does not take the token", others=[])
    sandbox.clear_faults()
    checks(gateway, code=OK)


def test_without_a_gateway_the_configuration_is_asked(gateway, sandbox):
    assert gateway.term() == 0
    rows = checks(gateway, "-c", gateway.conf_path)
    assert rows["gateway"]["result"] == "fail" and "serve" in rows["gateway"]["command"]
    for check in ("configuration", "token", "account", "number", "registration", "subscription", "app-secret", "disk"):
        assert rows[check]["result"] == "ok", rows[check]
    assert rows["callback"]["result"] == "fail"  # nobody listens there
    with open(gateway.conf_path, "a", encoding="utf-8") as f:
        f.write("no_such_key = 1\n")
    assert checks(gateway, "-c", gateway.conf_path)["configuration"]["result"] == "fail"
    gateway.start()
    checks(gateway, code=OK)


def test_whom_it_obeys(gateway):
    key = gateway.make_key("read")
    tcp = {"GODWIT_SERVER": gateway.base, "GODWIT_KEY": key}
    assert gateway.cli("doctor", env=tcp).returncode == 4
    tcp["GODWIT_KEY"] = gateway.make_key("manage")
    assert gateway.cli("doctor", env=tcp).returncode == OK
    assert gateway.cli("doctor", "--account", "nobody").returncode == 3
    assert gateway.local("POST", "/api/v1/doctor", {"color": "red"}).status == 400
