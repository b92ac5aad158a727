# SPDX-License-Identifier: MIT
"""What a service manager is told, and where its folders are: no systemd is needed, its variables are."""
import os
import re
import select
import signal
import socket
import subprocess

import pytest

import kit


class Manager:
    """Listens as systemd does: one datagram, some lines."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)

    def hear(self, timeout=kit.WAIT):
        """The lines of the next datagram; None: none came."""
        if not select.select([self.socket], [], [], timeout)[0]:
            return None
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().split("\n"))

    def close(self):
        self.socket.close()


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_ready_when_it_answers_and_stopping_when_it_drains(folder, sandbox, closing, kind):
    path = os.path.join(folder, "notify")
    manager = Manager("\0" + path if kind == "abstract" else path)
    gateway = kit.Gateway(folder, sandbox, env={"NOTIFY_SOCKET": ("@" if kind == "abstract" else "") + path})
    closing.extend([gateway, manager])
    told = manager.hear()
    assert told["READY"] == "1" and gateway.public.rsplit(":")[-1] in told["STATUS"]
    assert manager.hear(0) is None  # nobody asked for a watchdog
    gateway.signal(signal.SIGTERM)
    told = manager.hear()
    assert told["STOPPING"] == "1"
    assert int(told["EXTEND_TIMEOUT_USEC"]) >= 30 * 1000000  # drain.grace
    assert gateway.wait() == 0


def test_not_ready_when_it_cannot_start(folder, closing):
    manager = Manager(os.path.join(folder, "notify"))
    gateway = kit.Gateway(folder, env={"NOTIFY_SOCKET": os.path.join(folder, "notify")}, start=False,
                          conf={"listen.public": "192.0.2.1:1"})
    closing.append(manager)
    gateway.start(wait=False)
    assert gateway.wait() != 0
    assert manager.hear(0) is None


def test_the_watchdog_is_fed_while_the_loop_turns(folder, closing):
    manager = Manager(os.path.join(folder, "notify"))
    gateway = kit.Gateway(folder, env={"NOTIFY_SOCKET": os.path.join(folder, "notify"), "WATCHDOG_USEC": "3000000"})
    closing.extend([gateway, manager])
    assert manager.hear()["READY"] == "1"
    assert [manager.hear()["WATCHDOG"] for _ in range(3)] == ["1"] * 3
    gateway.signal(signal.SIGSTOP)
    try:
        with open("/proc/%d/stat" % gateway.popen.pid, encoding="ascii") as f:
            kit.wait_until("it stands", lambda: f.seek(0) or f.read().rsplit(")")[-1].split()[0] == "T")
        while manager.hear(0) is not None:
            continue
        assert manager.hear(2.5) is None  # it would have been twice
    finally:
        gateway.signal(signal.SIGCONT)
    assert manager.hear()["WATCHDOG"] == "1"


def test_another_process_is_watched(folder, closing):
    manager = Manager(os.path.join(folder, "notify"))
    gateway = kit.Gateway(folder, env={"NOTIFY_SOCKET": os.path.join(folder, "notify"), "WATCHDOG_USEC": "3000000",
                                       "WATCHDOG_PID": "1"})
    closing.extend([gateway, manager])
    assert manager.hear()["READY"] == "1"
    assert manager.hear(1.5) is None


def test_the_services_folders(folder, sandbox, closing):
    """STATE_DIRECTORY and RUNTIME_DIRECTORY, unless the file says otherwise; the same socket is found by a command."""
    state, run = os.path.join(folder, "state"), os.path.join(folder, "run")
    os.mkdir(run, 0o700)
    gateway = kit.Gateway(folder, sandbox, start=False, env={"STATE_DIRECTORY": state, "RUNTIME_DIRECTORY": run})
    closing.append(gateway)
    for key in ("data", "listen.local"):
        del gateway.conf[key]
    gateway.data, gateway.socket = state, os.path.join(run, "sock")
    gateway.start()
    assert os.path.exists(os.path.join(state, "godwit.db"))
    sandbox.say("Hi")
    gateway.wait_events(1)
    reload = gateway.cli("config", "reload", env={"RUNTIME_DIRECTORY": run, "GODWIT_SERVER": ""})  # ExecReload=
    assert reload.returncode == 0, reload.stderr
    assert "is in force" in reload.stdout


def test_the_unit_calls_what_there_is():
    """Commands and options of the unit's lines, and exit codes that mean what it takes them for."""
    with open(os.path.join(kit.TOP, "packaging", "debian", "godwit.service"), encoding="utf-8") as f:
        unit = f.read()
    lines = re.findall(r"^Exec\w+=/usr/bin/godwit (.*)$", unit, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        words = [w for w in line.split() if not w.startswith("/")]
        assert subprocess.run([kit.BIN, *[w for w in words if w != "--config"], "--help"],
                                  stdout=subprocess.PIPE, check=False).returncode == 0
    assert "Type=notify" in unit and "User=godwit" in unit
