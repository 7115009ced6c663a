# SPDX-License-Identifier: ISC
"""APPEND, MULTIAPPEND and REPLACE: what is taken, what is refused and when, and that a
message's bytes are never read as commands."""
import re
import shutil
import threading
import time

import pytest

from clamd import wait_for
from gatepost import SLOW, Raw

A = "alice@example.test"
PASSWORD = "a pass phrase"
MEGABYTE = 1048576
MESSAGE = (b"Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\n"
           b"From: Fred Foobar <foobar@Blurdybloop.example>\r\n"
           b"Subject: afternoon meeting\r\n\r\n"
           b"Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n")


class Imap(Raw):
    def __init__(self, g):
        super().__init__(143 + g.offset)
        assert self.line().startswith("* OK")
        self.ok(f'LOGIN {A} "{PASSWORD}"')

    def answer(self, tag):
        """Untagged lines and the tagged one, without its tag; literals as they are."""
        lines = []
        while True:
            line = self.line()
            assert line is not None, f"closed after {lines}"
            if line.startswith(tag + " "):
                return lines, line[len(tag) + 1:]
            lines.append(line)

    def do(self, command):
        self.send((command if isinstance(command, bytes) else command.encode()).join(
            [b"x ", b"\r\n"]))
        return self.answer("x")

    def ok(self, command):
        lines, answer = self.do(command)
        assert answer.startswith("OK"), f"{command[:100]!r}: {answer}"
        return lines, answer

    def no(self, command, code):
        _, answer = self.do(command)
        assert answer.startswith(f"NO [{code}]"), f"{command[:100]!r}: {answer}"

    def count(self, mailbox="INBOX"):
        lines, _ = self.ok(f"STATUS {mailbox} (MESSAGES)")
        return int(re.search(r"MESSAGES (\d+)", lines[0])[1])

    def read(self, uid):
        """A message of the selected mailbox, as bytes."""
        self.send(f"x UID FETCH {uid} BINARY.PEEK[]\r\n")
        return self.literal()

    def literal(self):
        size = int(re.search(r"\{(\d+)\}$", self.line())[1])
        while len(self.buffer) < size:
            self.buffer += self.sock.recv(65536)
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        self.answer("x")
        return data


def plus(data, binary=False):
    """As a literal that nobody waits for."""
    return b"%s{%d+}\r\n%s" % (b"~" if binary else b"", len(data), data)


@pytest.fixture(scope="module")
def server():
    from gatepost import Gatepost
    g = Gatepost(server="plain_loopback = yes", settings="[imap]\nappend_most = 1M")
    g.verb("domain", "add", "example.test")
    g.verb("account", "add", A, "--password-stdin", stdin=PASSWORD + "\n")
    yield g.start()
    g.audit()
    assert g.stop() == 0
    g.audit()
    g.verb("verify")
    g.remove()


@pytest.fixture
def imap(server):
    with Imap(server) as i:
        yield i


@pytest.fixture
def fresh(imap):
    """A mailbox of its own, selected."""
    name = f"box{time.monotonic_ns()}"
    imap.ok(f"CREATE {name}")
    imap.ok(f"SELECT {name}")
    imap.name = name
    return imap


def test_the_rfcs_example_with_a_literal_that_waits(fresh):
    fresh.send(f"A003 APPEND {fresh.name} (\\Seen) {{{len(MESSAGE)}}}\r\n")
    assert fresh.line().startswith("+ ")
    fresh.send(MESSAGE + b"\r\n")
    lines, answer = fresh.answer("A003")
    assert re.match(r"OK \[APPENDUID \d+ 1\] ", answer)
    assert "* 1 EXISTS" in lines
    assert fresh.read(1) == MESSAGE
    lines, _ = fresh.ok("FETCH 1 FLAGS")
    assert "\\Seen" in lines[0]


def test_flags_keywords_and_dates_are_kept(fresh):
    fresh.ok(b"APPEND %s (\\Flagged blue $Forwarded) \" 7-Feb-1994 21:52:25 -0800\" %s"
             % (fresh.name.encode(), plus(MESSAGE)))
    lines, _ = fresh.ok("FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)")
    for word in ("\\Flagged", "blue", "$Forwarded", f"RFC822.SIZE {len(MESSAGE)}",
                 '8-Feb-1994 05:52:25 +0000"'):
        assert word in lines[0], lines


def test_a_name_may_be_a_literal_too(fresh):
    name = fresh.name.encode()
    fresh.ok(b"APPEND " + plus(name) + b" (\\Seen) " + plus(MESSAGE))
    assert fresh.count(fresh.name) == 1


