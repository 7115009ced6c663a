# SPDX-License-Identifier: ISC
"""What the decision needs fails: the answer is "not now", never an unscanned 250,
and everything else goes on."""
import os
import signal
import smtplib
import socket
import subprocess
import threading
import time

import pytest

from clamd import Clamd, EICAR, FakeClamd, wait_for
from gatepost import SLOW, message

A = "alice@example.test"


def instance(gatepost, **want):
    g = gatepost(start=False, **want)
    g.people(A, "bob@example.test")
    return g.start()


# --- disk full ----------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 48 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=755", "tmpfs", str(folder)],
                   check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 65536)
        except OSError:
            pass


def test_a_full_disk_refuses_for_now_and_loses_nothing(gatepost, small_disk):
    g = instance(gatepost, folder=small_disk)
    assert g.send(A)[0] == 250
    g.wait_mail(A, 1)
    fill(small_disk / "ballast")
    code, reply = g.send(A, message(A, body="y" * 70 + "\n" + "z" * 70 + "\n"))
    assert (code, reply[:5]) == (452, "4.3.1"), reply
    code, reply = g.send(A, message(A, body=("y" * 70 + "\n") * 20000))
    assert code == 452, reply
    (small_disk / "ballast").unlink()
    assert g.send(A, message(A, subject="after"))[0] == 250
    g.wait_mail(A, 2)
    g.audit()
    assert g.stop() == 0
    g.verb("verify")


def test_a_disk_that_fills_up_under_load_loses_nothing(gatepost, small_disk):
    g = instance(gatepost, folder=small_disk, settings="[smtp]\nmin_free = 0")
    accepted = 0
    for n in range(400):
        code, reply = g.send(A, message(A, subject=str(n), body=("y" * 70 + "\n") * 4000))
        assert code in (250, 452, 451), reply
        accepted += code == 250
        if code != 250 and n > accepted + 5:
            break
    else:
        raise AssertionError("the disk never filled up")
    subprocess.run(["mount", "-o", "remount,size=256m", str(small_disk)], check=True)
    assert wait_for(lambda: g.send(A, message(A, subject="after"))[0] == 250, 30)
    g.wait_mail(A, accepted + 1, seconds=60)
    g.audit()


# --- clamd --------------------------------------------------------------------


def infected(to=A):
    return message(to, body=EICAR + "\n")


def test_without_clamd_nothing_is_taken_and_others_go_on(gatepost, tmp_path):
    g = instance(gatepost, clamd=str(tmp_path / "nobody.sock"))
    code, reply = g.send(A)
    assert (code, reply[:5]) == (451, "4.3.0"), reply
    with g.smtp() as s:
        assert s.noop()[0] == 250
        assert s.mail("x@sender.example")[0] == 250
        assert s.rcpt("nobody@example.test")[0] == 550
    assert g.mail(A) == []


@pytest.mark.parametrize("mood", ["garbage", "close", "stream: Something ERROR"])
def test_a_clamd_that_lies_is_never_believed(gatepost, fake_clamd, mood):
    fake_clamd.mood = mood
    g = instance(gatepost, clamd=str(fake_clamd.path))
    assert g.send(A)[0] == 451
    assert g.mail(A) == []


def test_a_hanging_clamd_costs_its_deadline_and_then_nothing(gatepost, fake_clamd):
    """Five misses open the breaker: 451 at once.  A probe that succeeds closes it."""
    fake_clamd.mood = "hang"
    g = instance(gatepost, clamd=str(fake_clamd.path),
                 settings="[clamav]\ntimeout = 300ms\nbreaker_probe = 200ms")
    for _ in range(5):
        assert g.send(A)[0] == 451
    start = time.monotonic()
    with g.smtp() as s:
        assert s.noop()[0] == 250
        for _ in range(5):
            s.mail("x@sender.example")
            s.rcpt(A)
            assert s.data("Subject: x\r\n\r\nx\r\n")[0] == 451
    assert time.monotonic() - start < 0.3 * 5 * SLOW, "the breaker did not open"
    fake_clamd.mood = "clean"
    assert wait_for(lambda: g.send(A)[0] == 250, 20 * SLOW, 0.1), "the breaker stayed open"
    g.audit()


