# SPDX-License-Identifier: MIT
"""Clients that know nothing of Godwit, through the gateway and straight to the sandbox.

Each program in tests/clients is written as its library's guide has it; URL and token come from the
environment. It sends seven kinds of messages in one run, and prints one JSON line on each. Every
program runs three times: against a plain server, which keeps what the client puts on the wire;
straight to the sandbox; and through the gateway. The sandbox must then have taken each message once
and byte for byte, with our token in it if it came through the gateway and nothing else changed.
"""
import fcntl
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading

import kit
import pytest
import requests
from kit import NUMBER, WABA

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENTS_DIR = os.path.join(os.path.dirname(HERE), "clients")
LIMIT_S = 120

# name, command; each has a customer of its own, so that the pair rate holds nobody up
CLIENTS = [
    ("fetch", ["node", "fetch.mjs"]),
    ("axios", ["node", "axios.mjs"]),
    ("kapso", ["node", "kapso.mjs"]),
    ("whatsapp-api-js", ["node", "whatsapp_api_js.mjs"]),
    ("requests", ["/usr/bin/python3", "python_requests.py"]),
    ("php", ["php", "php_curl.php"]),
    ("curl", ["sh", "curl.sh"]),
]
COMMANDS = dict(CLIENTS)
TO = {name: "+557199000%04d" % (1000 + i) for i, (name, _) in enumerate(CLIENTS)}

ROWS = [{"id": "t1", "title": "09:00", "description": "Morning"},
        {"id": "t2", "title": "17:00", "description": "Evening"}]
# What a message of each kind must hold at least, whatever the client's way of writing it.
CASES = {
    "text": {"type": "text", "text": {"body": "Olá Ana, your order #77 is ready ☕"}},
    "template": {"type": "template", "template": {
        "name": "order_shipped", "language": {"code": "en"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"},
                                                       {"type": "text", "text": "77"}]}]}},
    "image": {"type": "image", "image": {"link": "https://shop.example/photos/77.jpg",
                                         "caption": "Your order"}},
    "document": {"type": "document", "document": {
        "link": "https://shop.example/invoices/77.pdf", "caption": "Invoice",
        "filename": "invoice-77.pdf"}},
    "buttons": {"type": "interactive", "interactive": {
        "type": "button", "body": {"text": "Shall we deliver today?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
                               {"type": "reply", "reply": {"id": "no", "title": "Not today"}}]}}},
    "list": {"type": "interactive", "interactive": {
        "type": "list", "body": {"text": "When shall we come?"},
        "action": {"button": "Pick a time", "sections": [{"title": "Today", "rows": ROWS}]}}},
    "location": {"type": "location", "location": {
        "latitude": -12.9714, "longitude": -38.5014, "name": "Mercado Modelo",
        "address": "Salvador, Bahia"}},
}
TOKEN_MEMBER = re.compile(r'^(\s*\{)"biz_opaque_callback_data":"w1\.[^"\\]+",')


def holds(wanted, got):
    """Is everything wanted in got?  A number may be written as a string."""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(k in got and holds(v, got[k]) for k, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(holds, wanted, got))
    if isinstance(wanted, float):
        return float(got) == wanted
    return wanted == got


# --- the programs --------------------------------------------------------------------------------

