# SPDX-License-Identifier: MIT
"""Everything that clients offer besides messages, through the gateway and straight to the sandbox.

tests/clients/*_calls.* are written as each library's guide has it. Every program runs twice; for each call
it prints one JSON line, which must hold what Meta's answer holds. Of the two SDKs every method that makes a
Graph call has a row: the program lists them from the library itself, so a new one is noticed.

docs/clients.md is the list of calls and outcomes; GODWIT_WRITE_DOCS=1 writes it anew.
"""
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import tempfile

import pytest

import kit
from kit import NUMBER, WABA
from test_clients import CLIENTS_DIR, LIMIT_S, modules  # noqa: F401  (modules is a fixture)

DOCS = os.path.join(kit.TOP, "docs", "clients.md")
APP = "610000000000001"
BYTES = random.Random(7).randbytes(3_000_001)  # of a photo, below Meta's 5 MB
SHA256 = hashlib.sha256(BYTES).hexdigest()
PATHS = ("sandbox", "gateway")

CLIENTS = {
    "@kapso/whatsapp-cloud-api": ["node", "kapso_calls.mjs"],
    "whatsapp-api-js": ["node", "whatsapp_api_js_calls.mjs"],
    "fetch": ["node", "fetch_calls.mjs"],
    "axios": ["node", "axios_calls.mjs"],
    "requests": ["/usr/bin/python3", "requests_calls.py"],
    "PHP cURL": ["php", "php_calls.php"],
    "curl": ["sh", "curl_calls.sh"],
}


# --- what must come back --------------------------------------------------------------------------

class Run:
    """One program on one path: its lines, and what it was told."""

    def __init__(self, lines, name, to, templates, taken):
        self.lines, self.name, self.to, self.templates, self.taken = lines, name, to, templates, taken
        self.digits = to.lstrip("+")


def succeeded(out, run):
    return out["success"] is True


def has_id(out, run):
    return re.fullmatch(r"\d{10,20}", out["id"])


def is_medium(out, run):
    # this SDK turns members into its own spelling
    return (out.get("mime_type") or out["mimeType"]) == "image/jpeg" and out["sha256"] == SHA256 \
        and int(out.get("file_size") or out["fileSize"]) == len(BYTES) and out["url"].startswith("http")


def is_the_file(out, run):
    return out == {"type": "image/jpeg", "sha256": SHA256}


def is_sent(out, run):
    wamid = out["messages"][0]["id"]
    return wamid.startswith("wamid.") and wamid in [m["id"] for m in run.taken()]


def all_templates(out, run):
    return sorted(out["names"]) == run.templates and out["links"] == (len(run.templates) - 1) // 2 > 0


def is_pending(out, run):
    return has_id(out, run) and out["status"] == "PENDING" and out["category"] == "UTILITY"


def is_the_template(out, run):
    return [t["name"] for t in out["data"]] == [run.name]


def is_the_profile(out, run):
    profile, = out["data"]
    return (profile["about"], profile["websites"], profile["vertical"]) == (
        run.name, ["https://shop.example"], "RESTAURANT")


def qr_is(text):
    def check(out, run):
        qr = out["data"][0] if "data" in out else out
        return re.fullmatch("[A-Z2-7]{14}", qr["code"]) and len(out.get("data", [qr])) == 1 and \
            (qr.get("prefilled_message") or qr.get("prefilledMessage")) == run.name + text
    return check


def blocked(word):
    def check(out, run):
        return [u["wa_id"] for u in out["block_users"][word]] == [run.digits]
    return check


def is_in_the_list(out, run):
    return run.digits in [u["wa_id"] for u in out["data"]]


def is_the_number(out, run):
    return out["id"] == NUMBER and (out.get("display_phone_number") or out["displayPhoneNumber"]).startswith("+1")


def has_the_number(out, run):
    return NUMBER in [n["id"] for n in out["data"]]


