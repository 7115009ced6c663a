# SPDX-License-Identifier: ISC
"""*.dlg: dialogues that read like the RFCs' own examples.

    # comment
    set smtp bare_newline = normalize   a setting, before the first connect
    set server plain_loopback = yes     one before the first [section]
    NAME connect                        a connection called NAME; or: connect imap, imaps,
                                        pop3, pop3s
    NAME -> TEXT                        says TEXT and CRLF; \\r \\n \\0 \\t \\\\ \\xNN inside
    NAME ->> TEXT                       the same without CRLF
    NAME <- REGEX                       the next reply (all its lines) matches as a whole
    NAME <<- REGEX                      the next line does
    NAME starttls                       the handshake, after 220
    NAME closed                         the server has hung up

IMAP and POP3 (whose answers are text with patterns in it and not one expression, for they
are full of brackets):

    person NAME                         a new account; «NAME» is its address, its password
                                        «password»
    message NAME                        what follows in lines with | is a message
    | TEXT                              more lines of what was begun above
    NAME login PERSON                   hears the greeting and logs in
    NAME select MAILBOX                 whatever that answers
    NAME enable WORDS                   the same of ENABLE
    NAME fill MAILBOX 3                 puts three small messages in
    NAME compress                       both sides deflate from here on
    NAME <- TEXT                        the next answer, with its literals, or the next line
    NAME <* TEXT                        comes before the next <-, among such in any order
    NAME <? TEXT                        the same, but need not come
    NAME silent                         nothing comes for a moment
    run WORDS                           a verb of gatepost

In such TEXT, «…» is an expression; «name=…» keeps what matched, and «name» says or expects
it again; «all:A¦B¦C» is these words in any order, with spaces between; «literal:NAME» a
message as a literal, «text:NAME» without; «size:NAME» its size; «plain:PERSON» what SASL's
PLAIN says.
"""
import base64
import itertools
import re
import select
import zlib

from gatepost import SLOW, Raw

