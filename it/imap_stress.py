# SPDX-License-Identifier: ISC
"""Many IMAP sessions doing this and that in a few shared mailboxes, each with a model of
what it was told, and what may not be in any answer:

- a message number that is not there, an EXISTS that takes away, an EXPUNGE while numbers
  are in use (RFC 9051 7.5.1);
- a UID that is another message than it was, to anyone, or UIDs out of order;
- flags that differ where UID and MODSEQ are the same, MODSEQs that go back (RFC 7162);
- a COPYUID that pairs other messages than those that were copied.

At the end everybody hears NOOP, and what each was told, by and by, is what a session that
comes fresh finds; so is what a client knew in the middle, brought up to date by QRESYNC.

    python3 it/imap_stress.py [SEED [SECONDS [CLIENTS]]]
"""
import random
import re
import sys
import threading
import time

from imap_talk import GatepostTalk, Wrong

ADDRESS, PASSWORD = "stress@example.test", "a pass phrase for all"
BOXES = [b"INBOX", b"one", b"one/two"]
FLAGS = [b"\\Seen", b"\\Flagged", b"\\Answered", b"\\Draft", b"$Junk", b"work"]
MOST = 60               # messages in a mailbox, then some go
NUMBERED = {"FETCH", "STORE", "SEARCH", "SORT", "THREAD"}


class World:
    """What all sessions together have heard of messages."""

    def __init__(self, seed):
        self.seed = seed
        self.lock = threading.Lock()
        self.marks = {}         # (mailbox, UID): the marker
        self.states = {}        # (mailbox, UID, MODSEQ): flags
        self.validity = {}
        self.count = 0

    def marker(self):
        with self.lock:
            self.count += 1
            return b"m%d" % self.count

    def is_message(self, box, uid, mark):
        with self.lock:
            was = self.marks.setdefault((box, uid), mark)
        assert was == mark, f"{box} UID {uid} was {was} and is {mark}"

    def has_flags(self, box, uid, modseq, flags):
        with self.lock:
            was = self.states.setdefault((box, uid, modseq), flags)
        assert was == flags, f"{box} UID {uid} MODSEQ {modseq}: {sorted(was)} and {sorted(flags)}"

    def is_valid(self, box, validity):
        with self.lock:
            assert self.validity.setdefault(box, validity) == validity, f"{box}: UIDVALIDITY"


class Row:
    """A message as one session knows it."""

    def __init__(self):
        self.uid = self.flags = None
        self.modseq = 0


def numbers(values):
    """The members of a set, in its order."""
    out = []
    for one in (b"%d" % values if isinstance(values, int) else bytes(values)).split(b","):
        low, _, high = one.partition(b":")
        out += range(int(low), int(high or low) + 1)
    return out


