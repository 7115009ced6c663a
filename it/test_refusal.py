# SPDX-License-Identifier: ISC
"""What was refused for what it is: seen, released once, dismissed; and the postmaster
hears of what stopped the scanner."""
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
import tty

import pytest

from clamd import EICAR, GTUBE, wait_for
from gatepost import BINARY, SLOW, message

A, B, C = "alice@example.test", "bob@example.test", "carol@example.test"
POSTMASTER = "postmaster@example.test"
TRACE = 1024
ROUNDS = 12     # houses killed in the middle of a release


def spam(subject="win", body=""):
    return message(A, subject=subject, body=f"{GTUBE}\n{subject}\n{body}")


def sent(text):
    """As it went over the wire."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", text.encode())


@pytest.fixture
def g(gatepost):
    made = gatepost(start=False)
    made.people(A, B, C)
    return made.start()


def refuse(g, text=None, to=A):
    """The name of its refusal."""
    before = {row["refusal"] for row in g.rows("refusal", "list")}
    code, reply = g.send(to, text or spam())
    assert code == 550 and "/r/" in reply, reply
    g.settle()
    new = [row["refusal"] for row in g.rows("refusal", "list") if row["refusal"] not in before]
    assert len(new) == 1, new
    return new[0]


def shown(g, name):
    return g.json("refusal", "show", name)


def block_of(text):
    """The header fields of the trace block, padding aside."""
    fields = re.sub(rb"\r\n[ \t]+", b" ", text[:TRACE]).split(b"\r\n")
    return [f for f in fields if f and not f.startswith(b"X-Gatepost-Pad:")]


def same(g, address, text, count=1, name=None):
    """The mailbox has the message so often: as it was sent, with one field more."""
    rows = g.mail(address)
    assert len(rows) == count, rows
    got = g.read(address, rows[-1]["uid"])
    assert got[TRACE:] == sent(text)
    released = [f for f in block_of(got) if f.startswith(b"X-Gatepost-Released: ")]
    assert len(released) == 1 and got.count(b"X-Gatepost-Released") == 1, block_of(got)
    if name:
        assert re.match(rb"X-Gatepost-Released: " + name.encode() +
                        rb"; \w{3}, \d\d? \w{3} \d{4} \d\d:\d\d:\d\d \+0000$", released[0])
    return got


def test_a_refused_message_is_seen_released_and_as_it_was_sent(g):
    text = spam("für alle", "äöü\n" * 3000)
    name = refuse(g, text)
    row, = g.rows("refusal", "list", "--state", "open")
    assert row["refusal"] == name and row["from"] == "someone@sender.example"
    assert row["to"] == [A] and row["held"] and not row["virus"] and "GTUBE" in row["findings"]
    assert not g.rows("refusal", "list", "--state", "released")
    assert not g.rows("refusal", "list", "--to", B)
    assert g.rows("refusal", "list", "--from", "SOMEONE@sender.example")
    assert not g.rows("refusal", "list", "--since", "2100-01-01")
    assert not shown(g, name)["opened"]

    done = subprocess.run([str(BINARY), "-c", str(g.conf), "refusal", "show", name, "--original"],
                          capture_output=True, timeout=60)
    assert done.stdout[TRACE:] == sent(text), done.stderr
    before = block_of(done.stdout)
    opened, = shown(g, name)["opened"]
    assert opened["why"] == "show --original" and str(os.geteuid()) in opened["who"]

    said = g.verb("refusal", "release", name)
    assert A in said and "virus" not in said.lower()
    got = same(g, A, text, name=name)
    assert [f for f in block_of(got) if not f.startswith(b"X-Gatepost-Released")] == before
    after = shown(g, name)
    assert after["state"] == "released" and after["copy"] == g.mail(A)[0]["id"]
    assert [o["why"] for o in after["opened"]] == ["show --original", "release"]
    assert g.mail(A)[0]["subject"] == "für alle"    # its facts were held too

    refused, released = g.rows("ledger")
    assert refused["recipients"][0]["refusal"] == name and not refused["released"]
    assert released["released"] and released["recipients"][0]["answer"] == "delivered"
    assert name in g.verb("ledger", "--id", name.split(".")[0])
    g.audit()
    g.verb("verify")
    assert g.stop() == 0
    with sqlite3.connect(g.data / "refusals.db") as db:
        assert db.execute("SELECT id || '.' || n, kind FROM training").fetchall() == [(name, "ham")]


def on_terminal(g, *words):
    """What a verb shows on a terminal."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    with subprocess.Popen([str(BINARY), "-c", str(g.conf), *words], stdout=theirs) as p:
        os.close(theirs)
        got = b""
        while True:
            try:
                got += os.read(ours, 65536)
            except OSError:     # EIO: the command has ended
                break
    os.close(ours)
    assert p.returncode == 0
    return got


