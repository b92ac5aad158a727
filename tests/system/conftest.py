# SPDX-License-Identifier: MIT
"""conftest.py - the fixtures: sandbox, gateway, receiver, clock, and factories of more of them

A test that fails leaves its folder with logs, configuration and store, and prints where it is.

    @pytest.mark.conf({"graph.wait_max": "1s"})       keys of the gateway's configuration
    @pytest.mark.env({"GODWIT_FAULT": "store_commit:3:kill"})  of the gateway
    @pytest.mark.sandbox_options("--seed", "7")

stack, stacks, shared, front, fronts and meta are those of sends.py.
"""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit  # noqa: E402
from sends import front, fronts, meta, shared, stack, stacks  # noqa: E402,F401


def pytest_configure(config):
    for line in ("conf(dict): keys of the gateway's configuration", "env(dict): environment of the gateway",
                 "sandbox_options(*words): options of godwit sandbox"):
        config.addinivalue_line("markers", line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.godwit_failed = True
        for process in kit.Process.known:  # nobody asked it to: perhaps why the test failed
            if process.ended_by_itself() and hasattr(report.longrepr, "addsection"):
                report.longrepr.addsection("ended by itself", process.story())
    folder = getattr(item, "godwit_folder", None)
    if report.failed and folder and os.path.isdir(folder):
        report.sections.append(("what it leaves", "%s\nagain: tools/run-tests --only %s::%s" % (
            folder, os.path.basename(item.path), item.name)))


@pytest.fixture
def folder(request):
    """Everything of one test; short, because a socket's path may have 107 bytes."""
    path = tempfile.mkdtemp(prefix="godwit-test-")
    request.node.godwit_folder = path
    yield path
    if not getattr(request.node, "godwit_failed", False):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def closing(request):
    """close() of everything that is put in, the last one first, and the first failure at the end."""
    things = []
    yield things
    failures = []
    for thing in reversed(things):
        try:
            thing.close()
        except Exception as failure:  # the others must be closed all the same
            failures.append(failure)
    if failures:
        request.node.godwit_failed = True
        raise failures[0]


def marked(request, name):
    """The dicts of all markers of that name, the nearest one last."""
    merged = {}
    for mark in reversed(list(request.node.iter_markers(name))):
        merged.update(*mark.args)
    return merged


@pytest.fixture
def make_sandbox(folder, closing):
    def make(*options, **kwargs):
        kwargs.setdefault("name", "sandbox%d" % len(closing))
        thing = kit.Sandbox(folder, *options, **kwargs)
        closing.append(thing)
        return thing
    return make


@pytest.fixture
def make_gateway(folder, closing):
    def make(*args, **kwargs):
        kwargs.setdefault("name", "gateway%d" % len(closing))
        thing = kit.Gateway(folder, *args, start=False, **{k: v for k, v in kwargs.items() if k != "start"})
        closing.append(thing)
        return thing.start() if kwargs.get("start", True) else thing
    return make


@pytest.fixture
def make_receiver(closing):
    def make():
        thing = kit.Receiver()
        closing.append(thing)
        return thing
    return make


@pytest.fixture
def sandbox(request, make_sandbox):
    mark = request.node.get_closest_marker("sandbox_options")
    return make_sandbox(*(mark.args if mark else ()), name="sandbox")


@pytest.fixture
def receiver(make_receiver):
    return make_receiver()


@pytest.fixture
def gateway(request, sandbox, make_gateway):
    return make_gateway(sandbox, conf=marked(request, "conf"), env=marked(request, "env"), name="gateway")


@pytest.fixture
def clock(sandbox):
    return kit.Clock(sandbox)