class Box:
    """The selected mailbox as the session was told."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.rows = []
        self.highest = 0
        self.validity = 0
        self.read_only = False

    def uids(self):
        return [r.uid for r in self.rows if r.uid]

    def flags(self):
        return {r.uid: r.flags for r in self.rows}

    def exists(self, n):
        assert n >= len(self.rows), f"EXISTS {n} of {len(self.rows)}"
        self.rows += [Row() for _ in range(n - len(self.rows))]

    def expunge(self, n):
        assert 1 <= n <= len(self.rows), f"EXPUNGE {n} of {len(self.rows)}"
        del self.rows[n - 1]

    def vanished(self, uids):
        for uid in uids:
            del self.rows[self.place(uid)]

    def place(self, uid):
        """Where it is; one that it was not told yet stands between those that it was."""
        for n, row in enumerate(self.rows):
            if row.uid == uid:
                return n
        n = max((n + 1 for n, r in enumerate(self.rows) if r.uid and r.uid < uid), default=0)
        assert n < len(self.rows) and not self.rows[n].uid, f"VANISHED {uid} of {self.uids()}"
        return n

    def code(self, name, values):
        if name == b"UIDVALIDITY":
            self.validity = values[0]
            self.world.is_valid(self.name, values[0])
        if name == b"HIGHESTMODSEQ":
            assert values[0] >= self.highest, f"HIGHESTMODSEQ {values[0]} after {self.highest}"
            self.highest = values[0]

    def fetch(self, n, values):
        assert 1 <= n <= len(self.rows), f"FETCH {n} of {len(self.rows)}"
        row = self.rows[n - 1]
        got = {bytes(k).upper(): v for k, v in zip(values[::2], values[1::2])}
        if b"UID" in got:
            assert row.uid in (None, got[b"UID"]), f"number {n}: UID {row.uid}, then {got[b'UID']}"
            row.uid = got[b"UID"]
            self.ordered(n)
        if b"FLAGS" in got:
            row.flags = frozenset(bytes(f) for f in got[b"FLAGS"]) - {b"\\Recent"}
        if b"MODSEQ" in got:
            self.modseq(row, got[b"MODSEQ"][0])
        for key, value in got.items():
            mark = key.startswith(b"BODY[") and re.search(rb"^Subject: (m\d+)\r$", value or b"", re.M)
            if mark and row.uid:
                self.world.is_message(self.name, row.uid, mark[1])

    def ordered(self, n):
        uid = self.rows[n - 1].uid
        before = max((r.uid for r in self.rows[:n - 1] if r.uid), default=0)
        after = min((r.uid for r in self.rows[n:] if r.uid), default=uid + 1)
        assert before < uid < after, f"UID {uid} is number {n}, between {before} and {after}"

    def modseq(self, row, modseq):
        """Without flags it answers STORE with .SILENT: they are what the session thinks."""
        assert modseq >= row.modseq, f"UID {row.uid}: MODSEQ {row.modseq}, then {modseq}"
        row.modseq = modseq
        if row.flags is not None and row.uid:
            self.world.has_flags(self.name, row.uid, modseq, row.flags)


class Client(threading.Thread):
    def __init__(self, g, world, number, seconds):
        super().__init__()
        self.g, self.world, self.seconds = g, world, seconds
        self.random = random.Random(world.seed * 1000 + number)
        self.talk = self.box = None
        self.next = {}          # mailbox: UIDs below are given
        self.kept = None        # (mailbox, UIDVALIDITY, MODSEQ, flags by UID) in the middle
        self.quick = number % 2 == 0            # one with QRESYNC
        self.done = 0
        self.last = b""
        self.failure = None

    def run(self):
        until = time.monotonic() + self.seconds
        try:
            while time.monotonic() < until:
                self.step()
                self.done += 1
        except Exception as e:  # noqa: B902: told by the main thread
            self.failure = f"{self.name}, {self.done} commands, the last {self.last[:200]!r}: {e!r}"

    # --- one command and what came ---

    def do(self, *words, may=()):
        command = b" ".join(w if isinstance(w, bytes) else str(w).encode() for w in words)
        self.last = command
        answer = self.talk.do(command)
        verb = command.split(b"\r\n")[0].split()[0].decode()
        self.hear(answer, verb)
        why = answer.code[0].decode() if answer.code else ""
        assert answer.status == b"OK" or answer.status == b"NO" and why in may, \
            f"{command!r}: {answer.raw[-1]!r}"
        return answer

    def hear(self, answer, verb):
        for word, number, values in answer.untagged:
            if word == b"OK":
                self.code(values[0])
            elif word == b"BYE":
                assert verb == "LOGOUT", f"BYE after {verb}"
            elif self.box:
                self.told(word, number, values, verb)
        self.code(answer.code)

    def told(self, word, number, values, verb):
        if word in (b"EXPUNGE", b"VANISHED"):
            assert verb not in NUMBERED, f"{word} in {verb}"
        if word == b"EXISTS":
            self.box.exists(number)
        elif word == b"EXPUNGE":
            assert not self.quick, "EXPUNGE after ENABLE QRESYNC"
            self.box.expunge(number)
        elif word == b"VANISHED":
            assert self.quick, "VANISHED without QRESYNC"
            if not isinstance(values[0], list):
                self.box.vanished(numbers(values[0]))
        elif word == b"FETCH":
            self.box.fetch(number, values[0])
        elif word in (b"SEARCH", b"SORT") and verb in NUMBERED:
            told = [v for v in values if isinstance(v, int)]
            assert all(1 <= n <= len(self.box.rows) for n in told), f"{values} of {len(self.box.rows)}"
            assert len(set(told)) == len(told), f"{values} has some twice"

    def code(self, code):
        if not code or not self.box:
            return
        name, values = code
        self.box.code(name, values)
        if name == b"COPYUID" and values:
            self.copied(*values)

    def copied(self, validity, source, target):
        source, target = numbers(source), numbers(target)
        assert len(source) == len(target), f"COPYUID {source} {target}"
        self.world.is_valid(self.target, validity)
        for old, new in zip(source, target):
            assert new >= self.next.get(self.target, 1), f"{self.target}: UID {new} again"
            mark = self.world.marks.get((self.box.name, old))
            if mark:
                self.world.is_message(self.target, new, mark)

    # --- choices ---

    def step(self):
        if not self.talk:
            return self.login()
        if not self.box:
            return self.outside()
        unknown = [n for n, r in enumerate(self.box.rows, 1) if r.uid is None or r.flags is None]
        if unknown:
            answer = self.do("FETCH", f"{unknown[0]}:{unknown[-1]}", "(UID FLAGS)", may=["EXPUNGEISSUED"])
            return self.do("NOOP") if answer.code else None
        if not self.box.rows or self.box.read_only:
            return self.random.choice([self.append, self.noop, self.leave, self.idle])()
        if len(self.box.rows) > MOST:
            self.model(range(1, MOST // 2 + 1), {b"\\Deleted"}, "+")
            self.do("STORE", f"1:{MOST // 2}", "+FLAGS.SILENT (\\Deleted)", may=["EXPUNGEISSUED"])
            return self.expunge()
        self.random.choices(
            [self.fetch, self.store, self.append, self.copy, self.move, self.expunge, self.search,
             self.noop, self.idle, self.leave, self.outside, self.logout],
            [12, 16, 8, 4, 4, 5, 6, 5, 4, 1, 2, 1])[0]()

    def login(self):
        self.talk = GatepostTalk(self.g, ADDRESS, PASSWORD)
        self.do("ENABLE", "QRESYNC" if self.quick else "CONDSTORE")

    def logout(self):
        self.do("LOGOUT")
        self.talk.close()
        self.talk = self.box = None

    def outside(self):
        """What needs no mailbox, or begins one."""
        what = self.random.randrange(4)
        if what == 0:
            self.do("LIST", '"" * RETURN (STATUS (MESSAGES UIDNEXT HIGHESTMODSEQ))')
        elif what == 1:
            self.status(self.random.choice(BOXES))
        else:
            self.select(self.random.choice(BOXES))

    def status(self, name):
        answer = self.do("STATUS", name, "(MESSAGES UIDNEXT UNSEEN)")
        got = [v[1] for w, _, v in answer.untagged if w == b"STATUS"][0]
        got = dict(zip([bytes(k) for k in got[::2]], got[1::2]))
        assert got[b"UNSEEN"] <= got[b"MESSAGES"], got
        assert got[b"UIDNEXT"] >= self.next.get(name, 1), f"{name}: UIDNEXT went back"
        self.next[name] = got[b"UIDNEXT"]

    def select(self, name):
        self.box = Box(self.world, name)
        verb = self.random.choices(["SELECT", "EXAMINE"], [9, 1])[0]
        self.box.read_only = verb == "EXAMINE"
        self.do(verb, name)
        if self.box.rows:
            highest = self.box.highest
            self.do("UID", "FETCH", "1:*", "(FLAGS MODSEQ BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            if self.random.random() < 0.3 or not self.kept:
                self.keep(highest)

    def keep(self, highest):
        """As a client does that is switched off now."""
        if all(r.uid and r.flags is not None for r in self.box.rows):
            self.kept = (self.box.name, self.box.validity, highest, self.box.flags())

    def leave(self):
        if self.random.random() < 0.5 and not self.box.read_only:
            self.box = None     # what it expunges is not told
            self.do("CLOSE")
        else:
            self.do("UNSELECT")
            self.box = None

    # --- commands on messages ---

    def some(self, most=8):
        """Numbers of messages; how they are said; "UID" or nothing."""
        count = len(self.box.rows)
        n = self.random.randint(1, min(most, count))
        chosen = sorted(self.random.sample(range(1, count + 1), n))
        if self.random.random() < 0.5:
            return chosen, ",".join(str(self.box.rows[n - 1].uid) for n in chosen), ["UID"]
        return chosen, ",".join(map(str, chosen)), []

    def fetch(self):
        _, told, by = self.some()
        what = self.random.choice(["(UID FLAGS)", "(FLAGS MODSEQ UID)", "(UID BODY.PEEK[] RFC822.SIZE)",
                                   "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])", "(ENVELOPE INTERNALDATE)"])
        self.do(*by, "FETCH", told, what, may=["EXPUNGEISSUED"])

    def model(self, chosen, flags, sign):
        for n in chosen:
            row = self.box.rows[n - 1]
            row.flags = {"+": row.flags | flags, "-": row.flags - flags, "": frozenset(flags)}[sign]

    def store(self):
        chosen, told, by = self.some()
        flags = set(self.random.sample(FLAGS, self.random.randint(1, 3)))
        if self.random.random() < 0.2:
            flags.add(b"\\Deleted")
        sign = self.random.choice(["+", "+", "-", ""])
        silent = self.random.choice(["", ".SILENT"])
        words = [told]
        if self.random.random() < 0.2:
            words.append(f"(UNCHANGEDSINCE {max(self.box.rows[n - 1].modseq for n in chosen)})")
            silent = ""
        if silent:
            self.model(chosen, flags, sign)
        self.do(*by, "STORE", *words, f"{sign}FLAGS{silent}", b"(" + b" ".join(sorted(flags)) + b")",
                may=["EXPUNGEISSUED", "MODIFIED"])

    def append(self):
        name = self.random.choice([self.box.name] + BOXES)
        marks = [self.world.marker() for _ in range(self.random.choice([1, 1, 1, 3]))]
        command = b"APPEND " + name
        for mark in marks:
            body = b"x" * self.random.randrange(900)
            text = b"From: a@example.test\r\nSubject: %s\r\n\r\n%s\r\n" % (mark, body)
            command += b" (%s) {%d+}\r\n%s" % (self.random.choice(FLAGS), len(text), text)
        answer = self.do(command)
        assert answer.code[0] == b"APPENDUID", answer.raw
        uids = numbers(answer.code[1][1])
        assert len(uids) == len(marks) and uids[0] >= self.next.get(name, 1), f"APPENDUID {uids}"
        for uid, mark in zip(uids, marks):
            self.world.is_message(name, uid, mark)

    def carry(self, verb):
        _, told, by = self.some(4)
        self.target = self.random.choice([b for b in BOXES if b != self.box.name])
        self.do(*by, verb, told, self.target, may=["EXPUNGEISSUED"])

    def copy(self):
        self.carry("COPY")

    def move(self):
        self.carry("MOVE")

    def expunge(self):
        if self.random.random() < 0.3:
            self.do("UID", "EXPUNGE", ",".join(map(str, self.box.uids()[:20])))
        else:
            self.do("EXPUNGE")

    def search(self):
        what = self.random.randrange(5)
        if what <= 1:
            self.do("SEARCH", self.random.choice(["ALL", "SEEN", "DELETED", "KEYWORD work",
                                                  "OR DRAFT NOT FLAGGED",
                                                  "SUBJECT m1", "LARGER 400 UNSEEN"]))
        elif what == 2:
            self.do("UID", "SEARCH", "RETURN (MIN MAX COUNT SAVE)", "UNDELETED")
            self.do("UID", "FETCH", "$", "(FLAGS)", may=["EXPUNGEISSUED"])
        elif what == 3:
            self.do("SORT", "(REVERSE SUBJECT SIZE)", "UTF-8", "ALL")
        else:
            self.do("THREAD", "REFERENCES", "UTF-8", "ALL")

    def noop(self):
        self.do(self.random.choice(["NOOP", "CHECK"]))

    def idle(self):
        self.talk.say(b"IDLE")
        lines = []
        while not lines or not lines[-1].startswith(b"+"):
            lines.append(self.talk.line())
        time.sleep(self.random.random() * 0.1)
        self.talk.write(b"DONE\r\n")
        self.last = b"IDLE"
        answer = self.talk.hear()
        assert answer.status == b"OK", answer.raw
        self.hear(answer, "IDLE")

    # --- the end ---

    def settle(self):
        """What it was told by and by."""
        if not self.talk or not self.box:
            return None
        unknown = self.box.rows and any(r.uid is None for r in self.box.rows)
        self.do("NOOP")
        if unknown or any(r.flags is None for r in self.box.rows):
            self.do("UID", "FETCH", "1:*", "(FLAGS)")
        return self.box.name, self.box.flags()

    def resync(self):
        """What it knew in the middle, brought up to date."""
        if not self.kept or not self.quick:
            return None
        name, validity, modseq, flags = self.kept
        talk = GatepostTalk(self.g, ADDRESS, PASSWORD)
        talk.do(b"ENABLE QRESYNC")
        answer = talk.do(b"SELECT %s (QRESYNC (%d %d))" % (name, validity, modseq))
        assert answer.status == b"OK", answer.raw
        for word, _, values in answer.untagged:
            if word == b"VANISHED":
                for uid in numbers(values[1]):
                    flags.pop(uid, None)
            elif word == b"FETCH":
                got = {bytes(k): v for k, v in zip(values[0][::2], values[0][1::2])}
                flags[got[b"UID"]] = frozenset(bytes(f) for f in got[b"FLAGS"]) - {b"\\Recent"}
        talk.close()
        return name, flags


def truth(g, world):
    """{mailbox: {UID: flags}} for a session that comes fresh."""
    out = {}
    for name in BOXES:
        talk = GatepostTalk(g, ADDRESS, PASSWORD)
        box = Box(world, name)
        answer = talk.do(b"EXAMINE " + name)
        answer.untagged += talk.do(b"FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])").untagged
        status = talk.do(b"STATUS %s (MESSAGES UNSEEN DELETED)" % name).untagged[-1][2][1]
        talk.close()
        for word, number, values in answer.untagged:
            if word == b"EXISTS":
                box.exists(number)
            elif word == b"FETCH":
                box.fetch(number, values[0])
        out[name] = flags = box.flags()
        counted = [len(flags), sum(b"\\Seen" not in f for f in flags.values()),
                   sum(b"\\Deleted" in f for f in flags.values())]
        assert status[1::2] == counted, f"{name}: STATUS {status}, but {counted}"
    return out


def differences(who, told, is_so):
    if told is None:
        return []
    name, flags = told
    wrong = {uid: (flags.get(uid), is_so[name].get(uid)) for uid in set(flags) | set(is_so[name])
             if flags.get(uid) != is_so[name].get(uid)}
    return [f"{who}, {name}: {dict(list(wrong.items())[:5])}"] if wrong else []


def stress(g, seed, seconds, clients):
    """How many commands were done; AssertionError with all that was wrong."""
    world = World(seed)
    talk = GatepostTalk(g, ADDRESS, PASSWORD)
    for name in BOXES[1:]:
        talk.do(b"CREATE " + name)
    talk.close()
    all_ = [Client(g, world, n, seconds) for n in range(clients)]
    for c in all_:
        c.start()
    for c in all_:
        c.join()
    wrong = [c.failure for c in all_ if c.failure]
    if not wrong:
        told = [(c.name, c.settle()) for c in all_]
        told += [(c.name + " by QRESYNC", c.resync()) for c in all_]
        is_so = truth(g, world)
        for who, what in told:
            wrong += differences(who, what, is_so)
    for c in all_:
        if c.talk:
            c.talk.close()
    assert not wrong, f"seed {seed}:\n" + "\n".join(wrong)
    return sum(c.done for c in all_), len(world.marks), len(world.states)


def main():
    from gatepost import Gatepost
    seed, seconds, clients = [int(v) for v in sys.argv[1:]] + [1, 15, 16][len(sys.argv) - 1:]
    g = Gatepost(server="plain_loopback = yes")
    try:
        g.people()
        g.verb("account", "add", ADDRESS, "--password-stdin", stdin=PASSWORD + "\n")
        g.start()
        print("commands, messages, states: ", stress(g, seed, seconds, clients))
        g.audit()
    finally:
        g.remove()


if __name__ == "__main__":
    try:
        main()
    except Wrong as e:
        sys.exit(f"not IMAP: {e}")