def test_what_was_refused_does_not_work_the_terminal_that_shows_it(g):
    name = refuse(g, spam(body="\x1b[2J\x9bgone\x7f Grüße"))
    for _ in range(2):      # with a server and without one
        piped = subprocess.run([str(BINARY), "-c", str(g.conf), "refusal", "show", name, "--original"],
                               capture_output=True, check=True).stdout
        assert "\x1b[2J\x9bgone\x7f Grüße\r\n".encode() in piped
        seen = on_terminal(g, "refusal", "show", name, "--original")
        assert "?[2J?gone? Grüße\r\n".encode() in seen and b"\x1b" not in seen
        if g.process:
            g.stop()


def test_a_second_release_says_that_there_was_one(g):
    text = spam()
    name = refuse(g, text)
    g.verb("refusal", "release", name.split(".")[0].lower())
    for words in ["release", "dismiss"]:
        code, said = g.fails("refusal", words, name)
        assert code == 1 and "released" in said and "already" in said
    same(g, A, text)
    assert g.stop() == 0
    code, said = g.fails("refusal", "release", name)     # without a server, too
    assert code == 1 and "released already" in said
    same(g, A, text)


def test_without_a_server_everything_works(g):
    text = spam()
    name, other = refuse(g, text), refuse(g, spam("other"))
    assert g.stop() == 0
    assert {row["refusal"] for row in g.rows("refusal", "list")} == {name, other}
    assert GTUBE in g.verb("refusal", "show", name, "--original")
    g.verb("refusal", "release", name)
    same(g, A, text)
    g.verb("refusal", "dismiss", other)
    assert shown(g, other)["state"] == "dismissed"
    assert "dismissed" in g.fails("refusal", "release", other)[1]
    assert "dismissed already" in g.fails("refusal", "dismiss", other)[1]
    g.audit()
    g.start()
    assert shown(g, name)["state"] == "released"
    same(g, A, text)
    assert "command line" in shown(g, name)["decided_by"]
    g.audit()