def test_what_came_is_given_back_byte_for_byte(fresh):
    odd = b"Subject: \xe4\xf6\xfc bare\n\rand\r\n\n\nlast line without its end \xff"
    fresh.ok(b"APPEND %s %s" % (fresh.name.encode(), plus(odd)))
    nul = b"Subject: nul\r\nContent-Transfer-Encoding: binary\r\n\r\na\0b\0\r\n"
    fresh.ok(b"APPEND %s %s" % (fresh.name.encode(), plus(nul, binary=True)))
    fresh.send("x UID FETCH 1 BODY.PEEK[]\r\n")
    assert fresh.literal() == odd
    assert fresh.read(2) == nul


def test_nul_is_for_binary_literals(fresh):
    _, answer = fresh.do(b"APPEND %s %s" % (fresh.name.encode(), plus(b"a\0b")))
    assert answer.startswith("BAD"), answer
    assert fresh.count(fresh.name) == 0


def test_utf8_is_taken_once_it_is_enabled(fresh):
    text = "Subject: grün\r\n\r\nÄ\r\n".encode()
    command = b"APPEND %s UTF8 (%s)" % (fresh.name.encode(), plus(text, binary=True))
    fresh.no(command, "CANNOT")
    fresh.ok("ENABLE UTF8=ACCEPT")
    fresh.ok(command)
    assert fresh.read(1) == text


def test_several_messages_are_all_there_or_none(fresh):
    name = fresh.name.encode()
    _, answer = fresh.ok(b"APPEND %s (\\Seen) %s (\\Draft) %s %s"
                         % (name, plus(b"a: 1\r\n\r\n"), plus(b"b"), plus(b"c")))
    assert re.match(r"OK \[APPENDUID \d+ 1:3\]", answer), answer
    _, answer = fresh.do(b"APPEND %s %s %s" % (name, plus(b"d"), plus(b"")))
    assert answer.startswith("NO"), answer
    _, answer = fresh.do(b"APPEND %s %s (\\Bogus) %s" % (name, plus(b"d"), plus(b"e")))
    assert answer.startswith("BAD"), answer
    assert fresh.count(fresh.name) == 3


def test_a_hundred_and_one_messages_are_too_many(fresh):
    name = fresh.name.encode()
    most = b" ".join(plus(b"m%d" % n) for n in range(100))
    _, answer = fresh.ok(b"APPEND %s %s" % (name, most))
    assert "1:100]" in answer
    fresh.no(b"APPEND %s %s %s" % (name, most, plus(b"more")), "LIMIT")
    assert fresh.count(fresh.name) == 100


def test_a_mailbox_that_is_not_there_is_told_before_the_message(imap):
    imap.send("y APPEND nowhere {2000}\r\n")
    assert imap.line().startswith("y NO [TRYCREATE]")
    imap.no(b"APPEND nowhere " + plus(MESSAGE), "TRYCREATE")
    imap.ok("NOOP")


def test_an_empty_message_cancels(imap):
    imap.send("y APPEND INBOX {0}\r\n")
    assert imap.line().startswith("y NO ")
    imap.ok("NOOP")


def test_what_is_too_large_is_refused_unread_or_thrown_away(fresh):
    fresh.send(f"y APPEND {fresh.name} {{{MEGABYTE + 1}}}\r\n")
    assert fresh.line().startswith("y NO [TOOBIG]")
    fresh.no(b"APPEND %s %s" % (fresh.name.encode(), plus(b"x" * (2 * MEGABYTE))), "TOOBIG")
    fresh.ok(b"APPEND %s %s" % (fresh.name.encode(), plus(b"x" * MEGABYTE)))
    assert fresh.count(fresh.name) == 1


def test_what_is_absurd_ends_the_session(imap):
    imap.send(f"y APPEND INBOX {{{2 ** 40}+}}\r\n")
    assert imap.line().startswith("* BYE")
    while imap.line() is not None:
        pass


