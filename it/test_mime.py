# SPDX-License-Identifier: ISC
"""`gatepost mime`, and whether others read messages as we do.

Which differences are meant, and why, is in doc/mime-differences.md; each has a
heading there, and no test passes with one that has none.  GATEPOST_MIME_MESSAGES
says how many generated messages are compared (`make mime-diff`: 2,000).
"""
import collections
import functools
import hashlib
import json
import os
import re
import subprocess

import pytest
from clamd import TOP
from gatepost import BINARY

import mime_compare
import mime_dovecot
import mime_generate
import mime_readers
import mime_suites

GENERATED = int(os.environ.get("GATEPOST_MIME_MESSAGES", "240"))
PAGE = TOP / "doc" / "mime-differences.md"

suites = pytest.mark.skipif(mime_suites.folder() is None,
                            reason="GATEPOST_SUITES names no folder with public messages")


@functools.cache
def corpus():
    """[(name, bytes)]: the suites with CRLF, then generated ones."""
    public = [(name, mime_suites.crlf(m)) for name, m in mime_suites.messages()]
    return public + [(f"generated {n}", mime_generate.message(n)) for n in range(GENERATED)]


@functools.cache
def answers():
    return mime_readers.all_ours([m for _, m in corpus()])


def headings():
    return set(re.findall(r"^### (.+)$", PAGE.read_text(), re.M))


def mime(message, *words):
    return subprocess.run([BINARY, "mime", *words, "-"], input=message, capture_output=True, timeout=60)


# --- the verb ---

NESTED = (b"From: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= <a@example.test>\r\nSubject: =?utf-8?B?w6Q=?=\r\n"
          b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
          b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
          b"<p>Hello <a href=\"http://shop.example.test/\">bank</a></p>\r\n"
          b"--x\r\nContent-Type: application/pdf; name*=utf-8''%C3%A4.pdf\r\n"
          b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\nJVBERi0xLjQK\r\n"
          b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n"
          b"Content-Type: multipart/alternative; boundary=y\r\n\r\n--y\r\n\r\ninner text\r\n--y--\r\n"
          b"--x--\r\n")


def test_a_message_is_shown_as_it_is_read():
    got = json.loads(mime(NESTED, "--json").stdout)
    parts = list(mime_readers.parts(got["tree"]))
    assert [p["path"] for p in parts] == ["TEXT", "1", "2", "3", "3.TEXT", "3.1"]
    assert [p["kind"] for p in parts] == ["multipart", "leaf", "leaf", "message", "multipart", "leaf"]
    pdf = parts[2]
    assert (pdf["name"], pdf["encoding"], pdf["disposition"]) == ("ä.pdf", "base64", "attachment")
    assert pdf["params"][0]["name"] == "name*" and pdf["params"][0]["text"] == "ä.pdf"
    assert (pdf["decoded_size"], pdf["sha256"]) == (9, hashlib.sha256(b"%PDF-1.4\n").hexdigest())
    assert NESTED[pdf["body_at"]:pdf["end"]] == b"JVBERi0xLjQK"
    assert got["header"]["envelope"]["subject"] == "ä"
    assert got["header"]["envelope"]["from"][0]["name"] == "Grüße"
    assert got["header"]["preview"].startswith("Hello bank")
    assert got["content"]["links"][0]["url"] == "http://shop.example.test/"
    assert [leaf["true_type"] for leaf in got["content"]["leaves"] if leaf["name"] == "ä.pdf"] == ["pdf"]
    assert got["imap"]["bodystructure"].startswith('(("text" "html" ("charset" "utf-8")')


def test_output_is_one_object_and_safe_for_a_terminal():
    bad = b"Subject: \x1b]0;owned\x07 \x7f \xc2\x9b\xff\r\n\r\n\x1b[2J\xff\x00\r\n"
    for words in ((), ("--json",)):
        out = mime(bad, *words).stdout
        assert out.isascii() and re.fullmatch(rb"[\n -~]*", out)
        json.loads(out)
    assert mime(bad, "--json").stdout.count(b"\n") == 1


