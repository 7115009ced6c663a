# SPDX-License-Identifier: ISC
"""The same commands to Gatepost and to Dovecot, and where the answers differ.

An answer becomes facts: {key: value}, without what servers are free in (order of
untagged answers, quoted or literal, texts, case of atoms).  A difference is a key
with its two values.  EXPLAINED says which are meant, by the headings of
doc/imap-differences.md.
"""
import collections
import random
import re

import imap_generate
import mime_compare
from imap_binary import NO_PART, Binary, part_at
from imap_explained import ENDED, EXPLAINED, FOUND, SORTED, item
from imap_talk import Answer, DovecotTalk, Ended, GatepostTalk, Wrong

# Which only one of the two has (RFC 8474 OBJECTID), or where a text tells no more.
OURS_ONLY = {b"MAILBOXID"}
MARKS = {b"\\marked", b"\\unmarked"}
FREE = {b"UIDVALIDITY", b"HIGHESTMODSEQ"}


class Side:
    """One server's view of one session: the UIDs by message number."""

    def __init__(self, talk):
        self.talk = talk
        self.uids = []
        self.names = {}         # <<name>> in commands, this server's numbers

    def fill(self, command):
        return re.sub(rb"<<(\w+)>>", lambda m: str(self.names.get(m[1].decode(), 1)).encode(), command)


def numbers(text):
    """The members of a sequence set, sorted."""
    out = []
    for one in str(text, "ascii").split(",") if isinstance(text, bytes) else [str(text)]:
        low, _, high = one.partition(":")
        low, high = int(low), int(high or low)
        out += range(min(low, high), max(low, high) + 1)
    return sorted(out)


def words(values):
    return sorted(bytes(v).lower() if isinstance(v, bytes) else v for v in values)


def pairs(values):
    return zip(values[::2], values[1::2])


def tree(values):
    """RFC 5256 section 4: members of one thread as (number, [children])."""
    node = None
    out = here = []
    for v in values:
        if isinstance(v, list):
            here.append(tree(v))
        else:
            node = (v, [])
            here.append(node)
            here = node[1]
    return out[0] if len(out) == 1 and node else (None, out)


def item_name(name):
    name = re.sub(rb'"([A-Za-z0-9-]+)"', rb"\1", bytes(name)).upper()
    return name.decode("latin-1")


def fetched(values):
    out = {}
    for name, value in pairs(values):
        name = item_name(name)
        if name == "FLAGS":
            value = words(value)
        elif name in ("MODSEQ", "SAVEDATE") or name == "PREVIEW":
            value = "some"
        out[name] = value
    return out


