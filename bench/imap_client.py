# SPDX-License-Identifier: ISC
"""An IMAP client that takes as little time as it can: it looks for the tagged line only."""
import socket

from imap_peers import PASSWORD


class No(Exception):
    """What was not answered with OK."""


class Client:
    def __init__(self, server, who, box=None):
        self.sock = socket.create_connection(("127.0.0.1", server.imap), 600)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tags = 0
        self.left = b""
        self.until(b"* OK")
        self.do(f'LOGIN {server.address(who)} "{PASSWORD}"')
        if box:
            self.do(f"SELECT {box}")

    def until(self, mark):
        """What comes, to the end of the line that begins with the mark."""
        got, at = bytearray(self.left), 0
        mark = b"\r\n" + mark
        while True:
            found = 0 if got.startswith(mark[2:]) else got.find(mark, at) + 2
            if found == 0 and got.startswith(mark[2:]) or found > 1:
                end = got.find(b"\r\n", found)
                if end >= 0:
                    self.left = bytes(got[end + 2:])
                    return bytes(got[:end + 2])
            at = max(len(got) - len(mark) - 500, 0)
            more = self.sock.recv(1 << 18)
            if not more:
                raise No("the end, behind " + repr(got[-300:]))
            got += more

    def say(self, command):
        self.tags += 1
        self.tag = b"x%dx" % self.tags
        command = command if isinstance(command, bytes) else command.encode()
        self.sock.sendall(self.tag + b" " + command + b"\r\n")

    def hear(self, what=""):
        got = self.until(self.tag + b" ")
        last = got[got.rfind(b"\r\n", 0, -2) + 2:] if b"\r\n" in got[:-2] else got
        if not last.startswith(self.tag + b" OK"):
            raise No(f"{what[:200]!r}: {last[:300]!r}")
        return got

    def do(self, command):
        self.say(command)
        return self.hear(command)

    def append(self, box, mails, flags=""):
        """One APPEND of one or more (RFC 3502)."""
        flags = f" ({flags})".encode() if flags else b""
        return self.do(f"APPEND {box}".encode() + b"".join(
            flags + b" " + when.encode() + b" {%d+}\r\n" % len(text) + text for when, text in mails))

    def logout(self):
        self.do("LOGOUT")
        self.sock.close()
