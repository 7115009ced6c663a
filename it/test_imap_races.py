# SPDX-License-Identifier: ISC
"""Two at the same mailbox: what one does while the other is in the middle of something,
and how soon one that idles hears of it."""
import re
import statistics
import threading
import time

import pytest

from dialogue import Reader
from gatepost import SLOW, Gatepost

PASSWORD = "a pass phrase"
BIG = b"Subject: big\r\n\r\n" + (b"x" * 70 + b"\r\n") * 3000
WAKE = 1.0          # seconds behind the other's answer; 1 ms where nothing else works


class Imap(Reader):
    def __init__(self, g, user, enable=""):
        super().__init__(g, "imap")
        self.answer()
        self.ok(f'LOGIN {user} "{PASSWORD}"')
        if enable:
            self.ok(f"ENABLE {enable}")

    def begin(self, command):
        self.send(b"x %s\r\n" % (command if isinstance(command, bytes) else command.encode()))

    def end(self):
        lines = []
        while not (line := self.answer()).startswith(b"x "):
            lines.append(line)
        return lines, line

    def do(self, command):
        self.begin(command)
        return self.end()

    def ok(self, command):
        lines, done = self.do(command)
        assert done.startswith(b"x OK"), (command[:200], done)
        return lines

    def idle(self):
        self.begin("IDLE")
        while not self.answer().startswith(b"+"):
            pass

    def done(self):
        self.send("DONE\r\n")
        return self.end()

    def wait(self, pattern):
        """Seconds until an answer that matches."""
        start = time.monotonic()
        while not re.search(pattern, heard := self.answer()):
            assert heard.startswith(b"* "), heard
        return time.monotonic() - start

    def ends(self):
        """What is said before it hangs up."""
        lines = []
        while (line := self.line()) is not None:
            lines.append(line)
        return lines

    def append(self, text, count=1, box="INBOX"):
        self.ok(b"APPEND %s" % box.encode() + b" {%d+}\r\n%s" % (len(text), text) * count)


@pytest.fixture(scope="module")
def server():
    g = Gatepost(server="plain_loopback = yes")
    g.verb("domain", "add", "example.test")
    yield g.start()
    g.audit()
    assert g.stop() == 0
    g.verb("verify")
    g.remove()


@pytest.fixture
def user(server):
    name = f"u{time.monotonic_ns()}@example.test"
    server.verb("account", "add", name, "--password-stdin", stdin=PASSWORD + "\n")
    return name


@pytest.fixture
def two(server, user):
    made = [Imap(server, user), Imap(server, user)]
    yield made
    for i in made:
        i.close()


def small(n):
    return b"Subject: %d\r\n\r\nText.\r\n" % n


def uids(i):
    return [int(re.search(rb"UID (\d+)", line)[1]) for line in i.ok("FETCH 1:* UID")
            if b" FETCH (" in line]


def test_what_is_expunged_while_a_slow_reader_fetches_comes_whole(two):
    a, b = two
    a.append(BIG, 40)
    a.ok("SELECT INBOX")
    b.ok("SELECT INBOX")
    b.begin("FETCH 1:40 BODY.PEEK[]")
    first = b.answer()          # the rest waits in the server
    a.ok("STORE 1:40 +FLAGS.SILENT (\\Deleted)")
    a.ok("EXPUNGE")
    time.sleep(0.3)
    lines, done = b.end()
    bodies = [l for l in [first] + lines if b"BODY[]" in l]
    assert not any(b"EXPUNGE" in l for l in lines)      # RFC 3501 7.4.1
    assert bodies and all(BIG in l for l in bodies)
    # of those that were gone before their turn it says so (RFC 2180 4.1.2)
    assert done.startswith(b"x OK") if len(bodies) == 40 else done.startswith(b"x NO")
    lines, _ = b.do("NOOP")
    assert len([l for l in lines if b"EXPUNGE" in l]) == 40
    assert b"* 0 EXISTS" in lines or not [l for l in lines if b"EXISTS" in l]


def test_a_mailbox_that_is_renamed_stays_selected(two):
    a, b = two
    a.ok("CREATE one")
    a.append(small(1), 1, "one")
    b.ok("SELECT one")
    a.ok("RENAME one two")
    assert any(b"UID 1" in l for l in b.ok("FETCH 1 UID"))
    a.append(small(2), 1, "two")
    assert b"* 2 EXISTS" in b.ok("NOOP")
    assert any(b"\\Seen" in l for l in b.ok("STORE 1 +FLAGS (\\Seen)"))
    assert any(b"UNSEEN 1" in l for l in a.ok("STATUS two (UNSEEN)"))


def test_a_mailbox_that_is_deleted_ends_who_idles_in_it(two, server, user):
    a, b = two
    a.ok("CREATE one")
    a.append(small(1), 1, "one")
    b.ok("SELECT one")
    b.idle()
    a.ok("DELETE one")
    assert b.wait(rb"\* BYE") < WAKE * SLOW
    assert not any(line.startswith("x OK") for line in b.ends())
    with Imap(server, user) as c:
        assert c.do("SELECT one")[1].startswith(b"x NO [NONEXISTENT]")


