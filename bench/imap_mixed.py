# SPDX-License-Identifier: ISC
"""A mixed load: clients that read, change, search and wait, each with its own seeded
sequence of commands, the same for every server."""
import random
import statistics
import threading
import time

from imap_client import Client, No
from imap_mail import RARE, Mail

PEOPLE = [f"user{i}" for i in range(5)]
BOX = 2000              # messages in each one's INBOX
# what, and how often
SHARES = [("select", 8), ("flags", 14), ("headers", 14), ("body", 18), ("store", 16), ("append", 8),
          ("search", 6), ("text", 4), ("noop", 4), ("idle", 8)]


def fill(server):
    for n, who in enumerate(PEOPLE):
        c, mail = Client(server, who), Mail(100 + n)
        for _ in range(BOX // 100):
            c.append("INBOX", [mail.next() for _ in range(100)])
        c.logout()


class Mixed(threading.Thread):
    """One client; .waits: seconds by command."""

    def __init__(self, server, n, count, start):
        super().__init__()
        self.c = Client(server, PEOPLE[n % len(PEOPLE)], "INBOX")
        self.r, self.mail, self.count, self.go = random.Random(n), Mail(1000 + n), count, start
        self.waits, self.failed = [], None

    def say(self, words):
        start = time.monotonic()
        try:
            self.c.do(words)
        except No as e:
            if "BAD" in str(e) or "the end" in str(e):
                raise
        self.waits.append((words.split()[0 if words[:3] != "UID" else 1], time.monotonic() - start))

    def act(self, what):
        r = self.r
        at = r.randrange(1, BOX - 60)
        if what == "select":
            self.say("SELECT INBOX")
        elif what == "flags":
            self.say(f"UID FETCH {at}:* (UID FLAGS)")
        elif what == "headers":
            self.say(f"FETCH {at}:{at + 50} (UID FLAGS RFC822.SIZE INTERNALDATE ENVELOPE BODYSTRUCTURE)")
        elif what == "body":
            self.say(f"UID FETCH {at} (UID BODY.PEEK[])")
        elif what == "store":
            flag = r.choice(["\\Seen", "\\Flagged", "\\Answered", "$Label1"])
            self.say(f"UID STORE {at}:{at + r.choice([0, 0, 0, 4, 40])} {r.choice('+-')}FLAGS ({flag})")
        elif what == "append":
            one = self.mail.next()
            start = time.monotonic()
            self.c.append("INBOX", [one])
            self.waits.append(("APPEND", time.monotonic() - start))
        elif what == "search":
            self.say(r.choice(["SEARCH FROM p1@", "SEARCH UNSEEN", "SEARCH SUBJECT ban", "UID SEARCH FLAGGED SINCE 1-Dec-2023"]))
        elif what == "text":
            self.say("SEARCH TEXT " + r.choice(["harvest", "lantern", RARE]))
        elif what == "noop":
            self.say("NOOP")
        else:
            self.c.say("IDLE")
            self.c.until(b"+ ")
            time.sleep(0.05)
            self.c.sock.sendall(b"DONE\r\n")
            self.c.hear("IDLE")
            self.waits.append(("IDLE", None))

    def run(self):
        kinds, shares = zip(*SHARES)
        todo = self.r.choices(kinds, shares, k=self.count)
        self.go.wait()
        try:
            for what in todo:
                self.act(what)
            self.c.logout()
        except Exception as e:          # told by whoever joins
            self.failed = e


def measure(bench, clients, count):
    """Rows: CPU-ms a command, and how long answers took."""
    server = bench.server
    start = threading.Event()
    all_of = [Mixed(server, n, count, start) for n in range(clients)]
    for t in all_of:
        t.start()
    before, began = server.cpu(), time.monotonic()
    start.set()
    for t in all_of:
        t.join()
    took = time.monotonic() - began
    bench.settle()
    cpu = server.cpu() - before
    for t in all_of:
        if t.failed:
            raise RuntimeError(f"{server.name}: {t.failed}")
    by = {}
    for t in all_of:
        for name, wait in t.waits:
            if wait is not None:
                by.setdefault(name, []).append(wait * 1e3)
    waits = sorted(w for ws in by.values() for w in ws)
    print(f"{server.name}: mixed, {took:.1f} s: " + ", ".join(
        f"{name} p50 {statistics.median(ws):.1f}" for name, ws in sorted(by.items())), flush=True)
    return {"mixed load, CPU-ms a command": cpu / (clients * count) * 1e3,
            "mixed load, p50 ms": statistics.median(waits),
            "mixed load, p99 ms": waits[int(len(waits) * 0.99)]}
