# SPDX-License-Identifier: ISC
"""Messages for comparing parsers: made by chance, but the same ones each time.

    message(n) -> bytes        the n-th

Half of them are as they should be; in the others one or several things are
broken, as programs and people break them.  Nothing in here is hostile on
purpose: that is what it/evasions is for.
"""
import base64
import quopri
import random

WORDS = ("alpha beta gamma delta report invoice meeting hello world update status "
         "weekly plan budget draft final notes photo holiday ticket order").split()
UNICODE = ["Grüße", "日本語", "naïve", "Ελλάδα", "привет", "señor", "fête", "Ünïcödé"]
DOMAINS = ["example.test", "mail.example.test", "xn--exmple-cua.test", "a.b.c.test", "[192.0.2.7]"]


class Maker:
    def __init__(self, n):
        self.r = random.Random(f"gatepost mime {n}")
        self.broken = 0.0 if n % 2 == 0 else 0.12
        self.boundaries = []
        self.n = n

    # --- chance ---

    def chance(self, p):
        return self.r.random() < p

    def wrong(self):
        return self.chance(self.broken)

    def pick(self, *items):
        return self.r.choice(items)

    def words(self, least=1, most=8):
        return " ".join(self.r.choice(WORDS) for _ in range(self.r.randint(least, most)))

    # --- header fields ---

    def encoded_word(self, text):
        charset = self.pick("utf-8", "UTF-8", "iso-8859-1", "utf-8*en")
        raw = text.encode(charset.split("*")[0], "replace")
        if self.chance(0.5):
            return f"=?{charset}?{self.pick('B', 'b')}?{base64.b64encode(raw).decode()}?="
        body = "".join(chr(c) if c < 128 and chr(c).isalnum() else "_" if c == 32 else f"={c:02X}" for c in raw)
        return f"=?{charset}?{self.pick('Q', 'q')}?{body}?="

    def phrase(self):
        kind = self.r.randrange(8)
        if kind == 0:
            return self.encoded_word(self.pick(*UNICODE))
        if kind == 1:
            return f'"{self.words(1, 3)}, {self.pick("Jr.", "Dr.", "Ltd")}"'
        if kind == 2:
            return '"with \\"quotes\\" and \\\\"'
        if kind == 3:
            return f"{self.words(1, 2)} {self.encoded_word(self.pick(*UNICODE))}"
        if kind == 4:
            return f"{self.words(1, 1)}  {self.words(1, 1)}"
        if kind == 5 and self.wrong():
            return self.pick("J. R. Ewing", "A.B", '"unclosed', self.pick(*UNICODE), "a@b")
        return self.words(1, 3).title()

    def addr_spec(self):
        local = self.pick("alice", "bob.builder", "c+tag", "d_e", '"quoted local"', "o'neil", "x")
        return f"{local}@{self.pick(*DOMAINS)}"

    def address(self):
        kind = self.r.randrange(9)
        if kind == 0:
            return self.addr_spec()
        if kind == 1:
            return f"<{self.addr_spec()}>"
        if kind == 2:
            return f"{self.addr_spec()} ({self.words(1, 2)})"
        if kind == 3:
            return f"{self.phrase()} (comment) <{self.addr_spec()}>"
        if kind == 4 and self.wrong():
            return self.pick("root", "<root>", "<>", "<@relay.test:a@b.test>", "a@", "@b.test",
                             "Name <a@b.test", "a b@c.test", "Undisclosed recipients", "a@b@c.test",
                             "(only a comment)", "a . b @ c . test", "<a@b.test> trailing", ",,", ";")
        return f"{self.phrase()} <{self.addr_spec()}>"

    def addresses(self):
        kind = self.r.randrange(10)
        if kind == 0:
            inner = ", ".join(self.address() for _ in range(self.r.randint(0, 3)))
            return f"{self.phrase()}: {inner};"
        if kind == 1:
            return "undisclosed-recipients:;"
        joiner = self.pick(", ", ",", ",\r\n ", ", \r\n\t")
        return joiner.join(self.address() for _ in range(self.r.randint(1, 4)))

    def text_value(self):
        kind = self.r.randrange(9)
        if kind == 0:
            return ""
        if kind == 1:
            return self.encoded_word(self.pick(*UNICODE)) + "\r\n " + self.encoded_word(self.words())
        if kind == 2:
            return self.words() + "\r\n " + self.words()
        if kind == 3:
            return self.words() + "\r\n\t" + self.words() + "   "
        if kind == 4:
            return f'{self.words(1, 2)}  "x" \\ {self.words(1, 2)}'
        if kind == 5 and self.wrong():
            return self.pick(*UNICODE) + " " + self.words()
        if kind == 6:
            return " ".join(self.words() for _ in range(40))
        return self.words()

    def date(self):
        return self.pick("Tue, 14 Nov 2023 22:13:20 +0000", "14 Nov 2023 22:13 GMT",
                         "Tue,  1 Jan 2030 00:00:00 -0800 (PST)", "Mon, 32 Foo 99 25:61:61",
                         "Fri, 5 May 23 1:02:03 EST", "not a date", "")

    def msgid(self):
        if self.wrong():
            return self.pick("no-angles@x.test", "<a b@c.test>", "<>", "<unclosed@x.test", "")
        return f"<{self.r.getrandbits(40):x}@{self.pick(*DOMAINS[:3])}>"

    def name(self, field):
        kind = self.r.randrange(12)
        if kind == 0:
            return field.upper()
        if kind == 1:
            return field.lower()
        if kind == 2 and self.wrong():
            return field + self.pick(" ", "\t", "  ")
        return field

    def field(self, name, value):
        colon = ": " if not self.chance(0.08) else self.pick(":", ":  ", ":\t", ":\r\n ")
        return f"{self.name(name)}{colon}{value}\r\n"

    def header(self):
        out = []
        for name, p in (("Received", 0.4), ("Return-Path", 0.2), ("X-Mailer", 0.3)):
            if self.chance(p):
                out.append(self.field(name, self.text_value()))
        for name, p, make in (("Date", 0.95, self.date), ("From", 0.97, self.addresses),
                              ("Sender", 0.15, self.address), ("Reply-To", 0.2, self.addresses),
                              ("To", 0.9, self.addresses), ("Cc", 0.3, self.addresses),
                              ("Bcc", 0.1, self.addresses), ("Subject", 0.95, self.text_value),
                              ("Message-ID", 0.9, self.msgid), ("In-Reply-To", 0.3, self.msgid),
                              ("References", 0.3, self.msgid)):
            if self.chance(p):
                out.append(self.field(name, make()))
            if self.wrong() and self.chance(0.3):
                out.append(self.field(name, make()))
        if self.wrong():
            out.append(self.pick("this line is no field\r\n", ": no name\r\n", "X Y: blank in name\r\n",
                                 ">From quoted@example.test\r\n", "Empty:\r\n", "X-" + "l" * 2000 + ": v\r\n"))
        self.r.shuffle(out)
        return "".join(out)

    # --- parameters ---

    def quoted(self, value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def filename_params(self, name):
        base = self.pick("report.pdf", "photo 1.jpg", "a;b.txt", 'q"uote.zip', "Grüße.docx", "日本.xlsx",
                         "plain.txt", "long-" + "x" * 90 + ".bin", "dots...", "back\\slash.exe")
        kind = self.r.randrange(7)
        ascii_base = base.encode("ascii", "replace").decode()
        percent = "".join(chr(c) if chr(c).isalnum() and c < 128 or c == 46 else f"%{c:02X}" for c in base.encode())
        if kind == 0:
            return f"{name}*=utf-8''{percent}"
        if kind == 1:
            cuts = [percent[i:i + 30] for i in range(0, len(percent), 30)]
            parts = [f"{name}*{i}*={'utf-8' + chr(39) * 2 if i == 0 else ''}{c}" for i, c in enumerate(cuts)]
            if self.wrong():
                self.r.shuffle(parts)
            return self.pick("; ", ";\r\n\t").join(parts)
        if kind == 2:
            cuts = [ascii_base[i:i + 20] for i in range(0, len(ascii_base), 20)]
            return ";\r\n ".join(f"{name}*{i}={self.quoted(c)}" for i, c in enumerate(cuts))
        if kind == 3:
            return f'{name}="{self.encoded_word(base)}"'
        if kind == 4:
            return f"{name}={''.join(c for c in ascii_base if c.isalnum() or c == '.')}"
        if kind == 5 and self.wrong():
            return self.pick(f"{name}={ascii_base}", f"{name} = {self.quoted(ascii_base)}", f'{name}="unclosed',
                             f"{name}=", f"{name}", f"{name}={self.quoted(base)}", f"{name}*1=b; {name}*0=a",
                             f"{name}*=no-quotes", f"{name}=a; {name}=b", f"{name}=(c) x", f"{name}='single'")
        return f"{name}={self.quoted(ascii_base)}"

    def params(self, items):
        items = list(items)
        out = ""
        for p in items:
            out += self.pick("; ", ";", ";\r\n ", ";\r\n\t", " ; ") + p
        if self.wrong():
            out += self.pick(";", ";;", " ", "; ;", " (comment)", "; x", "; =y")
        return out

    def disposition(self, kinds=("attachment", "inline")):
        value = self.pick(*kinds)
        items = []
        if self.chance(0.8):
            items.append(self.filename_params("filename"))
        if self.chance(0.1):
            items.append("size=1234")
        if self.wrong():
            value = self.pick("ATTACHMENT", "attachment(x)", "", '"attachment"', "form-data", "a b", "a/b")
        return self.field("Content-Disposition", value + self.params(items))

    # --- entities: header fields and body, both as they stand in the message ---

    def extras(self):
        out = ""
        if self.chance(0.15):
            out += self.field("Content-ID", self.msgid())
        if self.chance(0.12):
            out += self.field("Content-Description", self.text_value())
        if self.chance(0.05):
            out += self.field("Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ==")
        if self.chance(0.06):
            out += self.field("Content-Language", self.pick("en", "en, de", "fr-CA (x)", "de,", ""))
        if self.chance(0.06):
            out += self.field("Content-Location", self.pick("http://x.test/a b", "file.html", "<x>"))
        return out

    def lines(self, least=0, most=6):
        out = []
        for _ in range(self.r.randint(least, most)):
            out.append(self.pick("", self.words(), self.words(5, 12), "--", "-- ", "- x", "..dots", "From here",
                                 "--" + self.words(1, 1)))
        return "".join(line + "\r\n" for line in out)

    def text(self):
        charset = self.pick("us-ascii", "utf-8", "UTF-8", "iso-8859-1", None, "windows-1252")
        subtype = self.pick("plain", "plain", "plain", "html", "calendar", "x-odd")
        body = self.lines(0, 8)
        if charset and charset.lower() != "us-ascii":
            body += self.pick(*UNICODE) + "\r\n"
        if subtype == "html":
            body = "<html><body>" + body + "</body></html>\r\n"
        raw = body.encode(charset or "utf-8", "replace") if charset else body.encode("ascii", "replace")
        encoding, body = self.encode(raw)
        items = [f"charset={charset}" if self.chance(0.6) else f'charset="{charset}"'] if charset else []
        if self.chance(0.1):
            items.append("format=flowed")
        if self.chance(0.1):
            items.append(self.filename_params("name"))
        value = self.pick(f"text/{subtype}", f"TEXT/{subtype.upper()}", f"Text/{subtype}")
        if self.wrong():
            value = self.pick("text", "text/", "/plain", "", "text / plain", "text/plain/x", "(c) text/plain",
                              "text/plain (c)", "plain", '"text/plain"', "te xt/plain", "text/pl ain")
        out = ""
        if self.chance(0.9):
            out += self.field("Content-Type", value + self.params(items))
        out += encoding
        if self.chance(0.15):
            out += self.disposition(("inline", "attachment"))
        return out + self.extras(), body

    def encode(self, raw):
        kind = self.r.randrange(5)
        if self.wrong():
            name = self.pick("8-bit", "x-unknown", "", "base64 (c)", "quoted printable", "BASE64,", '"base64"', "7 bit")
            return self.field("Content-Transfer-Encoding", name), raw
        if kind == 0:
            return self.field("Content-Transfer-Encoding", self.pick("base64", "BASE64", "Base64 ")), \
                base64.encodebytes(raw).replace(b"\n", b"\r\n")
        if kind == 1:
            return self.field("Content-Transfer-Encoding", self.pick("quoted-printable", "QUOTED-PRINTABLE")), \
                quopri.encodestring(raw.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        if kind == 2 and max(raw, default=0) > 127:
            return self.field("Content-Transfer-Encoding", "8bit"), raw
        if kind == 3:
            return self.field("Content-Transfer-Encoding", self.pick("7bit", "7BIT")), raw
        return "", raw

    def attachment(self):
        raw = self.r.randbytes(self.r.randint(0, 300))
        value = self.pick("application/octet-stream", "image/png", "application/pdf", "APPLICATION/ZIP",
                          "application/x-foo.bar+baz", "audio/mpeg", "model/vrml")
        items = [self.filename_params("name")] if self.chance(0.6) else []
        head = self.field("Content-Type", value + self.params(items))
        head += self.field("Content-Transfer-Encoding", "base64")
        if self.chance(0.8):
            head += self.disposition()
        return head + self.extras(), base64.encodebytes(raw).replace(b"\n", b"\r\n")

    def status(self):
        kind = self.r.randrange(4)
        if kind == 0:
            return self.field("Content-Type", "message/delivery-status"), \
                b"Reporting-MTA: dns; x.test\r\n\r\nFinal-Recipient: rfc822; a@b.test\r\nAction: failed\r\n"
        if kind == 1:
            return self.field("Content-Type", "text/rfc822-headers"), self.header().encode("utf-8")
        if kind == 2:
            return self.field("Content-Type", 'message/partial; number=1; total=2; id="x@y"'), \
                self.header().encode("utf-8") + b"\r\nhalf\r\n"
        return self.field("Content-Type", 'message/external-body; access-type=URL; url="http://x.test/"'), \
            b"Content-Type: image/gif\r\n\r\nphantom\r\n"

    def rfc822(self, depth):
        head = self.field("Content-Type", self.pick("message/rfc822", "MESSAGE/RFC822", "message/rfc822; name=m.eml"))
        if self.chance(0.2):
            head += self.disposition()
        if self.wrong():
            head += self.field("Content-Transfer-Encoding", self.pick("base64", "8bit", "7bit"))
        if self.wrong():
            return head + self.extras(), self.pick(b"", b"\r\n", b"no header here\r\n", b"Subject: cut")
        return head + self.extras(), self.whole(depth + 1)

    def boundary(self):
        if self.boundaries and self.wrong():
            other = self.r.choice(self.boundaries)
            return self.pick(other, other + "x", other + "--", other[:-1] or "b", other.upper())
        return self.pick("b", "=_Part", "----=_NextPart_000", "a'b()+_,-./:=?", "with space x", "0" * 70,
                         "--", "0") + str(self.r.randrange(1000))

    def multipart(self, depth):
        boundary = self.boundary()
        self.boundaries.append(boundary)
        subtype = self.pick("mixed", "mixed", "alternative", "related", "digest", "signed", "report", "x-new")
        parts = []
        for _ in range(self.r.choice((0, 1, 1, 2, 2, 2, 3, 4)) if self.broken else self.r.randint(1, 4)):
            if subtype == "digest" and self.chance(0.8):
                parts.append(("" if self.chance(0.7) else self.field("Content-Type", "message/rfc822"),
                              self.whole(depth + 1)))
            else:
                parts.append(self.entity(depth + 1))
        self.boundaries.pop()
        shown = boundary if boundary.isalnum() and self.chance(0.4) else self.quoted(boundary)
        items = [f"boundary={shown}"]
        if self.chance(0.1):
            items.insert(0, f"charset={self.pick('utf-8', 'x')}")
        if subtype == "report":
            items.append("report-type=delivery-status")
        if self.wrong():
            items = self.pick([], ["boundary="], ['boundary=""'], items * 2, [f"boundary*0={boundary}"],
                              [f"BOUNDARY={shown}"], [f"boundary = {shown}"], items + ["boundary=other"],
                              [f"boundary*={boundary}"])
        value = self.pick("multipart/", "MULTIPART/", "Multipart/") + subtype
        if self.wrong():
            value = self.pick("multipart", "multipart/", "multipart / mixed", value + "/x")
        head = self.field("Content-Type", value + self.params(items))
        if self.wrong():
            head += self.field("Content-Type", self.pick("text/plain", value + f'; boundary="{boundary}2"'))
        if self.wrong():
            head += self.field("Content-Transfer-Encoding", self.pick("base64", "7bit", "8bit", "quoted-printable"))
        return head + self.extras(), self.join(boundary, parts)

    def join(self, boundary, parts):
        line = b"--" + boundary.encode()
        out = self.lines(0, 2).encode() if self.chance(0.4) else b""
        if out and not out.endswith(b"\r\n"):
            out += b"\r\n"
        for head, body in parts:
            pad = self.pick(b"", b"", b"", b" ", b"\t") if self.broken else b""
            out += line + pad + b"\r\n" + head.encode("utf-8")
            if not (self.wrong() and head):
                out += b"\r\n"
            out += body
            if not self.wrong():
                out += b"\r\n"
        if not self.wrong():
            out += line + b"--" + self.pick(b"\r\n", b"\r\n", b"", b"\r\n\r\n")
        if self.chance(0.2):
            out += self.lines(0, 2).encode()
        if self.wrong():
            out += line + b"\r\n\r\nbehind the end\r\n"
        return out

    def entity(self, depth):
        kind = self.r.random()
        if depth < 5 and kind < 0.22:
            return self.multipart(depth)
        if depth < 5 and kind < 0.30:
            return self.rfc822(depth)
        if kind < 0.34:
            return self.status()
        if kind < 0.55:
            return self.attachment()
        if kind < 0.60:
            return "", self.lines().encode()
        if kind < 0.62:
            return "", b""
        return self.text()

    def whole(self, depth):
        """A message within another, or the one."""
        head = self.header()
        fields, body = self.multipart(depth) if depth < 5 and self.chance(0.5) else self.entity(depth)
        version = "" if self.chance(0.15) else self.field("MIME-Version", self.pick("1.0", "1.0", "1.0 (x)", "1.1"))
        top = head + version + fields
        if self.wrong() and self.chance(0.5):
            top = fields + version + head
        return top.encode("utf-8") + (b"" if self.wrong() and self.chance(0.3) else b"\r\n") + body


def message(n):
    """The n-th message, with CRLF."""
    m = Maker(n)
    out = m.whole(0)
    if m.broken and m.chance(0.05):
        out = out[:m.r.randrange(len(out) + 1)]
    if m.broken and m.chance(0.03):
        out = out.replace(b"\r\n", b"\n")
    if m.broken and m.chance(0.03):
        at = m.r.randrange(len(out) + 1)
        out = out[:at] + m.pick(b"\r", b"\n", b"\x00", b"\xff\xfe", b"\t") + out[at:]
    return out
