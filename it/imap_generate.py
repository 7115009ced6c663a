# SPDX-License-Identifier: ISC
"""Mailboxes and commands for comparing IMAP servers: made by chance, but the same
ones each time.

    mails(seed, n) -> [(bytes, flags, date or None)]
    everything()   -> commands that name each item, key and algorithm once
    question(r)    -> one command that changes nothing
    story(r)       -> commands that change mailboxes of their own
"""
import base64
import quopri
import random
import re

import mime_generate

# A word of each language, and charsets that have its letters.
TONGUES = [
    ("Grüße", ["utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"]),
    ("naïve", ["utf-8", "iso-8859-1", "windows-1252"]),
    ("Łódź", ["utf-8", "iso-8859-2", "windows-1250"]),
    ("привет", ["utf-8", "koi8-r", "windows-1251", "iso-8859-5"]),
    ("Ελλάδα", ["utf-8", "iso-8859-7", "windows-1253"]),
    ("日本語", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp"]),
    ("中文", ["utf-8", "gb2312", "gbk", "big5"]),
    ("한국어", ["utf-8", "euc-kr"]),
    ("İstanbul", ["utf-8", "iso-8859-9"]),
    ("שלום", ["utf-8", "windows-1255"]),
]
WORDS = mime_generate.WORDS
KEYWORDS = ["blue", "$Forwarded", "Work", "NonJunk", "a-b.c"]
SYSTEM = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"]
ZONES = ["+0000", "-0800", "+0530", "GMT", "EST", "+1400", "-1200", "-0000", "+0100 (CET)", "PDT"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
PREFIXES = ["", "", "", "", "Re: ", "RE: ", "Fwd: ", "Re: Re: ", "FW: ", "Re[2]: ", "[list] ", "Re: [list] ",
            "[list] Re: ", "[a][b] "]
SUFFIXES = ["", "", "", "", " (fwd)", " (FWD) (fwd)", "  "]
PEOPLE = [("Alice Example", "alice@example.test"), ("Bob Builder", "bob.builder@example.test"),
          ("", "carol@mail.example.test"), ("Jürgen Müller", "juergen@example.test"),
          ("日本 太郎", "taro@example.test"), ("O'Neil, Pat", "pat+list@a.b.c.test"),
          ("zoe", "Zoe@Example.TEST"), ("Dan (the man)", "dan@example.test"), ("", "ALICE@example.test")]


class Mail:
    """One letter, as mail programs write them."""

    def __init__(self, r):
        self.r = r

    def chance(self, p):
        return self.r.random() < p

    def pick(self, *items):
        return self.r.choice(items)

    def words(self, least=1, most=6):
        return " ".join(self.r.choice(WORDS) for _ in range(self.r.randint(least, most)))

    def encoded(self, text, charsets=("utf-8",)):
        charset = self.r.choice(charsets)
        raw = text.encode(charset)
        if self.chance(0.5) or not charset.startswith(("utf", "iso-8859", "win", "koi")):
            return f"=?{self.pick(charset, charset.upper())}?{self.pick('B', 'b')}?{base64.b64encode(raw).decode()}?="
        body = "".join(chr(c) if c < 128 and chr(c).isalnum() else "_" if c == 32 else f"={c:02X}" for c in raw)
        return f"=?{charset}?{self.pick('Q', 'q')}?{body}?="

    def foreign(self):
        word, charsets = self.r.choice(TONGUES)
        return self.encoded(word, charsets)

    def subject(self):
        kind = self.r.randrange(8)
        if kind == 0:
            core = self.foreign() + " " + self.words(1, 2)
        elif kind == 1:
            core = self.words(1, 2) + "\r\n " + self.words(1, 2)
        elif kind == 2:
            core = self.foreign() + self.pick(" ", "\r\n ", "  ") + self.foreign()
        elif kind == 3:
            core = self.encoded("Re: " + self.words(1, 2))
        else:
            core = self.words(1, 2)
        return self.r.choice(PREFIXES) + core + self.r.choice(SUFFIXES)

    def person(self):
        name, address = self.r.choice(PEOPLE)
        if not name:
            return self.pick(address, f"<{address}>")
        if not name.isascii():
            return f"{self.encoded(name)} <{address}>"
        if self.chance(0.15):
            return f"{address} ({name.replace('(', '').replace(')', '')})"
        return f'"{name}" <{address}>' if not name.isalpha() or self.chance(0.3) else f"{name} <{address}>"

    def people(self):
        if self.chance(0.08):
            return self.pick("undisclosed-recipients:;", f"Friends: {self.person()}, {self.person()};",
                             f"A group:;, {self.person()}")
        return self.pick(", ", ",", ",\r\n\t").join(self.person() for _ in range(self.r.randint(1, 3)))

    def date(self):
        r = self.r
        year = r.choice([2019, 2020, 2020, 2021, 2021, 2021, 2024, 1999, 2000])
        day, month = r.randint(1, 28), r.choice(MONTHS)
        clock = f"{r.randrange(24):02}:{r.randrange(60):02}" + (f":{r.randrange(60):02}" if r.random() < 0.9 else "")
        text = f"{self.pick(day, f'{day:02}')} {month} {year} {clock} {r.choice(ZONES)}"
        return self.pick(f"{r.choice(DAYS)}, {text}", f"{r.choice(DAYS)}, {text}", text)

    def part(self, subtype=None):
        """(fields, bytes)"""
        word, charsets = self.r.choice(TONGUES)
        charset = self.r.choice(charsets)
        subtype = subtype or self.pick("plain", "plain", "html")
        lines = [self.words(2, 10) for _ in range(self.r.randint(0, 6))]
        if self.chance(0.7):
            lines.insert(self.r.randint(0, len(lines)), f"{self.words(1, 2)} {word} {self.words(1, 2)}")
        if self.chance(0.1):
            lines.append(self.words(90, 100))
        if subtype == "html":
            lines = ["<html><head><title>" + self.words(1, 2) + "</title></head><body>"] + \
                [f"<p class=\"quiet\">{line.replace(' ', ' <b>', 1)}</b></p>" for line in lines] + ["</body></html>"]
        text = "".join(line + "\r\n" for line in lines)
        if self.chance(0.2) and text.isascii():
            return f"Content-Type: text/{subtype}\r\n", text.encode()
        head = f"Content-Type: text/{subtype}; charset={self.pick(charset, chr(34) + charset + chr(34))}\r\n"
        raw = text.encode(charset)
        kind = self.r.randrange(3)
        if kind == 0:
            return head + "Content-Transfer-Encoding: base64\r\n", base64.encodebytes(raw).replace(b"\n", b"\r\n")
        if kind == 1:
            return head + "Content-Transfer-Encoding: quoted-printable\r\n", \
                quopri.encodestring(raw.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        return head + f"Content-Transfer-Encoding: {'8bit' if max(raw, default=0) > 127 else '7bit'}\r\n", raw

    def attachment(self):
        raw = self.r.randbytes(self.r.randint(0, 400))
        return (f"Content-Type: {self.pick('application/octet-stream', 'image/png')}; name=\"{self.words(1, 1)}.bin\"\r\n"
                "Content-Transfer-Encoding: base64\r\n"
                f"Content-Disposition: attachment; filename=\"{self.words(1, 1)}.bin\"\r\n"), \
            base64.encodebytes(raw).replace(b"\n", b"\r\n")

    def body(self, depth=0):
        kind = self.r.random()
        if depth < 3 and kind < 0.35:
            return self.multipart(depth)
        if depth < 3 and 0.35 < kind < 0.43 and depth:
            return "Content-Type: message/rfc822\r\n", self.whole(depth + 1)
        if depth and kind < 0.6:
            return self.attachment()
        return self.part()

    def multipart(self, depth):
        mark = f"=_{self.r.getrandbits(40):x}"
        subtype = self.pick("mixed", "mixed", "alternative", "related")
        parts = [self.part("plain"), self.part("html")] if subtype == "alternative" else \
            [self.body(depth + 1) for _ in range(self.r.randint(1, 3))]
        out = b"preamble\r\n" if self.chance(0.2) else b""
        for head, body in parts:
            out += f"--{mark}\r\n{head}\r\n".encode() + body + b"\r\n"
        out += f"--{mark}--\r\n".encode() + (b"epilogue\r\n" if self.chance(0.1) else b"")
        return f"Content-Type: multipart/{subtype}; boundary=\"{mark}\"\r\n", out

    def header(self):
        fields = []
        for name, p, make in (("Date", 0.93, self.date), ("From", 0.95, self.person), ("Sender", 0.1, self.person),
                              ("Reply-To", 0.1, self.person), ("To", 0.9, self.people), ("Cc", 0.3, self.people),
                              ("Bcc", 0.08, self.people), ("Subject", 0.93, self.subject),
                              ("X-Mailer", 0.4, self.words), ("X-Empty", 0.05, lambda: ""),
                              ("Received", 0.3, lambda: f"from a by b;\r\n\t{self.date()}")):
            if self.chance(p):
                fields.append(f"{name}: {make()}\r\n")
                if name in ("Received", "X-Mailer") and self.chance(0.3):
                    fields.append(f"{name}: {make()}\r\n")
        return "".join(fields)

    def whole(self, depth=0, more=""):
        fields, body = self.body(depth)
        return (self.header() + more + "MIME-Version: 1.0\r\n" + fields + "\r\n").encode() + body


def references(r, n, most):
    """Message-ID, References and In-Reply-To of the n-th of a mailbox: threads, with
    parents that are missing, not yet there, the message itself, or in a ring."""
    def one(i):
        return f"<m{i}@threads.example.test>"
    if r.random() < 0.05:
        return ""
    mine = one(n if r.random() < 0.97 else r.randrange(most))
    out = f"Message-ID: {mine}\r\n"
    kind = r.randrange(10)
    if kind < 3:
        return out
    parents = [one(r.randrange(max(0, n - 8), n + 1) if r.random() < 0.8 else r.randrange(most + 20))
               for _ in range(r.choice((1, 1, 2, 3, 4)))]
    if kind < 8:
        out += "References: " + r.choice((" ", "\r\n ", "")).join(parents) + "\r\n"
    if kind in (6, 8):
        out += f"In-Reply-To: {parents[-1]}\r\n"
    if kind == 9:
        out += f"In-Reply-To: your message of today {parents[0]} {one(r.randrange(most))}\r\n"
    return out


def flags(r):
    chosen = [f for f in SYSTEM if r.random() < 0.3] + [k for k in KEYWORDS if r.random() < 0.2]
    r.shuffle(chosen)
    return " ".join(chosen)


def internal(r):
    if r.random() < 0.02:
        return None
    year = r.choice((1999, 2019, 2020, 2020, 2021, 2024))
    day = f"{r.randint(1, 28):2}-{r.choice(MONTHS)}-{year}"
    return f"{day} {r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02} {r.choice(('+0000', '-0800', '+0530', '+1400'))}"


def mails(seed, n, strange=0):
    """A mailbox: n letters, and `strange` messages as it/mime_generate.py breaks them."""
    r = random.Random(f"gatepost imap {seed}")
    out = []
    for i in range(n):
        out.append((Mail(r).whole(more=references(r, i, n)), flags(r), internal(r)))
    for i in range(strange):
        m = mime_generate.message(r.randrange(100000))
        if b"\x00" not in m and not re.search(rb"(?<!\r)\n|\r(?!\n)", m):
            out.append((m, flags(r), internal(r)))
    return out


# Base64 that ends within a group, and an encoding in quotes; and what is asked about them.
CODED = [b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n" % v
         for v in ((b"base64", b"aGVsbG8gd29ybGQ"), (b'"base64"', b"aGVsbG8="), (b'"quoted-printable"', b"=41 b="))]
ABOUT_CODED = [b"UID FETCH 1:* (BINARY.SIZE[1])", b"FETCH 1:* (BINARY.PEEK[1])", b"UID FETCH 1:* (BODYSTRUCTURE)",
               b"SEARCH BODY hello", b"FETCH 3 (BINARY.PEEK[1]<0.2> BODY.PEEK[1])"]


# --- commands that change nothing ---

SECTIONS = ["", "HEADER", "TEXT", "HEADER.FIELDS (SUBJECT FROM)", "HEADER.FIELDS (x-none)", "HEADER.FIELDS.NOT (Received To)",
            "1", "1.MIME", "2", "2.MIME", "1.1", "1.2.MIME", "2.HEADER", "2.TEXT", "2.1", "1.HEADER",
            "2.HEADER.FIELDS (Subject Date)", "2.HEADER.FIELDS.NOT (From)", "3", "1.1.1", "9", "1.TEXT",
            "HEADER.FIELDS (content-type \"To\" received)", "HEADER.FIELDS.NOT (Subject Date From To Cc)"]
PARTIALS = ["", "<0.10>", "<5.20>", "<0.100000>", "<100000.5>", "<1.1>", "<0.1>", "<78.3>"]
ITEMS = ["FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY", "BODYSTRUCTURE", "RFC822.HEADER", "ALL", "FAST",
         "FULL", "MODSEQ", "BINARY.SIZE[1]", "BINARY.PEEK[1]", "BINARY.PEEK[2]", "BINARY.PEEK[]", "BINARY.SIZE[]",
         "BINARY.PEEK[1]<3.9>", "BINARY.PEEK[1.1]", "BINARY.SIZE[2]", "PREVIEW", "PREVIEW (LAZY)", "SAVEDATE"]
FIELDS = ["Subject", "From", "To", "X-Mailer", "Message-ID", "Date", "X-None", "Received", "Content-Type", "X-Empty",
          "References", "cc", "MIME-Version"]
SORTS = ["ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"]
CHARSETS = ["US-ASCII", "UTF-8"]
STATUSES = ["MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "SIZE", "HIGHESTMODSEQ"]


def literal(raw):
    return b"{%d+}\r\n%s" % (len(raw), raw)


def string(text, charset="utf-8"):
    raw = text.encode(charset)
    if text.isascii() and "\r" not in text:
        return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return literal(raw)


def number_set(r, most):
    def one():
        return r.choice((str(r.randint(1, most)), "*", f"{r.randint(1, most)}:{r.randint(1, most)}",
                         f"{r.randint(1, most)}:*", str(r.randint(1, most))))
    return ",".join(one() for _ in range(r.choice((1, 1, 1, 2, 3))))


def needle(r):
    """Something to look for, as text."""
    kind = r.randrange(10)
    word = r.choice(WORDS)
    if kind == 0:
        return r.choice(TONGUES)[0]
    if kind == 1:
        return r.choice(TONGUES)[0].upper() if r.random() < 0.5 else r.choice(TONGUES)[0][1:]
    if kind == 2:
        return word[1:-1]
    if kind == 3:
        return word + " " + r.choice(WORDS)
    if kind == 4:
        return word.upper()
    if kind == 5:
        return r.choice(("@example", "example.test>", "Re:", "[list]", "zzz", "", "\\", '"', "=?utf-8", "<b>", "title",
                         "=20", "  ", "m1@", "O'Neil, Pat", "0000", "b@", "JÜRGEN", "müller", "grusse", "GRÜSSE"))
    return word


def day(r):
    return f"{r.randint(1, 28)}-{r.choice(MONTHS)}-{r.choice((1999, 2000, 2019, 2020, 2021, 2021, 2024, 2030))}"


def key(r, most, depth=0):
    """One search key, as bytes."""
    kind = r.randrange(26 if depth < 3 else 20)
    if kind < 4:
        return r.choice(("ALL", "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN", "UNANSWERED", "UNDELETED", "UNDRAFT",
                         "UNFLAGGED", "UNSEEN", "OLD", "NEW", "RECENT")).encode()
    if kind == 4:
        return f"{r.choice(('KEYWORD', 'UNKEYWORD'))} {r.choice(KEYWORDS + ['nobody', 'BLUE'])}".encode()
    if kind < 8:
        date = day(r)
        if r.random() < 0.3:
            date = f'"{date}"'
        return f"{r.choice(('BEFORE', 'ON', 'SINCE', 'SENTBEFORE', 'SENTON', 'SENTSINCE'))} {date}".encode()
    if kind == 8:
        return f"{r.choice(('LARGER', 'SMALLER'))} {r.choice((0, 1, 300, 500, 700, 1000, 2000, 5000, 100000))}".encode()
    if kind == 9:
        return number_set(r, most).encode()
    if kind == 10:
        return b"UID " + number_set(r, most).encode()
    if kind == 11:
        return f"{r.choice(('YOUNGER', 'OLDER'))} {r.choice((1000000, 100000000, 1))}".encode()
    if kind < 16:
        return r.choice((b"FROM", b"TO", b"CC", b"BCC", b"SUBJECT", b"SUBJECT")) + b" " + string(needle(r))
    if kind == 16:
        return b"HEADER " + string(r.choice(FIELDS)) + b" " + string(r.choice((needle(r), "")))
    if kind < 20:
        return r.choice((b"BODY", b"TEXT")) + b" " + string(needle(r))
    if kind < 22:
        return b"NOT " + key(r, most, depth + 1)
    if kind < 24:
        return b"OR " + key(r, most, depth + 1) + b" " + key(r, most, depth + 1)
    return b"(" + b" ".join(key(r, most, depth + 1) for _ in range(r.randint(1, 3))) + b")"


def keys(r, most):
    return b" ".join(key(r, most) for _ in range(r.choice((1, 1, 1, 2, 2, 3))))


def charset(r, program):
    """CHARSET in front of a program that needs it, or by chance."""
    return (b"CHARSET UTF-8 " if not program.isascii() or r.random() < 0.1 else b"") + program


def returns(r, names):
    return "RETURN (" + " ".join(r.sample(names, r.randint(0, len(names)))) + ") "


def search(r, most):
    ret = returns(r, ["MIN", "MAX", "ALL", "COUNT"]) if r.random() < 0.3 else ""
    return ("UID " if r.random() < 0.4 else "").encode() + b"SEARCH " + ret.encode() + charset(r, keys(r, most))


def sort(r, most):
    order = " ".join(("REVERSE " if r.random() < 0.4 else "") + name for name in r.sample(SORTS, r.randint(1, 3)))
    ret = returns(r, ["MIN", "MAX", "ALL", "COUNT"]) if r.random() < 0.2 else ""
    program = b"ALL" if r.random() < 0.5 else keys(r, most)
    return f"{'UID ' if r.random() < 0.4 else ''}SORT {ret}({order}) UTF-8 ".encode() + program


def thread(r, most):
    how = r.choice(("REFERENCES", "ORDEREDSUBJECT"))
    program = b"ALL" if r.random() < 0.5 else keys(r, most)
    return f"{'UID ' if r.random() < 0.4 else ''}THREAD {how} UTF-8 ".encode() + program


def item(r):
    if r.random() < 0.5:
        return r.choice(ITEMS[:8] + ITEMS[11:])
    return f"BODY.PEEK[{r.choice(SECTIONS)}]{r.choice(PARTIALS) if r.random() < 0.4 else ''}"


def fetch(r, most):
    wanted = " ".join(item(r) for _ in range(r.choice((1, 1, 2, 3))))
    low = r.randint(1, most)
    numbers = r.choice((str(low), f"{low}:{low + r.randrange(8)}", f"{low},{r.randint(1, most)}"))
    if r.random() < 0.5:
        return f"UID FETCH {numbers} ({wanted})".encode()
    numbers = ":".join(str(min(int(n), most)) for n in numbers.split(":")) if "," not in numbers else numbers
    return f"FETCH {numbers} ({wanted})".encode()


def question(r, most):
    return r.choice((search, search, search, sort, thread, fetch, fetch))(r, most)


def everything(most):
    """Each item, section, partial, key, order, algorithm: once."""
    for name in ITEMS:
        wanted = name if name in ("ALL", "FAST", "FULL") else f"({name})"
        yield f"FETCH 1:* {wanted}".encode()
        yield f"UID FETCH 1:* {wanted}".encode()
    for section in SECTIONS:
        for partial in PARTIALS[:1] if "FIELDS" in section else PARTIALS:
            yield f"FETCH 1:* BODY.PEEK[{section}]{partial}".encode()
    for name in ("RFC822", "RFC822.TEXT", "RFC822.HEADER", "BODY[]", "BODY[TEXT]", "BINARY[1]"):
        yield f"FETCH 1:* {name}".encode()
    yield from every_key(most)
    for name in SORTS:
        for back in ("", "REVERSE "):
            yield f"SORT ({back}{name}) UTF-8 ALL".encode()
            yield f"UID SORT ({back}{name} SIZE REVERSE DATE) US-ASCII UNDELETED".encode()
        yield f"SORT RETURN (MIN MAX COUNT ALL) ({name}) UTF-8 ALL".encode()
    for how in ("REFERENCES", "ORDEREDSUBJECT"):
        for program in ("ALL", "UNDELETED", "SUBJECT re", "1:20", "SINCE 1-Jan-2021", "NOT ALL", "FROM alice"):
            yield f"THREAD {how} UTF-8 {program}".encode()
            yield f"UID THREAD {how} US-ASCII {program}".encode()


def about_any():
    """Of messages that are not ours."""
    for name in ("ENVELOPE", "BODY", "BODYSTRUCTURE", "RFC822.SIZE", "BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]",
                 "BODY.PEEK[1]", "BODY.PEEK[1.MIME]", "BODY.PEEK[2]", "BODY.PEEK[2.MIME]", "BODY.PEEK[1.1]", "BODY.PEEK[2.HEADER]",
                 "BODY.PEEK[HEADER.FIELDS (From Subject)]", "BODY.PEEK[HEADER.FIELDS.NOT (Received)]"):
        yield f"FETCH 1:* {name}".encode()
    for name in SORTS:
        yield f"SORT ({name}) UTF-8 ALL".encode()
        yield f"SORT (REVERSE {name}) UTF-8 ALL".encode()
    for how in ("REFERENCES", "ORDEREDSUBJECT"):
        yield f"THREAD {how} UTF-8 ALL".encode()
    for field in FIELDS:
        yield b"SEARCH HEADER " + string(field) + b' ""'
    for year in (1995, 2000, 2005, 2010, 2015, 2020):
        yield f"SEARCH SENTSINCE 1-Jan-{year}".encode()
    for word in ("a", "e", "the", "test", "content-type", "multipart", "http", "@", "é", "ü", "的", "の"):
        for name in ("FROM", "TO", "CC", "SUBJECT", "BODY", "TEXT"):
            yield b"SEARCH CHARSET UTF-8 " + name.encode() + b" " + string(word)


def every_key(most):
    for word in ("ALL ANSWERED DELETED DRAFT FLAGGED SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN OLD NEW "
                 "RECENT").split() + ["UID 1:5,9,*", "1:5,9,*", "LARGER 800", "SMALLER 800", "OLDER 100000000",
                                      "YOUNGER 100000000", f"UID {most + 5}:*", "MODSEQ 1", "NOT MODSEQ 1",
                                      "SAVEDSINCE 1-Jan-2020", "SAVEDBEFORE 1-Jan-2020", "SAVEDON 1-Jan-2020"]:
        for form in ("SEARCH {}", "SEARCH NOT {}", "UID SEARCH {}", "SEARCH OR {} FLAGGED", "SEARCH RETURN (COUNT MIN MAX) {}",
                     "UID SEARCH RETURN () {}"):
            yield form.format(word).encode()
    for k in KEYWORDS + ["nobody", "BLUE", "$forwarded"]:
        yield f"SEARCH KEYWORD {k}".encode()
        yield f"SEARCH UNKEYWORD {k}".encode()
    for name in ("BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"):
        for date in ("1-Jan-2020", "01-Feb-2021", '"28-Dec-1999"', " 1-Mar-2020".strip(), "1-Jan-1970", "31-Dec-1969",
                     "1-Jan-2030", "15-jun-2021"):
            yield f"SEARCH {name} {date}".encode()
    for text in [t for t, _ in TONGUES] + [t.lower() for t, _ in TONGUES[:5]] + ["report", "EPORT", "", "@", "<b>", "=?utf"]:
        for name in ("FROM", "TO", "CC", "BCC", "SUBJECT", "BODY", "TEXT", "HEADER SUBJECT", "HEADER X-Mailer"):
            yield b"SEARCH " + (b"" if text.isascii() else b"CHARSET UTF-8 ") + name.encode() + b" " + string(text)
    for field in FIELDS:
        yield b"SEARCH HEADER " + string(field) + b' ""'
        yield b"SEARCH HEADER " + string(field) + b' "1"'
    for text, charsets in TONGUES:
        for name in charsets:
            yield f"SEARCH CHARSET {name} OR SUBJECT ".encode() + literal(text.encode(name)) + b" BODY " + \
                literal(text.encode(name))
    yield b"SEARCH CHARSET x-nothing SUBJECT a"
    yield b"SEARCH CHARSET US-ASCII SUBJECT report"


# What is wrong, or for nobody, in a mailbox of some messages.
WRONG = ["STORE 1 FLAGS \\Recent", "STORE 1 FLAGS (\\Nothing)", "STORE 0 FLAGS ()", "FETCH 0 FLAGS", "FETCH 1:0 FLAGS",
         "FETCH 1 (NOTHING)", "FETCH 1", "FETCH 1 BODY[", "FETCH 1 BODY.PEEK[0]", "FETCH 1 BODY[1.HEADER.FIELDS]", "UID 1", "UID NOOP",
         "SEARCH", "SEARCH NOTHING", "SEARCH OR ALL", "SEARCH (ALL", "SEARCH BEFORE 1-Foo-2020", "SEARCH ON 32-Jan-2020",
         "SORT (DATE) ALL", "SORT () UTF-8 ALL", "SORT (NOTHING) UTF-8 ALL", "THREAD NOTHING UTF-8 ALL", "THREAD REFERENCES",
         "COPY 1", "MOVE 1", "STATUS base ()", "STATUS base (NOTHING)", "STATUS base", "UID EXPUNGE", "NOTHING",
         "SELECT story-none", "EXAMINE story-none", "CREATE INBOX", "CREATE \"per%cent\"", "DELETE INBOX", "DELETE story-none",
         "RENAME story-none story-nowhere", "SUBSCRIBE", "SUBSCRIBE story-none", "UNSUBSCRIBE story-none", "APPEND base", "LOGIN a b", "FETCH a FLAGS",
         "FETCH 1 BODY.PEEK[HEADER]<0.0>", "FETCH 1 BODY.PEEK[HEADER]<-1.3>", "FETCH 1,, FLAGS", "FETCH * FLAGS", "UID FETCH * FLAGS",
         "FETCH 4294967296 FLAGS", "FETCH 4294967295 FLAGS", "UID FETCH 4294967295:* FLAGS", "SEARCH UID 4294967295:*",
         "UID COPY 4000 story-none", "UID MOVE 4000 story-none", "UID STORE 4000 FLAGS ()", "CHECK", "NOOP NOOP",
         "SEARCH RETURN (NOTHING) ALL", "SEARCH CHARSET", "FETCH 1 ALL FAST", "FETCH 1 (ALL)", "SEARCH LARGER -1"]


# --- commands that change mailboxes ---

class Story:
    """Steps (session, command, changes?) with a mailbox of their own.  `<<name>>` in a
    command is a number that each server gave itself."""

    def __init__(self, seed, most, sessions=1):
        self.r = random.Random(f"gatepost story {seed}")
        self.name, self.other = f"story{seed}", f"story{seed}/other"
        self.most, self.sessions = most, sessions
        self.marks = 1
        self.low, self.count = self.r.randint(1, max(1, most - 12)), self.r.randint(1, 12)     # copies of

    def opening(self):
        low = self.low
        yield "base", f"CREATE {self.name}", False
        yield "base", f"CREATE {self.other}", False
        yield "base", f"STATUS {self.name} (HIGHESTMODSEQ)", False
        yield "base", f"STATUS {self.other} (HIGHESTMODSEQ)", False
        yield "base", f"UID COPY {low}:{low + self.count - 1} {self.name}", False
        yield "base", f"!mark m1 {self.name}", False
        for n in range(self.sessions):
            yield f"s{n}", self.select(), True

    def select(self):
        return f"SELECT {self.name}{self.r.choice(('', ' (CONDSTORE)'))}"

    def session(self):
        return f"s{self.r.randrange(self.sessions)}"

    def set(self):
        return number_set(self.r, 12)

    def of(self, verb):
        """A verb with UIDs; or with few numbers, since a set with one beyond the end is
        refused by one server and not by the other."""
        if self.r.random() < 0.6:
            return f"UID {verb} {self.set()}"
        return f"{verb} {self.r.choice(('1', '1', '2', '1:2', '3', '2:3', '1,3', '*', '1:*', '5'))}"

    def flag_list(self):
        chosen = self.r.sample(SYSTEM + KEYWORDS, self.r.choice((0, 1, 1, 2, 3)))
        text = " ".join(chosen)
        return text if len(chosen) == 1 and self.r.random() < 0.3 else f"({text})"

    def store(self):
        since = f"(UNCHANGEDSINCE {self.mark()}) " if self.r.random() < 0.15 else ""
        how = self.r.choice(("FLAGS", "+FLAGS", "-FLAGS", "+FLAGS", "-FLAGS")) + self.r.choice(("", "", ".SILENT"))
        return f"{self.of('STORE')} {since}{how} {self.flag_list()}"

    def mark(self):
        return f"<<m{self.r.randint(1, self.marks)}>>"

    def moving(self):
        where = self.r.choice((self.other, self.other, self.name, "story-none", "INBOX"))
        return f"{self.of(self.r.choice(('COPY', 'COPY', 'MOVE')))} {where}"

    def expunge(self):
        return self.r.choice(("EXPUNGE", f"UID EXPUNGE {self.set()}"))

    def body(self):
        what = self.r.choice(("BODY[TEXT]<0.5>", "BODY.PEEK[HEADER.FIELDS (Subject)]", "FLAGS", "(UID FLAGS MODSEQ)", "RFC822.SIZE",
                              "BODY[HEADER.FIELDS (Date)]", "FAST", "(FLAGS BODY[1]<0.3>)", "BINARY[1]<0.3>"))
        if self.r.random() < 0.2 and what != "FAST":
            what = f"({what.strip('()')}) (CHANGEDSINCE {self.mark()})"
        return f"{self.of('FETCH')} {what}"

    def append(self):
        text = f"Subject: new {self.r.randrange(100)}\r\nDate: 1 Jan 2020 0:00 GMT\r\n\r\nbody\r\n".encode()
        chosen = f"({flags(self.r)}) " if self.r.random() < 0.7 else ""
        date = f'"{internal(random.Random(self.r.randrange(1000))) or " 1-Jan-2020 00:00:00 +0000"}" '
        return f"APPEND {self.r.choice((self.name, self.name, self.other))} {chosen}{date}".encode() + literal(text)

    def question(self):
        return question(self.r, 8)

    def saved(self):
        return self.r.choice((
            f"SEARCH RETURN (SAVE) {self.r.choice(('DELETED', 'SEEN', 'ALL', 'NOT ALL', '1:3', 'FLAGGED'))}",
            "UID SEARCH RETURN (SAVE COUNT) UNSEEN", "SEARCH RETURN (SAVE MIN) ALL", "SEARCH RETURN (SAVE MIN MAX) ALL",
            "FETCH $ (UID FLAGS)", "UID FETCH $ FLAGS", "STORE $ +FLAGS (saved)", "SEARCH $", "UID SEARCH UID $ SEEN",
            f"COPY $ {self.other}", "SEARCH NOT $", "SEARCH RETURN (COUNT) $"))

    def status(self):
        chosen = " ".join(self.r.sample(STATUSES, self.r.randint(1, 5)))
        return f"STATUS {self.r.choice((self.other, self.other, 'INBOX', 'story-none', 'base'))} ({chosen})"

    def wrong(self):
        return self.r.choice([w for w in WRONG if not w.startswith(("SELECT", "EXAMINE", "CREATE"))])

    def reopen(self):
        verb = self.r.choice(("CLOSE", "UNSELECT", "UNSELECT", None))
        session = self.session()
        if verb:
            yield session, verb, False
        if self.r.random() < 0.3:
            yield session, f"EXAMINE {self.name}", False
            yield session, self.body(), False
            yield session, self.store(), False
        yield session, self.select(), True

    def steps(self, n):
        r = self.r
        yield from self.opening()
        for _ in range(n):
            kind = r.random()
            if kind < 0.30:
                yield self.session(), self.store(), True
            elif kind < 0.40:
                yield self.session(), self.moving(), True
            elif kind < 0.48:
                yield self.session(), self.expunge(), True
            elif kind < 0.58:
                yield self.session(), self.body(), True
            elif kind < 0.65:
                yield self.session(), self.append(), True
            elif kind < 0.73:
                yield self.session(), self.question(), True
            elif kind < 0.80:
                yield self.session(), self.saved(), True
            elif kind < 0.85:
                yield self.session(), self.status(), True
            elif kind < 0.93:
                yield self.session(), self.wrong(), True
            elif kind < 0.96:
                self.marks += 1
                yield "base", f"!mark m{self.marks} {self.name}", False
            else:
                yield from self.reopen()
        for n in range(self.sessions):
            yield f"s{n}", f"STATUS {self.other} ({' '.join(STATUSES)})", True


class Resync(Story):
    """The same for a client that ENABLEs QRESYNC, goes away and comes back."""

    def opening(self):
        for step in super().opening():
            if step[0].startswith("s"):
                yield step[0], "ENABLE QRESYNC", False
            yield step

    def reopen(self):
        session = self.session()
        yield session, self.r.choice(("CLOSE", "UNSELECT")), False
        known = f" {self.r.choice(('1:20', '1:5', '2,4,6:9'))}" if self.r.random() < 0.5 else ""
        yield session, f"SELECT {self.name} (QRESYNC (<<v_{self.name}>> {self.mark()}{known}))", True

    def saved(self):
        return f"UID FETCH {self.set()} (FLAGS) (CHANGEDSINCE {self.mark()} VANISHED)"


# --- mailboxes ---

NAMES = ["one", "two", "One", "Grüße", "日本語", "a&b", "sp ace", "кот", "x.y", "😀", "a'b", "ünder/bär",
         "one/two", "one/two/three", "deep/er/and/deep/er", "INBOX/sub", "q\"uote", "back\\slash", "(paren)"]
PATTERNS = ["*", "%", "one*", "one/%", "%/%", "*o*", "*/two", "one/*", "INBOX", "inbox", "Inbox*", "%e", "", "deep/%", "deep/*/er",
            "*%", "%*", "INBOX/%", "nothing", "one/", "/", "*ü*", "Gr%", "%/two/%"]


def utf7(name):
    """RFC 3501 5.1.3"""
    out, run = "", ""

    def flush(run):
        return "&" + base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-" if run else ""
    for c in name:
        if " " <= c <= "~":
            out, run = out + flush(run) + ("&-" if c == "&" else c), ""
        else:
            run += c
    return out + flush(run)


def box(name):
    return '"' + utf7(name).replace("\\", "\\\\").replace('"', '\\"') + '"'


def trees(seed, n):
    """Commands about names of mailboxes."""
    r = random.Random(f"gatepost trees {seed}")
    for name in NAMES[:n]:
        if r.random() < 0.8:
            yield f"CREATE {box(name)}"
    for _ in range(n * 4):
        name, other = r.choice(NAMES), r.choice(NAMES)
        kind = r.random()
        if kind < 0.12:
            yield f"CREATE {box(name)}"
        elif kind < 0.22:
            yield f"DELETE {box(name)}"
        elif kind < 0.32:
            yield f"RENAME {box(name)} {box(other)}"
        elif kind < 0.45:
            yield f"{r.choice(('SUBSCRIBE', 'SUBSCRIBE', 'UNSUBSCRIBE'))} {box(name)}"
        elif kind < 0.55:
            yield f"STATUS {box(name)} (MESSAGES UIDNEXT)"
        elif kind < 0.65:
            yield f"{r.choice(('SELECT', 'EXAMINE'))} {box(name)}"
        else:
            yield list_command(r)


def list_command(r):
    pattern = box(r.choice(PATTERNS))
    reference = box(r.choice(("", "", "", "", "one/", "one", "deep/")))
    kind = r.randrange(6)
    if kind < 2:
        return f"LIST {reference} {pattern}"
    if kind == 2:
        return f"LSUB {reference} {pattern}"
    select = " ".join(r.sample(("SUBSCRIBED", "SPECIAL-USE", "REMOTE"), r.randint(0, 2)))
    if "SUBSCRIBED" in select and r.random() < 0.4:
        select += " RECURSIVEMATCH"
    wanted = " ".join(r.sample(("SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "STATUS (MESSAGES UIDNEXT)"), r.randint(0, 3)))
    patterns = f"({pattern} {box(r.choice(PATTERNS))})" if r.random() < 0.3 else pattern
    selected = f"({select}) " if select or r.random() < 0.1 else ""
    return f"LIST {selected}{reference} {patterns}" + (f" RETURN ({wanted})" if wanted or r.random() < 0.1 else "")
