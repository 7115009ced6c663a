#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Gatepost's IMAP and Dovecot's in one run: CPU time by command, a mixed load, and
what connections that wait take.

Needs root and the packages in tools/packages.txt (bench).  Writes the table in
bench/README.md anew.

    imap.py [--quick] [--messages N] [--only REGEX] [--dry] [--settings TEXT]

--only: rows by name; "mixed" and "idle" are names too.  --settings: lines for
gatepost.conf, "\\n" between them.
"""
import argparse
import concurrent.futures
import pathlib
import re
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "it")]

import imap_idle  # noqa: E402
import imap_mixed  # noqa: E402
import peers  # noqa: E402
import run as bench  # noqa: E402
from imap_client import Client  # noqa: E402
from imap_mail import RARE, Mail  # noqa: E402
from imap_peers import Dovecot, Ours  # noqa: E402

WHO = "anna"
SAMPLES = 5
ENOUGH_S = 0.15         # CPU time of a sample: short commands are repeated so long
BUDGET_S = 12           # a row ends sooner than after five samples
SETTLE_S = 6


class Bench:
    """One server with its mailbox; figures by row: CPU-ms."""

    def __init__(self, server, messages):
        self.server, self.n = server, messages
        self.rows, self.said = {}, {}

    def fill(self):
        mail, c, left = Mail(), Client(self.server, WHO), self.n
        c.do("CREATE Other")
        c.do("CREATE Fresh")
        start = time.monotonic()
        while left:
            batch = [mail.next() for _ in range(min(left, 100))]
            c.append("INBOX", batch, "" if left % 3 else "\\Seen")
            left -= len(batch)
        print(f"{self.server.name}: {self.n} messages in {time.monotonic() - start:.0f} s", flush=True)
        c.logout()

    def settle(self):
        """Until it takes no time of its own any more, or half a minute."""
        last = self.server.cpu()
        for _ in range(5):
            time.sleep(SETTLE_S)
            now = self.server.cpu()
            if now - last < 0.02:
                return
            last = now

    def sample(self, act, count):
        before = self.server.cpu()
        for _ in range(count):
            act()
        return (self.server.cpu() - before) / count * 1e3

    def row(self, name, act, once=False):
        """CPU-ms of act(): the median; warmed and repeated, or once each sample, and what
        the server does afterwards added."""
        until = time.monotonic() + BUDGET_S
        count = 1
        if not once:
            got = act()
            cost = self.sample(act, 1) / 1e3
            count = max(1, min(int(ENOUGH_S / max(cost, 1e-5)), 300))
            if isinstance(got, bytes):
                self.said[name] = (len(got), got.count(b" FETCH ("),
                                   sorted(got[8:].split(b"\r\n")[0].split()) if b"SEARCH" in got[:9] else 0)
        got = []
        while len(got) < SAMPLES and (not got or time.monotonic() < until):
            got.append(self.sample(act, count))
        self.rows[name] = statistics.median(got)
        if once:
            before = self.server.cpu()
            self.settle()
            self.rows[name] += (self.server.cpu() - before) / len(got) * 1e3
        print(f"{self.server.name}: {name}: {self.rows[name]:.3f} ({len(got)} × {count})", flush=True)


def commands(n):
    """Rows that are one command in a selected mailbox."""
    k = min(1000, n)
    some = f"{n // 2 - k // 2 + 1}:{n // 2 + k // 2}"
    fields = "BODY.PEEK[HEADER.FIELDS (From To Cc Subject Date Message-ID References Content-Type)]"
    return {
        "SELECT": "SELECT INBOX",
        "FETCH 1:* (FLAGS)": "FETCH 1:* (FLAGS)",
        "UID FETCH 1:* (UID FLAGS RFC822.SIZE)": "UID FETCH 1:* (UID FLAGS RFC822.SIZE)",
        f"ENVELOPE of {k:,}": f"FETCH {some} (ENVELOPE)",
        f"BODYSTRUCTURE of {k:,}": f"FETCH {some} (BODYSTRUCTURE)",
        f"HEADER.FIELDS of {k:,}": f"FETCH {some} ({fields})",
        f"bodies of {k:,}": f"FETCH {some} (BODY.PEEK[])",
        "SEARCH FROM": "SEARCH FROM p17@",
        "SEARCH SUBJECT": "SEARCH SUBJECT ban",
        "SEARCH TEXT, a rare word": f"SEARCH TEXT {RARE}",
        "SEARCH TEXT, in a tenth": "SEARCH TEXT harvest",
        "SEARCH TEXT, a piece of words": "SEARCH TEXT anzibari",
        "SEARCH TEXT, two words": "SEARCH TEXT harvest TEXT lantern",
        "SORT (DATE)": "SORT (DATE) UTF-8 ALL",
        "SORT (REVERSE SUBJECT)": "SORT (REVERSE SUBJECT) UTF-8 ALL",
        "THREAD REFERENCES": "THREAD REFERENCES UTF-8 ALL",
        f"STORE +FLAGS of {n:,}": ["STORE 1:* +FLAGS (\\Flagged)", "STORE 1:* -FLAGS (\\Flagged)"],
        f"STORE +FLAGS of {k:,}": [f"STORE {some} +FLAGS (\\Answered)", f"STORE {some} -FLAGS (\\Answered)"],
    }


def turns(client, words):
    """Says one, then the next."""
    words = words if isinstance(words, list) else [words]
    state = [0]

    def act():
        state[0] += 1
        return client.do(words[(state[0] - 1) % len(words)])
    return act


def read_rows(b, wanted):
    c = Client(b.server, WHO, "INBOX")
    for name, words in commands(b.n).items():
        if wanted(name):
            b.row(name, turns(c, words))
    c.logout()

    def session():
        Client(b.server, WHO, "INBOX").logout()
    if wanted("connect, LOGIN, SELECT, LOGOUT"):
        b.row("connect, LOGIN, SELECT, LOGOUT", session)


def changed_since(b, k):
    """SELECT of one who was away while k were changed and a tenth of that expunged."""
    c = Client(b.server, WHO)
    c.do("ENABLE QRESYNC")
    got = c.do("SELECT INBOX")
    validity, modseq = (int(re.search(rb"\[" + w + rb" (\d+)", got)[1]) for w in
                        (b"UIDVALIDITY", b"HIGHESTMODSEQ"))
    c.do(f"STORE {b.n // 3}:{b.n // 3 + k - 1} +FLAGS.SILENT (changed)")
    c.do(f"STORE {b.n // 5}:{b.n // 5 + k // 10 - 1} +FLAGS.SILENT (\\Deleted)")
    c.do("EXPUNGE")
    c.do("UNSELECT")
    b.row(f"SELECT (QRESYNC), {k:,} changed", lambda: c.do(f"SELECT INBOX (QRESYNC ({validity} {modseq}))"))
    c.logout()


def change_rows(b, wanted):
    k = min(1000, b.n // 10)
    if wanted("QRESYNC"):
        changed_since(b, k)
    if wanted("APPEND"):
        c, mail = Client(b.server, WHO), Mail(2)
        waits = []

        def append():
            for _ in range(k):
                one = mail.next()
                start = time.monotonic()
                c.append("Fresh", [one])
                waits.append(time.monotonic() - start)
        b.row(f"APPEND of {k:,}", append, once=True)
        b.rows["APPEND, p50 ms"] = statistics.median(waits) * 1e3
        c.logout()
    if wanted("MOVE"):
        c = Client(b.server, WHO, "INBOX")

        b.row(f"MOVE of {k:,}", lambda: c.do(f"MOVE 1:{k} Other"), once=True)
        c.logout()


def differences(ours, theirs):
    """Rows that the two answered with other results."""
    out = []
    for name, (size, fetches, found) in ours.said.items():
        other = theirs.said.get(name)
        if other and (other[1] != fetches or other[2] != found):
            out.append(f"{name}: {fetches} {str(found)[:60]} / {other[1]} {str(other[2])[:60]}")
    return out


def table(benches):
    ours, *others = benches
    out = ["| CPU-ms | Gatepost | " + " | ".join(o.server.name for o in others) + " | the faster / Gatepost |",
           "|---|---|" + "---|" * len(others) + "---|"]
    for name, ms in ours.rows.items():
        theirs = [o.rows.get(name) for o in others]
        best = min((t for t in theirs if t), default=None)
        out.append(f"| {name} | {ms:.3g} | " + " | ".join(f"{t:.3g}" if t else "" for t in theirs)
                   + f" | {best / ms:.1f} |" if best else f"| {name} | {ms:.3g} |" + " |" * (len(others) + 1))
    return out


def run(o):
    wanted = lambda name: re.search(o.only, name, re.I) is not None
    people = [WHO] + imap_mixed.PEOPLE
    where = bench.machine()
    servers = [Ours(people, o.settings.replace("\\n", "\n"))]
    servers += [Dovecot(form, 23143 + 100 * n) for n, form in enumerate(o.dovecot.split(",")) if form]
    benches = []
    try:
        for s in servers:
            s.start()
            benches.append(Bench(s, o.messages))
        if any(wanted(name) for name in [*commands(o.messages), "QRESYNC", "APPEND", "MOVE"]):
            with concurrent.futures.ThreadPoolExecutor() as pool:
                list(pool.map(Bench.fill, benches))
            for b in benches:
                b.settle()
            for b in benches:
                read_rows(b, wanted)
            for b in benches:
                change_rows(b, wanted)
        if wanted("mixed"):
            for b in benches:
                imap_mixed.fill(b.server)
            for b in benches:
                b.settle()
                b.rows.update(imap_mixed.measure(b, 20, o.mixed))
        text = [where, "", *table(benches), ""]
        for other in benches[1:]:
            text += [f"Answered otherwise than {other.server.name}: {d}" for d in differences(benches[0], other)]
    finally:
        for s in servers:
            s.end()
    if wanted("idle"):
        text += ["", imap_idle.measure(o.idle)]
    return "\n".join(text)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--quick", action="store_true")
    a.add_argument("--messages", type=int, default=50000)
    a.add_argument("--mixed", type=int, default=200, help="commands of each client")
    a.add_argument("--idle", type=int, default=10000)
    a.add_argument("--dovecot", default="sdbox,maildir")
    a.add_argument("--only", default="")
    a.add_argument("--settings", default="")
    a.add_argument("--dry", action="store_true")
    o = a.parse_args()
    if o.quick:
        o.messages, o.mixed, o.idle = min(o.messages, 3000), 40, 500
    bench.gatepost_users()
    try:
        said = run(o)
    finally:
        peers.remove_places()
    print(said)
    if not o.dry:
        bench.write("imap", said)


if __name__ == "__main__":
    main()
