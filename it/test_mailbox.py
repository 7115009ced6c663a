# SPDX-License-Identifier: ISC
"""Mailboxes that a reader deleted, and what an administrator can do about it."""
import imaplib

import pytest

from gatepost import message

A = "alice@example.test"


@pytest.fixture
def served(gatepost):
    g = gatepost(start=False, server="plain_loopback = yes")
    g.people()
    g.verb("account", "add", A, "--password-stdin", stdin="correct horse battery\n")
    g.start()
    return g


def reader(g):
    c = imaplib.IMAP4("127.0.0.1", g.offset + 143)
    assert c.login(A, "correct horse battery")[0] == "OK"
    return c


def names(g):
    return {row["name"]: row for row in g.json("mailbox", "list", A)}


def test_a_deleted_mailbox_is_listed_and_brought_back_with_its_mail(served):
    g = served
    assert g.send(A, message(A, subject="precious"))[0] == 250
    g.wait_mail(A, 1)
    c = reader(g)
    assert c.create("Work/2026")[0] == "OK"
    assert c.subscribe("Work/2026")[0] == "OK"
    assert c.select("INBOX")[0] == "OK"
    assert c.copy("1", "Work/2026")[0] == "OK"
    assert c.store("1", "+FLAGS", "(\\Deleted)")[0] == "OK"
    assert c.expunge()[0] == "OK"
    was = names(g)["Work/2026"]
    assert was["messages"] == 1 and was["subscribed"] and was["special"] == ""
    assert names(g)["Sent"]["special"] == "\\Sent"
    assert g.json("mailbox", "restore", A) == []
    assert c.delete("Work/2026")[0] == "OK"
    assert "Work/2026" not in names(g)
    gone = g.json("mailbox", "restore", A)
    assert [(row["name"], row["messages"]) for row in gone] == [("Work/2026", 1)]
    assert "Work/2026" in g.verb("mailbox", "restore", A)
    assert c.create("Work/2026")[0] == "OK"
    assert g.json("mailbox", "restore", A, "Work/2026") == {"name": "Work/2026 (restored)"}
    is_now = names(g)["Work/2026 (restored)"]
    assert (is_now["id"], is_now["uidvalidity"], is_now["messages"]) == (
        was["id"], was["uidvalidity"], 1)
    assert c.select('"Work/2026 (restored)"', readonly=True)[1] == [b"1"]
    assert b"precious" in c.fetch("1", "BODY[]")[1][0][1]
    assert "no deleted mailbox" in g.fails("mailbox", "restore", A, "Work/2026")[1]
    g.audit()
    c.logout()


def test_it_also_comes_back_while_no_server_runs(served):
    g = served
    c = reader(g)
    assert c.create("old")[0] == "OK"
    assert c.delete("old")[0] == "OK"
    c.logout()
    g.stop()
    assert "it is back as old" in g.verb("mailbox", "restore", A, "old")
    assert "old" in names(g)
    g.verb("verify")
