# SPDX-License-Identifier: MIT
"""The manual: every command, option, exit code and key is in a page, and roff has nothing to say about it."""
import json
import os
import re
import subprocess

import pytest

import kit


def godwit(*args):
    done = subprocess.run([kit.BIN, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          timeout=kit.WAIT + 30, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tree():
    return json.loads(godwit("help", "--json"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """{"godwit-send.1": its roff}"""
    root = tmp_path_factory.mktemp("man")
    godwit("help", "--man-dir", str(root))
    found = {}
    for section in ("man1", "man5"):
        for name in os.listdir(root / section):
            path = root / section / name
            assert os.stat(path).st_mode & 0o777 == 0o644
            found[name] = path.read_text(encoding="ascii")  # the rest is named by code point
    return found


def read(page):
    """The page as `man` shows it on a terminal 100 wide; warnings fail."""
    done = subprocess.run(["groff", "-ww", "-rLL=100n", "-man", "-Tutf8", "-P-c"], input=page, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", timeout=kit.WAIT + 30, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout)


def plain(text):
    """Words without the line breaks and hyphens that filling brought."""
    return re.sub(r"\s+", "", text.replace("\u2010\n", "").replace("\u2010", "-"))


def has(shown, text):
    return plain(text) in plain(shown)


def test_there_is_a_page_for_each_command_and_no_other(tree, pages):
    names = {"godwit-%s.1" % c["name"].replace(" ", "-") for c in tree["commands"]}
    assert set(pages) == names | {"godwit.1", "godwit.conf.5"}


def test_every_command_and_option_is_in_its_page(tree, pages):
    for command in tree["commands"]:
        shown = read(pages["godwit-%s.1" % command["name"].replace(" ", "-")])
        for part in ["godwit " + command["name"], command["args"], command["help"], command["more"]]:
            assert has(shown, part or ""), "%s: %s" % (command["name"], part)
        for o in command["options"]:
            assert has(shown, "--" + o["name"] + (o["arg"] or "") + o["help"]), "%s --%s" % (command["name"], o["name"])


def test_the_first_page_lists_everything(tree, pages):
    shown = read(pages["godwit.1"])
    for command in tree["commands"]:
        assert has(shown, "godwit " + command["name"] + (command["args"] or "") + command["help"]), command["name"]
    for o in tree["options"]:
        assert has(shown, "--" + o["name"] + (o["arg"] or "") + o["help"]), o["name"]
    for code, words in tree["exit_codes"].items():
        assert has(shown, code + words), code


def test_every_key_of_the_file_is_in_its_page(pages, folder):
    shown = read(pages["godwit.conf.5"])
    empty = os.path.join(folder, "empty.conf")
    with open(empty, "w", encoding="utf-8"):
        pass
    keys = json.loads(godwit("config", "show", "--json", "-c", empty))["data"]
    assert len(keys) > 30
    for row in keys:
        assert has(shown, row["key"] + row["help"]), row["key"]
        if row["default"]:
            assert has(shown, "default: " + row["default"] + ")"), row["key"]
    with open(os.path.join(kit.TOP, "src", "server", "config_account.def"), encoding="utf-8") as f:
        account = re.findall(r'^ACCOUNT_\w+\("(\w+)", \w+, "(.*)"\)$', f.read(), re.MULTILINE)
    assert "token_file" in dict(account)
    for key, words in account:
        assert has(shown, key + words), key


def test_a_page_refers_to_pages_that_are_there(pages):
    for name, page in pages.items():
        for found in re.findall(r"^\.BR (godwit\S*) \((\d)\)", page, re.MULTILINE):
            assert "%s.%s" % (found[0].replace("\\-", "-"), found[1]) in pages, name


def test_roff_takes_nothing_for_an_order():
    """What a table may hold: a dot at the start of a line, backslashes, quotes, words beyond ASCII."""
    shown = read(godwit("help", "--man", "completion"))
    assert "source <(godwit completion bash)" in shown
    assert "\u0441\u0442\u043e\u043f" in read(godwit("help", "--man", "godwit.conf"))


def test_one_page_on_standard_output(pages):
    assert godwit("help", "--man") == pages["godwit.1"]
    assert godwit("help", "--man", "message", "list") == pages["godwit-message-list.1"]
    wrong = subprocess.run([kit.BIN, "help", "--man", "messages"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           encoding="utf-8", timeout=kit.WAIT + 30, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "") and 'no manual page "messages"' in wrong.stderr
