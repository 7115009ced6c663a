# SPDX-License-Identifier: ISC
"""PROXY protocol v2 from trusted addresses: the client is who the proxy says."""
import socket
import struct

from gatepost import Raw, message

A = "alice@example.test"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def header(client, server="198.51.100.1", port=4711):
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    if family == socket.AF_INET6:
        server = "2001:db8::1"
    body = socket.inet_pton(family, client) + socket.inet_pton(family, server) + \
        struct.pack("!HH", port, 25)
    kind = 0x21 if family == socket.AF_INET6 else 0x11
    return SIGNATURE + struct.pack("!BBH", 0x21, kind, len(body)) + body


def talk(g, client):
    """Delivers one message as `client`; the reply to DATA."""
    with Raw(g.port) as s:
        s.send(header(client))
        s.expect("220")
        s.say("EHLO client.example", "250")
        s.say("MAIL FROM:<x@sender.example>", "250")
        s.say(f"RCPT TO:<{A}>", "250")
        s.say("DATA", "354")
        s.send(message(A).replace("\n", "\r\n") + "\r\n.\r\n")
        return s.expect("250")


def instance(gatepost, settings=""):
    g = gatepost(start=False, server="trusted_proxies = 127.0.0.1", settings=settings)
    g.people(A)
    # what start() waits for is a greeting, which here needs a header
    g.greets = lambda: greeted(g)
    return g.start()


def greeted(g):
    try:
        with Raw(g.port, 5) as s:
            s.send(header("192.0.2.1"))
            return (s.line() or "").startswith("220")
    except OSError:
        return False


def test_the_ledger_names_the_client_behind_the_proxy(gatepost):
    g = instance(gatepost)
    for client in ("192.0.2.77", "2001:db8::77"):
        talk(g, client)
    g.wait_mail(A, 2)
    assert [r["client"] for r in g.rows("ledger")] == ["192.0.2.77", "2001:db8::77"]
    assert b"[192.0.2.77]" in g.read(A, 1)
    assert b"[IPv6:2001:db8::77]" in g.read(A, 2)


def test_limits_are_for_the_client_not_for_the_proxy(gatepost):
    g = instance(gatepost, "[limits]\nper_address = 2")
    held = []
    for n in range(5):
        s = Raw(g.port)
        s.send(header("192.0.2.9"))
        held.append(s)
    greetings = sorted((s.line() or "")[:3] for s in held)
    assert greetings == ["220", "220", "421", "421", "421"], greetings
    talk(g, "192.0.2.10")
    for s in held:
        s.close()


def test_without_its_header_a_proxy_is_not_served(gatepost):
    g = instance(gatepost)
    with Raw(g.port) as s:
        s.send("EHLO client.example\r\n")
        assert not (s.line() or "").startswith("2")


def test_a_header_from_anybody_else_is_no_command(house):
    with house.raw() as s:
        s.expect("220")
        s.send(header("192.0.2.77"))
        assert s.reply()[:1] in ("5", "")


def greeting(s, client):
    s.send(header(client))
    return s.line() or ""


def test_readers_behind_one_address_have_a_limit_of_their_own(gatepost):
    g = instance(gatepost, "[limits]\nper_address = 1\n[imap]\nper_address = 3")
    door = 143 + g.offset
    held = [Raw(door) for _ in range(3)]
    assert all(greeting(s, "192.0.2.9").startswith("* OK ") for s in held)
    with Raw(door) as s:
        assert greeting(s, "192.0.2.9").startswith("* BYE [UNAVAILABLE] ")
    with Raw(door) as s:
        assert greeting(s, "192.0.2.10").startswith("* OK ")
    for s in held:
        s.close()
