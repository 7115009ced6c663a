# SPDX-License-Identifier: ISC
"""What is left of a password in the memory of the process that was told it, once it has looked at it; and
that who is shut out is out at once."""
import base64
import imaplib
import pathlib
import poplib
import secrets
import string

import pytest

from gatepost import Raw, insecure

A = "alice@example.test"
LARGEST = 256 << 20  # a sanitizer's own regions are not looked at


def a_password():
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(56))


def in_memory(pid, text):
    """Its second half: an allocator writes into the beginning of what was freed."""
    needle = text[len(text) // 2:].encode()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            start, end = (int(x, 16) for x in span.split("-"))
            if "w" not in rights or end - start > LARGEST:
                continue
            try:
                mem.seek(start)
                if needle in mem.read(end - start):
                    return True
            except OSError:
                continue
    return False


@pytest.fixture
def house(gatepost):
    """A server whose house was told the password over the control socket."""
    g = gatepost(server="plain_loopback = yes")
    password = a_password()
    g.people(A)
    g.verb("account", "password", A, "--password-stdin", stdin=password + "\n")
    return g, password


def plain(password):
    return base64.b64encode(f"\0{A}\0{password}".encode()).decode()


def test_a_password_is_nowhere_in_house_after_logins(house):
    g, password = house
    pid, = g.pids("house")
    assert not in_memory(pid, password)
    for tls in (False, True):
        kind = imaplib.IMAP4_SSL if tls else imaplib.IMAP4
        words = {"ssl_context": insecure()} if tls else {}
        port = (993 if tls else 143) + g.offset
        i = kind("127.0.0.1", port, timeout=60, **words)
        i.login(A, password)
        i.noop()
        j = kind("127.0.0.1", port, timeout=60, **words)
        j.authenticate("PLAIN", lambda _: f"\0{A}\0{password}".encode())
        j.noop()
        p = (poplib.POP3_SSL("127.0.0.1", 995 + g.offset, context=insecure(), timeout=60) if tls
             else poplib.POP3("127.0.0.1", 110 + g.offset, timeout=60))
        p.user(A)
        p.pass_(password)
        p.noop()
        assert not in_memory(pid, password), f"tls={tls}"
        assert not in_memory(pid, plain(password)), f"tls={tls}"
        p.quit()
        i.logout()
        j.logout()


def test_a_password_that_was_refused_in_clear_is_nowhere(gatepost):
    g = gatepost()
    g.people(A)
    pid, = g.pids("house")
    password = a_password()
    with Raw(143 + g.offset) as c:
        c.expect(r"\* OK ")
        c.say(f"a LOGIN {A} {password}", r"a NO \[PRIVACYREQUIRED\]")
        c.say("b NOOP", "b OK ")
        assert not in_memory(pid, password)
    with Raw(110 + g.offset) as c:
        c.expect(r"\+OK ")
        c.say(f"USER {A}", "-ERR ")
        c.say(f"PASS {password}", "-ERR ")
        c.say("NOOP", "-ERR ")
        assert not in_memory(pid, password)


def test_who_is_disabled_is_out_at_once_idling_or_not(house):
    g, password = house
    with Raw(143 + g.offset) as i, Raw(110 + g.offset) as p:
        i.expect(r"\* OK ")
        i.say(f"a LOGIN {A} {password}", "a OK ")
        i.say("b IDLE", r"\+ ")
        p.expect(r"\+OK ")
        p.say(f"USER {A}", r"\+OK ")
        p.say(f"PASS {password}", r"\+OK ")
        g.verb("account", "disable", A)
        i.expect(r"\* BYE ")
        i.expect("b NO ")
        assert i.closed()
        p.expect("-ERR ")
        assert p.closed()
