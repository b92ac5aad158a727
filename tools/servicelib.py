# SPDX-License-Identifier: MIT
"""servicelib - a service manager for a chroot: it does what an installed unit says, without systemd as process 1

Unit     the file, read; a setting that nobody here knows is an error, so that a test breaks when the unit changes
Service  its command line as its user, with its folders, limits, credentials and notifications
Manager  answers `systemctl` of the maintainer scripts, which a small script in the chroot passes on
"""
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

OBEYED = set("""
Type ExecStart ExecReload User Group StateDirectory StateDirectoryMode RuntimeDirectory RuntimeDirectoryMode UMask
LoadCredential Environment EnvironmentFile TimeoutStartSec TimeoutStopSec WatchdogSec Restart RestartSec
RestartPreventExitStatus LimitNOFILE LimitCORE NoNewPrivileges""".split())
HARDENING = set("""
CapabilityBoundingSet AmbientCapabilities ProtectSystem ProtectHome PrivateTmp PrivateDevices DevicePolicy
PrivateUsers ProtectClock ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables
ProtectControlGroups ProtectProc ProcSubset RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID
LockPersonality MemoryDenyWriteExecute RemoveIPC KeyringMode SystemCallArchitectures SystemCallFilter
SystemCallErrorNumber""".split())  # of the kernel and of systemd: `systemd-analyze security` judges them
UNITS = {"us": 1e-6, "ms": 1e-3, "": 1, "s": 1, "sec": 1, "min": 60, "h": 3600}
SYSTEMCTL = """#!/bin/sh
# What the maintainer scripts ask of systemd goes to the test, one call at a time.
exec 9>/run/manager/lock
flock 9
printf '%s\\n' "$*" >/run/manager/ask
read -r code text </run/manager/answer
[ -z "$text" ] || printf '%s\\n' "$text"
exit "$code"
"""


class Failure(Exception):
    pass


def seconds(text):
    parts = re.findall(r"([0-9.]+) *([a-z]*)", text)
    return sum(float(number) * UNITS[unit] for number, unit in parts)


class Unit:
    """Section and key give a list of values; an empty value forgets those before it."""

    def __init__(self, path):
        self.path, self.values, section = path, {}, None
        with open(path, encoding="utf-8") as f:
            for line in f:
                line = line.strip()
                if line.startswith("["):
                    section = line.strip("[]")
                elif line and line[0] not in "#;":
                    key, _, value = (part.strip() for part in line.partition("="))
                    self.values.setdefault((section, key), []).append(value)
                    if value == "":
                        self.values[section, key] = []
        strange = {k for s, k in self.values if s == "Service"} - OBEYED - HARDENING
        if strange:
            raise Failure("%s says %s, which this test does not obey" % (path, ", ".join(sorted(strange))))

    def all(self, key, section="Service"):
        return self.values.get((section, key), [])

    def one(self, key, section="Service"):
        found = self.all(key, section)
        if len(found) != 1:
            raise Failure("%s: want one %s, there are %d" % (self.path, key, len(found)))
        return found[0]


