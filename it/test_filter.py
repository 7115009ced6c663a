# SPDX-License-Identifier: ISC
"""What a message is refused for: viruses in everything and past clamd's limits, families
of signatures, attachments, and samples that abuse@ takes; and `gatepost scan`, which says
it beforehand."""
import base64
import io
import os
import re
import signal
import socket
import struct
import subprocess
import zipfile

import pytest

from clamd import CLAMD, EICAR, Clamd, wait_for
from gatepost import BINARY, message

A, LAX, ABUSE = "alice@example.test", "lax@example.test", "abuse@example.test"
JUNK, ODD = "JUNKSTRINGJUNKSTRING", "ODDSTRINGODDSTRING"
LIMITS = {"MaxFileSize": "2M", "MaxScanSize": "12M", "MaxRecursion": "6", "MaxFiles": "60"}


def instance(gatepost, clamd, **want):
    g = gatepost(start=False, clamd=clamd, **want)
    g.people(A, LAX)
    g.verb("policy", "set", LAX, "threshold=900")
    return g.start()


@pytest.fixture(scope="module")
def small():
    """A clamd with small limits, and names of families that only score."""
    if not CLAMD:
        pytest.fail("clamd is missing; tools/packages.txt names its package")
    c = Clamd(settings=LIMITS)
    (c.databases / "own.ndb").write_text(
        f"Sanesecurity.Junk.1:0:*:{JUNK.encode().hex()}\n"
        f"Heuristics.Phishing.Odd:0:*:{ODD.encode().hex()}\n")
    try:
        yield c.start()
    finally:
        c.remove()