def test_a_refused_message_is_not_read_as_commands(fresh):
    """A stranger may have written it."""
    evil = b"\r\nz DELETE %s\r\nz LOGOUT\r\n" % fresh.name.encode()
    for command in (b"APPEND nowhere " + plus(evil),
                    b"APPEND %s (\\Bogus) " % fresh.name.encode() + plus(evil),
                    b"APPEND %s nonsense " % fresh.name.encode() + plus(evil),
                    b"APPEND %s UTF8 (" % fresh.name.encode() + plus(evil) + b")",
                    b"APPEND %s " % fresh.name.encode() + plus(b"\0") + b" " + plus(evil),
                    b"REPLACE 9 %s " % fresh.name.encode() + plus(evil),
                    b"UID REPLACE x %s " % fresh.name.encode() + plus(evil),
                    b"APPEND " + plus(b"nowhere") + b" " + plus(evil),
                    b'APPEND "bad name' + plus(evil)):
        lines, answer = fresh.do(command)
        assert answer[:2] in ("NO", "BA"), (command, answer)
        assert not [line for line in lines if line.startswith("z ")], (command, lines)
    fresh.ok("NOOP")
    assert fresh.count(fresh.name) == 0


def test_words_that_are_wrong_are_bad(fresh):
    for command in ("APPEND", f"APPEND {fresh.name}", f"APPEND {fresh.name} (\\Seen)",
                    f"APPEND {fresh.name} (\\Seen) \"yesterday\" {{5}}", "REPLACE",
                    f"REPLACE 1 {fresh.name}", f"APPEND {fresh.name} {{5}} more",
                    f"UID REPLACE * {fresh.name} {{5}}"):
        _, answer = fresh.do(command)
        assert answer.startswith("BAD"), (command, answer)


def test_replace_puts_a_message_in_anothers_place(fresh):
    name = fresh.name.encode()
    for n in range(3):
        fresh.ok(b"APPEND %s (\\Flagged) " % name + plus(b"Subject: %d\r\n\r\n" % n))
    fresh.ok("NOOP")
    lines, answer = fresh.ok(b"REPLACE 2 %s (\\Draft) " % name + plus(b"new"))
    assert re.match(r"\* OK \[APPENDUID \d+ 4\]", lines[0]), lines
    assert "* 2 EXPUNGE" in lines and "APPENDUID" not in answer
    assert fresh.read(4) == b"new"
    lines, _ = fresh.ok("UID FETCH 4 FLAGS")
    assert "\\Draft" in lines[0] and "\\Flagged" not in lines[0]
    lines, _ = fresh.ok(b"UID REPLACE 4 INBOX " + plus(b"newer"))
    assert fresh.count(fresh.name) == 2
    _, answer = fresh.do(b"UID REPLACE 2 %s " % name + plus(b"x"))
    assert answer.startswith("NO"), answer
    _, answer = fresh.do(b"REPLACE 3 %s " % name + plus(b"x"))
    assert answer.startswith("BAD"), answer
    fresh.ok(f"EXAMINE {fresh.name}")
    _, answer = fresh.do(b"UID REPLACE 1 %s " % name + plus(b"x"))
    assert answer.startswith("NO"), answer
    fresh.ok("UNSELECT")
    _, answer = fresh.do(b"UID REPLACE 1 %s " % name + plus(b"x"))
    assert answer.startswith("BAD"), answer
    assert fresh.count(fresh.name) == 2


def test_a_message_that_comes_byte_by_byte(fresh):
    data = b"y APPEND %s (\\Seen) %s %s\r\n" % (fresh.name.encode(), plus(b"ab\r\n"), plus(b"c"))
    for n in range(len(data)):
        fresh.send(data[n:n + 1])
        time.sleep(0.001)
    _, answer = fresh.answer("y")
    assert answer.startswith("OK"), answer
    assert fresh.count(fresh.name) == 2


def test_a_client_that_leaves_in_the_middle_leaves_nothing(server, fresh):
    with Imap(server) as other:
        other.send(b"y APPEND %s " % fresh.name.encode() + plus(b"whole") + b" {500+}\r\nhalf")
    fresh.ok("NOOP")
    assert fresh.count(fresh.name) == 0


def test_many_commands_at_once_are_done_in_their_order(fresh):
    data = b"".join(b"y%d APPEND %s %s\r\n" % (n, fresh.name.encode(), plus(b"n: %d\r\n\r\n" % n))
                    for n in range(20))
    fresh.send(data)
    for n in range(20):
        _, answer = fresh.answer(f"y{n}")
        assert re.match(rf"OK \[APPENDUID \d+ {n + 1}\]", answer), answer


def test_a_full_account_is_told_before_the_message(server, fresh):
    name = fresh.name.encode()
    fresh.ok(b"APPEND %s " % name + plus(b"x" * 300000))
    server.verb("account", "quota", A, "1300000")
    try:
        fresh.send(f"y APPEND {fresh.name} {{1040000}}\r\n")
        line = fresh.line()
        assert line.startswith("y NO [OVERQUOTA]"), line
        fresh.no(b"APPEND %s %s" % (name, b" ".join([plus(b"y" * 500000)] * 3)), "OVERQUOTA")
        assert fresh.count(fresh.name) == 1
        fresh.ok(b"UID REPLACE 1 %s " % name + plus(b"z" * 300000))
        fresh.no(b"UID REPLACE 2 %s " % name + plus(b"z" * 1040000), "OVERQUOTA")
    finally:
        server.verb("account", "quota", A, "0")


