# SPDX-License-Identifier: ISC
"""*.dlg: dialogues that read like the RFC's own examples.

    # comment
    set smtp bare_newline = normalize   a setting, before the first connect
    NAME connect                        a connection called NAME
    NAME -> TEXT                        says TEXT and CRLF; \\r \\n \\0 \\t \\\\ \\xNN inside
    NAME ->> TEXT                       the same without CRLF
    NAME <- REGEX                       the next reply (all its lines) matches as a whole
    NAME <<- REGEX                      the next line does
    NAME starttls                       the handshake, after 220
    NAME closed                         the server has hung up
"""
import re


def unescape(text):
    def one(m):
        s = m[1]
        return {"r": "\r", "n": "\n", "0": "\0", "t": "\t", "\\": "\\"}.get(s) or \
            chr(int(s[1:], 16))
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
    return "".join(f"[{section}]\n{row}\n" for section, row in out)


class Dialogue:
    def __init__(self, gatepost, lines):
        self.gatepost = gatepost
        self.lines = lines
        self.peers = {}

    def run(self):
        for n, line in enumerate(self.lines, 1):
            if not line.strip() or line.startswith("#") or line.startswith("set "):
                continue
            try:
                self.step(line)
            except (AssertionError, OSError, KeyError) as e:
                raise AssertionError(f"line {n}: {line}\n{e}") from None
        for peer in self.peers.values():
            peer.close()

    def step(self, line):
        name, verb, text = (line.split(" ", 2) + [""])[:3]
        if verb == "connect":
            self.peers[name] = self.gatepost.raw(timeout=20)
            return
        peer = self.peers[name]
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
