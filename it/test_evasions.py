# SPDX-License-Identifier: ISC
"""Files that are hidden in messages are found, whoever's reading shows them; what
ordinary people send is delivered."""
import os
import pathlib
import random
import re
import subprocess

import pytest

from clamd import EICAR
from evasions import TRICKS
from evasions.benign import MAILS, ORDINARY
from evasions.craft import B, attached, b64, evil, in_zip, mixed, note, padded, qp, uu, whole
from evasions.sending import deliver
from gatepost import SLOW, Gatepost

LINK = re.compile(r"^550 5\.7\.1 https://mx\.example\.test(:\d+)?/r/[A-Za-z0-9_-]{20,} \S")
TESTFILES = pathlib.Path("/usr/share/clamav-testfiles")
HARMLESS = b"Nothing of note is in this file, and nobody minds.\r\n"

# What comes out of these has something before or behind the file, or is text, so that a
# packed file would not be one any more; the last four are opened by clamd alone.
NOT_PACKED = """
    qp_soft_breaks qp_blanks_behind_soft_breaks qp_invalid_escapes base64_behind_padding
    base64_cut_off uu_blanks uu_blanks_stripped forwarded_cut_off gz_second_member
    qp_bare_lf qp_bare_cr arj zip_deflate64 pdf_embedded rtf_object
""".split()
REAL = [t for t in TRICKS if not t.nobody and t.kind != "policy"]
POLICY = [t for t in TRICKS if t.kind == "policy"]
PACKED = [t for t in REAL if t.kind != "charset" and t.name not in NOT_PACKED]


def named(tricks):
    return {"argvalues": tricks, "ids": [t.name for t in tricks]}


@pytest.fixture(scope="module")
def g(clamd):
    made = Gatepost(clamd=clamd, settings="[smtp]\ngreet_delay = 0\n[held]\nnetwork = 1G")
    try:
        made.people("alice@example.test")
        yield made.start()
    finally:
        print("\n".join(made.lines[-40:]))
        made.remove()


@pytest.fixture(scope="module")
def packed():
    """EICAR where clamd alone never finds it, so that our reading has to."""
    return subprocess.run(["zstd", "-qc"], input=padded(EICAR.encode()), capture_output=True,
                          check=True).stdout


def newest(g):
    """The last message that alice was given."""
    g.settle()
    return g.read("alice@example.test", g.mail("alice@example.test")[-1]["uid"])


# --- hidden ----------------------------------------------------------------------


def test_there_are_enough_tricks():
    assert len(REAL) >= 130
    assert len({t.name for t in TRICKS}) == len(TRICKS)
    assert {"boundary", "encoding", "embedded", "header", "name", "nesting", "charset", "archive",
            "document", "policy"} == {t.kind for t in TRICKS}


def test_what_is_packed_is_invisible_to_clamd_alone(clamd, packed):
    from evasions.__main__ import asked
    assert asked(clamd, whole(mixed(note(), attached(b64(packed))))) == "OK"
    assert "FOUND" in asked(clamd, whole(mixed(note(), attached(b64(EICAR.encode())))))


@pytest.mark.parametrize("trick", **named(REAL))
def test_a_hidden_file_is_refused(g, trick):
    answer = deliver(g, trick(EICAR.encode()))
    assert LINK.match(answer), f"{trick.name}: {trick.why}\nanswered: {answer}"


@pytest.mark.parametrize("trick", **named(PACKED))
def test_a_hidden_file_that_clamd_cannot_open_is_refused(g, trick, packed):
    answer = deliver(g, trick(packed))
    assert LINK.match(answer), f"{trick.name}: {trick.why}\nanswered: {answer}"


def part_of(trick, data):
    """The part with the file, out of a trick that is about the part alone; None."""
    rows = trick(data).split(b"--" + B + b"\r\n")
    end = b"\r\n--" + B + b"--"
    return rows[2].split(end)[0] + b"\r\n" if len(rows) > 2 and end in rows[2] else None