def is_the_account(out, run):
    return out["id"] == WABA and out["name"]


def has_the_app(out, run):
    return APP in json.dumps(out)


CALLS = {
    "media_upload": ("POST /{number}/media", has_id),
    "media_get": ("GET /{media}", is_medium),
    "media_download": ("GET the link of it", is_the_file),
    "media_send": ("POST /{number}/messages", is_sent),
    "media_delete": ("DELETE /{media}", succeeded),
    "templates_list": ("GET /{waba}/message_templates, paging.next", all_templates),
    "template_create": ("POST /{waba}/message_templates", is_pending),
    "template_find": ("GET /{waba}/message_templates", is_the_template),
    "template_delete": ("DELETE /{waba}/message_templates", succeeded),
    "profile_set": ("POST /{number}/whatsapp_business_profile", succeeded),
    "profile_get": ("GET /{number}/whatsapp_business_profile", is_the_profile),
    "qr_create": ("POST /{number}/message_qrdls", qr_is("")),
    "qr_list": ("GET /{number}/message_qrdls", qr_is("")),
    "qr_get": ("GET /{number}/message_qrdls/{code}", qr_is("")),
    "qr_update": ("POST /{number}/message_qrdls", qr_is(" 2")),
    "qr_delete": ("DELETE /{number}/message_qrdls/{code}", succeeded),
    "block_add": ("POST /{number}/block_users", blocked("added_users")),
    "block_list": ("GET /{number}/block_users", is_in_the_list),
    "block_remove": ("DELETE /{number}/block_users", blocked("removed_users")),
    "number_get": ("GET /{number}", is_the_number),
    "numbers_list": ("GET /{waba}/phone_numbers", has_the_number),
    "account_get": ("GET /{waba}", is_the_account),
    "subscribed_apps": ("GET /{waba}/subscribed_apps", has_the_app),
    "mark_read": ("POST /{number}/messages", succeeded),
    "typing": ("POST /{number}/messages", succeeded),
}

# The methods of the SDKs: what they call, and which of the above they must give; or the code that is due.
KAPSO_SENDS = ("Text", "Image", "Audio", "Document", "Video", "Sticker", "Location", "Contacts", "Template", "Reaction",
               "InteractiveButtons", "InteractiveList", "InteractiveProduct", "InteractiveProductList",
               "InteractiveFlow", "InteractiveAddress", "InteractiveLocationRequest", "InteractiveCallPermission",
               "InteractiveCtaUrl", "InteractiveCarousel", "InteractiveCatalogMessage", "InteractiveRaw", "Raw")
JS_SENDS = ("Text", "Image", "Audio", "Document", "Video", "Sticker", "Location", "Reaction", "Template",
            "ActionButtons", "ActionList", "ActionCTA")
UNPLAYED = "2500: a path that the sandbox does not play"
UNKNOWN = "100/33: no such object in the sandbox, which plays no flows"
NOT_METAS = "2500: no path of Meta's"
AS_TEXT = "100: the library writes `contacts` as a text, where Meta's documents have a list"
OWN_SERVICE = "refused by the library: a call of its maker's own service"


def has_settings(out, run):
    return out["calling"] == {"status": "ENABLED"} and out["id"] == NUMBER


