# SPDX-License-Identifier: ISC
"""Sends messages as they are: bytes that smtplib would repair."""
import re

CRLF = b"\r\n"
SENDER = "carol@sender.example"


def needs_bdat(message):
    rest = message.replace(CRLF, b"")
    return b"\r" in rest or b"\n" in rest or b"\0" in rest


def deliver(g, message, to="alice@example.test", sender=SENDER, binary=None, timeout=180):
    """The last reply to one message in a session of its own, by DATA, or by BDAT with
    BODY=BINARYMIME where it has bare CR, LF or NUL."""
    binary = needs_bdat(message) if binary is None else binary
    with g.raw(timeout) as s:
        s.expect("220")
        s.say("EHLO client.sender.example", "250")
        s.say(f"MAIL FROM:<{sender}> BODY={'BINARYMIME' if binary else '8BITMIME'}", "250")
        for address in [to] if isinstance(to, str) else to:
            s.say(f"RCPT TO:<{address}>", "250")
        if binary:
            s.send(f"BDAT {len(message)} LAST\r\n")
            return send_all(s, message)
        s.say("DATA", "354")
        if not message.endswith(CRLF):
            message += CRLF
        return send_all(s, re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")


def send_all(s, data):
    """What the server says, also when it has enough before the end."""
    try:
        s.send(data)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return s.reply()