class Facts:
    """What one answer says."""

    def __init__(self, side, answer, by_uid=True):
        self.side, self.out, self.by_uid = side, {}, by_uid
        for name, number, values in answer.untagged:
            getattr(self, "on_" + name.decode().lower(), self.on_other)(number, values, name)
        code = answer.code if answer.code and answer.code[0] not in OURS_ONLY else None
        self.out["tagged"] = answer.status.decode()
        if code:
            self.code(code)
        if answer.status == b"OK" and "gone" in self.out:
            self.out["gone"].sort()

    def code(self, code):
        name, values = code
        if name in OURS_ONLY:
            return
        if name == b"PERMANENTFLAGS":
            values = words(values[0])
        elif name in FREE:
            values = "some"
        elif name in (b"COPYUID", b"APPENDUID"):
            values = [numbers(v) for v in values[1:]]
        elif name == b"MODIFIED":
            values = numbers(values[0])
        self.out["code " + name.decode()] = values

    def uid(self, number):
        uids = self.side.uids
        return uids[number - 1] if 0 < number <= len(uids) else f"number {number}"

    def on_other(self, number, values, name):
        self.out[name.decode().lower()] = values

    def on_ok(self, _, values, name):
        code, _ = values
        if code:
            self.code(code)
        elif name != b"OK":
            self.out[f"untagged {name.decode()}"] = True

    on_no = on_bad = on_bye = on_ok

    def on_exists(self, number, values, _):
        self.out["exists"] = number
        uids = self.side.uids
        while len(uids) < number:
            uids.append(f"new {len(uids) + 1}")

    def on_recent(self, number, *_):
        self.out["recent"] = number

    def on_flags(self, _, values, __):
        self.out["flags"] = words(values[0])

    def on_expunge(self, number, *_):
        self.out.setdefault("gone", []).append(self.uid(number))
        del self.side.uids[number - 1]

    def on_vanished(self, _, values, __):
        if isinstance(values[0], list):
            self.out["vanished earlier"] = numbers(values[1])
            return
        gone = numbers(values[0])
        self.out.setdefault("gone", []).extend(gone)
        self.side.uids[:] = [u for u in self.side.uids if u not in gone]

    def on_fetch(self, number, values, _):
        uid = self.uid(number)
        got = fetched(values[0])
        if isinstance(uid, str) and "UID" in got:
            self.side.uids[number - 1] = uid = got["UID"]
        self.out.setdefault(("fetch", uid), {}).update(got)

    def found(self, some):
        """As UIDs."""
        return list(some) if self.by_uid else [self.uid(n) for n in some]

    def on_search(self, _, values, __):
        self.out["search"] = sorted(self.found(v for v in values if not isinstance(v, list)), key=str)
        if any(isinstance(v, list) for v in values):
            self.out["search modseq"] = True

    def on_sort(self, _, values, __):
        self.out["sort"] = self.found(v for v in values if not isinstance(v, list))

    def on_thread(self, _, values, __):
        self.out["thread"] = [tree(v) for v in values]

    def on_esearch(self, _, values, __):
        got = {}
        if values and isinstance(values[0], list):
            values = values[1:]
        if values and values[0] == b"UID":
            got["UID"] = True
            values = values[1:]
        for name, value in pairs(values):
            name = name.decode().upper()
            got[name] = self.found(numbers(value)) if name == "ALL" else "some" if name == "MODSEQ" else \
                self.found([value])[0] if name in ("MIN", "MAX") else value
        self.out["esearch"] = got

    def on_list(self, _, values, name):
        flags, mark, box, *more = values
        self.out[(name.decode().lower(), bytes(box))] = ([f for f in words(flags) if f not in MARKS], mark, more)

    on_lsub = on_list

    def on_status(self, _, values, __):
        got = {name.decode().upper(): value for name, value in pairs(values[1])}
        self.out[("status", bytes(values[0]))] = {k: "some" if k.encode() in FREE else v for k, v in got.items()}


# .codes: the response codes of ours
Difference = collections.namedtuple("Difference", "command key ours theirs message session codes why")
# found by one of the two alone; otherwise: their ENVELOPEs or BODYSTRUCTUREs differ
Hit = collections.namedtuple("Hit", "command ours message otherwise")


def program(command):
    """What a SEARCH, SORT or THREAD looks for, as UID SEARCH says it."""
    rest = re.sub(rb"(?i)^(UID )?(SEARCH|SORT|THREAD) ", b"", command)
    rest = re.sub(rb"(?i)^RETURN \([^)]*\) ", b"", rest)
    m = re.match(rb"(?i)(\([^)]*\)|REFERENCES|ORDEREDSUBJECT) (\S+) ", rest)
    if m and not re.match(rb"(?i)(UID )?SEARCH", command):
        rest = b"CHARSET " + m[2] + b" " + rest[m.end():]
    return rest


def forget_recent(facts, asked):
    for key in ("recent", *(("search", "esearch", "sort", "thread") if asked else ())):
        facts.pop(key, None)
    for key, value in facts.items():
        if isinstance(key, tuple) and key[0] == "fetch" and "FLAGS" in value:
            value["FLAGS"] = [f for f in value["FLAGS"] if f != b"\\recent"]
        if isinstance(key, tuple) and key[0] == "status":
            value.pop("RECENT", None)


