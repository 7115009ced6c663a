# SPDX-License-Identifier: ISC
"""Full text: filled in the background, behind every delivery, from the scanner's texts."""
import base64
import os
import signal
import sqlite3

from clamd import wait_for
from gatepost import SLOW, message

A, B = "alice@example.test", "bob@example.test"


def found(g, who, *words):
    got = g.json("mailbox", "search", who, *words)
    return sorted(row["subject"] for row in got["messages"] if row["sure"])


def waits(g, who, *words, count=1):
    assert wait_for(lambda: len(found(g, who, *words)) == count, 30 * SLOW, 0.1), (
        words, g.json("mailbox", "search", who, *words), g.log()[-2000:])


def html(to):
    body = base64.encodebytes("<p>Sch\u00f6ne Gr\u00fc\u00dfe vom <b>Kilimandscharo</b></p>".encode()).decode()
    return (f"From: ann@sender.example\nTo: {to}\nSubject: =?utf-8?q?Urlaubsgr=C3=BC=C3=9Fe?=\n"
            "Date: Mon, 23 Nov 2026 10:00:00 +0000\nMessage-ID: <u1@sender.example>\n"
            "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n"
            f"Content-Transfer-Encoding: base64\n\n{body}\n")


def test_words_of_a_delivered_message_are_found_by_its_owner_only(gatepost):
    g = gatepost(start=False)
    g.people(A, B)
    g.start()
    assert g.send(A, message(A, subject="one", body="a zebra crossed the road"))[0] == 250
    assert g.send(B, message(B, subject="two", body="another zebra"))[0] == 250
    waits(g, A, "zebra")
    waits(g, B, "ZEBRA")
    assert found(g, A, "zebra") == ["one"]
    assert found(g, A, "zebra", "another") == []
    assert found(g, A, "sender") == ["one"]         # whom it is from
    assert found(g, A, "ebr", "oSSe") == ["one"]    # pieces of words
    assert found(g, A, "zebras") == []
    rows = g.json("mailbox", "search", A, "zebra crossed")["messages"]
    assert [row["sure"] for row in rows] == [False]  # both are there, but perhaps apart


def test_encoded_text_and_subjects_are_found_as_people_read_them(gatepost):
    g = gatepost(start=False)
    g.people(A)
    g.start()
    assert g.send(A, html(A))[0] == 250
    waits(g, A, "kilimandscharo")
    assert len(found(g, A, "GR\u00dc\u00dfE")) == 1
    assert len(found(g, A, "urlaubsgr\u00fc\u00dfe")) == 1
    assert len(found(g, A, "<b>kili")) == 1         # the page itself is text, too
    assert len(found(g, A, "grusse")) == 0          # nobody asked for something like it


def test_a_killed_reader_or_house_costs_no_words(gatepost):
    g = gatepost(start=False)
    g.people(A)
    g.start()
    for n in range(6):
        assert g.send(A, message(A, subject=f"m{n}", body=f"giraffe number{n}"))[0] == 250
        for pid in g.pids("scanner" if n % 2 else "house"):
            os.kill(pid, signal.SIGKILL)
        assert wait_for(lambda: g.send(A, message(A, subject="again", body="x"))[0] == 250, 30)
    waits(g, A, "giraffe", count=6)
    g.audit()


def test_a_removed_folder_is_made_anew_and_removed_accounts_are_forgotten(gatepost):
    g = gatepost(start=False)
    g.people(A, B)
    g.start()
    assert g.send([A, B], message(A, subject="both", body="okapi"))[0] == 250
    waits(g, A, "okapi")
    g.stop()
    for path in (g.data / "search").iterdir():
        path.unlink()
    g.start()
    waits(g, A, "okapi")
    waits(g, B, "okapi")
    assert found(g, A, "okap") == ["both"]
    g.verb("account", "remove", B)
    g.verb("account", "add", B)
    assert found(g, B, "okapi") == []
    assert found(g, A, "okapi") == ["both"]


def test_full_text_of_an_older_version_is_made_anew(gatepost):
    g = gatepost(start=False)
    g.people(A)
    g.start()
    assert g.send(A, message(A, subject="one", body="an okapi"))[0] == 250
    waits(g, A, "okapi")
    g.stop()
    for path in (g.data / "search").iterdir():
        path.unlink()
    for n in range(16):
        with sqlite3.connect(g.data / "search" / f"{n}.db") as old:
            old.executescript("PRAGMA journal_mode = WAL; CREATE TABLE doc(id INTEGER PRIMARY KEY, msgid TEXT);"
                              "CREATE TABLE mark(account_id INTEGER PRIMARY KEY, modseq INTEGER NOT NULL);"
                              "INSERT INTO mark VALUES(1, 1000000), (2, 1000000), (3, 1000000);"
                              "PRAGMA user_version = 1;")
        old.close()
    g.start()
    waits(g, A, "okapi")


def test_full_text_can_be_switched_off_and_on_again(gatepost):
    g = gatepost(start=False)
    g.configure(settings="[store]\nfull_text = no\n")
    g.people(A)
    g.start()
    assert g.send(A, message(A, subject="one", body="a zebra"))[0] == 250
    assert wait_for(lambda: g.json("mailbox", "search", A, "zebra")["waiting"] == 1, 30 * SLOW, 0.1)
    g.stop()
    g.configure(settings="[store]\nfull_text = yes\nfull_text_delay = 0s\n")
    g.start()
    waits(g, A, "zebra")