METHODS = {
    "@kapso/whatsapp-cloud-api": {
        **{"messages.send" + kind: "media_send" for kind in KAPSO_SENDS},
        "messages.markRead": "typing",
        **{"messages." + name: ("", OWN_SERVICE) for name in ("query", "get", "listByConversation")},
        "media.upload": "media_upload", "media.get": "media_get", "media.download": "media_download",
        "media.delete": "media_delete",
        "templates.list": "templates_list", "templates.create": "template_create",
        "templates.get": ("GET /{waba}/message_templates/{id}", NOT_METAS), "templates.delete": "template_delete",
        "phoneNumbers.businessProfile.update": "profile_set", "phoneNumbers.businessProfile.get": "profile_get",
        "phoneNumbers.settings.update": ("POST /{number}/settings", succeeded),
        "phoneNumbers.settings.get": ("GET /{number}/settings", has_settings),
        "phoneNumbers.requestCode": ("POST /{number}/request_code", succeeded),
        "phoneNumbers.verifyCode": ("POST /{number}/verify_code", succeeded),
        "phoneNumbers.deregister": ("POST /{number}/deregister", succeeded),
        "phoneNumbers.register": ("POST /{number}/register", succeeded),
        **{"calls." + name: ("POST /{number}/calls", UNPLAYED)
           for name in ("connect", "preAccept", "accept", "reject", "terminate")},
        "calls.permissions.get": ("GET /{number}/call_permissions", UNPLAYED),
        **{name: ("", OWN_SERVICE) for name in (
            "calls.list", "calls.get", "conversations.list", "conversations.get", "conversations.updateStatus",
            "contacts.list", "contacts.get", "contacts.update")},
        "flows.create": ("POST /{waba}/flows", UNPLAYED), "flows.list": ("GET /{waba}/flows", UNPLAYED),
        "flows.deploy": ("POST /{waba}/flows", UNPLAYED),
        "flows.updateAsset": ("POST /{flow}/assets", UNKNOWN), "flows.publish": ("POST /{flow}/publish", UNKNOWN),
        "flows.deprecate": ("POST /{flow}/deprecate", UNKNOWN), "flows.preview": ("GET /{flow}", UNKNOWN),
        "flows.get": ("GET /{flow}", UNKNOWN),
        "request": "number_get", "fetch": "account_get", "rawFetch": "subscribed_apps",
    },
    "whatsapp-api-js": {
        **{"sendMessage(%s)" % kind: "media_send" for kind in JS_SENDS},
        "sendMessage(Contacts)": ("POST /{number}/messages", AS_TEXT),
        "broadcastMessage": "media_send", "markAsRead": "mark_read", "markAsRead(text)": "typing",
        "createQR": "qr_create", "retrieveQR": "qr_list", "retrieveQR(id)": "qr_get",
        "updateQR": ("POST /{number}/message_qrdls/{code}", qr_is(" 2")), "deleteQR": "qr_delete",
        "uploadMedia": "media_upload", "retrieveMedia": "media_get", "fetchMedia": "media_download",
        "deleteMedia": "media_delete", "blockUser": "block_add", "unblockUser": "block_remove",
        **{name + "Call": ("POST /{number}/calls", UNPLAYED)
           for name in ("initiate", "preaccept", "accept", "reject", "terminate")},
    },
}
ROWS = {name: METHODS.get(name, {call: call for call in CALLS}) for name in CLIENTS}


def row_of(name, call):
    """(what goes over the wire, what must come back)."""
    row = ROWS[name][call]
    return CALLS[row] if isinstance(row, str) else row


def outcome(name, call, run):
    """A word for the table; asserts what is not as it must be."""
    line, due = run.lines[call], row_of(name, call)[1]
    if callable(due):
        assert line["ok"], line.get("error")
        assert due(line["out"], run), line["out"]
        return "done"
    assert not line["ok"], "it was done: %s" % line.get("out")
    if due == OWN_SERVICE:
        assert "kapso" in line["error"].lower() and "proxy" in line["error"].lower(), line["error"]
    else:
        assert line["code"] == int(re.match(r"\d+", due).group()), line["error"]
    return due


# --- the runs ------------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def call_pair():
    folder = tempfile.mkdtemp(prefix="godwit-calls-")
    sandbox = kit.Sandbox(folder)
    gateway = kit.Gateway(folder, sandbox)
    with open(os.path.join(folder, "photo.jpg"), "wb") as photo:
        photo.write(BYTES)
    yield sandbox, gateway, folder
    gateway.close()
    sandbox.close()
    shutil.rmtree(folder)  # kept for whoever looks when one of them left badly