class Pair:
    """Sessions with both servers, and what they said differently.  `texts` are the
    messages of mailboxes by name: {name: [bytes]}, the first has UID 1."""

    def __init__(self, gatepost, address, password, dovecot):
        self.make = (lambda: GatepostTalk(gatepost, address, password)), (lambda: DovecotTalk(dovecot))
        self.dovecot = dovecot
        self.sessions = {}
        self.texts = {}
        self.names = {}, {}
        self.box = {}
        self.found = []         # Difference
        self.said = collections.Counter()       # commands by their verb
        self.used = collections.Counter()       # explanations
        self.mime = collections.Counter()       # those of it/mime_compare.py

    def total(self):
        return sum(self.said.values())

    def close(self, *which):
        for name in which or list(self.sessions):
            for side in self.sessions.pop(name):
                side.talk.close()

    def sides(self, session):
        if session not in self.sessions:
            self.sessions[session] = [Side(make()) for make in self.make]
            for side, names in zip(self.sessions[session], self.names):
                side.names = names
        return self.sessions[session]

    def both(self, session, command):
        """Says it to both at once; their answers."""
        sides = self.sides(session)
        for side in sides:
            side.talk.say(side.fill(command))
        try:
            ours = sides[0].talk.hear()
        except Wrong as e:
            raise AssertionError(f"{session}: {command[:300]!r}: {e}") from e
        try:
            return ours, sides[1].talk.hear()
        except Ended:
            return ours, self.ended(session, command)

    def ended(self, session, command):
        """Dovecot ended its session: a difference, by what it logged.  Where messages are
        only looked at it goes on in a new one, as if Dovecot had said NO."""
        side = self.sides(session)[1]
        side.talk.close()
        logged = "\n".join(re.findall(rf"^imap[^<]*<{side.talk.process.pid}>.*", self.dovecot.log(), re.M))
        why = next((name for name, line in ENDED if line.search(logged)), None)
        if why:
            self.used[why] += 1
        self.found.append(Difference(command, "end", "", logged, None, session, set(), why))
        if self.box.get(session) != session:
            raise Ended(f"{session}: {command[:300]!r}")
        side.talk = self.make[1]()
        side.talk.do(f"EXAMINE {session}".encode())
        answer = Answer()
        answer.status = b"NO"
        return answer

    def facts(self, session, command):
        by_uid = command[:4].upper() == b"UID "
        return [Facts(side, answer, by_uid).out
                for side, answer in zip(self.sides(session), self.both(session, command))]

    def know(self, session):
        """Asks for the UIDs of a mailbox just selected, or that has grown."""
        for side, answer in zip(self.sides(session), self.both(session, b"UID SEARCH ALL")):
            Facts(side, answer)
            side.uids[:] = next((sorted(v) for n, _, v in answer.untagged if n == b"SEARCH"), side.uids)

    def ask(self, command, session="a", also=(), recent=True):
        """One command, and what `also` is said after it, to the same facts; True when
        there was no difference without an explanation."""
        sides = self.sides(session)
        verb = command.split(b" ")[0].upper()
        if verb in (b"SELECT", b"EXAMINE", b"CLOSE", b"UNSELECT"):
            for side in sides:
                side.uids[:] = []
            self.box[session] = b" ".join(command.split(b" ")[1:2]).strip(b'"').decode()
        self.said[verb.decode() if verb != b"UID" else command.split(b" ")[1].upper().decode()] += 1
        facts = self.facts(session, command)
        for more in also:
            for one, two in zip(facts, self.facts(session, more)):
                for k, v in two.items():
                    one[("then", k) if k == "tagged" else k] = sorted(one[k] + v, key=str) \
                        if k == "gone" and k in one else v
        if any(isinstance(u, str) for side in sides for u in side.uids):
            self.know(session)
        if not recent:
            for one in facts:
                forget_recent(one, re.search(rb"\b(OLD|NEW|RECENT)\b", command))
        if b"BINARY" in command and (facts[0]["tagged"], facts[1]["tagged"]) == ("OK", "NO"):
            return self.one_by_one(command, session, facts)
        before = len(self.found)
        self.codes = {k for k in facts[0] if isinstance(k, str) and k.startswith("code ")}
        for key in sorted(set(facts[0]) | set(facts[1]), key=str):
            if facts[0].get(key) != facts[1].get(key):
                self.differ(command, session, key, facts[0].get(key), facts[1].get(key))
        return all(d.why for d in self.found[before:])

    def one_by_one(self, command, session, facts):
        """A FETCH that Dovecot gave up at something it could not decode: each message by
        itself, and of the one that it refuses what was not to be decoded.  None:
        who has been \\Seen on the way is another matter."""
        items = re.sub(rb"(?i)^(UID )?FETCH \S+ ", b"", command)
        items = re.sub(rb"\b(BODY|BINARY)\[", rb"\1.PEEK[", items)
        fetched = [(key[1], got) for key, got in facts[0].items() if isinstance(key, tuple) and key[0] == "fetch"]
        for uid, got in fetched:
            alone = b"UID FETCH %d " % uid
            if len(fetched) > 1:
                self.ask(alone + items, session)
                continue
            binary = {name: value for name, value in got.items() if name.startswith("BINARY")}
            self.judge(command, session, ("fetch", uid, "refused"), binary, facts[1], self.text(session, uid))
            self.ask(alone + re.sub(rb"BINARY(\.PEEK|\.SIZE)?\[[\d.]*\](<[\d.]+>)?", b"UID", items), session)
        return None

    def play(self, steps, recent=True, state=b"UID FETCH 1:* (FLAGS)"):
        """A story: what changes something is followed by a look at everything.  It
        ends where the two are no longer in the same state; True: they still are."""
        try:
            return self.play_on(steps, recent, state)
        except Ended:
            return False

    def play_on(self, steps, recent, state):
        for session, command, changes in steps:
            command = command if isinstance(command, bytes) else command.encode()
            if command.startswith(b"!mark "):
                self.mark(session, *command.split()[1:])
                continue
            same = self.ask(command, session, [b"NOOP"] if changes else [], recent)
            if same is None:
                return False
            if changes:     # all who have it open hear of it
                for other in [s for s in self.sessions if s != session and s[0] == session[0]]:
                    same = self.ask(b"NOOP", other, (), recent) and same
                if self.box.get(session):
                    same = self.ask(state, session, (), recent) and same
            if not same:
                return False
        return True

    def tree(self, commands, session="tree"):
        """Commands about names, until the two differ.  Only what is there is subscribed to."""
        for command in commands:
            verb, _, name = command.encode().partition(b" ")
            if verb == b"SUBSCRIBE":
                lists = self.both(session, b'LIST "" ' + name)
                if not all(u[0] == b"LIST" for a in lists for u in a.untagged[:1]) or not lists[0].untagged:
                    continue
            if verb in (b"DELETE", b"RENAME"):      # of a selected one Dovecot ends the session
                self.both(session, b"UNSELECT")
            before = len(self.found)
            if not self.ask(command.encode(), session):
                return False
            if verb in (b"CREATE", b"DELETE", b"RENAME") and any(d.key == "tagged" for d in self.found[before:]):
                return False
        return True

    def clear(self, keep, session="tree"):
        """Deletes all mailboxes but those that begin as one of `keep` does."""
        for side in self.sides(session):
            side.talk.do(b"UNSELECT")
            for verb in (b"LSUB", b"LIST"):
                names = [bytes(u[2][2]) for u in side.talk.do(verb + b' "" *').untagged if u[0] == verb]
                for name in reversed(sorted(names)):
                    if not name.startswith(keep) or name.startswith(b"INBOX/"):
                        quoted = b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
                        side.talk.do((b"UNSUBSCRIBE " if verb == b"LSUB" else b"DELETE ") + quoted)
        self.close(session)

    def mark(self, session, name, box):
        """Remembers the HIGHESTMODSEQ of both under a name, and UIDVALIDITY."""
        answers = self.both(session, b"STATUS " + box + b" (HIGHESTMODSEQ UIDVALIDITY)")
        for names, answer in zip(self.names, answers):
            for _, _, (_, values) in (u for u in answer.untagged if u[0] == b"STATUS"):
                got = dict(pairs(values))
                names[name.decode()] = got[b"HIGHESTMODSEQ"]
                names["v_" + box.decode()] = got[b"UIDVALIDITY"]

    # --- differences ---

    def text(self, session, uid):
        texts = self.texts.get(self.box.get(session), [])
        return texts[uid - 1] if isinstance(uid, int) and 0 < uid <= len(texts) else None

    def any_text(self, d, uid):
        """Of copies, too."""
        return self.text(d.session, uid) or self.ask_dovecot(d._replace(key=("fetch", uid)), "BODY.PEEK[]").get("BODY[]")

    def differ(self, command, session, key, a, b):
        if isinstance(key, tuple) and key[0] == "fetch" and a is not None and b is not None:
            for name in sorted(set(a) | set(b)):
                if a.get(name) != b.get(name):
                    self.judge(command, session, (*key, name), a.get(name), b.get(name), self.text(session, key[1]))
        else:
            self.judge(command, session, key, a, b, None)

    def judge(self, command, session, key, a, b, message):
        d = Difference(command, key, a, b, message, session, self.codes, None)
        why = self.why_mime(d) or self.why_found(d) or self.why_message(d) or self.why_part(d) or self.why_binary(d) or \
            self.why_vanished(d) or self.why_renamed(d) or next((name for name, holds in EXPLAINED if holds(d)), None)
        if why:
            self.used[why] += 1
        self.found.append(d._replace(why=why))

    def why_mime(self, d):
        """Which doc/mime-differences.md explains."""
        if d.message is None or item(d) not in ("ENVELOPE", "BODY", "BODYSTRUCTURE") or not (d.ours and d.theirs):
            return None
        compare = mime_compare.envelopes if d.key[-1] == "ENVELOPE" else mime_compare.bodies
        names = [mime_compare.explain(*found, d.message) for found in compare(d.ours, d.theirs)]
        if not names or None in names:
            return None
        self.mime.update(names)
        return "mime"

    def why_vanished(self, d):
        """More of them, each behind the last message that there is."""
        if d.key != "vanished earlier" or not d.ours or b"*" not in d.command:
            return None
        uids = [u for u in self.sides(d.session)[0].uids if isinstance(u, int)]
        more = set(d.ours) - set(d.theirs or [])
        return "VANISHED behind the last message" if set(d.theirs or []) < set(d.ours) and min(more) > max(uids, default=0) else None

    def why_renamed(self, d):
        """To a level without a mailbox, or from one whose folder was left."""
        if d.command.startswith(b"RENAME ") and d.key == "tagged" and (d.ours, d.theirs) == ("NO", "OK") and "code NONEXISTENT" in d.codes:
            lists = self.both(d.session, b'LIST "" ' + re.search(rb'"[^"]*"$|\S+$', d.command)[0])
            flags = [words(u[2][0]) for u in lists[1].untagged if u[0] == b"LIST"]
            return "Levels without a mailbox" if not lists[0].untagged and flags and b"\\noselect" in flags[0] else None
        if not d.command.startswith(b"RENAME ") or "code ALREADYEXISTS" in self.codes or \
                not (d.key == "code ALREADYEXISTS" or d.key == "tagged" and (d.ours, d.theirs) == ("OK", "NO")):
            return None
        lists = self.both(d.session, b'LIST "" ' + d.command.split(b'" ')[1])
        flags = [u[2][0] for u in lists[1].untagged if u[0] == b"LIST"]
        return "RENAME to a level without a mailbox" if any(b"\\noselect" in words(f) for f in flags) else None

    def ask_dovecot(self, d, items):
        """What it says of the same message."""
        answer = self.both(d.session, f"UID FETCH {d.key[1]} ({items})".encode())[1]
        return next((fetched(values[0]) for name, _, values in answer.untagged if name == b"FETCH"), {})

    def why_message(self, d):
        """Gatepost's value is what Dovecot's message says that it should be."""
        if not isinstance(d.key[1], int) or d.ours is None or d.theirs is None:
            return None
        if item(d) == "RFC822.SIZE":
            whole = self.ask_dovecot(d, "BODY.PEEK[]").get("BODY[]")
            return "Sizes that are not those of the message" if whole is not None and len(whole) == d.ours else None
        m = re.fullmatch(r"(BODY\[.*HEADER.*\])<(\d+)>", item(d))
        if not m:
            return None
        whole = self.ask_dovecot(d, m[1].replace("[", ".PEEK[")).get(m[1])
        return "Partials of header fields" if whole is not None and d.ours and whole[int(m[2]):].startswith(d.ours) and \
            len(d.ours) == len(d.theirs) else None

    def why_part(self, d):
        """Dovecot's BODYSTRUCTURE has no such part."""
        m = re.fullmatch(r"(?:BODY|BINARY)(?:\.SIZE)?\[([\d.]+)\](?:<\d+>)?", item(d))
        if not m or not isinstance(d.key[1], int) or d.ours not in (b"", 0):
            return None
        structure = self.ask_dovecot(d, "BODYSTRUCTURE").get("BODYSTRUCTURE")
        return NO_PART if structure and part_at(structure, m[1]) is None else None

    def why_binary(self, d):
        """Gatepost's value is what Dovecot's BODY of the part says that it should be."""
        if item(d) == "refused" and not d.ours or d.ours is None or not item(d).startswith(("BINARY", "refused")):
            return None
        refused = item(d) == "refused"

        def fetch(items):
            return self.ask_dovecot(d, items)
        names = {Binary(fetch).why(name, value, d.command, refused)
                 for name, value in (d.ours.items() if refused else [(item(d), d.ours)])}
        if not names or None in names:
            return None
        self.used.update(sorted(names)[1:])
        return sorted(names)[0]

    def is_read_otherwise(self, d, uid):
        read = [[fetched(values[0]) for name, _, values in answer.untagged if name == b"FETCH"]
                for answer in self.both(d.session, f"UID FETCH {uid} (UID ENVELOPE BODYSTRUCTURE)".encode())]
        return read[0] != read[1]

    def why_sorted(self, d):
        """The order is the same but for messages that have one and the same reason, or one of them."""
        if d.key != "sort":
            return None
        both = set(d.ours) & set(d.theirs)
        hits = {u: Hit(d.command, True, self.any_text(d, u), self.is_read_otherwise(d, u)) for u in both}
        reasons = {name: {u for u, h in hits.items() if h.message is not None and holds(h)} for name, holds in SORTED}
        tries = [*reasons.items(), (max(reasons, key=lambda name: len(reasons[name])), set().union(*reasons.values()))]
        for name, odd in tries:
            if odd and [u for u in d.ours if u in both - odd] == [u for u in d.theirs if u in both - odd]:
                return name
        return None

    def is_last(self, d, ours, theirs):
        """n:* where there are fewer, and the last message is what is found more."""
        last = max((u for u in self.sides(d.session)[0].uids if isinstance(u, int)), default=0)
        if not re.search(rb"\b\d+:\*", d.command) or [u for u in ours if u != last] != theirs or len(ours) == len(theirs):
            return False
        if d.key == "esearch":      # of the same messages
            return d.ours.get("COUNT", 1) - d.theirs.get("COUNT", 0) == 1
        if d.key == "thread":
            return not theirs and not d.theirs and len(d.ours) == 1
        return d.key != "sort" or [u for u in d.ours if u != last] == d.theirs

    def why_threaded(self, d, uids):
        """The same threads, but for messages of far away: those stand elsewhere."""
        far = dict(SORTED)["Dates far away"]
        hits = {u: Hit(b"SORT (DATE)", True, self.any_text(d, u), False) for u in uids if isinstance(u, int)}
        odd = {u for u, h in hits.items() if h.message is not None and far(h)}
        if d.key != "thread" or not odd:
            return None
        known = self.sides(d.session)[0].uids
        by_uid = d.command.upper().startswith(b"UID ")

        def members(node):
            number, below = node
            mine = {number if by_uid else known[number - 1]} if number else set()
            return mine.union(*(members(n) for n in below))
        ours, theirs = ({frozenset(members(n) - odd) for n in nodes} - {frozenset()} for nodes in (d.ours, d.theirs))
        return "Dates far away" if ours == theirs else None

    def why_found(self, d):
        """Each message that only one of the two found must have its explanation."""
        if d.key not in ("search", "sort", "esearch", "thread"):
            return None
        ours, theirs = (f.get("search", []) for f in self.facts(d.session, b"UID SEARCH " + program(d.command)))
        if ours == theirs:
            return self.why_sorted(d) or self.why_threaded(d, ours)
        if self.is_last(d, ours, theirs):
            return "SEARCH for n:*"
        hits = [Hit(d.command, uid in ours, self.any_text(d, uid), self.is_read_otherwise(d, uid))
                for uid in set(ours) ^ set(theirs)]
        names = {next((name for name, holds in FOUND if h.message is not None and holds(h)), None) for h in hits}
        if not names or None in names:
            return None
        if d.key == "sort" and [u for u in d.ours if u in theirs] != [u for u in d.theirs if u in ours] and not self.why_sorted(d):
            return None
        self.used.update(sorted(names)[1:])
        return sorted(names)[0]


