# SPDX-License-Identifier: MIT
"""doctors.py - godwit doctor asked by a test: each row whole, and no secret in any"""
import json
import os
import subprocess

import kit

OK, CHECK = 0, 9
APP = "610000000000001"


def checks(gateway, *args, code=None):
    """{check: row} of `godwit doctor --json`; no secret is in what it prints."""
    done = gateway.cli("doctor", "--json", *args)
    for account in gateway.accounts.values():
        for secret in (account["token"], account["app_secret"]):
            assert secret not in done.stdout + done.stderr
    assert done.returncode in (OK, CHECK), done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] == (done.returncode == OK) and done.stderr == ""
    if code is not None:
        assert done.returncode == code, done.stdout
    for row in answer["data"]:
        assert set(row) >= {"check", "result", "evidence", "cause", "fix", "command"}
        if row["result"] == "fail":
            assert row["cause"] and row["fix"] and row["command"], row
    return {row["check"]: row for row in answer["data"]}


def fails(gateway, check, evidence, *args, command="", **also):
    """This check fails and no other; its row."""
    rows = checks(gateway, *args, code=CHECK)
    bad = {name for name, row in rows.items() if row["result"] == "fail"}
    assert bad == {check, *also.get("others", ())}, {n: r["evidence"] for n, r in rows.items() if r["result"] == "fail"}
    assert evidence in rows[check]["evidence"], rows[check]
    assert command in rows[check]["command"], rows[check]
    return rows[check]


def run(gateway, row):
    """The command of a failure, as a person would paste it."""
    words = row["command"].replace("SIX DIGITS", "123456")
    env = {**os.environ, "GODWIT_SERVER": "unix:" + gateway.socket}
    words = words.replace("godwit ", kit.BIN + " ", 1) if words.startswith("godwit ") else words
    done = subprocess.run(words, shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          timeout=kit.WAIT + 30, env=env, check=False)
    assert done.returncode == OK, (words, done.stdout, done.stderr)
    return done.stdout


def set_conf(gateway, **account):
    gateway.accounts["test"].update(account)
    gateway.write_conf()
