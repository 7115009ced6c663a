# SPDX-License-Identifier: ISC
"""Nothing of what is in a message gets into logs, ledger, findings or replies: neither
words, nor names of people, files or archive members, nor links."""
import json
import pathlib
import re

import pytest

from clamd import EICAR
from evasions.archives import zip_by_hand
from evasions.benign import file, top
from evasions.craft import CRLF, attached, b64, in_zip, mixed, note, parts, uu
from evasions.sending import deliver
from gatepost import Gatepost

CANARY = b"zqxcanary"       # found in any case, and encoded


def words(n):
    """A word that is nowhere else, told apart by its number."""
    return CANARY + b"%02d" % n


def header():
    return (b"From: \"" + words(1) + b"\" <someone@sender.example>\r\nTo: \"" + words(2) +
            b"\" <alice@example.test>\r\nSubject: " + words(3) + b"\r\nX-Any: " + words(4) +
            b"\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nReply-To: " + words(5) +
            b"@sender.example\r\nMIME-Version: 1.0\r\n")


def page():
    return (b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>" + words(6) + b"<a href=\"http://" +
            words(7) + b".example/" + words(8) + b"\">https://bank.example/</a><b style=\"display:none\">" +
            words(9) + b"</b>\r\n")


def named(content, n):
    return attached(b64(content), name=words(n) + b".exe", ctype=b"application/" + words(n + 1))


def clean():
    return header() + mixed(note(words(10) + CRLF), page(), named(b"nothing", 11),
                            boundary=words(13))


def virus():
    return header() + mixed(note(words(14) + CRLF), page(), named(EICAR.encode(), 15))


def virus_in_zip():
    inner = zip_by_hand(EICAR.encode(), name=words(17) + b".exe")
    return header() + mixed(note(words(18)), named(inner, 19))


def dangerous():
    inner = zip_by_hand(b"MZ" + bytes(600), name=words(17) + b".pdf.exe")
    return header() + mixed(page(), named(b"MZ" + bytes(600), 21), named(inner, 23))


def encrypted():
    inner = zip_by_hand(b"nothing", flags=1, name=words(25) + b".docx")
    return header() + mixed(note(b"password " + words(26)), named(inner, 27))


def broken():
    """Whatever is wrong with a message, it is not quoted."""
    return header() + (b"Content-Type: multipart/" + words(29) + b"; boundary=\"" + words(30) +
                       b"\"; boundary=" + words(31) + b"\r\nContent-Type: " + words(32) +
                       b"\r\nContent-Transfer-Encoding: " + words(33) + b"\r\n" + words(34) +
                       b" no field\r\n\r\n") + parts(
                           b"Content-Type: text/plain; charset=" + words(35) + b"\r\n\r\nx",
                           named(b"=" * 99, 36), uu(in_zip(b"x", name=words(38).decode()), words(39)),
                           boundary=words(30), last=b"")


def too_deep():
    """Past a limit."""
    one = b"Content-Type: message/rfc822; name=" + words(40) + b"\r\nSubject: " + words(41) + CRLF + CRLF
    return header() + one * 300


def gtube():
    from clamd import GTUBE
    return header() + note(words(42) + CRLF + GTUBE.encode() + CRLF)


def not_a_message():
    return words(43) + CRLF + words(44) + b"\0" + CRLF


MESSAGES = [clean, virus, virus_in_zip, dangerous, encrypted, broken, too_deep, gtube, not_a_message]


@pytest.fixture(scope="module")
def g(clamd):
    made = Gatepost(clamd=clamd, server="log_level = debug", settings="[smtp]\ngreet_delay = 0")
    try:
        made.people("alice@example.test")
        yield made.start()
    finally:
        made.remove()


def shown(text):
    """The canaries in a text, also in base64 or quoted, with a bit around them."""
    if isinstance(text, str):
        text = text.encode(errors="replace")
    return re.findall(rb"(?i).{0,60}zqxcanary.{0,40}|.{0,60}enF4Y2FuYXJ5.{0,40}", text)


@pytest.mark.parametrize("make", MESSAGES, ids=[m.__name__ for m in MESSAGES])
def test_what_is_in_a_message_is_told_to_nobody(g, make):
    since = len(g.lines)
    answer = deliver(g, make())
    assert answer[:1] in "25", answer
    assert not shown(answer), "the reply quotes the message"
    assert not shown("\n".join(g.lines[since:])), "the log quotes the message"
    for row in g.rows("ledger", "--to", "alice@example.test"):
        assert not shown(json.dumps(row)), "the ledger quotes the message"
    assert not shown(g.verb("refusal", "list", "--json")), "the list of refusals quotes the message"


def test_what_is_held_cannot_be_read_without_the_key(g):
    """Files of refused messages hold no word of them in the clear."""
    held = list((pathlib.Path(g.data) / "held").rglob("*"))
    assert [p for p in held if p.is_file()], "something is held"
    for path in held:
        if path.is_file():
            assert not shown(path.read_bytes()), path


def test_ledger_and_register_hold_no_content(g):
    """The files themselves, not only what the verbs show of them."""
    g.settle()
    for path in pathlib.Path(g.data).rglob("*"):
        if path.is_file() and ("ledger" in str(path) or "refusals" in path.name):
            assert not shown(path.read_bytes()), path


def test_no_log_line_of_all_quotes_a_message(g):
    deliver(g, top("again") + file(EICAR.encode(), words(50), b"application/" + words(51)))
    g.stop()
    assert not shown("\n".join(g.lines))
    g.start()
