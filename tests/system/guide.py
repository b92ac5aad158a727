# SPDX-License-Identifier: MIT
"""guide.py - pages whose commands are run: what stands in them, and a shell that does it

In a page (Markdown), in order, in one shell of a folder of its own:

    ```sh                  each line is run and must end with 0
    ```console             lines after "$ " are run; the others are what they print. "…" stands for any text, a line
                           of it for any lines, also none. Exit codes are shown by the page itself.
    ```js NAME             (any language and a file name) the file is written
    <!-- appears in: F --> the lines of the block that follows come to stand in the file F
    <!-- not run: WHY -->  the block that follows is left out, and counted
    <!-- world: NAME -->   where the page plays: up (godwit up), sandbox (a sandbox alone)

Any other block (```text, ```ini, ```) is for the eye.
"""
import os
import re
import select
import signal
import subprocess
import time

FENCE = re.compile(r"^```(\S*)(?: (\S+))?$")
MARK = re.compile(r"^<!-- (world|not run|appears in): (.*) -->$")
STEP_S = 60


class Block:
    def __init__(self, language, name, line):
        self.language, self.name, self.line, self.lines = language, name, line, []
        self.not_run = self.appears_in = None

    def text(self):
        return "\n".join(self.lines) + "\n"

    def commands(self):
        """(command, expected lines, line) of a console block."""
        found = []
        for n, line in enumerate(self.lines, self.line + 1):
            if line.startswith("$ "):
                found.append((line[2:], [], n))
            else:
                assert found, "line %d: what prints this?" % n
                found[-1][1].append(line)
        return found


class Page:
    def __init__(self, path):
        self.path, self.world, self.blocks = path, None, []
        block, marks = None, {}
        with open(path, encoding="utf-8") as f:
            for n, line in enumerate(f.read().splitlines(), 1):
                fence, mark = FENCE.match(line), MARK.match(line)
                if block is not None and line == "```":
                    block = None
                elif block is not None:
                    block.lines.append(line)
                elif fence:
                    block = Block(fence.group(1), fence.group(2), n)
                    block.not_run, block.appears_in = marks.get("not run"), marks.get("appears in")
                    marks = {}
                    self.blocks.append(block)
                elif mark and mark.group(1) == "world":
                    self.world = mark.group(2)
                elif mark:
                    marks[mark.group(1)] = mark.group(2)
        assert block is None, "%s: a block does not end" % path


class Shell:
    """One bash; what a command printed, both streams, comes back with its exit code."""

    def __init__(self, folder, env):
        self.popen = subprocess.Popen(["bash", "--norc"], cwd=folder, env=env, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.count, self.left = 0, b""

    def run(self, command):
        self.count += 1
        end = b"__end_%d_" % self.count
        self.popen.stdin.write(b"%s\nprintf '\\n__end_%d_%%d__\\n' $?\n" % (command.encode(), self.count))
        self.popen.stdin.flush()
        until, seen = time.monotonic() + STEP_S, self.left
        while True:
            found = re.search(rb"\n?" + end + rb"(\d+)__\n", seen)
            if found:
                self.left = seen[found.end():]
                return seen[:found.start()].decode("utf-8", "replace"), int(found.group(1))
            left = until - time.monotonic()
            assert left > 0, "%s\ndid not end in %d s and printed\n%s" % (command, STEP_S, seen.decode())
            if select.select([self.popen.stdout], [], [], left)[0]:
                part = os.read(self.popen.stdout.fileno(), 65536)
                assert part, "the shell ended at %s\n%s" % (command, seen.decode())
                seen += part

    def close(self):
        """With whatever it left in the background."""
        try:
            os.killpg(self.popen.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.popen.stdin.close()
        self.popen.wait(STEP_S)
        self.popen.stdout.close()


def pattern(lines):
    """What a page shows, as an expression that what was printed must match as a whole."""
    parts = []
    for line in lines:
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            words = [re.escape(word) for word in line.rstrip().split("…")]
            parts.append("[^\n]*?".join(words) + r"[ \t]*\n")
    return re.compile("".join(parts))


def shows(lines, printed):
    text = "".join(line.rstrip() + "\n" for line in printed.split("\n"))
    while text.endswith("\n\n"):
        text = text[:-1]
    return pattern(lines).fullmatch("" if text == "\n" else text) is not None
