# SPDX-License-Identifier: ISC
"""kill -9 of every process at random moments under load: what was answered 250
is there exactly once for each recipient, what was refused is not, but its original is
held where the answer did not say otherwise.

Small by default; `make crash` runs the whole: 5,000 messages, 300 kills.
"""
import collections
import os
import random
import re
import signal
import smtplib
import threading
import time

from clamd import GTUBE
from gatepost import SLOW
from held import originals

MESSAGES = int(os.environ.get("GATEPOST_CRASH_MESSAGES", 400 // SLOW))
KILLS = int(os.environ.get("GATEPOST_CRASH_KILLS", 24 // SLOW))
CONNECTIONS = 8
PEOPLE = [f"p{n}@example.test" for n in range(60)]
ROLES = ["gate", "house", "scanner", "gate", "house", "manager"]


class Load:
    """Messages from a seed.  Each is sent again until it got a final answer, as a
    sender's server would: the same bytes to the same recipients."""

    def __init__(self, g, messages):
        self.g = g
        self.left = list(range(messages))
        self.lock = threading.Lock()
        self.accepted, self.refused = {}, {}
        self.said = {}	# of those refused
        self.progress = threading.Condition(self.lock)
        self.failures = []

    def done(self):
        return len(self.accepted) + len(self.refused)

    def run(self, n):
        r = random.Random(n)
        session = None
        while True:
            with self.lock:
                if not self.left:
                    break
                number = self.left.pop()
            recipients = r.sample(PEOPLE, 50 if number % 20 == 0 else r.randint(1, 3))
            spam = number % 25 == 7
            body = (GTUBE if spam else "x" * r.randint(10, 200)) + "\r\n"
            data = (f"From: <s@sender.example>\r\nTo: undisclosed:;\r\nSubject: {number}\r\n"
                    f"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
                    f"Message-ID: <n{number}@crash.example>\r\n\r\n{body * r.randint(1, 60)}")
            until = time.monotonic() + 60 * SLOW
            code = 0
            while not (200 <= code < 300 or 500 <= code < 600):
                if time.monotonic() > until:
                    self.failures.append(f"message {number} got no final answer in a minute")
                    break
                session, code = self.attempt(session, number, recipients, data)
                if code == 0:
                    time.sleep(0.02)	# the server is being started again
            with self.progress:
                if 200 <= code < 300:
                    self.accepted[number] = recipients
                elif code >= 500:
                    self.refused[number] = recipients
                    self.said[number] = session.said
                self.progress.notify_all()
        if session:
            session.close()

    def attempt(self, session, number, recipients, data):
        """One try: (the session to go on with, or None; the answer's code or 0)."""
        try:
            if session is None:
                session = smtplib.SMTP("127.0.0.1", self.g.port, timeout=30 * SLOW)
                session.ehlo("client.crash.example")
            if session.mail(f"s{number}@crash.example")[0] != 250:
                session.rset()
                return session, 0
            for address in recipients:
                if session.rcpt(address)[0] != 250:
                    session.rset()
                    return session, 0
            code, said = session.data(data)
            session.said = said.decode()
            return session, code
        except (OSError, smtplib.SMTPException):
            if session:
                session.close()
            return None, 0


def kill_at_random(load, g, messages, kills):
    """Every so many answers one process dies, a few random milliseconds later."""
    r = random.Random(20261123)
    for n in range(kills):
        with load.progress:
            target = (n + 1) * messages // (kills + 1)
            load.progress.wait_for(lambda: load.done() >= target or load.failures, 120 * SLOW)
        if load.failures:
            return
        time.sleep(r.random() * 0.03)	# the random moment
        role = ROLES[n % len(ROLES)]
        if role == "manager":
            g.kill()
            g.start()
            continue
        pids = g.pids(role)
        if pids:
            os.kill(r.choice(pids), signal.SIGKILL)


def check_held(g, load):
    """Every file that has a name is whole, and who was refused with a link and nothing
    else has one."""
    files = originals(g).values()
    assert all(o.is_as_received() for o in files)
    held = {re.search(rb"^Subject: (\d+)\r$", o.message, re.M)[1].decode() for o in files}
    for number, said in load.said.items():
        assert "/r/" in said, said
        assert "could not be kept" in said or str(number) in held, f"message {number}: {said}"
    assert held, "nothing was held"


def test_nothing_answered_is_lost_or_doubled_when_processes_die(gatepost):
    g = gatepost(start=False)
    g.people(*PEOPLE)
    g.start()
    load = Load(g, MESSAGES)
    threads = [threading.Thread(target=load.run, args=(n,)) for n in range(CONNECTIONS)]
    for t in threads:
        t.start()
    kill_at_random(load, g, MESSAGES, KILLS)
    for t in threads:
        t.join()
    assert not load.failures, load.failures
    assert load.done() == MESSAGES
    g.stop()	# SIGTERM: everything accepted has been applied

    want = collections.Counter((a, f"<n{number}@crash.example>")
                               for number, people in load.accepted.items() for a in people)
    have = collections.Counter((a, row["message_id"]) for a in PEOPLE for row in g.mail(a))
    lost, extra = want - have, have - want
    assert not lost, f"lost: {list(lost.items())[:10]}"
    assert not extra, f"there though not accepted, or twice: {list(extra.items())[:10]}"
    assert load.refused, "the spam among them was not refused"
    check_held(g, load)
    g.audit()
    g.verb("verify")
