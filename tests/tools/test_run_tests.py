# SPDX-License-Identifier: MIT
"""The driver counts what it claims to count: a green line must not come from a blind driver."""
import importlib.machinery
import importlib.util
import os
import types

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def load(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"),
                                                  os.path.join(TOP, "tools", name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


driver = load("run-tests")
OPTIONS = types.SimpleNamespace(env=dict(os.environ), long=False, only=None, build="/nonexistent")

# name, what the program prints, how it ends, passed, failed, excused
TAP = [
    ("all pass", "1..2\nok 1 - a\nok 2 - b\n", "exit 0", 2, 0, 0),
    ("two groups add up", "1..1\nok 1 - a\n# ok - g\n1..1\nok 1 - b\n", "exit 0", 2, 0, 0),
    ("one fails", "1..2\nok 1 - a\nnot ok 2 - b\n# 0x1 != 0x2\n", "exit 1", 1, 1, 0),
    ("set-up fails", "1..1\nnot ok 1 - a Could not run test\n", "exit 1", 0, 1, 0),
    ("group set-up fails", "1..2\nnot ok 0 - g [  FAILED  ] GROUP SETUP\n", "exit 1", 0, 2, 0),
    ("a skip is a failure", "1..1\nnot ok 1 # SKIP a\n", "exit 0", 0, 1, 0),
    ("an excused skip", "1..1\nshared fixtures absent\nnot ok 1 # SKIP a\n", "exit 0", 0, 0, 1),
    ("fewer cases than announced", "1..3\nok 1 - a\n", "exit 0", 1, 1, 0),
    ("nothing at all", "", "exit 0", 0, 1, 0),
    ("passes, then a leak", "1..1\nok 1 - a\n", "exit 23", 1, 1, 0),
    ("passes, then dies", "1..1\nok 1 - a\n", "kill -SEGV $$", 1, 1, 0),
]


@pytest.mark.parametrize("text,end,passed,failed,excused", [row[1:] for row in TAP],
                         ids=[row[0] for row in TAP])
def test_tap(tmp_path, text, end, passed, failed, excused):
    (tmp_path / "out").write_text(text)
    report = driver.program_report({
        "name": "sample", "suite": ["godwit:unit"], "protocol": "tap", "timeout": 30, "env": {},
        "workdir": str(tmp_path), "cmd": ["/bin/sh", "-c", "cat out; " + end]}, OPTIONS)
    assert (report.passed, len(report.failures), report.excused) == (passed, failed, excused)


def test_what_went_wrong_is_shown():
    report = driver.Report("unit", "sample")
    driver.read_tap("1..1\nnot ok 1 - b\n# 0x1 != 0x2\n", report)
    assert "0x1 != 0x2" in report.failures[0][1]


def test_a_program_that_hangs_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "PROGRAM_TIMEOUT", 1)
    report = driver.program_report({
        "name": "sample", "suite": [], "protocol": "exitcode", "timeout": 1, "env": {},
        "workdir": str(tmp_path), "cmd": ["/bin/sh", "-c", "sleep 60"]}, OPTIONS)
    assert (report.passed, len(report.failures)) == (0, 1)


PYTEST_FILE = '''
import pytest
def test_good(): pass
def test_bad(): assert 1 == 2
def test_skipped(): pytest.skip("no reason that counts")
def test_excused(): pytest.skip("shared fixtures absent")
@pytest.mark.xfail
def test_expected(): assert False
'''


@pytest.mark.parametrize("text,passed,failed,excused", [
    (PYTEST_FILE, 1, 3, 1),
    ("def test_a(: pass\n", 0, 1, 0),
    ("import os\ndef test_a(): os._exit(3)\n", 0, 1, 0),
], ids=["every outcome", "does not parse", "ends the interpreter"])
def test_pytest_outcomes(tmp_path, monkeypatch, text, passed, failed, excused):
    folder = tmp_path / "tests" / "system"
    folder.mkdir(parents=True)
    (folder / "test_sample.py").write_text(text)
    monkeypatch.setattr(driver, "TOP", str(tmp_path))
    reports = driver.pytest_reports(str(folder), OPTIONS)
    assert sum(r.passed for r in reports) == passed
    assert sum(len(r.failures) for r in reports) >= failed
    assert sum(r.excused for r in reports) == excused


@pytest.mark.parametrize("passed,failed,code", [(0, 0, 1), (3, 0, 0), (3, 1, 1)])
def test_the_closing_line(capsys, monkeypatch, passed, failed, code):
    report = driver.Report("unit", "sample")
    report.passed = passed
    for i in range(failed):
        report.fail("case %d" % i)
    monkeypatch.setattr(driver, "all_reports", lambda options: [report] if passed else [])
    monkeypatch.setattr(driver.sys, "argv", ["run-tests"])
    assert driver.main() == code
    assert capsys.readouterr().out.splitlines()[-1] == "%d passed, %d failed" % (passed, failed)
