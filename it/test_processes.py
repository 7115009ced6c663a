# SPDX-License-Identifier: ISC
"""Starting, reading settings anew, and ending: in one sentence when it cannot be done,
and without a session noticing when it can."""
import os
import re
import signal
import socket
import subprocess

import pytest

from clamd import wait_for
from gatepost import BINARY, SLOW, message

A = "alice@example.test"


def refused(g, *sentences):
    """`serve` ends at once, with one error, a sentence that has these words."""
    done = subprocess.run([str(BINARY), "-c", str(g.conf), "serve"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=20 * SLOW)
    log = done.stdout + done.stderr
    assert done.returncode == 1, log
    errors = [line for line in log.splitlines() if "not started: " in line]
    assert len(errors) == 1, log
    assert len(re.findall(r" error ", log)) == 1, log
    for words in sentences:
        assert re.search(words, errors[0]), errors[0]
    return errors[0]


def change(g, pattern, text):
    old = g.conf.read_text()
    new = re.sub(pattern, text, old, flags=re.M)
    assert new != old
    g.conf.write_text(new)


def started(gatepost, **want):
    g = gatepost(start=False, **want)
    g.people(A)
    return g.start()


# --- starting -----------------------------------------------------------------


@pytest.fixture
def stopped(gatepost):
    return gatepost(start=False)


def test_without_a_hostname(stopped):
    change(stopped, r"^hostname.*\n", "")
    refused(stopped, "hostname", "missing")


def test_with_a_setting_that_nobody_knows(stopped):
    change(stopped, r"^\[clamav\]", "colour = green\n[clamav]")
    refused(stopped, "colour", r"gatepost\.conf:\d+")


def test_with_a_value_that_is_none(stopped):
    change(stopped, r"^port_offset.*", "port_offset = many")
    refused(stopped, "port_offset")


def key_of(g):
    return g.dir / "keys" / "tls" / f"{g.hostname}.key"


def test_without_a_key(stopped):
    key_of(stopped).unlink()
    refused(stopped, re.escape(f"keys/tls/{stopped.hostname}"))


def test_with_a_key_that_is_none(stopped):
    key_of(stopped).write_text("this is no key\n")
    refused(stopped, re.escape(f"keys/tls/{stopped.hostname}"))


def test_with_a_key_that_cannot_be_read(stopped):
    """Root can read anything but a folder."""
    key = key_of(stopped)
    key.unlink()
    key.mkdir(mode=0o700)
    refused(stopped, re.escape(f"keys/tls/{stopped.hostname}"))


def test_with_another_certificates_key(stopped, gatepost):
    other = gatepost(start=False)
    key_of(stopped).write_text(key_of(other).read_text())
    refused(stopped, re.escape(f"keys/tls/{stopped.hostname}"), "key", "certificate")


def test_without_any_certificate(stopped):
    for f in (stopped.dir / "keys" / "tls").iterdir():
        f.unlink()
    refused(stopped, "certificate")


def test_on_a_port_in_use(stopped):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", stopped.port))
        s.listen()
        refused(stopped, f"port {stopped.port} ", "in use")


def test_twice(gatepost):
    g = started(gatepost)
    refused(g, "another gatepost")
    assert g.send(A)[0] == 250


def test_without_a_data_folder(stopped):
    stopped.data.rename(stopped.dir / "elsewhere")
    refused(stopped, "data", "missing")


def test_with_a_data_folder_that_is_open_to_others(stopped):
    (stopped.data / "accounts").chmod(0o755)
    refused(stopped, "accounts", "open to other users")


# --- settings read anew ---------------------------------------------------------


def test_a_broken_file_changes_nothing(gatepost):
    g = started(gatepost, settings="[smtp]\nmax_size = 2M")
    good = g.conf.read_text()
    for broken in ("hostname =\n", good + "\n[smtp]\ncolour = green\n", "\0\0\0", ""):
        since = len(g.lines)
        g.conf.write_text(broken)
        g.reload()
        g.wait_log("not reloaded, the old settings go on: .", since=since)
        with g.smtp() as s:
            assert s.esmtp_features["size"] == "2097152"
    g.conf.write_text(good)
    assert g.send(A)[0] == 250
    g.reload()
    g.wait_log("gate.* reloaded")
    assert g.send(A)[0] == 250


def test_a_broken_key_changes_nothing(gatepost):
    g = started(gatepost)
    key_of(g).write_text("this is no key\n")
    g.reload()
    g.wait_log("not reloaded, the old settings go on: .*keys/tls")
    assert g.send(A, tls=True)[0] == 250


def test_an_open_session_outlives_a_change_of_settings(gatepost):
    g = started(gatepost, settings="[smtp]\nmax_size = 2M")
    pids = g.pids("gate") + g.pids("house")
    with g.raw() as s:
        s.expect("220")
        s.say("EHLO client.example", "250")
        s.say("MAIL FROM:<s@sender.example>", "250")
        s.say(f"RCPT TO:<{A}>", "250")
        s.say("DATA", "354")
        s.send("Subject: before and after\r\n\r\n")
        g.configure(settings="[smtp]\nmax_size = 1M")
        g.reload()
        g.wait_log("gate.* reloaded")
        with g.smtp() as other:
            assert other.esmtp_features["size"] == "1048576"
        s.say("the rest\r\n.", "250")
        s.say("NOOP", "250")
        s.say("QUIT", "221")
    g.wait_mail(A, 1)
    assert g.pids("gate") + g.pids("house") == pids


# --- ending -----------------------------------------------------------------------


def test_sigterm_lets_a_message_finish_and_sends_idle_sessions_home(gatepost):
    g = started(gatepost)
    with g.raw() as idle, g.raw() as greeted, g.raw() as busy:
        idle.expect("220")
        greeted.expect("220")
        greeted.say("EHLO client.example", "250")
        busy.expect("220")
        busy.say("EHLO client.example", "250")
        busy.say("MAIL FROM:<s@sender.example>", "250")
        busy.say(f"RCPT TO:<{A}>", "250")
        busy.say("DATA", "354")
        busy.send("Subject: in time\r\n\r\n")
        g.process.terminate()
        for s in (idle, greeted):
            s.expect("421 4.3.2")
            assert s.closed()
        assert g.process.poll() is None
        busy.say("the rest\r\n.", "250 2.6.0")
        busy.expect("421 4.3.2")
        assert busy.closed()
    assert g.process.wait(20 * SLOW) == 0
    assert not wait_for(g.greets, 0.2)
    g.process = None
    g.start()
    assert g.wait_mail(A, 1)[0]["subject"] == "in time"
    g.audit()


def test_a_session_that_does_not_end_is_cut_off_after_its_time(gatepost):
    g = started(gatepost, server="drain_timeout = 1s")
    with g.raw() as s:
        s.expect("220")
        s.say("EHLO client.example", "250")
        s.say("MAIL FROM:<s@sender.example>", "250")
        s.say(f"RCPT TO:<{A}>", "250")
        s.say("DATA", "354")
        g.process.terminate()
        assert g.process.wait(20 * SLOW) == 0
        assert s.closed()
    g.wait_log("1 sessions were cut off")
    g.process = None
    g.verb("verify")


def test_nothing_is_left_running(gatepost):
    g = started(gatepost)
    pids = g.descendants()
    assert g.send(A, message(A))[0] == 250
    assert g.stop() == 0
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


def test_sigint_ends_like_sigterm(gatepost):
    g = started(gatepost)
    g.process.send_signal(signal.SIGINT)
    assert g.process.wait(20 * SLOW) == 0
    g.process = None