def test_what_is_past_a_limit_is_said_in_a_sentence():
    done = mime(b"A: " + b"x" * (2 << 20) + b"\r\n\r\n")
    assert (done.returncode, done.stdout) == (1, b"") and len(done.stderr) > 20
    done = subprocess.run([BINARY, "mime", "/nowhere/at all"], capture_output=True)
    assert done.returncode == 1 and b"no file" in done.stderr
    assert subprocess.run([BINARY, "mime"], capture_output=True).returncode == 2


def test_a_file_that_only_root_may_read_is_read_by_nobody_else(tmp_path):
    """The command reads it; what takes it apart has neither files nor root."""
    path = tmp_path / "m.eml"
    path.write_bytes(NESTED)
    path.chmod(0o600)
    done = subprocess.run([BINARY, "mime", "--json", path], capture_output=True, timeout=60)
    assert done.returncode == 0 and json.loads(done.stdout)["size"] == len(NESTED)
    assert b"cage is not complete" not in done.stderr


# --- public messages ---

@suites
def test_every_public_message_can_be_read():
    assert len(mime_suites.messages()) > 100
    for name, message in mime_suites.messages():
        for form in (message, mime_suites.crlf(message)):
            answer = mime_readers.ours(form)
            assert "tree" in answer, (name, answer)
            assert answer["imap"]["bodystructure"], name


def expected(path):
    """(message, its parts as others parsed it)."""
    message = path.with_name(path.name.split(".")[0] + ".eml").read_bytes()
    if ".crlf" in path.name:
        message = mime_suites.crlf(message)
    return message, json.loads(path.read_text())


def header_of(part, name):
    return next((h["value"] for h in part["headers"] if h["name"] == name), None)


def compare_encoded(answer, theirs, where):
    """IMAP cannot show what is within an encoded message; the virus scanner sees it."""
    for part in theirs["parts"]:
        (kind, body), = part["body"].items()
        if kind in ("Text", "Html"):
            digest = hashlib.sha256(body.encode()).hexdigest()
            assert digest in mime_readers.our_digests(answer), (where, body[:80])


def compare_part(answer, ours, theirs, index, where):
    """One part of their list with all that is in it."""
    part = theirs["parts"][index]
    (kind, body), = part["body"].items()
    said = header_of(part, "content_type")
    if said is not None:
        said = said["ContentType"]
        assert [ours["type"].lower(), ours["subtype"].lower()] == [said["c_type"].lower(), said["c_subtype"].lower()], where
        plain = {p["plain_name"].lower(): p["text"] for p in ours["params"]}
        for attribute in said["attributes"] or []:
            # unquoted values go on behind a blank, as names of files do that people wrote so
            assert (plain.get(attribute["name"].lower(), "") + " ").startswith(attribute["value"] + " "), (where, attribute)
    disposition = header_of(part, "content_disposition")
    if disposition is not None:
        assert ours["disposition"].lower() == disposition["ContentType"]["c_type"].lower(), where
        names = [a["value"] for a in disposition["ContentType"]["attributes"] or [] if a["name"] == "filename"]
        assert not names or ours["name"] == names[0], where
    if kind == "Multipart":
        assert ours["kind"] == "multipart" and len(ours["children"]) == len(body), where
        for n, (child, number) in enumerate(zip(ours["children"], body), 1):
            compare_part(answer, child, theirs, number, f"{where}.{n}")
    elif kind == "Message" and ours["encoding"] != "7bit":
        compare_encoded(answer, body, where)
    elif kind == "Message":
        assert ours["kind"] == "message", where
        compare_part(answer, ours["children"][0], body, 0, where + "/")
    elif part["is_encoding_problem"]:
        pass        # they give it up; we decode what there is
    elif kind in ("Text", "Html"):
        compare_text(ours, body, where)
    else:
        assert (ours["decoded_size"], ours["sha256"]) == (len(body), hashlib.sha256(bytes(body)).hexdigest()), where