def npm_ci():
    """What the lock file names, once: the folder is kept as long as lock and Node.js are the same."""
    with open(os.path.join(CLIENTS_DIR, "package-lock.json"), "rb") as f:
        version = subprocess.run(["node", "--version"], check=True, capture_output=True).stdout
        wanted = hashlib.sha256(f.read() + version).hexdigest()
    modules = os.path.join(CLIENTS_DIR, "node_modules")
    stamp = os.path.join(modules, ".godwit-lock")
    with open(os.path.join(CLIENTS_DIR, "package.json")) as lock:  # pytest may run us twice at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(stamp) and open(stamp).read() == wanted:
            return
        done = subprocess.run(["npm", "ci", "--prefer-offline", "--ignore-scripts"], cwd=CLIENTS_DIR,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, "npm ci: %s" % done.stdout
        with open(stamp, "w") as f:
            f.write(wanted)


@pytest.fixture(scope="session")
def modules():
    npm_ci()


def run_client(name, base_url, token):
    """{case: the line the program printed}; a case without a line has what went wrong."""
    env = dict(os.environ, BASE_URL=base_url, TOKEN=token, NUMBER=NUMBER, TO=TO[name],
               NODE_OPTIONS="", no_proxy="127.0.0.1")
    done = subprocess.run(COMMANDS[name], cwd=CLIENTS_DIR, env=env, timeout=LIMIT_S,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    failed = {"ok": False, "error": "no line; exit code %d: %s" % (done.returncode, done.stderr)}
    return {case: next((l for l in lines if l["case"] == case), failed) for case in CASES}


class Recorder(http.server.ThreadingHTTPServer):
    """Keeps every body, and answers in Meta's shape."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.server.bodies.append(body)
            to = json.loads(body)["to"]
            answer = json.dumps({"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to[1:]}],
                                 "messages": [{"id": "wamid.%d" % len(self.server.bodies)}]},
                                separators=(",", ":")).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.bodies = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture(scope="session")
def wire(modules):
    """name -> the seven bodies that client writes, in the order of CASES."""
    kept = {}

    def bodies(name):
        if name not in kept:
            recorder = Recorder()
            try:
                lines = run_client(name, "http://127.0.0.1:%d" % recorder.server_port, "any")
            finally:
                recorder.shutdown()
                recorder.server_close()
            assert [line.get("error") for line in lines.values()] == [None] * len(CASES)
            assert len(recorder.bodies) == len(CASES)
            kept[name] = dict(zip(CASES, recorder.bodies))
        return kept[name]

    return bodies


@pytest.fixture(scope="session")
def pair():
    """A sandbox and a gateway for all cases of this file."""
    folder = tempfile.mkdtemp(prefix="godwit-clients-")
    sandbox = kit.Sandbox(folder)
    gateway = kit.Gateway(folder, sandbox)
    yield sandbox, gateway
    gateway.close()
    sandbox.close()
    shutil.rmtree(folder)  # kept for whoever looks when one of them left badly


@pytest.fixture(scope="session")
def runs(modules, pair):
    """(name, path) -> ({case: line}, the messages the sandbox took from that run)."""
    sandbox, gateway = pair
    kept = {}

    def run(name, path):
        if (name, path) not in kept:
            sandbox.say("Hi", TO[name])
            before = sandbox.messages(to=TO[name])
            if path == "gateway":
                lines = run_client(name, gateway.base, gateway.make_key("send"))
            else:
                lines = run_client(name, sandbox.base, kit.TOKEN)
            kept[name, path] = lines, sandbox.messages(to=TO[name])[len(before):]
        return kept[name, path]

    return run


# --- the cases -----------------------------------------------------------------------------------

@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("path", ["sandbox", "gateway"])
@pytest.mark.parametrize("name", COMMANDS)
def test_sends(runs, wire, name, path, case):
    lines, taken = runs(name, path)
    line = lines[case]
    assert line["ok"], line.get("error")
    assert line["status"] in (200, None)  # None: the library does not tell
    assert line["id"].startswith("wamid."), "not Meta's id: %s" % line["id"]
    assert line["input"] == TO[name]

    mine = [m for m in taken if m["id"] == line["id"]]
    assert len(mine) == 1, "%s is in the sandbox's log %d times" % (line["id"], len(mine))
    body, written = mine[0]["body"], wire(name)[case]
    assert holds(CASES[case], json.loads(body))
    if path == "gateway":
        assert mine[0]["opaque"].startswith("w1.")
        assert mine[0]["accepted_count"] == 1, "one token was accepted several times"
        body, spliced = TOKEN_MEMBER.subn(r"\1", body)
        assert spliced == 1, "our token is not where it is put: %s" % body
    assert body == written


@pytest.mark.parametrize("path", ["sandbox", "gateway"])
@pytest.mark.parametrize("name", COMMANDS)
def test_sends_nothing_else(runs, name, path):
    lines, taken = runs(name, path)
    assert [m["id"] for m in taken] == [line.get("id") for line in lines.values()]


# --- whatsapp-api-js as a receiver ---------------------------------------------------------------

class JsReceiver:
    """tests/clients/receiver.mjs: an endpoint of whatsapp-api-js, and what it let through."""

    def __init__(self, secret):
        self.process = subprocess.Popen(["node", "receiver.mjs"], cwd=CLIENTS_DIR, text=True,
                                        env=dict(os.environ, APP_SECRET=secret, NODE_OPTIONS=""),
                                        stdout=subprocess.PIPE)
        self.url = "http://127.0.0.1:%d/message" % json.loads(self.process.stdout.readline())["port"]
        self.lines, self.came = [], threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.came:
                self.lines.append(json.loads(line))
                self.came.notify_all()

    def wait_for(self, count, matches):
        """The first `count` lines that match."""
        def found():
            return [line for line in self.lines if matches(line)]
        with self.came:
            self.came.wait_for(lambda: len(found()) >= count, kit.WAIT)
            assert len(found()) >= count, "%d of %d came: %s" % (len(found()), count, self.lines[-5:])
            return found()

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def js_receiver(modules, pair):
    receiver = JsReceiver(kit.APP_SECRET)
    pair[1].add_destination(receiver.url, format="meta", name="whatsapp-api-js")
    yield receiver
    receiver.stop()


def test_receiver_refuses_another_signature(js_receiver):
    """Else it would prove nothing that it accepts ours."""
    body = '{"object":"whatsapp_business_account","entry":[]}'
    for signature in ("sha256=" + "0" * 64, "sha256="):
        answer = requests.post(js_receiver.url, data=body, timeout=LIMIT_S,
                               headers={"X-Hub-Signature-256": signature})
        assert answer.status_code == 401
    js_receiver.wait_for(2, lambda line: line["answered"] == 401)


@pytest.mark.parametrize("text", ["Is it open today?", "Olá ☕ 東京 🙂", 'a "quote", a \\ and </script> \u0001'])
def test_receiver_accepts_messages(js_receiver, pair, text):
    wamid = pair[0].say(text, "+5571990002001")
    line, = js_receiver.wait_for(1, lambda l: l.get("message", {}).get("id") == wamid)
    assert line["answered"] == 200
    assert line["number"] == NUMBER
    assert line["from"] == "5571990002001"
    assert line["message"]["text"] == {"body": text}


@pytest.mark.parametrize("opaque", [None, "order-77", 'pedido é 77 ☕ "x"'])
def test_receiver_accepts_statuses(js_receiver, pair, opaque):
    """A status with the caller's value in it is a body of ours, signed anew."""
    sandbox, gateway = pair
    sandbox.say("Hi", "+5571990002002")
    more = {} if opaque is None else {"biz_opaque_callback_data": opaque}
    answer = gateway.send("+5571990002002", message={"type": "text", "text": {"body": "Yes"}, **more})
    assert answer.status_code == 200, answer.text
    wamid = answer.json()["messages"][0]["id"]
    lines = js_receiver.wait_for(3, lambda l: l.get("kind") == "status" and l["id"] == wamid)
    assert [line["status"] for line in lines] == ["sent", "delivered", "read"]
    assert {line["answered"] for line in lines} == {200}
    assert [line["opaque"] for line in lines] == [opaque] * 3


def test_receiver_accepts_the_parts_of_a_mixed_body(js_receiver, pair):
    """The library reads the first item of a body alone; each conversation comes in a body of its own."""
    sandbox = pair[0]
    now = str(kit.Clock(sandbox).now_ms() // 1000)
    customers = ["557199000%04d" % (3000 + i) for i in range(5)]
    value = {"messaging_product": "whatsapp",
             "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
             "contacts": [{"profile": {"name": "Zoë " + phone}, "wa_id": phone} for phone in customers],
             "messages": [{"from": phone, "id": "wamid.mixed" + phone, "timestamp": now, "type": "text",
                           "text": {"body": "Olá de " + phone}} for phone in customers]}
    sandbox.post_raw(json.dumps({"object": "whatsapp_business_account", "entry": [
        {"id": WABA, "changes": [{"field": "messages", "value": value}]}]}))
    lines = js_receiver.wait_for(5, lambda l: l.get("message", {}).get("id", "").startswith("wamid.mixed"))
    assert {line["answered"] for line in lines} == {200}
    assert sorted(line["from"] for line in lines) == customers
    for line in lines:
        assert line["message"]["text"]["body"] == "Olá de " + line["from"]
        assert line["name"] == "Zoë " + line["from"]