def show(d):
    def short(v):
        v = repr(v)
        return v if len(v) < 700 else v[:700] + "…"
    lines = [f"{d.command[:300]!r} ({d.session}): {d.key}", f"    Gatepost {short(d.ours)}", f"    Dovecot  {short(d.theirs)}"]
    if isinstance(d.ours, list) and isinstance(d.theirs, list) and d.key in ("search", "sort"):
        lines.append(f"    only Gatepost {[v for v in d.ours if v not in d.theirs][:40]}, "
                     f"only Dovecot {[v for v in d.theirs if v not in d.ours][:40]}")
    return "\n".join(lines)


# --- a whole comparison ---

OWN = (b"INBOX", b"Drafts", b"Sent", b"Archive", b"Trash", b"Junk", b"base", b"coded", b"public", b"story")


def fill(pair, name, mails):
    """A mailbox with the same messages on both sides; `name` becomes a session that
    may only look."""
    pair.ask(f"CREATE {name}".encode(), name)
    pair.both(name, f"STATUS {name} (HIGHESTMODSEQ)".encode())
    pair.texts[name] = [m for m, _, _ in mails]
    for message, flags, date in mails:
        given = f"APPEND {name} ({flags}) ".encode() + (f'"{date}" '.encode() if date else b"")
        pair.ask(given + imap_generate.literal(message), name)
    look(pair, name)


