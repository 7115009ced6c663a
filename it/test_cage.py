# SPDX-License-Identifier: ISC
"""The probe build: each process tries what its cage forbids (doc/sandbox.md)."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

import pytest

from clamd import TOP, wait_for
from gatepost import free_offset, give_back

BUILD = TOP / "build-probe"
SCANNERS = 2
NOBODY = 65534


@pytest.fixture(scope="module")
def binary():
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(BUILD), "-Dprobe=true", "-Dtests=false"], cwd=TOP,
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", str(BUILD), "gatepost"], check=True, stdout=subprocess.DEVNULL)
    return BUILD / "gatepost"


@pytest.fixture
def folder():
    """Where any user may come."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-cage-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def as_nobody():
    if os.geteuid() != 0:
        pytest.skip("only root can start it as somebody else")
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


@pytest.fixture(params=["as we are", "as an ordinary user"])
def log(request, binary, folder):
    """The log until all of its processes have tried everything."""
    prefix = as_nobody() if request.param == "as an ordinary user" else []
    shutil.copy(binary, folder / "gatepost")
    home = folder / "home"
    home.mkdir(mode=0o755)
    if prefix:
        os.chown(home, NOBODY, NOBODY)
    offset = free_offset()
    gatepost = [*prefix, str(folder / "gatepost")]
    try:
        subprocess.run([*gatepost, "init", str(home / "gp"), "--hostname", "mx.example.test",
                        "--port-offset", str(offset)], check=True, capture_output=True)
        conf = home / "gp" / "gatepost.conf"
        conf.write_text(f"hostname = mx.example.test\nport_offset = {offset}\n"
                        f"[limits]\nscanners = {SCANNERS}\n[test]\nprobe = yes\n")
        yield log_of([*gatepost, "-c", str(conf), "serve"])
    finally:
        give_back(offset)


def log_of(command):
    lines = []
    daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    reader = threading.Thread(target=lambda: lines.extend(daemon.stdout), daemon=True)
    reader.start()
    wait_for(lambda: daemon.poll() is not None or
             sum(" possible" in line for line in list(lines)) >= 2 + SCANNERS, 30)
    daemon.terminate()
    daemon.wait(60)
    reader.join(10)
    return "".join(lines)


def tries():
    source = (TOP / "src" / "daemon" / "probe.c").read_text()
    return re.findall(r'^\t\{ "(.+)", \w+ \},$', source, re.M)


def test_no_process_gets_out_of_its_cage(log):
    wanted = tries()
    assert len(wanted) >= 19
    assert "POSSIBLE" not in log, log
    for process in ["gate", "house"] + [f"scanner-{n}" for n in range(SCANNERS)]:
        for what in wanted:
            line = rf"^\S+ {process} \w+ probe {re.escape(what)}: denied \(.+\)$"
            assert re.search(line, log, re.M), f"{process} did not try to {what}:\n{log}"
        assert re.search(rf"^\S+ {process} \w+ probe: 0 of {len(wanted)} possible$", log, re.M), log


def test_what_people_run_has_no_probes(binary):
    from gatepost import BINARY
    assert b"probe: %zu of %zu possible" in binary.read_bytes()
    assert b"probe: %zu of %zu possible" not in BINARY.read_bytes()
