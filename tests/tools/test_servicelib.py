# SPDX-License-Identifier: MIT
"""The stand-in of systemd obeys the unit that is shipped, and breaks when the unit asks for what it does not know."""
import glob
import os
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEBIAN = os.path.join(TOP, "packaging", "debian")
sys.path.insert(0, os.path.join(TOP, "tools"))

import servicelib  # noqa: E402


def unit(tmp_path, text):
    path = tmp_path / "x.service"
    path.write_text(text, encoding="utf-8")
    return servicelib.Unit(str(path))


def test_the_unit_that_is_shipped_is_obeyed():
    shipped = servicelib.Unit(os.path.join(DEBIAN, "godwit.service"))
    assert shipped.one("ExecStart") == "/usr/bin/godwit serve --config /etc/godwit/godwit.conf"
    assert (shipped.one("User"), shipped.one("StateDirectory"), shipped.one("Type")) == ("godwit", "godwit", "notify")
    assert shipped.all("ConditionPathExists", "Unit") == ["/etc/godwit/godwit.conf"]
    assert "token:godwit.token" in shipped.all("LoadCredential")
    used = {key for section, key in shipped.values if section == "Service"}
    assert used <= servicelib.OBEYED | servicelib.HARDENING


@pytest.mark.parametrize("line", ["ExecStartPre=/bin/true", "DynamicUser=yes", "SupplementaryGroups=adm"])
def test_a_setting_that_nobody_obeys_is_refused(tmp_path, line):
    with pytest.raises(servicelib.Failure, match=line.split("=", maxsplit=1)[0]):
        unit(tmp_path, "[Service]\nType=notify\n%s\n" % line)


def test_a_setting_is_there_once_an_empty_one_forgets(tmp_path):
    read = unit(tmp_path, "[Service]\n# no\nUser=a\nUser=b\nGroup=a\nGroup=\nGroup=c\n")
    assert (read.all("User"), read.one("Group"), read.all("UMask")) == (["a", "b"], "c", [])
    for key in ("User", "UMask"):
        with pytest.raises(servicelib.Failure, match=key):
            read.one(key)


@pytest.mark.parametrize("text, want", [("30s", 30), ("15min", 900), ("60", 60), ("1min 30s", 90), ("500ms", 0.5)])
def test_spans_of_time(text, want):
    assert servicelib.seconds(text) == want


@pytest.mark.parametrize("name", ["config", "postinst", "postrm"])
def test_the_maintainer_scripts_are_shell_and_end_at_an_error(name):
    path = os.path.join(DEBIAN, "godwit." + name)
    subprocess.run(["sh", "-n", path], check=True)
    with open(path, encoding="utf-8") as f:
        assert "\nset -e\n" in f.read()


def purge(tmp_path, answer):
    """postrm purge, with folders of the test's in the place of the system's."""
    with open(os.path.join(DEBIAN, "godwit.postrm"), encoding="utf-8") as f:
        script = f.read()
    confmodule = tmp_path / "confmodule"
    confmodule.write_text("db_input() { :; }\ndb_go() { :; }\ndb_get() { RET=%s; }\n" % answer, encoding="utf-8")
    for folder in ("var/lib/godwit/backup", "etc/godwit/credentials", "run/godwit"):
        (tmp_path / folder).mkdir(parents=True)
    script = script.replace("/usr/share/debconf/confmodule", str(confmodule))
    for top in ("/var/lib/godwit", "/etc/godwit", "/run/godwit"):
        script = script.replace(top, str(tmp_path) + top)
    done = subprocess.run(["sh", "-s", "purge"], input=script.replace("#DEBHELPER#", ""), encoding="utf-8", check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return sorted(os.path.relpath(p, str(tmp_path)) for p in glob.glob(str(tmp_path / "*" / "**" / "godwit"),
                                                                       recursive=True)), done.stderr


@pytest.mark.parametrize("answer, left", [("true", []), ("false", ["var/lib/godwit"])])
def test_a_purge_asks_for_the_data(tmp_path, answer, left):
    found, told = purge(tmp_path, answer)
    assert found == left
    assert ("stays in" in told) == bool(left)