def names_of_templates(sandbox):
    answer = sandbox.http.get(sandbox.base + "/v26.0/%s/message_templates?limit=1000" % WABA,
                              headers={"Authorization": "Bearer x"})
    return sorted(template["name"] for template in answer.json()["data"])


def make_run(pair, name, path):
    sandbox, gateway, folder = pair
    index = 2 * list(CLIENTS).index(name) + PATHS.index(path)
    to, word = "+5571995%02d1000" % index, "calls_%d" % index
    wamid = sandbox.say("Hi", to)  # opens the window, without which nobody can be blocked
    if path == "gateway":
        kit.wait_until("the customer's message", lambda: gateway.api("GET", "events", limit=1)["data"])
    base, token = sandbox.base, kit.TOKEN
    if path == "gateway":
        base, token = gateway.base, gateway.make_key("send", "read", "manage")
    env = dict(os.environ, BASE_URL=base, TOKEN=token, NUMBER=NUMBER, WABA=WABA, APP=APP, TO=to, NAME=word,
               WAMID=wamid, FILE=os.path.join(folder, "photo.jpg"), SANDBOX_LOG=sandbox.log_path,
               NODE_OPTIONS="", no_proxy="127.0.0.1")
    templates, before = names_of_templates(sandbox), len(sandbox.messages())
    done = subprocess.run(CLIENTS[name], cwd=CLIENTS_DIR, env=env, timeout=LIMIT_S, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    failed = {"ok": False, "code": None, "error": "no line; exit code %d: %s" % (done.returncode, done.stderr)}
    run = Run({call: next((l for l in lines if l["call"] == call), failed) for call in ROWS[name]},
              word, to, templates, lambda: sandbox.messages()[before:])
    run.extra = [line for line in lines if line["call"] not in ROWS[name]]
    run.output, run.key, run.base = done.stdout + done.stderr, token, base
    return run


@pytest.fixture(scope="session")
def call_runs(modules, call_pair):  # noqa: F811
    kept = {}

    def run(name, path):
        if (name, path) not in kept:
            kept[name, path] = make_run(call_pair, name, path)
        return kept[name, path]

    return run


# --- the cases -----------------------------------------------------------------------------------

@pytest.mark.parametrize("name,call", [(name, call) for name in CLIENTS for call in ROWS[name]])
@pytest.mark.parametrize("path", PATHS)
def test_a_call_does_what_it_does_at_metas(call_runs, path, name, call):
    outcome(name, call, call_runs(name, path))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", CLIENTS)
def test_every_method_has_a_row(call_runs, name, path):
    assert call_runs(name, path).extra == []


@pytest.mark.parametrize("name", CLIENTS)
def test_no_link_and_no_token_leads_past_the_gateway(call_runs, call_pair, name):
    run = call_runs(name, "gateway")
    assert kit.TOKEN not in run.output
    assert call_pair[0].base not in run.output, "a link to where the gateway itself goes"


def table(call_runs):
    lines = ["| client | call | Graph | straight to the sandbox | through the gateway |",
             "| --- | --- | --- | --- | --- |"]
    for name in CLIENTS:
        for call in ROWS[name]:
            outcomes = [outcome(name, call, call_runs(name, path)) for path in PATHS]
            wire = row_of(name, call)[0]
            lines.append("| %s | `%s` | %s | %s | %s |" % (name, call, "`%s`" % wire if wire else "none", *outcomes))
    return "\n".join(lines) + "\n"


def test_the_document_says_so(call_runs):
    with open(DOCS, encoding="utf-8") as f:
        head, mark, kept = f.read().partition("| client | call |")
    made = table(call_runs)
    if os.environ.get("GODWIT_WRITE_DOCS") == "1":
        with open(DOCS, "w", encoding="utf-8") as f:
            f.write(head + made)
    else:
        assert mark + kept == made, "docs/clients.md is stale: GODWIT_WRITE_DOCS=1 writes it anew"
