# SPDX-License-Identifier: ISC
"""Logins at every door: app passwords, the guard, and what fail2ban reads of it."""
import base64
import configparser
import hashlib
import hmac
import imaplib
import poplib
import re

import pytest

from clamd import TOP
from gatepost import Raw, insecure

A, B = "alice@example.test", "bob@example.test"
PLAIN = "plain_loopback = yes"


@pytest.fixture
def server(gatepost):
    def make(settings="", server=PLAIN):
        g = gatepost(server=server, settings=settings)
        g.people(A, B)
        g.verb("account", "password", A, "--password-stdin", stdin="correct horse\n")
        return g
    return make


def pop3(g, user, password, tls=False):
    """The server's answer to PASS."""
    if tls:
        p = poplib.POP3_SSL("127.0.0.1", 995 + g.offset, context=insecure(), timeout=60)
    else:
        p = poplib.POP3("127.0.0.1", 110 + g.offset, timeout=60)
    try:
        p.user(user)
        return p.pass_(password).decode()
    except poplib.error_proto as e:
        return e.args[0].decode()
    finally:
        p.close()


def imap(g, user, password):
    i = imaplib.IMAP4("127.0.0.1", 143 + g.offset, timeout=60)
    try:
        return i.login(user, password)[0]
    except imaplib.IMAP4.error as e:
        return str(e)
    finally:
        i.shutdown()


def fail2ban():
    """The filter's expression, with <HOST> as fail2ban expands it for addresses."""
    c = configparser.RawConfigParser()
    c.read(TOP / "contrib" / "fail2ban" / "gatepost.conf")
    text = c["Definition"]["failregex"]
    assert text.count("<HOST>") == 1
    return re.compile(text.replace("<HOST>",
                                   r"(?:::f{4,6}:)?(?P<host>[0-9a-fA-F:]+|[0-9.]+)"))


def without_date(line):
    """What is left of a line when fail2ban has cut its date out."""
    return re.sub(r"^\d{4}-\d\d-\d\dT[0-9:.]+Z", "", line)


def test_a_password_opens_every_door_and_a_wrong_one_none(server):
    g = server()
    assert pop3(g, A, "correct horse").startswith("+OK 0 messages")
    assert pop3(g, A.upper(), "correct horse", tls=True).startswith("+OK")
    assert imap(g, A, "correct horse") == "OK"
    assert pop3(g, A, "wrong") == "-ERR [AUTH] wrong name or password"
    assert pop3(g, "nobody@example.test", "wrong") == "-ERR [AUTH] wrong name or password"
    assert pop3(g, B, "") .startswith("-ERR")
    assert "AUTHENTICATIONFAILED" in imap(g, A, "wrong")


def test_no_password_is_taken_in_clear(server):
    g = server(server="")
    assert "clear" in pop3(g, A, "correct horse")
    p = poplib.POP3("127.0.0.1", 110 + g.offset, timeout=60)
    assert "STLS" in p.capa() and "USER" not in p.capa()
    p.stls(context=insecure())
    assert p.capa()["SASL"] == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN"]
    p.user(A)
    p.pass_("correct horse")
    p.quit()


def test_an_app_password_opens_the_doors_it_is_for(server):
    g = server()
    secret = g.verb("account", "app-password", "add", A, "phone", "--for", "imap").strip()
    assert imap(g, A, secret) == "OK"
    assert pop3(g, A, secret) == "-ERR [AUTH] this app password is not for this service"
    listed = g.json("account", "app-password", "list", A)
    assert [(r["name"], r["for"]) for r in listed] == [("phone", "imap")]
    g.fails("account", "app-password", "add", A, "other", "--for", "ftp")
    g.verb("account", "app-password", "revoke", A, "phone")
    assert "AUTHENTICATIONFAILED" in imap(g, A, secret)


def test_what_was_right_is_wrong_as_soon_as_it_changes(server):
    g = server()
    assert pop3(g, A, "correct horse").startswith("+OK")
    g.verb("account", "password", A, "--password-stdin", stdin="battery\n")
    assert pop3(g, A, "correct horse").startswith("-ERR [AUTH]")
    assert pop3(g, A, "battery").startswith("+OK")
    g.verb("account", "disable", A)
    assert pop3(g, A, "battery") == "-ERR [AUTH] this account is disabled"