def test_a_real_clamd_stopped_reloading_and_back(gatepost):
    c = Clamd().start()
    try:
        g = instance(gatepost, clamd=c, settings="[clamav]\ntimeout = 2s\nbreaker_probe = 200ms")
        assert g.send(A)[0] == 250
        code, reply = g.send(A, infected())
        assert code == 550 and "https://" in reply, reply
        c.signal(signal.SIGSTOP)
        assert g.send(A, infected())[0] == 451
        c.signal(signal.SIGCONT)
        assert wait_for(lambda: g.send(A, infected())[0] == 550, 30)
        c.signal(signal.SIGUSR2)		# reloads its databases
        for _ in range(20):
            assert g.send(A, infected())[0] in (550, 451)
        c.stop()
        assert g.send(A, infected())[0] == 451
        c.start()
        assert wait_for(lambda: g.send(A, infected())[0] == 550, 30)
        assert len(g.mail(A)) == 1
        g.audit()
    finally:
        c.remove()


def test_what_clamd_would_not_scan_whole_is_refused(gatepost):
    c = Clamd(settings={"StreamMaxLength": "1M", "MaxFileSize": "1M", "MaxScanSize": "1M"}).start()
    try:
        g = instance(gatepost, clamd=c)
        code, reply = g.send(A, message(A, body=("y" * 70 + "\n") * 20000))
        assert code == 550 and "https://" in reply, reply
        assert g.send(A)[0] == 250
    finally:
        c.remove()


# --- house and scanners ---------------------------------------------------------


def test_a_stopped_house_is_451_within_the_deadline_and_recovers(gatepost):
    g = instance(gatepost, settings="[smtp]\nhouse_timeout = 1s")
    g.signal("house", signal.SIGSTOP)
    try:
        with g.smtp() as s:
            s.mail("x@sender.example")
            start = time.monotonic()
            code, reply = s.rcpt(A)
            assert code == 451, reply
            assert time.monotonic() - start < 5 * SLOW
            assert s.noop()[0] == 250
    finally:
        g.signal("house", signal.SIGCONT)
    assert wait_for(lambda: g.send(A)[0] == 250, 20)
    g.wait_mail(A, 1)


def test_a_stopped_scanner_is_replaced(gatepost):
    g = instance(gatepost, settings="[limits]\nscanner_timeout = 1s\nscanners = 1")
    g.signal("scanner", signal.SIGSTOP)
    assert g.send(A)[0] == 451
    assert wait_for(lambda: g.send(A)[0] == 250, 20)


@pytest.mark.parametrize("role", ["gate", "house", "scanner"])
def test_a_crashed_process_is_back_within_a_second(gatepost, role):
    g = instance(gatepost)
    old = set(g.signal(role, signal.SIGKILL))
    start = time.monotonic()
    assert wait_for(lambda: len(g.pids(role)) == len(old) and not old & set(g.pids(role)), 10)
    assert time.monotonic() - start < 1 * SLOW
    assert wait_for(lambda: g.greets() and g.send(A)[0] == 250, 10)


def test_the_children_die_with_the_manager(gatepost):
    g = instance(gatepost)
    children = g.descendants()
    assert len(children) >= 3
    os.kill(g.process.pid, signal.SIGKILL)
    g.process.wait()
    gone = lambda: not any(os.path.exists(f"/proc/{pid}") and
                           "Z" not in open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1][:3]
                           for pid in children)
    assert wait_for(gone, 10)
    g.process = None


def test_an_account_removed_after_its_mail_was_accepted_gives_it_to_postmaster(gatepost):
    g = instance(gatepost)
    with g.smtp() as s:
        s.mail("x@sender.example")
        assert s.rcpt("bob@example.test")[0] == 250
        g.verb("account", "remove", "bob@example.test")
        assert s.data(message("bob@example.test", subject="late"))[0] == 250
    rows = g.wait_mail("postmaster@example.test", 1)
    assert rows[0]["subject"] == "late"
    g.audit()


def answer_to_stopped_scanners(g, text):
    g.signal("scanner", signal.SIGSTOP)
    code, reply = g.send(A, text)
    return code, reply