def compare_text(ours, text, where):
    """Decoded, but still in its charset."""
    charset = ours["charset"] or "us-ascii"
    try:
        raw = text.encode(charset if charset.lower() != "us-ascii" else "utf-8")
    except (LookupError, UnicodeEncodeError):
        raw = None
    assert raw is None or ours["sha256"] == hashlib.sha256(raw).hexdigest(), (where, text[:80])


@suites
def test_public_messages_have_the_parts_that_are_expected_of_them():
    paths = sorted(mime_suites.folder().rglob("*.json"))
    assert paths
    for path in paths:
        message, theirs = expected(path)
        answer = mime_readers.ours(message)
        compare_part(answer, answer["tree"], theirs, 0, path.name)


# --- other readers ---

def in_bytes(text):
    return mime_dovecot.parse(text.encode())[0]


def plain(value):
    """JSON shows bytes that are no UTF-8 as '?', in the whole string where they are."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    return bytes(c if c < 128 else 63 for c in value) if isinstance(value, bytes) else value


def all_text(value):
    if isinstance(value, list):
        return b"".join(all_text(v) for v in value)
    return value if isinstance(value, bytes) else b""


def is_utf8(raw):
    try:
        raw.decode()
        return True
    except UnicodeDecodeError:
        return False


def test_imap_says_what_dovecot_says():
    if not mime_dovecot.IMAP.exists():
        pytest.skip("dovecot-imapd is missing; tools/packages.sh test installs it")
    known, unexplained = headings(), []
    count = collections.Counter()
    theirs = mime_dovecot.structures([m for _, m in corpus()])
    for (name, message), answer, fetched in zip(corpus(), answers(), theirs):
        if "refused" in answer:
            count["refused"] += 1
            continue
        ours = {}
        for key in (b"ENVELOPE", b"BODY", b"BODYSTRUCTURE"):
            ours[key] = in_bytes(answer["imap"][key.decode().lower()])
            if not is_utf8(all_text(fetched[key])):
                ours[key], fetched[key] = plain(ours[key]), plain(fetched[key])
        for field, a, b in mime_compare.differences(ours, fetched):
            why = mime_compare.explain(field, a, b, message)
            count[why] += 1
            if why not in known:
                unexplained.append((name, field, a, b))
    print(f"{len(corpus())} messages; differences: {dict(count)}")
    assert not unexplained, unexplained[:10]
    assert count["refused"] <= len(corpus()) // 100


def compare_with(reader, leaves_of):
    known, unexplained = headings(), []
    count = collections.Counter()
    for (name, message), answer in zip(corpus(), answers()):
        if "refused" in answer:
            continue
        leaves = leaves_of(message)
        why = mime_readers.judge(reader, leaves, answer, message)
        count[why] += 1
        if why != "same" and why not in known:
            unexplained.append((name, [k for k, _ in leaves], mime_readers.our_leaves(answer), answer["odd"]))
    print(f"{reader}, {len(corpus())} messages: {dict(count)}")
    assert not unexplained, unexplained[:10]
    assert count["same"] > sum(count.values()) // 2


def test_leaves_are_what_python_finds():
    compare_with("python", mime_readers.python_leaves)


def test_leaves_are_what_gmime_finds():
    g = mime_readers.gmime()
    if g is None:
        pytest.skip("gir1.2-gmime-3.0 or python3-gi is missing; tools/packages.sh test installs them")
    compare_with("gmime", functools.partial(mime_readers.gmime_leaves, g))


def test_the_page_explains_no_more_than_there_is():
    names = [name for name, _ in mime_compare.EXPLAINED] + [name for name, _, _ in mime_readers.READERS_EXPLAINED]
    assert headings() == set(names) | {"What is broken is read in every way", "Decoders that stop or go on"}