def ask(clamd, data):
    """What clamd alone says of it."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(clamd.socket))
        s.sendall(b"zINSTREAM\0" + struct.pack("!I", len(data)) + data + b"\0\0\0\0")
        return s.recv(4096).rstrip(b"\0").decode().removeprefix("stream: ")


def zipped(*files, kind=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as z:
        for name, data in files:
            z.writestr(name, data)
    return out.getvalue()


def mail(*parts, to=A):
    """Parts are (name, bytes) or a text of fields, an empty line and a body."""
    text = ("From: Someone <someone@sender.example>\r\nTo: %s\r\nSubject: files\r\n"
            "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%d@sender.example>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n"
            "--=_b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
            % (to, int.from_bytes(os.urandom(6), "big")))
    for part in parts:
        if not isinstance(part, str):
            name, data = part
            part = (f"Content-Type: application/octet-stream; name=\"{name}\"\n"
                    f"Content-Disposition: attachment; filename=\"{name}\"\n"
                    f"Content-Transfer-Encoding: base64\n\n"
                    f"{base64.encodebytes(data).decode()}")
        text += "--=_b\r\n" + part.replace("\r\n", "\n").replace("\n", "\r\n") + "\r\n"
    return (text + "--=_b--\r\n").encode()


def nested(depth, data, name="a.txt"):
    for _ in range(depth):
        data, name = zipped((name, data)), "a.zip"
    return data


def findings(g, to):
    g.settle()
    row = g.rows("ledger", "--to", to, "--last", "1")[-1]
    return row["findings"] if isinstance(row["findings"], str) else str(row["findings"])


# --- past clamd's limits -------------------------------------------------------------


CASES = {
    "behind 30 MB": [("a.zip", zipped(("big", bytes(30 << 20) + EICAR.encode())))],
    "levels": [("a.zip", nested(5, EICAR.encode()))],
    "files": [("a.zip", zipped(*[(f"f{n}", b"x") for n in range(70)],
                               ("e", EICAR.encode())))],
    "all in all": [("a.zip", zipped(*[(f"f{n}", os.urandom(8) + bytes(1900000))
                                      for n in range(10)], ("e", EICAR.encode())))],
}


@pytest.fixture(scope="module")
def limited(small, request):
    from gatepost import Gatepost
    g = Gatepost(clamd=small)
    try:
        g.people(A, LAX)
        g.verb("policy", "set", LAX, "threshold=900")
        yield g.start()
    finally:
        g.remove()


@pytest.mark.parametrize("case", CASES)
def test_what_clamd_leaves_out_is_refused(limited, small, case):
    text = mail(*CASES[case], to=LAX)
    assert ask(small, text) == "OK", "clamd alone does not see it"
    code, reply = limited.send(LAX, text)
    assert code == 550 and "/r/" in reply, reply
    assert "cannot be checked for viruses" in reply
    assert "VIRUS_UNSEEN" in findings(limited, LAX)


def test_what_is_within_its_limits_is_delivered(limited):
    text = mail(("a.zip", zipped(("a.txt", bytes(1900000)), ("b.txt", b"hello"))),
                ("b.zip", nested(4, b"hello")), to=LAX)
    code, reply = limited.send(LAX, text)
    assert code == 250, reply


def test_a_limit_that_clamd_tells_of_is_refused_whatever_is_set(gatepost):
    c = Clamd(settings={**LIMITS, "AlertExceedsMax": "yes"}).start()
    try:
        g = instance(gatepost, c, settings="[clamav]\nfamilies = *=ignore\nconf =")
        code, reply = g.send(LAX, mail(*CASES["levels"], to=LAX))
        assert code == 550 and "/r/" in reply, reply
    finally:
        c.remove()


def test_a_clamd_that_does_not_look_into_archives_is_none(gatepost):
    c = Clamd(settings={"ScanArchive": "no"}).start()
    try:
        g = instance(gatepost, c)
        assert g.send(A)[0] == 451
        assert g.mail(A) == []
        done = subprocess.run([str(BINARY), "-c", str(g.conf), "check"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "does not look into mail or archives" in done.stdout
    finally:
        c.remove()


# --- families ------------------------------------------------------------------------


def test_a_pattern_scores_and_the_trace_says_so(limited):
    text = mail(f"Content-Type: text/plain\n\n{JUNK}\n", to=LAX)
    before = len(limited.mail(LAX))
    assert limited.send(LAX, text)[0] == 250
    rows = limited.wait_mail(LAX, before + 1)
    got = limited.read(LAX, rows[-1]["uid"]).decode()
    score = re.search(r"X-Gatepost-Score: ((?:.|\r\n[ \t])*)", got)[1]
    assert "SIGNATURE=6.000(Sanesecurity.Junk.1.UNOFFICIAL)" in score
    code, reply = limited.send(A, mail(f"Content-Type: text/plain\n\n{JUNK}\n"))
    assert code == 550 and "matches a pattern of known unwanted mail" in reply


def test_a_pattern_hides_no_virus_behind_it(limited, small):
    text = mail(f"Content-Type: text/plain\n\n{JUNK}\n", ("e.txt", EICAR.encode()), to=LAX)
    assert "Junk" in ask(small, text), "clamd alone names the pattern"
    code, reply = limited.send(LAX, text)
    assert code == 550 and "contains a virus" in reply, reply
    text = mail(("a.zip", zipped(("a", JUNK), ("b", EICAR.encode()))), to=LAX)
    assert "Junk" in ask(small, text)
    code, reply = limited.send(LAX, text)
    assert code == 550 and "virus" in reply, reply


def test_a_suspicion_hides_no_virus_behind_it(limited):
    text = mail(f"Content-Type: text/plain\n\n{ODD}\n", ("e.txt", EICAR.encode()), to=LAX)
    code, reply = limited.send(LAX, text)
    assert code == 550 and "contains a virus" in reply, reply
    assert limited.send(LAX, mail(f"Content-Type: text/plain\n\n{ODD}\n", to=LAX))[0] == 250


# --- attachments ---------------------------------------------------------------------


@pytest.mark.parametrize("name, data, says", [
    ("setup.exe", b"MZ" + bytes(200), "kind that can do harm"),
    ("report.pdf", b"MZ" + bytes(0x3a) + b"\x40\0\0\0PE\0\0" + bytes(200), "can do harm"),
    ("a.zip", zipped(("docs/run.js", b"WScript.Echo(1)")), "can do harm"),
    ("photo\u202egpj.exe", b"hello", "can do harm"),
])
def test_dangerous_attachments_are_refused(house, name, data, says):
    code, reply = house.send(A, mail((name, data)).decode().encode())
    assert code == 550 and says in reply, reply


@pytest.mark.parametrize("name, data", [
    ("notes.txt", b"hello\n"),
    ("a.zip", zipped(("docs/readme.txt", b"hello"), ("b.csv", b"1,2\n"))),
    ("example.com.pdf", b"%PDF-1.4\n%%EOF\n"),
])
def test_usual_attachments_are_delivered(house, name, data):
    code, reply = house.send(A, mail((name, data)))
    assert code == 250, reply


def test_scores_are_settings(gatepost):
    text = mail(("setup.exe", b"MZ" + bytes(200)))
    g = instance(gatepost, None, settings="[filter]\nscores = DANGEROUS_FILE=off TYPE_CONFLICT=off")
    assert g.send(A, text)[0] == 250
    g.configure(None, settings="[filter]\nscores = DANGEROUS_FILE=refuse")
    g.signal("manager", signal.SIGHUP)
    assert wait_for(lambda: g.send(LAX, text)[0] == 550)
    g.configure(None, settings="[filter]\nscores = DANGEROUS=1")
    code, sentence = g.fails("check")
    assert code == 1
    g.signal("manager", signal.SIGHUP)
    assert wait_for(lambda: "there is no check DANGEROUS" in g.log())
    assert g.send(LAX, text)[0] == 550, "the old settings go on"


def test_observed_is_delivered_and_told_but_never_a_virus(gatepost, clamd):
    g = instance(gatepost, clamd, server="filter = observe")
    assert g.send(A, mail(("setup.exe", b"MZ" + bytes(200))))[0] == 250
    assert "DANGEROUS_FILE" in findings(g, A)
    assert g.send(A, mail(("e.txt", EICAR.encode())))[0] == 550


# --- samples -------------------------------------------------------------------------


def infected():
    return message(A, sender="bad@evil.example", body=EICAR + "\n")


def attached(inner, encoding="8bit"):
    if encoding == "base64":
        inner = base64.encodebytes(inner.encode()).decode()
    return (f"Content-Type: message/rfc822\nContent-Transfer-Encoding: {encoding}\n\n{inner}")


ARF = ("Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
       "User-Agent: SomeGenerator/1.0\nVersion: 1\n")


@pytest.fixture(scope="module")
def samples(clamd):
    from gatepost import Gatepost
    g = Gatepost(clamd=clamd, settings="[filter]\nabuse_samples = 1000")
    try:
        g.people(A)
        yield g.start()
    finally:
        g.remove()


@pytest.mark.parametrize("parts", [
    [attached(infected())],
    # RFC 2046 5.2.1 forbids it, and readers decode it
    [attached(infected(), "base64")],
    [ARF, attached(infected())],
    [attached(message(A, headers="MIME-Version: 1.0\nContent-Type: multipart/mixed; "
                      "boundary=in\n", body="--in\nContent-Type: application/zip; "
                      "name=a.zip\nContent-Transfer-Encoding: base64\n\n"
                      + base64.encodebytes(zipped(("e.com", EICAR.encode()))).decode()
                      + "\n--in--\n"))],
], ids=["rfc822", "base64", "arf", "zip"])
def test_abuse_takes_an_attached_sample_and_others_do_not(samples, parts):
    code, reply = samples.send(ABUSE, mail(*parts, to=ABUSE))
    assert code == 250, reply
    code, reply = samples.send(A, mail(*parts))
    assert code == 550 and "/r/" in reply, reply


@pytest.mark.parametrize("parts", [
    [("e.txt", EICAR.encode())],
    [attached(infected()), ("e.txt", EICAR.encode())],
    [f"Content-Type: text/plain\n\n{EICAR}\n", attached(infected())],
], ids=["attached file", "beside", "text"])
def test_an_infected_message_is_no_sample(samples, parts):
    code, reply = samples.send(ABUSE, mail(*parts, to=ABUSE))
    assert code == 550 and "contains a virus" in reply, reply


def test_samples_are_counted(gatepost, clamd):
    g = instance(gatepost, clamd, settings="[filter]\nabuse_samples = 2")
    answers = [g.send(ABUSE, mail(attached(infected()), to=ABUSE))[0] for _ in range(3)]
    assert answers == [250, 250, 451]


# --- gatepost scan -------------------------------------------------------------------


def scan(g, text, *words):
    """What it says and how it answers, from a file."""
    path = g.folder / "scanned.eml"
    path.write_bytes(re.sub(rb"(?<!\r)\n", b"\r\n", text if isinstance(text, bytes)
                            else text.encode()))
    return g.json("scan", *words, path)


TEXTS = {
    "plain": lambda: message(A),
    "virus": lambda: mail(("e.txt", EICAR.encode())),
    "unseen": lambda: mail(*CASES["levels"]),
    "program": lambda: mail(("setup.exe", b"MZ" + bytes(200))),
    "no header": lambda: "hello\r\n",
    "pattern": lambda: mail(f"Content-Type: text/plain\n\n{JUNK}\n"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_scan_says_what_the_server_answers(limited, kind):
    text = TEXTS[kind]()
    for to in (A, LAX):
        said = scan(limited, text, "--to", to)
        code, reply = limited.send(to, text)
        assert said["reply"].startswith(str(code)), (said, reply)
        if code == 550:
            reason = re.search(r"/r/\S+ (.*) \(", reply)[1]
            assert reason in said["reply"], (said["reply"], reply)


def test_scan_needs_no_server_and_no_clamd(gatepost, tmp_path):
    g = gatepost(start=False, clamd=str(tmp_path / "nobody.sock"))
    g.people(A)
    said = scan(g, mail(("setup.exe", b"MZ" + bytes(200))), "--to", A)
    assert said["verdict"] == "not now" and said["reply"].startswith("451")
    assert "DANGEROUS_FILE" in [f["name"] for f in said["findings"]]
    g.configure(None)
    out = g.verb("scan", "-", stdin="Subject: x\n\n" + "hello\n")
    assert "NO_FROM" in out and "score " in out
    code, sentence = g.fails("scan", "--to", "nobody@example.test", g.folder / "scanned.eml")
    assert code == 1 and "nobody@example.test" in sentence
    code, sentence = g.fails("scan", g.folder / "no such file")
    assert code == 1 and "there is no file" in sentence


def test_scan_shows_no_control_characters(gatepost):
    g = gatepost(start=False)
    done = subprocess.run([str(BINARY), "-c", str(g.conf), "scan", "-"],
                          input=mail(("\x1b]0;x\x07\u202e.txt", b"a\x1b[2J")),
                          capture_output=True, check=True, timeout=60)
    assert all(byte == 10 or 32 <= byte < 127 for byte in done.stdout), done.stdout