def test_a_house_that_is_killed_while_it_releases_gives_one_copy(g):
    r = random.Random(20261123)
    for n in range(1, ROUNDS + 1):
        text = spam(f"number {n}")
        name = refuse(g, text)
        command = subprocess.Popen([str(BINARY), "-c", str(g.conf), "refusal", "release", name],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(r.random() * 0.04 * SLOW)     # the random moment
        g.signal("house", signal.SIGKILL)
        command.communicate(timeout=60)
        done = g._run(["-c", str(g.conf), "refusal", "release", name], check=False)
        assert done.returncode == 0 or "released already" in done.stderr, done.stderr
        g.settle()
        same(g, A, text, n, name)
    g.audit()
    g.verb("verify")
    assert g.stop() == 0
    g.audit()


def test_each_link_of_prdr_is_released_alone(g):
    g.verb("policy", "set", B, "filter=observe")
    text = spam()
    with g.raw() as s:
        s.expect("220")
        s.say("EHLO client.example", "250")
        s.say("MAIL FROM:<s@sender.example> PRDR", "250")
        for a in [A, B, C]:
            s.say(f"RCPT TO:<{a}>", "250")
        s.say("DATA", "354")
        s.send(sent(text) + b".\r\n")
        s.expect("353")
        assert [s.reply()[:3] for _ in range(3)] == ["550", "250", "550"]
        s.expect("250")
    g.settle()
    rows = {row["to"][0]: row["refusal"] for row in g.rows("refusal", "list")}
    assert set(rows) == {A, C} and len(set(rows.values())) == 2
    message_id = rows[A].split(".")[0]
    code, said = g.fails("refusal", "release", message_id)
    assert code == 1 and "2 links" in said
    g.verb("refusal", "release", rows[C])
    same(g, C, text)
    assert len(g.mail(A)) == 0 and len(g.mail(B)) == 1
    assert shown(g, rows[A])["state"] == "open"
    ledger = {r["address"]: r.get("refusal") for r in g.rows("ledger")[0]["recipients"]}
    assert ledger == {A: rows[A], B: None, C: rows[C]}
    g.audit()


def test_a_release_goes_where_mail_goes_today(g):
    """An alias has new targets; an account is gone, and its heir gets it."""
    g.verb("alias", "add", "sales@example.test", A)
    text = spam()
    to_sales, to_bob = refuse(g, text, "sales@example.test"), refuse(g, spam("two"), B)
    g.verb("alias", "remove", "sales@example.test")
    g.verb("alias", "add", "sales@example.test", C, A)
    g.verb("account", "remove", B)
    g.verb("refusal", "release", to_sales)
    same(g, A, text)
    same(g, C, text)
    g.verb("refusal", "release", to_bob)
    assert g.mail(POSTMASTER)[0]["subject"] == "two"
    g.audit()


def test_the_same_bytes_to_two_people_are_two_releases(g):
    text = message("list@lists.example", body=GTUBE + "\n")
    one, two = refuse(g, text, A), refuse(g, text, B)
    assert len(list((g.data / "held").iterdir())) == 1
    g.verb("refusal", "release", two)
    got = same(g, B, text, name=two)
    assert A.encode() not in got and one.split(".")[0].encode() not in got
    assert not g.mail(A)
    g.verb("refusal", "release", one)
    same(g, A, text, name=one)
    g.audit()


def test_what_is_past_its_time_cannot_be_released_and_goes(g):
    name = refuse(g)
    assert g.stop() == 0
    g.configure(settings="[test]\nnow = 2035-01-01T00:00:00Z\n")
    code, said = g.fails("refusal", "release", name)
    assert code == 1 and "was over on" in said
    assert not g.rows("refusal", "list")
    g.audit()       # nobody removed it yet, and that is no breach
    g.start()
    assert wait_for(lambda: not list((g.data / "held").iterdir()), 20 * SLOW)
    code, said = g.fails("refusal", "show", name)
    assert code == 1 and "no refusal" in said
    g.audit()
    assert g.stop() == 0


def test_what_was_not_kept_says_so(gatepost):
    g = gatepost(start=False, settings="[held]\nall = 0\n")
    g.people(A)
    g.start()
    code, reply = g.send(A, spam())
    assert code == 550 and "could not be kept" in reply
    g.settle()
    row, = g.rows("refusal", "list")
    assert not row["held"] and row["held_until"] is None
    for words in [("release",), ("show", "--original")]:
        code, said = g.fails("refusal", words[0], row["refusal"], *words[1:])
        assert code == 1 and "was not kept" in said
    assert "not held" in g.verb("refusal", "show", row["refusal"])
    assert "no refusal" in g.fails("refusal", "show", "01KAPS0000ABCDEFGHJK")[1]
    assert "not the name" in g.fails("refusal", "show", "hello")[1]
    assert g.fails("refusal", "list", "--state", "gone")[0] == 2
    g.audit()


def test_a_virus_is_marked_and_its_release_says_so(gatepost, clamd):
    g = gatepost(start=False, clamd=clamd)
    g.people(A)
    g.start()
    text = message(A, body=EICAR + "\n")
    name = refuse(g, text)
    assert g.rows("refusal", "list")[0]["virus"]
    assert "VIRUS" in g.verb("refusal", "list") and "virus" in g.verb("refusal", "show", name)
    assert "at your risk" in g.verb("refusal", "release", name)
    same(g, A, text)
    g.audit()


def test_a_missing_key_is_named(g):
    name = refuse(g)
    assert g.stop() == 0
    key = g.dir / "keys" / "held.key"
    key.rename(key.with_suffix(".away"))
    code, said = g.fails("refusal", "release", name)
    assert code == 1 and "keys/held.key" in said
    g.verb("verify")        # headers only
    key.with_suffix(".away").rename(key)
    g.verb("refusal", "release", name)


def test_the_postmaster_hears_of_what_stopped_the_scanner_twice(gatepost):
    g = gatepost(start=False, settings="[limits]\nscanner_timeout = 1s\nscanners = 1")
    g.people(A)
    g.start()
    poison = message(A, subject="poison", body="canary-8841\n")
    for _ in range(2):
        assert wait_for(lambda: g.send(A, message(A))[0] == 250, 20 * SLOW)
        g.signal("scanner", signal.SIGSTOP)
        code, reply = g.send(A, poison)
    assert code == 550, reply
    row = g.wait_mail(POSTMASTER, 1)[0]
    text = g.read(POSTMASTER, row["uid"]).decode()
    name = g.rows("refusal", "list")[0]["refusal"]
    assert name in text and "someone@sender.example" in text and "127.0.0.1" in text
    assert "canary-8841" not in text and "poison" not in text
    assert f"From: Gatepost <{POSTMASTER}>" in text and "twice" in row["subject"]
    wait_for(lambda: g.send(A, message(A))[0] == 250, 20 * SLOW)
    g.send(A, poison)
    g.settle()
    g.signal("house", signal.SIGKILL)
    g.settle()
    assert len(g.mail(POSTMASTER)) == 1
    g.verb("refusal", "release", name)
    assert sent(poison) in [t[TRACE:] for t in g.texts(A)]
    g.audit()
    g.verb("verify")


def test_a_backup_has_the_register_and_what_is_held(g, tmp_path):
    text = spam()
    name, other = refuse(g, text), refuse(g, spam("other"))
    g.verb("refusal", "release", other)
    g.verb("backup", tmp_path / "backup")
    assert g.stop() == 0
    subprocess.run(["rm", "-r", str(g.data)], check=True)
    g.verb("restore", tmp_path / "backup")
    g.verb("verify")
    g.audit()
    g.start()
    assert "released already" in g.fails("refusal", "release", other)[1]
    g.verb("refusal", "release", name)
    same(g, A, text, 2)
    g.audit()


def test_nothing_of_what_was_refused_can_be_read_in_what_is_kept_of_it(g):
    name = refuse(g, spam("canary-5512", "canary-5512 "))
    g.verb("refusal", "list")
    g.verb("refusal", "show", name)
    assert "canary-5512" in g.verb("refusal", "show", name, "--original")
    assert g.stop() == 0
    for path in g.dir.rglob("*"):
        if path.is_file():
            assert b"canary-5512" not in path.read_bytes(), path
    assert "canary-5512" not in g.log()


@pytest.mark.parametrize("what", ["row", "file", "byte"])
def test_damage_to_what_is_kept_of_refusals_is_named(g, what):
    name = refuse(g)
    assert g.stop() == 0
    g.audit()
    path, = (g.data / "held").iterdir()
    if what == "row":
        with sqlite3.connect(g.data / "refusals.db") as db:
            db.execute("DELETE FROM refusal")
    elif what == "file":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[-40] ^= 1
        path.write_bytes(data)
    words = "verify" if what == "byte" else "audit"
    done = g._run(["-c", str(g.conf), words], check=False)
    assert done.returncode == 1
    assert (path.name if what == "byte" else name.split(".")[0]) in done.stdout