def look(pair, name):
    pair.ask(f"EXAMINE {name}".encode(), name)
    pair.know(name)


def questions(pair, name, commands):
    for command in commands:
        pair.ask(command, name)


def stories(pair, seed, commands):
    """(those that came to their end, all)"""
    whole = n = 0
    until = pair.total() + commands
    while pair.total() < until:
        kind = imap_generate.Resync if n % 4 == 3 else imap_generate.Story
        sessions = 2 if n % 3 == 2 else 1
        story = kind(f"{seed}x{n}", len(pair.texts["base"]), sessions)
        pair.texts[story.name] = pair.texts["base"][story.low - 1:story.low - 1 + story.count]
        # which of two sessions is told of \Recent is nobody's promise (RFC 3501 2.3.2)
        whole += pair.play(story.steps(40), sessions == 1)
        pair.close(*[s for s in pair.sessions if s.startswith("s")])
        n += 1
    return whole, n


def trees(pair, seed, commands):
    whole = n = 0
    until = pair.total() + commands
    while pair.total() < until:
        whole += pair.tree(imap_generate.trees(f"{seed}x{n}", 12))
        pair.close("tree")
        pair.clear(OWN)
        n += 1
    return whole, n


def compare(pair, seed, commands, public):
    """About so many commands, at least each once; what was done, in words."""
    r = random.Random(f"gatepost imap {seed}")
    fill(pair, "base", imap_generate.mails(seed, 60, 15))
    most = len(pair.texts["base"])
    questions(pair, "base", imap_generate.everything(most))
    for command in imap_generate.WRONG:
        look(pair, "base")
        pair.ask(command.encode(), "base")
    pair.clear(OWN)
    look(pair, "base")
    fill(pair, "coded", [(m, "", None) for m in imap_generate.CODED])
    questions(pair, "coded", imap_generate.ABOUT_CODED)
    if public:
        fill(pair, "public", [(m, "", None) for m in public])
        questions(pair, "public", imap_generate.about_any())
    left = max(600, commands - pair.total())
    if public:
        questions(pair, "public", (imap_generate.question(r, len(public)) for _ in range(left // 10)))
    questions(pair, "base", (imap_generate.question(r, most) for _ in range(left * 3 // 10)))
    told = stories(pair, seed, left * 4 // 10)
    grown = trees(pair, seed, left * 2 // 10)
    return (f"{pair.total()} commands, {told[0]} of {told[1]} stories and {grown[0]} of {grown[1]} trees to their end: "
            f"{dict(pair.said)}; differences explained: {dict(pair.used)}, {dict(pair.mime)}")
