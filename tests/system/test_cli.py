# SPDX-License-Identifier: MIT
"""test_cli.py - the command line: what it prints where, and how it ends"""
import json
import os
import signal
import subprocess

import pytest

import kit

OK, FAILED, USAGE, NOT_FOUND, AUTH, REFUSED, REJECTED, TEMPORARY, CHECK = 0, 1, 2, 3, 4, 5, 6, 7, 9


def godwit(*args, env=None, stdin=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GODWIT_")}
    clean.update({"LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": "/nonexistent", **(env or {})})
    return subprocess.run([kit.BIN, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", timeout=kit.WAIT + 30, env=clean, check=False)


# --- without a gateway ---------------------------------------------------------------------------

@pytest.mark.parametrize("args, code, error, fix", [
    (["versoin"], USAGE, 'unknown command "versoin"', "did you mean `godwit version`?"),
    (["mesage", "list"], USAGE, 'unknown command "mesage list"', "did you mean `godwit message list`?"),
    (["message"], USAGE, "message what?", "`message list`"),
    (["sandbox", "sya"], USAGE, 'unknown command "sandbox sya"', "did you mean `godwit sandbox say`?"),
    (["sned", "+5571990000001", "Yes"], USAGE, 'unknown command "sned"\n', "did you mean `godwit send`?"),
    (["xyzzy"], USAGE, 'unknown command "xyzzy"', "godwit help"),
    (["send", "--tmplate", "x"], USAGE, 'unknown option "--tmplate"', "did you mean --template?"),
    (["send"], USAGE, "to whom?", "usage: godwit send"),
    (["send", "+1", "a", "b"], USAGE, 'too many words, from "b"', "usage: godwit send"),
    (["send", "--wait"], USAGE, 'a value must follow "--wait"', ""),
    (["send", "+1", "a", "--wait", "eaten"], USAGE, '"eaten" is no status', "delivered"),
    (["why"], USAGE, "something is missing", "usage: godwit why ID"),
    (["message", "resolve", "msg_1"], USAGE, "how?", "--as sent"),
    (["--timeout", "soon", "version"], USAGE, '"soon"', "want a duration"),
    (["-o", "xml", "version"], USAGE, 'no output format "xml"', "table, json"),
    (["sandbox", "clock", "advance", "tomorrow"], USAGE, '"tomorrow" is none', "24h"),
    (["sandbox", "inject"], USAGE, "nothing to do", "--error CODE"),
])
def test_a_wrong_call_is_answered_with_the_right_one(args, code, error, fix):
    r = godwit(*args)
    assert (r.returncode, r.stdout) == (code, "")
    assert error in r.stderr and fix in r.stderr


def test_a_command_to_copy_is_called_as_it_was(tmp_path):
    """In a checkout it is ./godwit; no godwit is in the PATH."""
    (tmp_path / "godwit").symlink_to(kit.BIN)
    for program, said in (("./godwit", "`./godwit version`"), (str(tmp_path / "godwit"), "`godwit version`")):
        r = subprocess.run([program, "versoin"], cwd=tmp_path, stderr=subprocess.PIPE, encoding="utf-8", check=False)
        assert r.returncode == USAGE and said in r.stderr, r.stderr
        r = subprocess.run([program, "--json", "versoin"], cwd=tmp_path, stderr=subprocess.PIPE, encoding="utf-8",
                           check=False)
        assert json.loads(r.stderr)["error"]["fix"] == "did you mean `godwit version`?"


def test_serve_without_any_configuration_makes_nothing(tmp_path):
    data = tmp_path / "data"
    env = {"HOME": str(tmp_path), "GODWIT_DATA": str(data)}
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GODWIT_")}
    for words, code, fix in ((["serve"], USAGE, "`godwit init`"), (["config", "check"], OK, "`godwit init`"),
                             (["doctor"], CHECK, "init")):
        r = subprocess.run([kit.BIN, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env={**clean, **env, "XDG_CONFIG_HOME": "/nonexistent", "XDG_RUNTIME_DIR": str(tmp_path)},
                           encoding="utf-8", timeout=kit.WAIT + 30, check=False)
        assert r.returncode == code and fix in r.stdout + r.stderr, (words, r)
    assert "Command: %s init\n" % kit.BIN in r.stdout, r.stdout
    assert "nobody listens there" in r.stdout and "port 80" not in r.stdout
    assert not data.exists()


def test_help_knows_the_nouns_that_commands_know():
    one, many = godwit("help", "key"), godwit("help", "keys")
    assert many.returncode == OK and many.stdout == one.stdout and "key revoke" in one.stdout


def test_an_error_is_one_object_in_json_mode():
    r = godwit("--json", "versoin")
    error = json.loads(r.stderr)["error"]
    assert r.returncode == USAGE and r.stdout == ""
    assert (error["class"], error["exit"], error["message"]) == ("usage", 2, 'unknown command "versoin"')
    assert error["fix"] == "did you mean `godwit version`?"


def test_nobody_there_says_what_to_start(folder):
    for args in (["message", "list"], ["send", "+1", "x"], ["listen"], ["readyz"], ["why", "msg_1"]):
        r = godwit(*args, env={"XDG_RUNTIME_DIR": folder})
        assert (r.returncode, r.stdout) == (TEMPORARY, ""), args
        assert "no gateway answers at unix:%s" % folder in r.stderr and "godwit up" in r.stderr
    r = godwit("sandbox", "clock", "--sandbox-url", "127.0.0.1:1", "-o", "json")
    assert r.returncode == TEMPORARY and json.loads(r.stderr)["error"]["code"] == "unreachable"


def test_help_comes_from_the_tables():
    overview = godwit("help").stdout
    tree = json.loads(godwit("help", "--json").stdout)
    names = {c["name"] for c in tree["commands"]}
    assert {"up", "serve", "sandbox", "send", "listen", "message list", "message get", "message resolve", "event list",
            "event get", "event replay", "destination add", "destination list", "destination test",
            "destination remove", "key create", "key list", "key revoke", "sandbox say", "sandbox clock",
            "sandbox inject", "why", "readyz", "config check", "config show", "version", "help"} <= names
    for command in tree["commands"]:
        assert "  " + command["name"] in overview
        text = godwit(*command["name"].split(), "--help")
        assert text.returncode == OK and text.stderr == ""
        for option in command["options"]:
            assert "--" + option["name"] in text.stdout, command["name"]
            assert option["help"]
        assert not command["help"].endswith(".")
    assert godwit("help", "message").stdout.count("godwit message") == 3
    assert tree["exit_codes"]["7"].startswith("temporary")


def test_version_in_three_forms():
    text = godwit("version").stdout
    assert text.startswith("godwit ") and godwit("--version").stdout == text
    assert json.loads(godwit("version", "--json").stdout)["name"] == "godwit"


def test_config_check_lists_every_problem(folder):
    path = os.path.join(folder, "godwit.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write("graph.wait_max = soon\nno.such = 1\nqueue.attempts_max = 0\n[account a]\ntoken = abc\n")
    r = godwit("config", "check", "-c", path)
    assert (r.returncode, r.stdout) == (USAGE, "")
    for line in (":1: graph.wait_max", ":2: unknown key", ":3: queue.attempts_max", ":5: token: secrets come from"):
        assert path + line in r.stderr
    assert len(json.loads(godwit("config", "check", "-c", path, "--json").stderr)["error"]["problems"]) >= 5
    assert godwit("serve", "-c", path).returncode == USAGE


def test_config_show_names_origins_and_no_secret(folder):
    path, secret = os.path.join(folder, "godwit.conf"), os.path.join(folder, "s")
    kit.write_secret(secret, "sesame-sesame")
    with open(path, "w", encoding="utf-8") as f:
        f.write("graph.wait_max = 5s\n[account a]\napp_secret_file = %s\ntoken_file = %s\n" % (secret, secret))
    r = godwit("config", "show", "--origin", "-c", path, "--set", "queue.max=7", env={"GODWIT_LOG_LEVEL": "warn"})
    rows = {line.split()[0]: line.split()[1:] for line in r.stdout.splitlines() if line.strip()}
    assert r.returncode == OK and "sesame" not in r.stdout + r.stderr
    assert rows["graph.wait_max"] == ["5s", path + ":1"]
    assert rows["queue.max"] == ["7", "flag"]
    assert rows["log.level"] == ["warn", "GODWIT_LOG_LEVEL"]
    assert rows["pacing.share"] == ["995", "default"]
    tree = json.loads(godwit("config", "show", "-c", path, "--json").stdout)
    assert tree["accounts"][0]["has_token"] is True and "sesame" not in json.dumps(tree)


# --- with one ------------------------------------------------------------------------------------

def test_send_follows_to_read(gateway, sandbox):
    sandbox.say("Hi")
    gateway.wait_events(1)
    r = gateway.cli("send", kit.ANA, "Yes")
    words = [line.split()[0] for line in r.stdout.splitlines()]
    assert (r.returncode, r.stderr, words) == (OK, "", ["accepted", "sent", "delivered", "read"])
    assert sandbox.wait_messages(1) == ["Yes"]
    told = json.loads(gateway.cli("send", kit.ANA, "again", "--json").stdout)
    assert told["status"] == "read" and gateway.message(told["id"]).wamid == told["wamid"]
    assert gateway.cli("send", kit.ANA, "x", "-o", "id").stdout.startswith("wamid.")


def test_send_waits_no_longer_than_asked(gateway, sandbox):
    sandbox.set(delivered_ms=3600000)
    sandbox.say("Hi")
    gateway.wait_events(1)
    r = gateway.cli("send", kit.ANA, "Yes", "--wait", "sent")
    assert r.returncode == OK and r.stdout.splitlines()[-1].startswith("sent")
    r = gateway.cli("send", kit.ANA, "Yes", "--wait", "delivered", "--timeout", "300ms")
    assert r.returncode == TEMPORARY and "not delivered yet" in r.stderr and "godwit why msg_" in r.stderr
    r = gateway.cli("send", kit.ANA, "Yes", "--async")
    assert r.returncode == OK and r.stdout.startswith("queued     msg_")


def test_send_template_with_variables(gateway, sandbox):
    r = gateway.cli("send", "+4915112345678", "--template", "order_shipped", "--lang", "en",
                    "--var", "2=A-12", "--var", "1=Ada")
    assert r.returncode == OK, r.stderr
    sent = sandbox.wait_messages(1)[0]["template"]
    assert [p["text"] for p in sent["components"][0]["parameters"]] == ["Ada", "A-12"]
    r = gateway.cli("send", "+4915112345678", "--template", "nothing_there")
    assert r.returncode == REJECTED and "132001" in r.stderr


def test_send_any_message_as_json(gateway, sandbox):
    sandbox.say("Hi")
    gateway.wait_events(1)
    body = {"messaging_product": "whatsapp", "to": kit.ANA, "type": "location",
            "location": {"latitude": 1.5, "longitude": -2.5}}
    r = gateway.cli("send", "--json-body", "-", stdin=json.dumps(body))
    assert r.returncode == OK, r.stderr
    assert sandbox.wait_messages(1)[0]["location"]["latitude"] == 1.5


def test_send_says_who_refused_and_why(gateway, sandbox, clock):
    sandbox.say("Hi")
    gateway.wait_events(1)
    sandbox.inject(code=131026)
    r = gateway.cli("send", kit.ANA, "x")
    assert (r.returncode, r.stdout) == (REJECTED, "") and "131026" in r.stderr
    clock.advance(hours=25)
    r = gateway.cli("send", kit.ANA, "late", "--json")
    error = json.loads(r.stderr)["error"]
    assert (r.returncode, r.stdout, error["code"], error["exit"]) == (REFUSED, "", 131047, REFUSED)
    assert error["docs"] == "godwit explain 131047"
    assert error["message"].endswith("or wait until the customer writes again"), error["message"]  # the rest is "fix"
    assert error["fix"].count("Send an approved template instead") == 1
    assert "Godwit refused" in error["message"] and "template" in error["fix"]
    r = gateway.cli("send", "+4915112345678", "nobody wrote from there")
    assert r.returncode == REJECTED and r.stdout.splitlines()[-1].startswith("failed")


def test_why_tells_from_the_record(gateway, sandbox):
    sandbox.say("Hi")
    gateway.wait_events(1)
    sandbox.inject(code=130429, next=1)
    id_ = gateway.send_text(body="x")
    gateway.wait_message(id_, state="accepted", status="read", timeout=60)
    text = gateway.cli("why", id_).stdout
    for word in ("accepted, read", "try 1", "130429", "try 2", "HTTP 200", "delivered", "webhook"):
        assert word in text, text
    event = gateway.events()[0]["id"]
    assert "no destination wanted it" in gateway.cli("why", event).stdout
    sandbox.inject(code=131026)
    failed = gateway.send_text(body="y")
    gateway.wait_message(failed, state="rejected")
    text = gateway.cli("why", failed).stdout
    assert "131026" in text and "To do:" in text
    assert gateway.cli("why", "msg_nothing").returncode == NOT_FOUND


def test_lists_in_every_format(gateway, sandbox):
    sandbox.say("Hi")
    gateway.wait_events(1)
    ids = [gateway.send_text(body=str(i)) for i in range(3)]
    for id_ in ids:
        gateway.wait_message(id_, state="accepted")
    assert gateway.cli("message", "list", "-o", "id").stdout.split() == ids[::-1]
    assert len(json.loads(gateway.cli("messages", "list", "--json", "--limit", "2").stdout)["data"]) == 2
    lines = gateway.cli("message", "list", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids[::-1]
    table = gateway.cli("message", "list").stdout
    assert table.startswith("ID") and "+55 71 \u2022\u2022\u2022\u2022\u2022 001" in table and "990000001" not in table
    assert "+5571990000001" in gateway.cli("message", "list", "--show-pii").stdout
    assert "*****" in gateway.cli("message", "list", env={"LC_ALL": "C"}).stdout
    assert "\x1b[" not in table and "\x1b[" in gateway.cli("message", "list", env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" not in gateway.cli("message", "list", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert json.loads(gateway.cli("message", "get", ids[0], "--json").stdout)["id"] == ids[0]
    events = gateway.cli("event", "list", "--type", "message.received", "-o", "id").stdout.split()
    assert len(events) == 1
    shown = gateway.cli("event", "get", events[0], "--raw").stdout
    assert "Hi" in shown and "raw" in shown


def test_destinations(gateway, sandbox, receiver):
    r = gateway.cli("destination", "add", receiver.url, "--on", "message.received", "--name", "mine", "--json")
    made = json.loads(r.stdout)
    assert made["secret"].startswith("whsec_") and made["filter"] == {"types": ["message.received"]}
    assert made["id"] in gateway.cli("destination", "list").stdout
    assert gateway.cli("destination", "test", made["id"]).returncode == OK
    receiver.script(500)
    assert gateway.cli("destination", "test", made["id"]).returncode == CHECK
    sandbox.say("Hi")
    receiver.wait(3)
    event = gateway.events(type="message.received")[0]["id"]
    gateway.cli("event", "replay", event)
    assert len(receiver.wait(4)) == 4
    assert gateway.cli("destination", "remove", made["id"]).returncode == OK
    assert gateway.cli("destination", "remove", made["id"]).returncode == NOT_FOUND
    assert gateway.cli("destination", "add", "ftp://x").returncode == USAGE


def test_keys_over_tcp(gateway, folder):
    key = gateway.cli("key", "create", "--scope", "read", "-o", "id").stdout.strip()
    assert key.startswith("gwk_")
    listed = json.loads(gateway.cli("key", "list", "--json").stdout)["data"]
    assert [k["scopes"] for k in listed] == ["read"] and key not in json.dumps(listed)
    tcp = {"GODWIT_SERVER": gateway.base}
    assert gateway.cli("message", "list", env=tcp).returncode == AUTH
    assert gateway.cli("message", "list", env={**tcp, "GODWIT_KEY": key}).returncode == OK
    assert gateway.cli("key", "list", env={**tcp, "GODWIT_KEY": key}).returncode == AUTH
    path = os.path.join(folder, "key")
    kit.write_secret(path, key + "\n")
    assert gateway.cli("message", "list", "--key-file", path, env=tcp).returncode == OK
    assert gateway.cli("key", "revoke", listed[0]["id"]).returncode == OK
    assert gateway.cli("message", "list", "--key-file", path, env=tcp).returncode == AUTH


def test_message_resolve(gateway, sandbox):
    sandbox.say("Hi")
    gateway.wait_events(1)
    sandbox.set(sent_ms=3600000, delivered_ms=3600000, read_ms=3600000)
    sandbox.inject(fault="accept_close")
    id_ = gateway.send_text(body="x")
    gateway.wait_message(id_, state="unknown")
    text = gateway.cli("why", id_).stdout
    assert "unknown" in text and "godwit message resolve" in text
    assert gateway.cli("message", "resolve", id_, "--as", "eaten").returncode == USAGE
    assert gateway.cli("message", "resolve", id_, "--as", "sent").returncode == OK
    gateway.wait_message(id_, state="accepted")
    assert gateway.cli("message", "resolve", id_, "--as", "sent").returncode in (NOT_FOUND, REFUSED)


def test_sandbox_is_steered(gateway, sandbox):
    assert gateway.cli("sandbox", "say", kit.ANA, "Is it open?").stdout.startswith("said  wamid.")
    message = json.dumps({"type": "location", "location": {"latitude": 1, "longitude": 2}})
    assert gateway.cli("sandbox", "say", kit.ANA, "--message", "-", stdin=message).returncode == OK
    kinds = {e["message"]["kind"] for e in gateway.wait_events(2)}
    assert kinds == {"text", "location"}
    before = sandbox.control("GET", "clock")["offset_ms"]
    assert gateway.cli("sandbox", "clock", "advance", "23h59m").returncode == OK
    moved = sandbox.control("GET", "clock")["offset_ms"] - before
    assert abs(moved - 86340000) < 1000, moved  # whole milliseconds of two clocks
    assert "frozen" in gateway.cli("sandbox", "clock", "freeze").stdout
    assert "running" in gateway.cli("sandbox", "clock", "resume").stdout
    assert gateway.cli("sandbox", "inject", "send", "--next", "3", "--error", "130429").returncode == OK
    assert "130429" in gateway.cli("sandbox", "inject", "list").stdout
    assert gateway.cli("sandbox", "inject", "clear").returncode == OK
    assert gateway.cli("sandbox", "inject", "send", "--fault", "nonsense").returncode == USAGE


def test_readyz_waits(gateway):
    assert gateway.cli("readyz").returncode == OK
    assert gateway.term() == 0
    assert gateway.cli("readyz").returncode == TEMPORARY
    assert gateway.cli("readyz", "--wait", "--timeout", "200ms").returncode == TEMPORARY
    waiting = subprocess.Popen([kit.BIN, "readyz", "--wait", "--server", "unix:" + gateway.socket])
    gateway.start()
    assert waiting.wait(kit.WAIT) == OK


class Listen:
    def __init__(self, gateway, *args):
        self.popen = subprocess.Popen(
            [kit.BIN, "listen", "--server", "unix:" + gateway.socket, *args], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8", env=dict(os.environ, LC_ALL="C.UTF-8"))
        assert self.popen.stderr.readline().startswith("Ready")

    def line(self):
        return self.popen.stdout.readline().rstrip("\n")

    def close(self):
        self.popen.send_signal(signal.SIGINT)
        self.popen.wait(kit.WAIT)
        self.popen.stdout.close()
        self.popen.stderr.close()


def test_listen_shows_events_as_they_happen(gateway, sandbox, closing):
    table, lines = Listen(gateway), Listen(gateway, "-o", "jsonl", "--on", "message.received")
    closing.extend([table, lines])
    sandbox.say("Is it open today?")
    line = table.line()
    assert "--> message.received  evt_" in line and '"Is it open today?"' in line
    assert "Ana (+55 71 \u2022\u2022\u2022\u2022\u2022 001)" in line
    assert json.loads(lines.line())["message"]["text"] == "Is it open today?"


def test_listen_forwards_the_exact_bytes(gateway, sandbox, receiver, closing):
    closing.append(Listen(gateway, "--forward-to", receiver.url + "hook"))
    tap = closing[-1]
    receiver.script(200, (500, "TypeError: x is undefined"))
    sandbox.say("one")
    got = receiver.wait(1)[0]
    assert got.path == "/hook" and got.headers["X-Hub-Signature-256"] == kit.sign(got.body)
    assert got.body.decode() == sandbox.webhooks(contains="one")[0]["body"]
    sandbox.say("two")
    receiver.wait(2)
    lines = [tap.line() for _ in range(4)]
    assert "--> message.received" in lines[0] and '"one"' in lines[0] and "<-- 200" in lines[1]
    assert "<-- 500" in lines[3] and "TypeError: x is undefined" in lines[3]
    assert lines[1].split()[-1] == got.headers["Godwit-Event"]


def test_listen_comes_back_after_a_restart(gateway, sandbox, closing):
    tap = Listen(gateway, "-o", "jsonl")
    closing.append(tap)
    sandbox.say("before")
    assert json.loads(tap.line())["message"]["text"] == "before"
    gateway.restart()
    sandbox.say("after")
    assert json.loads(tap.line())["message"]["text"] == "after"
