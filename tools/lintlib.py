# SPDX-License-Identifier: MIT
"""lintlib - what the lints share: their options, the files of a tree, C without its comments

A lint is called as `tools/lint-NAME [--root DIR] [--build DIR]`. It prints `path:line: what is
wrong` and ends with 0 (clean) or 1 (refused); anything else means that it could not judge. DIR is
another tree to judge, which is how the samples in tests/lint/NAME are refused.
"""
import argparse
import fnmatch
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SAMPLES = "tests/lint/"  # full of things that are wrong on purpose


class Lint:
    def __init__(self, doc):
        parser = argparse.ArgumentParser(description=doc.split("\n")[0])
        parser.add_argument("--root", default=TOP)
        parser.add_argument("--build", default=os.path.join(TOP, "build", "test"))
        options = parser.parse_args()
        self.root = os.path.abspath(options.root)
        self.build = os.path.abspath(options.build)
        self.is_sample = self.root != TOP
        self.findings = []

    def files(self, *patterns):
        """Paths relative to the root that match one of the patterns (`*` crosses slashes)."""
        if not hasattr(self, "_files"):
            self._files = [f for f in list_files(self.root)
                           if not f.startswith(SAMPLES) and f != "WANT"]
        if not patterns:
            return list(self._files)
        return [f for f in self._files if any(fnmatch.fnmatchcase(f, p) for p in patterns)]

    def path(self, relative):
        return os.path.join(self.root, relative)

    def read(self, relative):
        with open(self.path(relative), encoding="utf-8", errors="surrogateescape") as f:
            return f.read()

    def refuse(self, path, line, text):
        self.findings.append((path, line, text))

    def end(self):
        for path, line, text in sorted(self.findings):
            print("%s:%d: %s" % (path, line, text) if line else "%s: %s" % (path, text))
        sys.exit(1 if self.findings else 0)


def list_files(root):
    """What git knows or would add; every file below the root where there is no git."""
    if os.path.exists(os.path.join(root, ".git")):
        done = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                              cwd=root, stdout=subprocess.PIPE)
        if done.returncode == 0:  # git refuses a checkout of another user's
            names = set(done.stdout.decode().split("\0"))
            return sorted(f for f in names if f and os.path.lexists(os.path.join(root, f)))
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [d for d in folders
                      if d not in (".git", "__pycache__", "node_modules")
                      and not (folder == root and d.startswith("build"))]
        found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(found)


_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def without_comments(text, keep_strings=False):
    """C with comments (and the insides of strings) blanked; lines keep their numbers."""
    def blank(match):
        token = match.group()
        if token[0] == "/":
            return re.sub(r"[^\n]", " ", token)
        return token if keep_strings else token[0] + " " * (len(token) - 2) + token[-1]
    return _TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def read_allowed(name):
    """{(path, what): reason} from tools/NAME, whose lines are `path what reason`."""
    allowed = {}
    with open(os.path.join(TOP, "tools", name), encoding="utf-8") as f:
        for line in f:
            words = line.split(None, 2)
            if words and not words[0].startswith("#"):
                if len(words) < 3:
                    sys.exit("%s: an exception without a reason: %s" % (name, line.strip()))
                allowed[(words[0], words[1])] = words[2].strip()
    return allowed