def everything(g, mailbox):
    """Flags, date and bytes of each message."""
    with Imap(g) as i:
        i.ok(f"SELECT {mailbox}")
        lines, _ = i.ok("UID FETCH 1:* (UID FLAGS INTERNALDATE)")
        out = []
        for line in lines:
            uid = re.search(r"UID (\d+)", line)
            if uid:
                flags = re.search(r"FLAGS \(([^)]*)\)", line)[1].split()
                out.append((sorted(set(flags) - {"\\Recent"}),
                            re.search(r'INTERNALDATE "([^"]*)"', line)[1], i.read(uid[1])))
        return out


def test_a_backup_gives_mailboxes_flags_and_dates_back(gatepost, tmp_path):
    g = gatepost(start=False, server="plain_loopback = yes")
    g.verb("domain", "add", "example.test")
    g.verb("account", "add", A, "--password-stdin", stdin=PASSWORD + "\n")
    g.start()
    assert g.send(A)[0] == 250
    g.wait_mail(A, 1)
    with Imap(g) as i:
        i.ok("CREATE work/red")
        i.ok(b'APPEND work/red (\\Seen blue) " 7-Feb-1994 21:52:25 -0800" ' + plus(MESSAGE))
        i.ok(b"APPEND Drafts (\\Draft) " + plus(b"bare\nline"))
        i.ok("SELECT INBOX")
        i.ok("STORE 1 +FLAGS (\\Answered $Forwarded)")
    names = ["INBOX", "work/red", "Drafts"]
    was = {name: everything(g, name) for name in names}
    assert all(len(mails) == 1 for mails in was.values())
    assert was["INBOX"][0][2].startswith(b"Received:") or b"Received:" in was["INBOX"][0][2]
    g.verb("backup", tmp_path / "backup")
    with Imap(g) as i:
        for name in ("INBOX", "Drafts"):
            i.ok(f"SELECT {name}")
            i.ok("STORE 1 +FLAGS (\\Deleted)")
            i.ok("EXPUNGE")
        i.ok("CLOSE")
        i.ok("DELETE work/red")
    assert g.stop() == 0
    g.verb("restore", tmp_path / "backup", "--account", A)
    g.verb("restore", tmp_path / "backup", "--account", A)
    g.audit()
    g.verb("verify")
    g.start()
    assert {name: everything(g, name) for name in names} == was
    assert g.stop() == 0
    g.audit()


def test_a_backup_while_readers_append_is_sound(gatepost, tmp_path):
    g = gatepost(start=False, server="plain_loopback = yes", settings="[store]\ncheckpoint = 1s")
    g.verb("domain", "add", "example.test")
    g.verb("account", "add", A, "--password-stdin", stdin=PASSWORD + "\n")
    g.start()
    stop, done, told = threading.Event(), [], []

    def load(n):
        with Imap(g) as i:
            while not stop.is_set():
                text = b"Subject: %d.%d\r\n\r\n" % (n, len(done))
                _, answer = i.do(b"APPEND Archive " + plus(text))
                done.append(answer)
                if len(done) % 3 == 0:
                    i.ok("SELECT Archive")
                    i.do("STORE 1 +FLAGS (\\Deleted)")	# or somebody else did
                    i.ok("EXPUNGE")

    threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    try:
        for n in range(3):
            assert wait_for(lambda: len(done) >= 40 * (n + 1), 60 * SLOW)
            told.append(len(done))
            g.verb("backup", tmp_path / f"backup{n}")
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert all(answer.startswith("OK") for answer in done), done
    assert g.stop() == 0
    g.audit()
    for n in range(3):
        shutil.rmtree(g.data)
        g.verb("restore", tmp_path / f"backup{n}")
        g.verb("verify")
        g.audit()
        g.start()
        with Imap(g) as i:
            assert i.count("Archive") >= told[n] - told[n] // 3 - 4
            # none that a reader may have seen after the backup
            _, answer = i.ok(b"APPEND Archive " + plus(MESSAGE))
            assert int(re.search(r"APPENDUID \d+ (\d+)", answer).group(1)) > 1000000
        assert g.stop() == 0
        g.audit()