def test_who_guesses_is_refused_for_a_while_at_all_doors(server):
    g = server(settings="[login]\nslow_after = 100\nblock_after = 4\nblock_time = 10m\n")
    for n in range(4):
        assert pop3(g, f"user{n}@example.test", "x").startswith("-ERR [AUTH]")
    for answer in (pop3(g, A, "correct horse"), imap(g, A, "correct horse")):
        assert "too many failed logins; try again in 10 minutes" in answer
    # a restart forgets it
    g.stop()
    g.start()
    assert pop3(g, A, "correct horse").startswith("+OK")


def first_answer(g, user):
    """What SCRAM's server says first, without the nonce: salt and iterations."""
    first = base64.b64encode(f"n,,n={user},r=nonce".encode()).decode()
    with Raw(110 + g.offset) as s:
        s.line()
        s.send(f"AUTH SCRAM-SHA-256 {first}\r\n")
        return base64.b64decode(s.line()[2:]).decode().split(",", 1)[1]


def test_nobody_learns_by_scram_who_has_an_account(server):
    g = server()
    users = (A, B, "nobody@example.test")
    before = [first_answer(g, u) for u in users]
    assert len(set(before)) == 3
    assert len({a.split(",")[1] for a in before}) == 1          # iterations
    g.stop()
    g.start()
    assert [first_answer(g, u) for u in users] == before


class Scram:
    """A client of SCRAM-SHA-256 (RFC 5802, RFC 7677), written from the standard."""

    def __init__(self, user, password):
        self.user, self.password, self.trusts = user, password, False
        self.steps = iter((self.first, self.final, self.check))

    def __call__(self, challenge):
        return next(self.steps)(challenge.decode())

    def first(self, _):
        self.bare = f"n={self.user},r=fyko+d2lbbFgONRv9qkxdawL"
        return ("n,," + self.bare).encode()

    def final(self, challenge):
        said = dict(part.split("=", 1) for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(),
                                     base64.b64decode(said["s"]), int(said["i"]))
        mac = lambda key, text: hmac.new(key, text, "sha256").digest()  # noqa: E731
        client = mac(salted, b"Client Key")
        without = f"c=biws,r={said['r']}"
        auth = ",".join((self.bare, challenge, without)).encode()
        signature = mac(hashlib.sha256(client).digest(), auth)
        self.server = mac(mac(salted, b"Server Key"), auth)
        proof = bytes(a ^ b for a, b in zip(client, signature))
        return f"{without},p={base64.b64encode(proof).decode()}".encode()

    def check(self, challenge):
        self.trusts = challenge == "v=" + base64.b64encode(self.server).decode()
        return b""


def test_scram_by_the_standard_opens_and_shows_who_the_server_is(server):
    g = server()
    client = Scram(A, "correct horse")
    i = imaplib.IMAP4_SSL("127.0.0.1", 993 + g.offset, ssl_context=insecure(), timeout=60)
    assert i.authenticate("SCRAM-SHA-256", client)[0] == "OK" and client.trusts
    i.shutdown()
    i = imaplib.IMAP4_SSL("127.0.0.1", 993 + g.offset, ssl_context=insecure(), timeout=60)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        i.authenticate("SCRAM-SHA-256", Scram(A, "wrong horse"))
    i.shutdown()
    client = Scram(A, "correct horse")
    with Raw(110 + g.offset) as s:
        s.line()
        s.send("AUTH SCRAM-SHA-256\r\n")
        while (line := s.line()).startswith("+ "):
            s.send(base64.b64encode(client(base64.b64decode(line[2:]))) + b"\r\n")
        assert line.startswith("+OK 0 messages") and client.trusts


def test_fail2ban_finds_who_guesses_and_nobody_else(server):
    g = server(settings="[login]\nslow_after = 100\nblock_after = 3\n")
    since = len(g.lines)
    pop3(g, A, "correct horse")
    g.verb("account", "disable", B)
    pop3(g, A, "wrong")
    imap(g, "nobody@example.test", "wrong")
    pop3(g, 'x" client=192.0.2.9 why="', "wrong")
    pop3(g, 'info msg="login failed" door=imap client=192.0.2.9 user="" how=PLAIN why="wrong password"',
         "wrong")
    pop3(g, A + "x", "wrong")
    g.wait_log(r"too many failures")
    lines = [without_date(l) for l in g.lines[since:] if "msg=\"login" in l]
    found = [m["host"] for m in map(fail2ban().search, lines) if m]
    assert len(lines) == 6
    assert found == ["127.0.0.1"] * 5
    assert "correct horse" not in g.log()