def deliver_another(g, subject):
    """Also shows that the new scanner serves."""
    assert wait_for(lambda: g.send(A, message(A, subject=subject))[0] == 250, 20 * SLOW)


def test_a_message_that_cost_two_scanners_is_refused_and_others_are_not(gatepost):
    g = instance(gatepost, settings="[limits]\nscanner_timeout = 1s\nscanners = 1")
    poison = message(A, subject="poison")
    deliver_another(g, "before")
    code, reply = answer_to_stopped_scanners(g, poison)
    assert code == 451, reply
    deliver_another(g, "between")
    code, reply = answer_to_stopped_scanners(g, poison)
    assert code == 550 and "https://" in reply, reply
    deliver_another(g, "after")
    pids = g.pids("scanner")
    code, reply = g.send(A, poison)
    assert code == 550 and "https://" in reply, reply
    assert g.pids("scanner") == pids, "it cost a third scanner"
    assert [row["subject"] for row in g.wait_mail(A, 3)] == ["before", "between", "after"]
    assert any("SCANNER_LOST" in str(row) for row in g.rows("ledger", "--to", A))
    g.audit()


def test_messages_are_not_blamed_for_scanners_that_end_by_themselves(gatepost):
    g = instance(gatepost, settings="[limits]\nscanner_timeout = 1s\nscanners = 1")
    text = message(A, subject="innocent")
    deliver_another(g, "before")
    for _ in range(3):
        g.signal("scanner", signal.SIGKILL)
        code, reply = g.send(A, text)
        assert code in (250, 451), reply
    assert wait_for(lambda: g.send(A, text)[0] == 250, 20 * SLOW)
    g.audit()


class Held(FakeClamd):
    """Answers at once, or, once `held`, about each message when it is let go."""

    def __init__(self, folder):
        self.held = False
        self.waiting = []
        super().__init__(folder)

    def _command(self, s):
        word = super()._command(s)
        if word == "FILDES" and self.held:
            mine = threading.Event()
            self.waiting.append(mine)
            mine.wait(20 * SLOW)
        return word

    def asked_about(self, messages):
        assert wait_for(lambda: len(self.waiting) >= messages, 20 * SLOW)


def data_sent(g, text):
    """A session whose message is being decided about."""
    s = g.smtp()
    s.mail("x@sender.example")
    s.rcpt(A)
    assert s.docmd("DATA")[0] == 354
    s.send(smtplib._fix_eols(text).encode() + b".\r\n")
    return s


def test_who_hung_up_before_the_answer_may_send_again_without_a_second_copy(gatepost, tmp_path):
    """The sender's patience ends while clamd thinks; the message is taken all the same."""
    clamd = Held(tmp_path)
    g = instance(gatepost, clamd=str(clamd.path))
    clamd.held = True
    text = message(A, subject="once")
    s = data_sent(g, text)
    clamd.asked_about(1)
    s.sock.shutdown(socket.SHUT_RDWR)
    s.close()
    clamd.held = False
    clamd.waiting[0].set()
    g.wait_mail(A, 1)
    assert g.send(A, text, sender="x@sender.example")[0] == 250
    assert g.send(A)[0] == 250
    g.wait_mail(A, 2)
    assert len(g.mail(A)) == 2
    g.audit()


def test_a_retry_while_the_first_is_still_decided_about_gives_no_second_copy(gatepost, tmp_path):
    """The sender hung up and is back before clamd answered about its first attempt."""
    clamd = Held(tmp_path)
    g = instance(gatepost, clamd=str(clamd.path))
    clamd.held = True
    text = message(A, subject="once")
    first = data_sent(g, text)
    clamd.asked_about(1)
    first.sock.shutdown(socket.SHUT_RDWR)
    first.close()
    second = data_sent(g, text)
    clamd.asked_about(2)
    clamd.held = False
    clamd.waiting[0].set()
    g.wait_mail(A, 1)
    clamd.waiting[1].set()
    assert second.getreply()[0] == 250
    assert g.send(A)[0] == 250
    g.wait_mail(A, 2)
    assert len(g.mail(A)) == 2
    g.audit()