class Service:
    def __init__(self, root, unit_path, log):
        self.root, self.unit_path, self.log_path = root, unit_path, log
        self.child, self.notify, self.starts, self.why_not = None, None, 0, None

    def inside(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def ids(self, unit):
        """The user's number, and the group's, by the chroot's files."""
        def number(file, name):
            with open(self.inside(file), encoding="utf-8") as f:
                rows = [line.split(":") for line in f]
            found = [int(row[2]) for row in rows if row[0] == name]
            if not found:
                raise Failure("%s has no %s" % (file, name))
            return found[0]
        return number("/etc/passwd", unit.one("User")), number("/etc/group", unit.one("Group"))

    def folder(self, path, mode, uid, gid):
        os.makedirs(self.inside(path), exist_ok=True)
        os.chmod(self.inside(path), mode)
        os.chown(self.inside(path), uid, gid)
        return path

    def credentials(self, unit, uid, gid):
        """Those of /etc/credstore that are there; None: none is."""
        found = [pair.partition(":") for pair in unit.all("LoadCredential")]
        found = [(name, self.inside("/etc/credstore/" + file)) for name, _, file in found]
        found = [pair for pair in found if os.path.exists(pair[1])]
        if not found:
            return None
        folder = self.folder("/run/credentials/godwit.service", 0o700, uid, gid)
        for name, path in found:
            shutil.copy(path, self.inside(folder + "/" + name))
            os.chown(self.inside(folder + "/" + name), uid, gid)
        return folder

    def environment(self, unit, uid, gid):
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8", "USER": unit.one("User"),
               "NOTIFY_SOCKET": "/run/manager/notify",
               "WATCHDOG_USEC": "%d" % (1e6 * seconds(unit.one("WatchdogSec")))}
        for key, base in (("StateDirectory", "/var/lib/"), ("RuntimeDirectory", "/run/")):
            mode = int(unit.one(key + "Mode"), 8)
            env["STATE_DIRECTORY" if key[0] == "S" else "RUNTIME_DIRECTORY"] = self.folder(
                base + unit.one(key), mode, uid, gid)
        folder = self.credentials(unit, uid, gid)
        if folder is not None:
            env["CREDENTIALS_DIRECTORY"] = folder
        lines = list(unit.all("Environment"))
        for path in unit.all("EnvironmentFile"):
            if not path.startswith("-") or os.path.exists(self.inside(path[1:])):
                with open(self.inside(path.lstrip("-")), encoding="utf-8") as f:
                    lines += [line.strip() for line in f if "=" in line and line[0] != "#"]
        env.update(line.split("=", 1) for line in lines)
        return env

    def become(self, unit, uid, gid):
        """In the child: what systemd does between fork and exec."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # this machine's may be less, and stay so
        files = min(int(unit.one("LimitNOFILE")), hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        core = int(unit.one("LimitCORE"))
        resource.setrlimit(resource.RLIMIT_CORE, (core, core))
        os.chroot(self.root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.umask(int(unit.one("UMask"), 8))

    def start(self):
        """True when it is ready, or when its conditions say that it shall not run."""
        if self.is_running():
            return True
        unit = Unit(self.unit_path)
        if unit.one("Type") != "notify":
            raise Failure("the unit's type is no longer notify")
        for path in unit.all("ConditionPathExists", "Unit"):
            if not os.path.exists(self.inside(path)):
                self.why_not = "there is no " + path
                return True
        uid, gid = self.ids(unit)
        env = self.environment(unit, uid, gid)
        self.listen()
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(unit.one("ExecStart").split(), env=env, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, preexec_fn=lambda: self.become(unit, uid, gid))
        self.why_not = None
        if self.hear("READY=1", seconds(unit.one("TimeoutStartSec"))):
            self.starts += 1
            return True
        self.why_not = "it ended with %s" % self.child.wait()
        return False

    def listen(self):
        path = self.inside("/run/manager/notify")
        if os.path.exists(path):
            os.remove(path)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(path)
        os.chmod(path, 0o666)

    def hear(self, word, timeout):
        """Until the service says the word; False: it ended, or never said it."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if select.select([self.notify], [], [], 0.1)[0]:
                if word in self.notify.recv(4096).decode().split("\n"):
                    return True
            elif self.child.poll() is not None:
                return False
        raise Failure("the service did not say %s within %d s" % (word, timeout))

    def stop(self):
        """SIGTERM, a drain, and its end within the time that it has; a running service that had to be killed fails."""
        if self.child is None or self.child.poll() is not None:
            return
        unit = Unit(self.unit_path) if os.path.exists(self.unit_path) else None
        self.child.send_signal(signal.SIGTERM)
        try:
            code = self.child.wait(seconds(unit.one("TimeoutStopSec")) if unit else 90)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise Failure("the service did not end when it was told to") from None
        if code != 0:
            raise Failure("the service ended with %d" % code)
        shutil.rmtree(self.inside("/run/godwit"), ignore_errors=True)  # RuntimeDirectoryPreserve=no

    def is_running(self):
        return self.child is not None and self.child.poll() is None


class Manager:
    """Also what made it fail: `failure`, to be looked at when the maintainer scripts have ended."""

    def __init__(self, service):
        self.service, self.calls, self.failure = service, [], None
        self.folder = service.inside("/run/manager")
        os.makedirs(self.folder)
        os.makedirs(service.inside("/run/systemd/system"))  # what says to the scripts that systemd runs
        for name in ("ask", "answer"):
            os.mkfifo(os.path.join(self.folder, name))
        path = service.inside("/usr/local/sbin/systemctl")
        with open(path, "w", encoding="utf-8") as f:
            f.write(SYSTEMCTL)
        os.chmod(path, 0o755)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            with open(os.path.join(self.folder, "ask"), encoding="utf-8") as f:
                line = f.readline().strip()
            if line == "":
                continue
            try:
                code, text = self.do([word for word in line.split() if not word.startswith("-")])
            except Exception as failure:  # whatever it is: the script waits for an answer
                self.failure = self.failure or Failure("systemctl %s: %s" % (line, failure))
                code, text = 1, str(failure).split("\n", maxsplit=1)[0]
            with open(os.path.join(self.folder, "answer"), "w", encoding="utf-8") as f:
                f.write("%d %s\n" % (code, text))

    def do(self, words):
        self.calls.append(" ".join(words))
        verb, units = words[0], [word for word in words[1:] if word.startswith("godwit")]
        if verb in ("enable", "disable", "preset", "mask", "unmask"):  # links, for which nothing need run
            subprocess.run(["/usr/sbin/chroot", self.service.root, "/bin/systemctl", *words], check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env={"SYSTEMD_OFFLINE": "1"})
            return 0, ""
        if verb in ("daemon-reload", "reset-failed", "set-property") or words[1:] and not units:
            return 0, ""
        if verb == "is-enabled":
            there = os.path.lexists(self.service.inside("/etc/systemd/system/multi-user.target.wants/godwit.service"))
            return (0, "enabled") if there else (1, "disabled")
        if verb == "is-active":
            return (0, "active") if self.service.is_running() else (3, "inactive")
        if verb in ("stop", "restart", "try-restart"):
            was = self.service.is_running()
            self.service.stop()
            if verb == "stop" or verb == "try-restart" and not was:
                return 0, ""
        if verb in ("start", "restart", "try-restart"):
            return (0, "") if self.service.start() else (1, self.service.why_not)
        raise Failure("the maintainer scripts asked for: systemctl " + " ".join(words))