def test_two_tricks_at_once_are_refused(g, packed):
    """One hides the part, another one hides the file in it: pairs by chance, but always
    the same ones.  The first delimiter's absence takes no second trick: whoever takes
    fields in a preamble for a part's reads no odd ones."""
    plain = evil(packed)
    outer = [t for t in PACKED if t.kind in ("boundary", "header", "nesting") and
             t.name != "first_delimiter_missing" and plain in t(packed)]
    inner = [(t.name, part_of(t, packed)) for t in PACKED
             if t.kind in ("encoding", "header", "name", "archive") and part_of(t, packed)]
    assert len(outer) > 100 and len(inner) > 100
    chance, missed = random.Random(2026), []
    for _ in range(int(os.environ.get("GATEPOST_PAIRS", 300 // SLOW))):
        trick, (name, part) = chance.choice(outer), chance.choice(inner)
        answer = deliver(g, trick(packed).replace(plain, part))
        if not LINK.match(answer):
            missed.append((trick.name, name, answer))
    assert not missed


@pytest.mark.parametrize("trick", **named(POLICY))
def test_what_nobody_can_look_into_is_told(g, trick):
    """Refused or delivered, as the policy says; but never without a finding."""
    answer = deliver(g, trick(EICAR.encode()))
    if answer.startswith("250"):
        score = re.search(rb"(?m)^X-Gatepost-Score: (-?[\d.]+)", newest(g))
        assert float(score[1]) > 0, trick.name
    else:
        assert LINK.match(answer), answer


# --- Debian's files for testing scanners -----------------------------------------


def seven_bit(content):
    return content.isascii() and b"\0" not in content and \
        all(len(row) < 998 for row in content.split(b"\n"))


def crlf(content):
    return re.sub(rb"\r?\n", b"\r\n", content)


def encoded(content, how, name):
    if how == "in zip":
        content, how, name = in_zip(content, name=name.decode()), "base64", b"files.zip"
    body = {"7bit": crlf, "binary": lambda c: c + b"\r\n", "base64": b64, "quoted-printable": qp,
            "x-uuencode": uu}[how](content)
    return whole(mixed(note(), attached(body, how.encode(), name=name)))


FILES = sorted(TESTFILES.glob("clam*"))
ENCODINGS = ["7bit", "binary", "base64", "quoted-printable", "x-uuencode", "in zip"]


def test_all_files_of_the_package_are_there():
    assert len(FILES) == 44, "tools/packages.txt names clamav-testfiles"


@pytest.mark.parametrize("how", ENCODINGS)
@pytest.mark.parametrize("path", FILES, ids=[p.name for p in FILES])
def test_a_test_file_is_refused(g, path, how):
    content = path.read_bytes()
    if how == "7bit" and not seven_bit(content):
        how = "8bit by BDAT"
    name = re.sub(rb"\.exe$", b".dat", path.name.encode())
    message = encoded(content, "binary" if how == "8bit by BDAT" else how, name)
    answer = deliver(g, message.replace(b": binary", b": 8bit") if how[0] == "8" else message)
    assert LINK.match(answer), answer


# --- harmless --------------------------------------------------------------------


@pytest.mark.parametrize("name", MAILS)
def test_ordinary_mail_is_delivered_with_a_low_score(g, name):
    message = MAILS[name]()
    answer = deliver(g, message)
    assert answer.startswith("250"), f"{name}: {answer}"
    text = newest(g)
    assert text.endswith(message.rstrip(b"\r\n") + b"\r\n") or text.endswith(message)
    score = float(re.search(rb"(?m)^X-Gatepost-Score: (-?[\d.]+)", text)[1])
    assert score < 2.0, f"{name} scores {score}"


@pytest.mark.parametrize("trick", **named([t for t in TRICKS if t.name in ORDINARY]))
def test_a_harmless_file_in_an_ordinary_shape_is_delivered(g, trick):
    assert deliver(g, trick(HARMLESS)).startswith("250"), trick.name


def test_harmless_twins_get_an_honest_answer(g):
    """Odd shapes may score, but never does one make us say "later", and what says
    "contains a virus" has one."""
    refused = {}
    for trick in TRICKS:
        answer = deliver(g, trick(HARMLESS))
        assert answer.startswith("250") or LINK.match(answer), f"{trick.name}: {answer}"
        assert "contains a virus" not in answer, f"{trick.name}: {answer}"
        if not answer.startswith("250"):
            refused[trick.name] = answer.partition(" https")[2].partition(" ")[2]
    for name, reason in refused.items():
        print(f"{name:36} {reason}")
    print(f"{len(TRICKS) - len(refused)} harmless twins are delivered, {len(refused)} refused")
    assert len(refused) < len(TRICKS) / 4, "not everything odd is bad"
