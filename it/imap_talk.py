# SPDX-License-Identifier: ISC
"""IMAP as it is spoken: answers taken apart, and sessions with Gatepost and with
Debian's Dovecot (its imap program over a pipe: nothing listens)."""
import os
import pathlib
import pwd
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

DOVECOT = pathlib.Path("/usr/lib/dovecot/imap")

CONF = """protocols = imap
ssl = no
log_path = /dev/stderr
mail_location = {form}:{folder}/mail
mail_fsync = never
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 1
base_dir = {folder}/base
namespace inbox {{
  inbox = yes
  separator = /
  mailbox INBOX {{
    auto = subscribe
  }}
{special}}}
"""
SPECIAL = ["Drafts", "Sent", "Archive", "Trash", "Junk"]


class Wrong(Exception):
    """What came is not IMAP."""


class Ended(Wrong):
    """Nothing comes any more."""


# --- answers ---

class Reader:
    """Values of IMAP's grammar out of one answer, literals in their places."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def peek(self):
        return self.data[self.at:self.at + 1]

    def end(self):
        return self.at >= len(self.data)

    def blank(self):
        while self.peek() == b" ":
            self.at += 1

    def value(self):
        """List, bytes (a string), Atom, int or None."""
        c = self.peek()
        if c == b"(":
            return self.list()
        if c == b'"':
            return self.quoted()
        if c == b"{" or self.data[self.at:self.at + 2] == b"~{":
            return self.literal()
        return self.atom()

    def list(self):
        out = []
        self.at += 1
        while True:
            self.blank()
            if self.end():
                raise Wrong(f"a list without its end: {self.data[:200]!r}")
            if self.peek() == b")":
                self.at += 1
                return out
            out.append(self.value())

    def quoted(self):
        m = re.compile(rb'"((?:[^"\\\r\n]|\\["\\])*)"').match(self.data, self.at)
        if not m:
            raise Wrong(f"not a quoted string: {self.data[self.at:self.at + 80]!r}")
        self.at = m.end()
        return re.sub(rb"\\(.)", rb"\1", m[1])

    def literal(self):
        m = re.compile(rb"~?\{(\d+)\}\r\n").match(self.data, self.at)
        if not m:
            raise Wrong(f"not a literal: {self.data[self.at:self.at + 80]!r}")
        self.at = m.end() + int(m[1])
        return self.data[m.end():self.at]

    def atom(self):
        """With what stands in brackets: BODY[HEADER.FIELDS (TO)]<0>."""
        start = self.at
        while not self.end() and self.peek() not in (b" ", b")", b"("):
            if self.peek() == b"[":
                self.bracket()
            else:
                self.at += 1
        if start == self.at:
            raise Wrong(f"nothing where a value belongs: {self.data[start:start + 80]!r}")
        word = self.data[start:self.at]
        if word.isdigit():
            return int(word)
        return None if word.upper() == b"NIL" else Atom(word)

    def bracket(self):
        while self.peek() != b"]":
            if self.end():
                raise Wrong(f"no ]: {self.data[:200]!r}")
            if self.peek() == b'"':
                self.quoted()
            elif self.peek() == b"{":
                self.literal()
            else:
                self.at += 1
        self.at += 1

    def rest(self):
        out = []
        while True:
            self.blank()
            if self.end():
                return out
            out.append(self.value())


class Atom(bytes):
    """A word that was not quoted."""


class Answer:
    """What came until the tagged line: .untagged [(name, number or None, values)],
    .status, .code (name, values) or None, .text, .raw."""

    def __init__(self):
        self.untagged, self.raw = [], []
        self.status = self.code = self.text = None


def status(line):
    """OK [CODE values] text: (status, code, text)"""
    word, _, text = line.partition(b" ")
    code = None
    if text.startswith(b"["):
        end = text.find(b"] ") if b"] " in text else text.rfind(b"]")
        r = Reader(text[1:end])
        name, *values = r.rest() or [b""]
        code, text = (bytes(name).upper(), values), text[end + 2:]
    return word.upper(), code, text


def untagged(line):
    """One answer behind "* "."""
    word, _, rest = line.partition(b" ")
    if word.upper() in (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"):
        return word.upper(), None, status(line)[1:]
    number = None
    if word.isdigit():
        number = int(word)
        word, _, rest = rest.partition(b" ")
    return word.upper(), number, Reader(rest).rest()


# --- sessions ---

class Talk:
    """Bytes to and from one server; .seconds is how long it may think."""
    seconds = 60

    def __init__(self):
        self.buffer = b""
        self.tags = 0

    def more(self):
        until = time.monotonic() + self.seconds
        if not select.select([self.fd()], [], [], max(0, until - time.monotonic()))[0]:
            raise Wrong(f"no answer; so far {self.buffer[-300:]!r}")
        got = os.read(self.fd(), 1 << 18)
        if not got:
            raise Ended(f"the end, behind {self.buffer[-300:]!r}")
        self.buffer += got

    def line(self):
        """One answer with its literals."""
        at = 0
        while True:
            end = self.buffer.find(b"\r\n", at)
            if end < 0:
                at = max(at, len(self.buffer) - 1)
                self.more()
                continue
            m = re.search(rb"\{(\d+)\}$", self.buffer[max(0, end - 30):end])
            if not m or self.buffer.startswith(b"* OK", 0, 4):
                line, self.buffer = self.buffer[:end], self.buffer[end + 2:]
                return line
            at = end + 2 + int(m[1])
            while len(self.buffer) < at:
                self.more()

    def say(self, command):
        self.tags += 1
        self.tag = b"t%d" % self.tags
        self.write(self.tag + b" " + command + b"\r\n")

    def hear(self):
        answer = Answer()
        while True:
            line = self.line()
            answer.raw.append(line)
            if line.startswith(b"* "):
                answer.untagged.append(untagged(line[2:]))
            elif line.startswith(self.tag + b" "):
                answer.status, answer.code, answer.text = status(line[len(self.tag) + 1:])
                return answer
            elif not line.startswith(b"+"):
                raise Wrong(f"neither * nor the tag: {line[:200]!r}")

    def do(self, command):
        self.say(command)
        return self.hear()


class GatepostTalk(Talk):
    def __init__(self, g, address, password):
        super().__init__()
        self.sock = socket.create_connection(("127.0.0.1", 143 + g.offset), 60)
        self.sock.settimeout(60)
        assert self.line().startswith(b"* OK")
        answer = self.do(f'LOGIN {address} "{password}"'.encode())
        assert answer.status == b"OK", answer.raw

    def fd(self):
        return self.sock.fileno()

    def write(self, data):
        self.sock.sendall(data)

    def close(self):
        self.sock.close()


class DovecotTalk(Talk):
    def __init__(self, d):
        super().__init__()
        self.process = d.run()
        assert self.line().startswith(b"* PREAUTH")

    def fd(self):
        return self.process.stdout.fileno()

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


class Dovecot:
    """Mailboxes of one person, with default settings but the names that Gatepost
    makes with an account, and its separator."""

    def __init__(self, form="sdbox"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-dovecot-"))
        self.user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        group = subprocess.run(["id", "-gn", self.user], capture_output=True, text=True,
                               check=True).stdout.strip()
        special = "".join(f"  mailbox {name} {{\n    auto = subscribe\n    special_use = \\{name}\n  }}\n"
                          for name in SPECIAL)
        (self.folder / "mail").mkdir()
        (self.folder / "conf").write_text(CONF.format(
            folder=self.folder, user=self.user, group=group, form=form, special=special))
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", self.user, self.folder], check=True)

    def run(self):
        drop = {}
        if os.geteuid() == 0:
            who = pwd.getpwnam(self.user)
            drop = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        with open(self.folder / "log", "a") as log:
            return subprocess.Popen(
                [DOVECOT, "-c", self.folder / "conf"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, cwd=self.folder, **drop,
                env={"USER": self.user, "HOME": str(self.folder), "PATH": "/usr/bin:/bin", "TZ": "UTC"})

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