PASSWORD = "a pass phrase"
PORTS = {"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995}
ESCAPES = {"r": "\r", "n": "\n", "0": "\0", "t": "\t", "\\": "\\"}


def unescape(text):
    def one(m):
        s = m[1]
        return ESCAPES.get(s) or chr(int(s[1:], 16))
    return re.sub(r"\\(r|n|0|t|\\|x[0-9a-fA-F]{2})", one, text).encode("latin-1")


def utf8_or_escaped(text):
    """Text outside ASCII goes as UTF-8; \\xNN is a byte."""
    return b"".join(unescape(part) if part.isascii() else part.encode()
                    for part in re.split(r"([^\x00-\x7f]+)", text))


def settings(lines):
    """The `set` lines as text for a settings file."""
    out = []
    for line in lines:
        m = re.match(r"set (\w+) (.*)", line)
        if m:
            out.append((m[1], m[2]))
    out.sort(key=lambda one: one[0] != "server")
    return "".join(f"{row}\n" if section == "server" else f"[{section}]\n{row}\n"
                   for section, row in out)


class Reader(Raw):
    """A connection for reading mail."""

    def __init__(self, g, door):
        super().__init__(PORTS[door] + g.offset, timeout=20 * SLOW)
        if door.endswith("s"):
            self.start_tls()
        self.imap = door.startswith("imap")
        self.maybe = []
        self.wanted = []

    def take(self):
        got = self.sock.recv(65536)
        if not got:
            raise AssertionError(f"it hung up; before that {self.buffer[-200:]!r}")
        self.buffer += got

    def answer(self):
        """The next line; of IMAP with the literals in it."""
        at = 0
        while True:
            while b"\r\n" not in self.buffer[at:]:
                self.take()
            end = self.buffer.index(b"\r\n", at)
            m = re.search(rb"\{(\d+)\}$", self.buffer[at:end])
            if not m or not self.imap:
                heard, self.buffer = self.buffer[:end], self.buffer[end + 2:]
                return heard
            at = end + 2 + int(m[1])
            while len(self.buffer) < at:
                self.take()

    def silent(self, seconds=0.2):
        ready = self.buffer or select.select([self.sock], [], [], seconds)[0]
        assert not ready, f"heard {self.answer()!r}"

    def compress(self):
        self.sock = Deflated(self.sock)


class Deflated:
    """COMPRESS (RFC 4978) over a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.out = zlib.compressobj(wbits=-15)
        self.back = zlib.decompressobj(wbits=-15)

    def sendall(self, data):
        self.sock.sendall(self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH))

    def recv(self, most):
        got = self.sock.recv(most)
        return self.back.decompress(got) or (self.recv(most) if got else b"")

    def fileno(self):
        return self.sock.fileno()

    def close(self):
        self.sock.close()


class Dialogue:
    accounts = itertools.count(1)

    def __init__(self, gatepost, lines):
        self.gatepost = gatepost
        self.lines = lines
        self.peers = {}
        self.words = {"password": PASSWORD.encode()}
        self.messages = {}

    def run(self):
        for n, line in self.whole():
            if not line.strip() or line.startswith("#") or line.startswith("set "):
                continue
            try:
                self.step(line)
            except (AssertionError, OSError, KeyError) as e:
                raise AssertionError(f"line {n}: {line}\n{e!r}") from None
        for peer in self.peers.values():
            peer.close()

    def whole(self):
        """Lines with what stands in the lines with | below them."""
        out = []
        for n, line in enumerate(self.lines, 1):
            if line.startswith("|"):
                out[-1] = (out[-1][0], out[-1][1] + "\r\n" + line[2:])
            else:
                out.append((n, line))
        return out

    def step(self, line):
        name, verb, text = (line.split(" ", 2) + [""])[:3]
        if name == "run":
            self.gatepost.verb(*self.said(line[4:]).decode().split(" "))
        elif name == "person":
            self.person(verb)
        elif name == "message":
            head, _, text = line.partition("\r\n")
            self.messages[head.split()[1]] = utf8_or_escaped(text) + b"\r\n"
        elif verb == "connect":
            self.peers[name] = Reader(self.gatepost, text) if text else \
                self.gatepost.raw(timeout=20)
        elif isinstance(self.peers[name], Reader):
            self.reading(self.peers[name], verb, text)
        else:
            self.smtp(self.peers[name], verb, text)

    def smtp(self, peer, verb, text):
        if verb == "->":
            peer.send(utf8_or_escaped(text) + b"\r\n")
        elif verb == "->>":
            peer.send(utf8_or_escaped(text))
        elif verb == "<-":
            heard = peer.reply()
            assert re.fullmatch(text, heard, re.S), f"heard {heard!r}"
        elif verb == "<<-":
            heard = peer.line() or ""
            assert re.fullmatch(text, heard), f"heard {heard!r}"
        elif verb == "starttls":
            peer.start_tls()
        elif verb == "closed":
            assert peer.closed(), "still open, or said something"
        else:
            raise AssertionError(f"no such step: {verb}")

    # --- IMAP and POP3 ------------------------------------------------------

    def person(self, name):
        address = f"{name}{next(self.accounts)}@example.test"
        self.gatepost.verb("account", "add", address, "--password-stdin", stdin=PASSWORD + "\n")
        self.words[name] = address.encode()

    def reading(self, peer, verb, text):
        if verb in ("->", "->>"):
            peer.send(self.said(text) + (b"\r\n" if verb == "->" else b""))
        elif verb == "<-":
            self.hears(peer, text)
        elif verb == "<*":
            peer.wanted.append(text)
        elif verb == "<?":
            peer.maybe.append(text)
        elif verb == "login":
            self.logs_in(peer, text)
        elif verb == "fill":
            self.fills(peer, *text.split())
        elif verb in ("select", "enable"):
            peer.send(b"%s %s %s\r\n" % (verb.encode(), verb.encode(), self.said(text)))
            self.until(peer, verb.encode() + b" OK")
        elif verb == "silent":
            peer.silent()
        elif verb == "compress":
            peer.compress()
        else:
            self.smtp(peer, verb, text)

    def logs_in(self, peer, name):
        peer.answer()
        user, password = self.words[name], self.words["password"]
        if peer.imap:
            peer.send(b'login LOGIN %s "%s"\r\n' % (user, password))
            self.until(peer, b"login OK")
        else:
            peer.send(b"USER %s\r\nPASS %s\r\n" % (user, password))
            self.until(peer, b"+OK")
            self.until(peer, b"+OK")

    @staticmethod
    def until(peer, start):
        while not (heard := peer.answer()).startswith(start):
            assert heard.startswith(b"* "), f"heard {heard!r}"

    @staticmethod
    def fills(peer, mailbox, count):
        """Messages of the same size, each with its number."""
        peer.send(b"fill APPEND %s" % mailbox.encode())
        for n in range(1, int(count) + 1):
            text = b"From: someone@sender.example\r\nSubject: number %04d\r\n\r\nText.\r\n" % n
            peer.send(b" {%d+}\r\n%s" % (len(text), text))
        peer.send(b"\r\n")
        Dialogue.until(peer, b"fill OK")

    def hears(self, peer, text):
        """The answers up to the one that TEXT describes."""
        lines = text.count("\r\n") + 1 if not peer.imap else 1
        while True:
            heard = b"\r\n".join(peer.answer() for _ in range(lines))
            if not any(self.among(one, heard) for one in (peer.wanted, peer.maybe)):
                break
        assert self.matches(text, heard), f"heard {heard!r}"
        assert not peer.wanted, f"did not come: {peer.wanted}"
        peer.maybe.clear()

    def among(self, patterns, heard):
        for pattern in patterns:
            if self.matches(pattern, heard):
                patterns.remove(pattern)
                return True
        return False

    def matches(self, text, heard):
        m = re.fullmatch(self.expression(text), heard, re.S)
        if m:
            self.words.update((name.split("__")[0], value) for name, value
                              in m.groupdict().items() if value is not None)
        return bool(m)

    def said(self, text):
        return b"".join(utf8_or_escaped(part) if isinstance(part, str) else
                        self.known(part[0], b"+") for part in parts(text))

    def known(self, what, plus):
        """What «what» stands for, or None."""
        kind, _, name = what.partition(":")
        if kind == "literal":
            return b"{%d%s}\r\n%s" % (len(self.messages[name]), plus, self.messages[name])
        if kind == "text":
            return self.messages[name]
        if kind == "plain":
            return base64.b64encode(b"\0%s\0%s" % (self.words[name], self.words["password"]))
        if kind == "size":
            return b"%d" % len(self.messages[name])
        return self.words.get(what)

    def expression(self, text):
        """TEXT as one regular expression over bytes."""
        out = b""
        for part in parts(text):
            if isinstance(part, str):
                out += re.escape(utf8_or_escaped(part))
                continue
            known = self.known(part[0], b"")
            if known is not None:
                out += re.escape(known)
            elif part[0].startswith("all:"):
                out += self.permuted(part[0][4:])
            else:
                m = re.fullmatch(r"([a-z]\w*)=(.*)", part[0], re.S)
                out += (f"(?P<{m[1]}>{m[2]})" if m else f"(?:{part[0]})").encode()
        return out

    def permuted(self, text):
        items = [self.expression(item) for item in split(text)]
        assert len(items) < 7, "too many to try"
        # no two groups may have the same name
        tries = (re.sub(rb"(\(\?P<\w+)>", rb"\g<1>__%d>" % n, b" ".join(one))
                 for n, one in enumerate(itertools.permutations(items)))
        return b"(?:" + b"|".join(tries) + b")"


def parts(text):
    """Strings, and what stands in « » as tuples; they nest."""
    out, depth, start = [], 0, 0
    for at, c in enumerate(text):
        if c == "«":
            if depth == 0:
                out.append(text[start:at])
                start = at + 1
            depth += 1
        elif c == "»":
            depth -= 1
            if depth == 0:
                out.append((text[start:at],))
                start = at + 1
    assert depth == 0, "« without »"
    return out + [text[start:]]


def split(text):
    """At each ¦ that is not within « »."""
    out, depth = [""], 0
    for c in text:
        depth += {"«": 1, "»": -1}.get(c, 0)
        if c == "¦" and depth == 0:
            out.append("")
        else:
            out[-1] += c
    return out
