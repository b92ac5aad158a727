# SPDX-License-Identifier: MIT
"""test_explain.py - godwit explain: codes, statuses and words, offline, in words and as JSON"""
import json
import os
import subprocess

import pytest

import kit


def explain(*words):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GODWIT_")}
    return subprocess.run([kit.BIN, "explain", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", timeout=kit.WAIT + 30, env=clean, check=False)


@pytest.mark.parametrize("word, name, says", [
    ("131047", "131047  Customer service window closed  (code)", "Often said: the customer has to opt in."),
    ("131031", "131031  Account locked  (code)", "In fact: the account is locked"),
    ("100/33", "100/33  ", "phone number id"),
    ("429", "429  Too many requests  (http)", "Try again: yes, more slowly"),
    ("500", "500  Server error  (http)", "it may have been accepted"),
    ("460", "460  No status of Meta's  (http)", "131026"),
    ("flagged", "FLAGGED  Low quality  (number)", "To do: "),
    ("yellow", "YELLOW  ", "In fact: "),
    ("incorrect-category", "INCORRECT_CATEGORY  ", "Source: "),
    ("window", "window  The 24-hour window  (subject)", "131047"),
    ("opaque", "opaque  ", "Source: Godwit itself"),
])
def test_what_is_asked_is_told(word, name, says):
    done = explain(word)
    assert done.returncode == 0
    assert done.stdout.startswith(name)
    assert says in done.stdout
    assert "  To do: " in done.stdout and "  Source: " in done.stdout
    assert done.stderr == ""


def test_a_number_may_be_a_code_and_a_status():
    """200 stands for a permission that is missing and for an answer that is none."""
    out = explain("200").stdout
    assert "200  Permission missing  (code)" in out and "200  Accepted  (http)" in out
    code, status = json.loads(explain("200", "--json").stdout)["data"]
    assert (code["kind"], code["wrong"]) == ("code", [])
    assert status["kind"] == "http" and status["wrong"][0]["said"] == "the message was delivered"


def test_the_whole_list_is_for_scripts_too():
    everything = json.loads(explain("--json").stdout)["data"]
    assert len(everything) > 180
    assert {e["kind"] for e in everything} == {"code", "http", "number", "quality", "rejection", "refusal", "subject",
                                               "check"}
    for e in everything:
        assert e["title"] and e["meaning"].endswith(".") and e["fix"].endswith(".") and e["source"], e["id"]
    for e in everything[::20]:
        assert e in json.loads(explain(e["id"], "--json").stdout)["data"]
    assert explain("-o", "id").stdout.split("\n")[:-1] == [e["id"] for e in everything]


def test_what_is_not_known_says_what_is_near():
    done = explain("flaged")
    assert done.returncode == 3 and done.stdout == ""
    assert "explain FLAGGED" in done.stderr
    assert explain("999999").returncode == 3
    assert explain("1", "2").returncode == 2
