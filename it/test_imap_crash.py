# SPDX-License-Identifier: ISC
"""kill -9 of house again and again while 20 clients change their mailboxes over IMAP: what
was answered OK is so afterwards, what was not is done wholly or not at all, no UID is
ever another message, UIDVALIDITY stays.

Small by default; GATEPOST_IMAP_KILLS=300 is the whole.
"""
import os
import random
import re
import signal
import socket
import threading
import time

from gatepost import SLOW

KILLS = int(os.environ.get("GATEPOST_IMAP_KILLS", 20 // SLOW))
CLIENTS = 20
STEPS = 50	# done by all of them together between two kills
PEOPLE = [f"p{n}@example.test" for n in range(4)]
PASSWORD = "a pass phrase for all"
MOST = 30	# messages in a mailbox, then some go


class Lost(Exception):
    """The connection ended before the answer."""


class Client:
    """As much of IMAP as this needs."""

    def __init__(self, g, address):
        self.tag = 0
        try:
            self.socket = socket.create_connection(("127.0.0.1", 143 + g.offset), 30 * SLOW)
            self.file = self.socket.makefile("rb")
            if not self.line().startswith(b"* OK"):
                raise Lost("no greeting")
            self.ok(f'LOGIN {address} "{PASSWORD}"')
        except OSError as e:
            raise Lost(str(e)) from e

    def close(self):
        self.socket.close()

    def line(self):
        """A line, with its literals where they stood."""
        out = b""
        while True:
            try:
                line = self.file.readline()
            except OSError as e:
                raise Lost(str(e)) from e
            if not line.endswith(b"\r\n"):
                raise Lost("end of stream")
            literal = re.search(rb"\{(\d+)\}\r\n$", line)
            if not literal:
                return out + line[:-2]
            body = self.file.read(int(literal[1]))
            if len(body) != int(literal[1]):
                raise Lost("end of stream")
            out += line[:literal.start()] + b'"' + body.strip() + b'"'

    def do(self, *words):
        """Text, and bytes as non-synchronising literals: (untagged lines, the tagged one)."""
        self.tag += 1
        tag = f"t{self.tag}"
        data = tag.encode()
        for word in words:
            data += b" " + word.encode() if isinstance(word, str) else \
                b" {%d+}\r\n" % len(word) + word
        try:
            self.socket.sendall(data + b"\r\n")
        except OSError as e:
            raise Lost(str(e)) from e
        lines = []
        while True:
            line = self.line()
            if line.startswith(tag.encode() + b" "):
                return lines, line[len(tag) + 1:].decode()
            if line.startswith(b"* BYE"):
                raise Lost("BYE")
            lines.append(line.decode())

    def ok(self, *words):
        lines, answer = self.do(*words)
        assert answer.startswith("OK"), f"{words}: {answer}"
        return lines, answer

    def read(self, mailbox):
        """(UIDVALIDITY, UIDNEXT, {uid: (subject, flags)})"""
        lines, _ = self.ok(f"SELECT {mailbox}")
        code = {m[1]: int(m[2]) for m in re.finditer(r"\[(\w+) (\d+)\]", " ".join(lines))}
        rows = {}
        lines, _ = self.ok("UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        for line in lines:
            uid, flags = re.search(r"\bUID (\d+)", line), re.search(r"FLAGS \(([^)]*)\)", line)
            subject = re.search(r"Subject: ([\d.]+)", line)
            if subject:
                rows[int(uid[1])] = (subject[1], frozenset(flags[1].split()) - {"\\Recent"})
        return code["UIDVALIDITY"], code["UIDNEXT"], rows


class Box:
    """A mailbox of one client, as it was told."""

    def __init__(self, name):
        self.name = name
        self.uidvalidity = None
        self.rows = {}		# uid: (subject, flags)
        self.heard = {}		# of every UID there ever was: the subject
        self.next = 1		# UIDs below are given

    def hear(self, uid, subject):
        assert self.heard.setdefault(uid, subject) == subject, \
            f"{self.name}: UID {uid} was {self.heard[uid]} and is {subject}"
        self.next = max(self.next, uid + 1)


class Change:
    """What a command does to one mailbox if it is done."""

    def __init__(self, box, gone=(), flags=None, new=()):
        self.box, self.gone, self.flags, self.new = box, set(gone), flags or {}, list(new)

    def wanted(self):
        return {uid: (subject, self.flags.get(uid, flags))
                for uid, (subject, flags) in self.box.rows.items() if uid not in self.gone}


class Reader(threading.Thread):
    """One client, with two mailboxes of its own in an account that it shares."""

    def __init__(self, g, number, gate):
        super().__init__()
        self.g, self.number, self.gate = g, number, gate
        self.random = random.Random(number)
        self.work, self.kept = Box(f"work{number}"), Box(f"kept{number}")
        self.selected = None
        self.count = self.done = self.lost = 0
        self.client = None
        self.failure = None
        self.finished = False
        self.pending = []	# changes of the command that was not answered

    def run(self):
        try:
            while not self.finished:
                self.one()
        except BaseException as e:  # noqa: B902: told by the main thread
            self.failure = f"{self.name}, after {self.done} commands: {e!r}"
        finally:
            if self.client:
                self.client.close()

    def one(self):
        try:
            if not self.client:
                self.selected = None
                self.client = Client(self.g, PEOPLE[self.number % len(PEOPLE)])
                self.reconcile()
            self.step()
            self.done += 1
            self.gate.tick()
        except Lost:
            self.lost += 1
            if self.client:
                self.client.close()
            self.client = None
            time.sleep(0.02)

    # --- what is there, and what was told ---

    def reconcile(self):
        """After a kill: each mailbox is as it was told, or as the command that was under
        way would have made it, and both of them together."""
        for box in (self.work, self.kept):
            if box.uidvalidity is None:
                _, answer = self.client.do(f"CREATE {box.name}")
                assert answer.startswith("OK") or "ALREADYEXISTS" in answer, answer
        found = {box: self.client.read(box.name) for box in (self.work, self.kept)}
        self.selected = None
        for box, (uidvalidity, uidnext, rows) in found.items():
            box.uidvalidity = box.uidvalidity or uidvalidity
            assert uidvalidity == box.uidvalidity, f"{box.name}: UIDVALIDITY changed"
            assert uidnext >= box.next, f"{box.name}: UIDNEXT {uidnext} is below {box.next}"
        why = []
        for pending in ([], self.pending):
            wrong = self.differences(found, pending)
            if not wrong:
                break
            why.append(wrong)
        else:
            raise AssertionError(f"before the lost command: {why[0]}; after it: {why[-1]}")
        for box, (_, uidnext, rows) in found.items():
            box.rows = rows
            for uid, (subject, _) in rows.items():
                box.hear(uid, subject)
            box.next = max(box.next, uidnext)
        self.pending = []

    def differences(self, found, pending):
        out = []
        for box, (_, _, rows) in found.items():
            change = next((c for c in pending if c.box is box), Change(box))
            want = change.wanted()
            old = {uid: row for uid, row in rows.items() if uid < box.next}
            new = [row for uid, row in sorted(rows.items()) if uid >= box.next]
            if old != want:
                out.append(f"{box.name}: "
                           f"{sorted(set(old.items()) ^ set(want.items()), key=repr)[:6]}")
            if new != change.new:
                out.append(f"{box.name}: new are {new[:3]}, not {change.new[:3]}")
        return out

    def adopt(self, uids):
        """The command was answered OK; UIDs of what is new are known, by mailbox."""
        for change in self.pending:
            box = change.box
            box.rows = change.wanted()
            told = uids.get(box, [])
            assert len(told) == len(change.new), f"{box.name}: {told} for {change.new}"
            for uid, row in zip(told, change.new):
                assert uid >= box.next, f"{box.name}: UID {uid} again"
                box.hear(uid, row[0])
                box.rows[uid] = row
        self.pending = []

    # --- commands ---

    def step(self):
        rows = len(self.work.rows)
        if rows < 3:
            return self.append(self.random.choice([1, 1, 3]))
        if rows > MOST or len(self.kept.rows) > MOST:
            return self.expunge(self.work if rows > MOST else self.kept)
        self.random.choices(
            [lambda: self.append(1), lambda: self.append(3), self.store, self.replace,
             lambda: self.carry("MOVE"), lambda: self.carry("COPY"),
             lambda: self.expunge(self.work)], [5, 2, 8, 3, 3, 2, 2])[0]()

    def say(self, *words):
        """A command that changes something: its answer's code, with OK."""
        lines, answer = self.client.do(*words)
        if not answer.startswith("OK"):
            self.pending = []
            assert "UNAVAILABLE" in answer, f"{words[0]}: {answer}"
            return None
        m = re.search(r"\[((?:APPEND|COPY)UID) ([^]]*)\]", " ".join([answer] + lines))
        return m[2].split() if m else []

    def select(self, box):
        if self.selected is not box:
            self.client.ok(f"SELECT {box.name}")
            self.selected = box

    def some(self, box, most):
        return sorted(self.random.sample(sorted(box.rows), min(len(box.rows), most)))

    def message(self):
        self.count += 1
        subject = f"{self.number}.{self.count}.{os.getpid()}"
        body = "x" * self.random.randint(0, 3000)
        return subject, (f"From: <a@b.example>\r\nSubject: {subject}\r\n\r\n{body}\r\n").encode()

    def uids(self, code, box, want):
        assert int(code[0]) == box.uidvalidity, f"{box.name}: UIDVALIDITY {code[0]}"
        uids = numbers(code[-1])
        assert len(uids) == want, f"{code} for {want} messages"
        return {box: uids}

    def append(self, n):
        words, new = [f"APPEND {self.work.name}"], []
        for _ in range(n):
            subject, text = self.message()
            flags = self.random.choice(["\\Seen", "\\Draft blue", ""])
            words += [f"({flags})", text]
            new.append((subject, frozenset(flags.split())))
        self.pending = [Change(self.work, new=new)]
        code = self.say(*words)
        if code is not None:
            self.adopt(self.uids(code, self.work, n))

    def replace(self):
        self.select(self.work)
        uid, = self.some(self.work, 1)
        subject, text = self.message()
        self.pending = [Change(self.work, gone=[uid], new=[(subject, frozenset(["\\Seen"]))])]
        code = self.say(f"UID REPLACE {uid} {self.work.name} (\\Seen)", text)
        if code is not None:
            self.adopt(self.uids(code, self.work, 1))

    def store(self):
        self.select(self.work)
        uids = self.some(self.work, 5)
        how, flags = self.random.choice(["+", "-", ""]), self.random.choice(
            [["\\Seen"], ["\\Flagged", "$Forwarded"], ["blue"], ["\\Answered", "\\Draft"]])
        after = {}
        for uid in uids:
            was = self.work.rows[uid][1]
            after[uid] = frozenset({"+": was | set(flags), "-": was - set(flags),
                                    "": set(flags)}[how])
        self.pending = [Change(self.work, flags=after)]
        if self.say(f"UID STORE {sequence(uids)} {how}FLAGS.SILENT ({' '.join(flags)})") is not None:
            self.adopt({})

    def carry(self, verb):
        self.select(self.work)
        uids = self.some(self.work, 4)
        new = [self.work.rows[uid] for uid in uids]
        self.pending = [Change(self.kept, new=new)]
        if verb == "MOVE":
            self.pending.append(Change(self.work, gone=uids))
        code = self.say(f"UID {verb} {sequence(uids)} {self.kept.name}")
        if code is not None:
            assert numbers(code[1]) == uids, code
            self.adopt(self.uids(code, self.kept, len(uids)))

    def expunge(self, box):
        """Two commands: each of them is done or not."""
        self.select(box)
        uids = self.some(box, 6)
        self.pending = [Change(box, flags={u: box.rows[u][1] | {"\\Deleted"} for u in uids})]
        if self.say(f"UID STORE {sequence(uids)} +FLAGS.SILENT (\\Deleted)") is None:
            return
        self.adopt({})
        self.pending = [Change(box, gone=uids)]
        if self.say(f"UID EXPUNGE {sequence(uids)}") is not None:
            self.adopt({})


def sequence(uids):
    return ",".join(map(str, uids))


def numbers(text):
    out = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        out += range(int(first), int(last or first) + 1)
    return out


class Gate:
    """Counts what was done."""

    def __init__(self):
        self.done = 0
        self.moved = threading.Condition()

    def tick(self):
        with self.moved:
            self.done += 1
            self.moved.notify_all()

    def wait(self, target, readers):
        with self.moved:
            return self.moved.wait_for(lambda: self.done >= target or any(
                r.failure for r in readers), 120 * SLOW)


def kill_again_and_again(g, gate, readers):
    r = random.Random(20261123)
    for n in range(KILLS):
        assert gate.wait((n + 1) * STEPS, readers), f"nothing goes on:\n{g.log()[-3000:]}"
        if any(reader.failure for reader in readers):
            return
        time.sleep(r.random() * 0.05)	# the random moment
        for pid in g.pids("house"):
            os.kill(pid, signal.SIGKILL)
    gate.wait(gate.done + STEPS, readers)


def test_nothing_that_readers_were_told_is_lost_when_house_dies(gatepost):
    g = gatepost(start=False, server="plain_loopback = yes")
    g.verb("domain", "add", "example.test")
    for address in PEOPLE:
        g.verb("account", "add", address, "--password-stdin", stdin=PASSWORD + "\n")
    g.start()
    gate = Gate()
    readers = [Reader(g, n, gate) for n in range(CLIENTS)]
    for reader in readers:
        reader.start()
    kill_again_and_again(g, gate, readers)
    for reader in readers:
        reader.finished = True
    for reader in readers:
        reader.join(120 * SLOW)
    failures = [r.failure for r in readers if r.failure]
    assert not failures, "\n".join(failures[:5])
    assert sum(r.lost for r in readers) >= KILLS, "the kills hit nobody"
    assert g.stop() == 0
    g.start()
    for reader in readers:
        reader.client = Client(g, PEOPLE[reader.number % len(PEOPLE)])
        reader.reconcile()
        reader.client.close()
    assert g.stop() == 0
    g.audit()
    g.verb("verify")
    print(f"{gate.done} commands, {KILLS} kills, "
          f"{sum(r.lost for r in readers)} commands or logins cut off")