def test_a_mailbox_that_is_deleted_ends_who_is_in_it_with_the_next_command(two):
    a, b = two
    a.ok("CREATE one")
    a.append(small(1), 1, "one")
    b.ok("SELECT one")
    a.ok("DELETE one")
    b.send("x FETCH 1 UID\r\ny NOOP\r\n")
    said = b.ends()
    assert [line[:5] for line in said[-2:]] == ["* BYE", "x OK "]


def test_both_store_and_both_know(two):
    a, b = two
    a.append(small(1), 20)
    for i in two:
        i.ok("SELECT INBOX")

    def mark(i, flag):
        for _ in range(10):
            i.ok(f"STORE 1:20 +FLAGS.SILENT ({flag})")
            i.ok(f"STORE 1:20 -FLAGS.SILENT ({flag})")
        i.ok(f"STORE 1:20 +FLAGS.SILENT ({flag})")

    at_once(lambda: mark(a, "from-a"), lambda: mark(b, "from-b"))
    for i in two:
        i.ok("NOOP")
        rows = [l for l in i.ok("FETCH 1:20 FLAGS") if b"FETCH" in l]
        assert len(rows) == 20 and all(b"from-a" in l and b"from-b" in l for l in rows)


def at_once(*what):
    wrong = []

    def one(call):
        try:
            call()
        except Exception as e:      # noqa: BLE001 shown below
            wrong.append(e)
    threads = [threading.Thread(target=one, args=(call,)) for call in what]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60 * SLOW)
    assert not wrong, wrong


def test_two_that_move_the_same_move_each_once(two):
    a, b = two
    a.append(small(1), 60)
    for i in two:
        i.ok("CREATE there" if i is a else "NOOP")
        i.ok("SELECT INBOX")
    at_once(*(lambda i=i: [i.do(f"UID MOVE {n}:{n + 5} there") for n in range(1, 61, 3)] for i in two))
    assert any(b"MESSAGES 60" in l for l in a.ok("STATUS there (MESSAGES)"))
    assert any(b"MESSAGES 0" in l for l in a.ok("STATUS INBOX (MESSAGES)"))


def test_who_searches_while_another_appends_sees_a_beginning_of_it(two):
    a, b = two
    a.append(small(1), 5)
    b.ok("SELECT INBOX")
    stop = threading.Event()

    def append():
        try:
            for n in range(60):
                a.append(small(n))
        finally:
            stop.set()

    def search():
        last = 5
        while not stop.is_set():
            lines = b.ok("UID SEARCH ALL")
            found = next(l for l in lines if l.startswith(b"* SEARCH")).split()[2:]
            assert found == [b"%d" % n for n in range(1, len(found) + 1)] and len(found) >= last
            last = len(found)
            b.ok("NOOP")
    at_once(append, search)
    b.ok("NOOP")
    assert uids(b) == list(range(1, 66))


def test_a_mailbox_that_an_operator_brings_back_can_be_read(two, server, user):
    a, b = two
    a.ok("CREATE gone")
    a.append(small(7), 3, "gone")
    a.ok("DELETE gone")
    assert b.do("SELECT gone")[1].startswith(b"x NO [NONEXISTENT]")
    server.verb("mailbox", "restore", user, "gone")
    lines = b.ok("SELECT gone")
    assert b"* 3 EXISTS" in lines
    assert any(small(7) in l for l in b.ok("FETCH 2 BODY.PEEK[]"))


def test_who_idles_hears_at_once(two, server, user):
    a, b = two
    b.ok("SELECT INBOX")
    b.idle()
    took = {"delivery": [], "flags": [], "append": [], "expunge": []}
    for n in range(1, 9):
        code, _ = server.send(user, subject=f"number {n}")
        assert code == 250
        took["delivery"].append(b.wait(rb"\* %d EXISTS" % n))
    a.ok("SELECT INBOX")
    for n in range(1, 9):
        a.ok(f"STORE {n} +FLAGS.SILENT (\\Flagged)")
        took["flags"].append(b.wait(rb"\* %d FETCH .*Flagged" % n))
    for n in range(9, 13):
        a.append(small(n))
        took["append"].append(b.wait(rb"\* %d EXISTS" % n))
    for _ in range(4):
        a.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
        a.ok("EXPUNGE")
        took["expunge"].append(b.wait(rb"\* 1 EXPUNGE"))
    lines, done = b.done()
    assert done.startswith(b"x OK")
    for what, seconds in took.items():
        print(f"IDLE woken by {what}: median {1000 * statistics.median(seconds):.1f} ms, "
              f"worst {1000 * max(seconds):.1f} ms")
        assert max(seconds) < WAKE * SLOW


def test_who_idles_hears_of_what_pop3_takes_away(two, server, user):
    a, b = two
    a.append(small(1), 3)
    b.ok("SELECT INBOX")
    b.idle()
    p = Reader(server, "pop3")
    p.send(f"USER {user}\r\nPASS {PASSWORD}\r\nDELE 2\r\n")
    for _ in range(4):
        assert p.answer().startswith(b"+OK")
    p.send("QUIT\r\n")
    assert p.answer().startswith(b"+OK")
    took = b.wait(rb"\* 2 EXPUNGE")
    print(f"IDLE woken by POP3: {1000 * took:.1f} ms")
    assert took < WAKE * SLOW
    b.done()
    assert uids(b) == [1, 3]
    p.close()
