# SPDX-License-Identifier: MIT
"""test_guide.py - every command of the guide is run, and what it shows is what is printed"""
import glob
import os
import re
import shutil
import socket
import subprocess

import pytest

import kit
from guide import Page, Shell, pattern, shows
from test_clients import CLIENTS_DIR, npm_ci
from test_up import Up

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = sorted(glob.glob(os.path.join(ROOT, "docs", "guide", "*.md")))
# Blocks that are not run, each with its reason in the page. A new one is a decision.
NOT_RUN = {"first-minute.md": 1, "webhooks.md": 1, "real-number.md": 4, "operations.md": 1}
SHELLS = {"sh", "console", "bash", "shell"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def install_library(folder):
    """As `make install` does; for a compiler that is told nothing of it but by pkg-config."""
    build = os.path.dirname(os.path.dirname(os.path.dirname(kit.BIN)))
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet"], check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, DESTDIR=folder))
    config = glob.glob(os.path.join(folder, "**", "libgodwit.pc"), recursive=True)[0]
    library = glob.glob(os.path.join(folder, "**", "libgodwit.so"), recursive=True)[0]
    return {"PKG_CONFIG_PATH": os.path.dirname(config), "PKG_CONFIG_SYSROOT_DIR": folder,
            "LD_LIBRARY_PATH": os.path.dirname(library)}


class World:
    """Where a page plays. Its addresses are the usual ones; here they are others."""

    def __init__(self, folder, page, closing):
        self.work, bin_ = os.path.join(folder, "work"), os.path.join(folder, "bin")
        os.mkdir(self.work)
        os.mkdir(bin_)
        os.symlink(kit.BIN, os.path.join(bin_, "godwit"))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GODWIT_")}
        self.env.update(PATH=bin_ + ":" + os.environ["PATH"], LC_ALL="C.UTF-8", HOME=folder, TERM="dumb",
                        TMPDIR=folder, XDG_RUNTIME_DIR=folder)
        self.ports = {3000: free_port()}
        text = "".join(block.text() for block in page.blocks)
        if "libgodwit" in text:
            self.env.update(install_library(os.path.join(folder, "root")))
            with open(os.path.join(bin_, "cc"), "w", encoding="utf-8") as f:
                f.write('#!/bin/sh\nexec /usr/bin/cc -fsanitize=address,undefined "$@"\n')
            os.chmod(f.name, 0o700)
        if "@kapso" in text:
            npm_ci()
            os.symlink(os.path.join(CLIENTS_DIR, "node_modules"), os.path.join(self.work, "node_modules"))
        getattr(self, page.world)(folder, closing)
        self.shell = Shell(self.work, self.env)
        closing.append(self.shell)

    def up(self, folder, closing):
        up = Up(folder)
        closing.append(up)
        up.until("Reply to Ana")
        known = dict(word.split("=", 1) for line in up.lines for word in line.split() if word.startswith("GODWIT_"))
        self.env.update(known)
        gateway = re.search(r"Graph API +http://127.0.0.1:(\d+)", "".join(up.lines)).group(1)
        self.ports.update({8080: int(gateway), 8081: int(known["GODWIT_SANDBOX"].rsplit(":", 1)[1])})

    def sandbox(self, folder, closing):
        """Meta's side alone: the page makes its own gateway."""
        sandbox = kit.Sandbox(folder, secret=kit.APP_SECRET, verify_token=kit.VERIFY_TOKEN)
        closing.append(sandbox)
        self.meta = sandbox
        for name, text in (("token", kit.TOKEN), ("app-secret", kit.APP_SECRET), ("verify-token", kit.VERIFY_TOKEN)):
            kit.write_secret(os.path.join(self.work, name), text)
        self.ports.update({8080: free_port(), 8082: free_port(), 8081: int(sandbox.base.rsplit(":", 1)[1])})
        sandbox.callback("http://127.0.0.1:%d/webhook" % self.ports[8080])
        self.env["GODWIT_SANDBOX"] = sandbox.base

    def here(self, text):
        for usual, port in self.ports.items():
            text = re.sub(r"\b(127\.0\.0\.1|localhost)([:,])%d\b" % usual, r"\g<1>\g<2>%d" % port, text)
            text = re.sub(r"\blisten\(%d," % usual, "listen(%d," % port, text)
        return text


def do(world, page, block):
    where = "%s:%d" % (os.path.basename(page.path), block.line)
    if block.not_run:
        return
    if block.appears_in:
        path = os.path.join(world.work, block.appears_in)
        want = re.compile(".*" + pattern([world.here(line) for line in block.lines]).pattern, re.DOTALL)
        kit.wait_until("%s: %s" % (where, block.lines), lambda: os.path.exists(path) and want.match(
            open(path, encoding="utf-8").read()))
    elif block.language == "sh":
        for command in block.lines:
            printed, code = world.shell.run(world.here(command))
            assert code == 0, "%s: %s: exit code %d\n%s" % (where, command, code, printed)
    elif block.language == "console":
        for command, expected, line in block.commands():
            printed, code = world.shell.run(world.here(command))
            assert code == 0, "%s:%d: %s: exit code %d\n%s" % (where, line, command, code, printed)
            assert shows([world.here(text) for text in expected], printed), "%s: line %d: %s\nprinted\n%s" % (
                where, line, command, printed)
    elif block.name:
        with open(os.path.join(world.work, block.name), "w", encoding="utf-8") as f:
            f.write(world.here(block.text()))


@pytest.mark.parametrize("path", PAGES, ids=[os.path.basename(p) for p in PAGES])
def test_a_page_does_what_it_shows(path, folder, closing):
    page = Page(path)
    assert page.world, "where does it play?"
    assert not [b.line for b in page.blocks if b.language in SHELLS - {"sh", "console"}]
    world = World(folder, page, closing)
    for block in page.blocks:
        do(world, page, block)


def test_what_is_not_run_is_counted():
    left_out = {os.path.basename(path): sum(bool(b.not_run) for b in Page(path).blocks) for path in PAGES}
    assert {name: n for name, n in left_out.items() if n} == NOT_RUN


@pytest.mark.parametrize("lines, printed, same", [
    (["a…", "b"], "abc\nb\n", True), (["a…", "b"], "abc\nxb\n", False), (["a", "…", "c"], "a\n1\n2\nc\n", True),
    (["a", "…", "c"], "a\nc\n", True), (["a"], "a\nb\n", False), ([], "", True), ([], "a\n", False),
    (["…"], "", True), (["a.c"], "abc\n", False), (["… s  x"], "0.01 s  x\n", True)])
def test_the_comparison_can_fail(lines, printed, same):
    assert shows(lines, printed) == same


def test_links_of_the_guide_lead_somewhere():
    for path in PAGES:
        with open(path, encoding="utf-8") as f:
            for target in re.findall(r"\]\(([^)#]+)", f.read()):
                if not target.startswith("http"):
                    assert os.path.exists(os.path.join(os.path.dirname(path), target)), (path, target)
