# SPDX-License-Identifier: MIT
"""A long list: what is kept of it in memory, what a start has to do with it, and every row's finding.

The figures of a million rows are the bench's (tools/run-bench --only list); here are 50,000, and no clock.
"""
import csv
import io
import os
import subprocess

from kit import BIN, WAIT, wait_until
from test_batch import TEMPLATE, add, look, order, wait_state

ROWS = 50000
BYTES_OF_A_ROW = 400  # while it is checked: its number, so that nobody gets it twice, and growing
BYTES_OF_A_QUEUED_ROW = 100  # it is in the store; a few seconds' worth of all of them are in the outbox
LEAN = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}  # what is freed is free


def memory(gateway):
    """The most it ever had, in bytes."""
    with open("/proc/%d/status" % gateway.popen.pid, encoding="ascii") as f:
        return int(next(line.split()[1] for line in f if line.startswith("VmHWM:"))) * 1024


def long_list():
    """CSV, and the finding of each row that has one."""
    out, findings = io.StringIO(), {}
    writer = csv.writer(out)
    writer.writerow(["phone", "name", "order"])
    for n in range(1, ROWS + 1):
        phone, name = "+4915%09d" % n, "Customer %d" % n
        if n % 100 == 0:
            findings[n] = ("duplicate", "bad_phone", "missing_value", "national_phone")[n // 100 % 4]
            phone = {"duplicate": "+4915%09d" % (n - 1), "bad_phone": "nobody", "national_phone": "0151234567",
                     }.get(findings[n], phone)
            name = " " if findings[n] == "missing_value" else name
        writer.writerow([phone, name, "A-%d" % n])
    return out.getvalue().encode(), findings


def found_in(gateway, batch):
    """row -> finding, of the rows that were refused, as the API's CSV has them."""
    text = gateway.local("GET", "/api/v1/batches/%s/results?format=csv&state=refused" % batch).text
    return {int(r["row"]): r["code"] for r in csv.DictReader(io.StringIO(text))}


def written(gateway, batch):
    """The same from the command, which reads page by page."""
    done = subprocess.run([BIN, "batch", "results", batch, "--out", "-"], stdout=subprocess.PIPE, encoding="utf-8",
                          env={**os.environ, "GODWIT_SERVER": "unix:" + gateway.socket}, timeout=WAIT + 60, check=True)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [int(r["row"]) for r in rows] == list(range(1, ROWS + 1))
    return {int(r["row"]): r["code"] for r in rows if r["state"] == "refused"}


def test_a_long_list_is_not_kept_in_memory(make_gateway):
    gateway = make_gateway(conf={"log.level": "info"}, env=LEAN)  # nobody answers it: no row gets to its end
    body, findings = long_list()
    small = add(gateway, None, body=b"phone,name,order\n+4915112345678,Ann,A-1\n", **TEMPLATE)
    wait_state(gateway, small, "ready")
    order(gateway, small, "cancel")
    idle = memory(gateway)

    batch = add(gateway, None, body=body, **TEMPLATE)
    ready = wait_state(gateway, batch, "ready")
    assert ready["rows"] == {"total": ROWS, "ready": ROWS - len(findings), "refused": len(findings),
                             "duplicates": sum(f == "duplicate" for f in findings.values())}
    assert found_in(gateway, batch) == findings
    assert written(gateway, batch) == findings
    checked = memory(gateway) - idle
    assert checked < ROWS * BYTES_OF_A_ROW, "%.0f bytes a row" % (checked / ROWS)

    assert order(gateway, batch, "start").json["state"] == "running"
    wait_until("some are handed over", lambda: look(gateway, batch)["progress"]["waiting"] < ready["rows"]["ready"])
    gateway.crash()
    running = look(gateway, batch)
    assert running["state"] == "running" and running["rows"] == ready["rows"]
    queued = memory(gateway) - idle
    assert queued < ROWS * BYTES_OF_A_QUEUED_ROW, "%.0f bytes a row" % (queued / ROWS)

    assert order(gateway, batch, "cancel").json["state"] == "cancelled"
    over = look(gateway, batch)["progress"]
    assert over["cancelled"] > ROWS // 2
    assert sum(n for n in over.values() if isinstance(n, int)) == ready["rows"]["ready"]
