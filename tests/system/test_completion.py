# SPDX-License-Identifier: MIT
"""Completion in bash, zsh and fish: the tab key pressed in the real shells, and what the program offers them."""
import json
import os
import pty
import re
import select
import subprocess
import time

import pytest

import kit


def offered(*words):
    """{candidate: what it means}"""
    done = subprocess.run([kit.BIN, "completion", "--words", "--", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", timeout=kit.WAIT + 30, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return dict((line.split("\t") + [""])[:2] for line in done.stdout.splitlines())


def tree():
    return json.loads(subprocess.run([kit.BIN, "help", "--json"], stdout=subprocess.PIPE, check=True).stdout)


# --- what the program offers ---------------------------------------------------------------------

def test_every_command_and_option_is_offered():
    whole = tree()
    assert set(offered("")) == {c["name"].split()[0] for c in whole["commands"]}
    everywhere = {"--" + o["name"] for o in whole["options"]}
    for command in whole["commands"]:
        words = command["name"].split()
        assert words[-1] in offered(*words[:-1], words[-1][:1])
        own = {"--" + o["name"]: o["help"] for o in command["options"]}
        found = offered(*words, "-")
        assert set(found) == set(own) | everywhere, command["name"]
        assert own.items() <= found.items()


@pytest.mark.parametrize("words, wanted", [
    (["mes"], {"message"}),
    (["message", "l"], {"list"}),
    (["messages", "l"], {"list"}),
    (["-o", "json", "message", "g"], {"get"}),
    (["message", "list", "--state", "wa"], {"waiting"}),
    (["message", "list", "--state=wa"], {"--state=waiting"}),
    (["message", "list", "--state", "=", "wa"], {"waiting"}),  # as bash cuts it
    (["message", "list", "--output", "="], {"table", "json", "jsonl", "id"}),
    (["-o", "jsonl"], {"jsonl"}),
    (["serve", "--set", "queue.m"], {"queue.max="}),
    (["serve", "-c", ""], {":files"}),
    (["db", "check", "--data", ""], {":dirs"}),
    (["db", "check", ""], {":files"}),
    (["completion", ""], {"bash", "zsh", "fish"}),
    (["sandbox", "clock", ""], {"advance", "set", "freeze", "resume"}),
    (["sandbox", "clock", "advance", ""], set()),
    (["why", ""], set()),
    (["message", "list", "--", "--st"], set()),
    (["nothing", ""], set()),
])
def test_what_may_stand_there(words, wanted):
    assert set(offered(*words)) == wanted


# --- the shells ----------------------------------------------------------------------------------

class Shell:
    """An interactive shell on a terminal; what it shows is read until it has shown it."""

    def __init__(self, folder, argv, start):
        self.shown = ""
        env = {"PATH": os.path.dirname(kit.BIN) + ":/usr/bin:/bin", "HOME": folder, "TERM": "dumb", "LC_ALL": "C.UTF-8",
               "PS1": "ready> "}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(argv[0], argv, env)
        for line in start:
            self.type(line + "\r")
        self.type("echo up''-and-running\r")
        self.wait("up-and-running")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait(self, pattern):
        until = time.monotonic() + kit.WAIT
        while not re.search(pattern, self.shown):
            ready = select.select([self.terminal], [], [], max(0, until - time.monotonic()))[0]
            assert ready, "no %r in %r" % (pattern, self.shown)
            self.shown += os.read(self.terminal, 4096).decode("utf-8", "replace")
        self.shown = self.shown[re.search(pattern, self.shown).end():]

    def complete(self, typed, wanted):
        """Type, press tab, and have the shell print the line it has made."""
        self.type(typed + "\t")
        self.type("\x01echo made: \x05 end\r")  # to the line's start, and its end
        self.wait("\nmade: %s +end" % re.escape(wanted))

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


CASES = [
    ("godwit conv", "godwit conversation"),
    ("godwit message res", "godwit message resolve"),
    ("godwit send --templ", "godwit send --template"),
    ("godwit message list --state wa", "godwit message list --state waiting"),
    ("godwit message list --output=tab", "godwit message list --output=table"),
    ("godwit serve --set queue.ma", "godwit serve --set queue.max="),
    ("godwit db check some", "godwit db check some-file.db"),
]


def script(folder, shell):
    path = os.path.join(folder, "completion." + shell)
    with open(path, "w", encoding="utf-8") as f:
        f.write(subprocess.run([kit.BIN, "completion", shell], stdout=subprocess.PIPE, check=True,
                               encoding="utf-8").stdout)
    with open(os.path.join(folder, "some-file.db"), "w", encoding="utf-8"):
        pass
    return path


def test_bash(folder, closing):
    shell = Shell(folder, ["/bin/bash", "--norc", "--noprofile", "-i"],
                  ["bind 'set enable-bracketed-paste off'", "source " + script(folder, "bash")])
    closing.append(shell)
    for typed, wanted in CASES:
        shell.complete(typed, wanted)


def test_zsh(folder, closing):
    os.rename(script(folder, "zsh"), os.path.join(folder, "_godwit"))  # as the vendor folder has it
    shell = Shell(folder, ["/usr/bin/zsh", "-f", "-i"],
                  ["unsetopt zle_bracketed_paste prompt_cr prompt_sp; bindkey -e", "fpath+=(%s)" % folder,
                   "autoload -U compinit && compinit -u -D"])
    closing.append(shell)
    for typed, wanted in CASES:
        shell.complete(typed, wanted)


def test_zsh_by_source(folder, closing):
    shell = Shell(folder, ["/usr/bin/zsh", "-f", "-i"],
                  ["bindkey -e", "autoload -U compinit && compinit -u -D", "source " + script(folder, "zsh")])
    closing.append(shell)
    shell.complete(*CASES[0])


def test_fish(folder):
    """Fish prints what the tab key would offer."""
    path = script(folder, "fish")
    for typed, wanted in CASES:
        done = subprocess.run(["/usr/bin/fish", "--no-config", "-c", "source %s; complete -C '%s'" % (path, typed)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=folder,
                              env={"PATH": os.path.dirname(kit.BIN) + ":/usr/bin:/bin", "HOME": folder,
                                   "LC_ALL": "C.UTF-8"}, timeout=kit.WAIT + 30, check=False)
        words = [line.split("\t")[0] for line in done.stdout.splitlines()]
        assert (done.returncode, words) == (0, [wanted.split()[-1]]), done.stderr
