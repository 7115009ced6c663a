# SPDX-License-Identifier: ISC
"""Mail comes in: what is delivered, what is refused, and what an administrator
can change about it."""
import base64
import re
import signal
import subprocess
import zipfile
import io

import pytest

from clamd import EICAR, GTUBE
from gatepost import Raw, message

LINK = r"https://mx\.example\.test(:\d+)?/r/[A-Za-z0-9_-]{20,}"


@pytest.fixture(scope="module")
def g(house):
    return house


def new_mail(g, address, send, count=1, mailbox="INBOX"):
    """Runs send(); the texts of the messages that came by it."""
    before = {row["uid"] for row in g.mail(address, mailbox)}
    result = send()
    rows = g.wait_mail(address, len(before) + count, mailbox)
    texts = [g.read(address, row["uid"], mailbox) for row in rows if row["uid"] not in before]
    return result, texts


def with_file(to, name, content):
    boundary = "=_b"
    return (f"From: Someone <someone@sender.example>\nTo: {to}\nSubject: a file\n"
            f"Date: Mon, 23 Nov 2026 10:00:00 +0000\nMessage-ID: <{name}@sender.example>\n"
            f"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\n\n"
            f"--{boundary}\nContent-Type: text/plain\n\nSee the file.\n"
            f"--{boundary}\nContent-Type: application/octet-stream; name=\"{name}\"\n"
            f"Content-Transfer-Encoding: base64\n\n"
            f"{base64.encodebytes(content).decode()}\n--{boundary}--\n")


# --- delivered -------------------------------------------------------------------


def test_a_message_is_delivered_and_can_be_read_back(g):
    text = message("alice@example.test", subject="read me", body="Line one\n.dot\n..dots\nend\n")
    (code, reply), got = new_mail(g, "alice@example.test",
                                  lambda: g.send("alice@example.test", text))
    assert code == 250 and reply.startswith("2.")
    wanted = re.sub(r"(?<!\r)\n", "\r\n", text).encode()
    assert got[0].endswith(wanted), "the message as received follows the trace block"
    trace = got[0][:-len(wanted)]
    assert len(trace) == 1024, "the trace block has its length"
    assert trace.startswith(b"Return-Path: <someone@sender.example>\r\n")
    assert b"Received: from client.sender.example" in trace
    assert b"for <alice@example.test>" in trace, "a single recipient is named"


def test_the_reply_carries_the_ledger_id(g):
    code, reply = g.send("alice@example.test")
    assert code == 250
    ids = {row["id"] for row in g.rows("ledger", "--to", "alice@example.test")}
    assert any(word in ids for word in re.findall(r"[0-9A-Za-z]+", reply)), reply


def test_every_recipient_of_one_message_has_it_and_none_is_named(g):
    to = ["alice@example.test", "bob@example.test"]
    before = len(g.mail("bob@example.test"))
    _, got = new_mail(g, "alice@example.test", lambda: g.send(to))
    g.wait_mail("bob@example.test", before + 1)
    assert b"for <" not in got[0][:1024], "Bcc stays secret"


def test_an_alias_leads_to_its_target(g):
    _, got = new_mail(g, "alice@example.test", lambda: g.send("sales@example.test"))
    assert len(got) == 1


def test_an_alias_and_its_target_bring_one_copy(g):
    to = ["sales@example.test", "alice@example.test"]
    new_mail(g, "alice@example.test", lambda: g.send(to))


def test_a_tagged_address_is_the_account(g):
    new_mail(g, "bob@example.test", lambda: g.send("bob+newsletter@example.test"))


def test_case_does_not_matter(g):
    new_mail(g, "bob@example.test", lambda: g.send("BOB@Example.TEST"))


@pytest.mark.parametrize("to", ["postmaster@example.test", "abuse@example.test", "Postmaster"])
def test_the_addresses_that_must_exist_do(g, to):
    new_mail(g, "postmaster@example.test", lambda: g.send(to))


def test_the_null_sender_is_heard(g):
    (code, _), got = new_mail(g, "alice@example.test",
                              lambda: g.send("alice@example.test", sender=""))
    assert code == 250 and got[0].startswith(b"Return-Path: <>\r\n")


def test_starttls_works_and_the_trace_says_so(g):
    _, got = new_mail(g, "alice@example.test",
                      lambda: g.send("alice@example.test", tls=True))
    assert b"with ESMTPS" in got[0][:1024] and b"TLS" in got[0][:1024]


def test_bdat_delivers_in_chunks(g):
    text = re.sub(r"(?<!\r)\n", "\r\n", message("alice@example.test", body="chunk\n" * 500))

    def send():
        data = text.encode()
        with g.raw() as c:
            c.expect("220")
            c.say("EHLO chunks", "250")
            c.say("MAIL FROM:<a@sender.example>", "250")
            c.say("RCPT TO:<alice@example.test>", "250")
            c.send(f"BDAT 700\r\n").send(data[:700]).expect("250")
            c.send(f"BDAT {len(data) - 700} LAST\r\n").send(data[700:]).expect("250 2")

    _, got = new_mail(g, "alice@example.test", send)
    assert got[0].endswith(text.encode())


def test_a_large_message_arrives_whole(g):
    body = "".join(f"{n:070d}\n" for n in range(60000))
    _, got = new_mail(g, "bob@example.test",
                      lambda: g.send("bob@example.test", message("bob@example.test", body=body)))
    assert got[0].endswith(body.replace("\n", "\r\n").encode())


# --- refused ---------------------------------------------------------------------


def test_an_unknown_recipient_is_refused_at_rcpt(g):
    with g.smtp() as s:
        s.mail("someone@sender.example")
        code, reply = s.rcpt("nobody@example.test")
        assert code == 550 and reply.startswith(b"5.1.1")
        assert s.rcpt("alice@example.test")[0] == 250, "the session goes on"


def test_nothing_is_relayed(g):
    with g.smtp() as s:
        s.mail("someone@sender.example")
        for to in ("x@elsewhere.example", "x%elsewhere.example@elsewhere.example",
                   "alice@example.test@elsewhere.example", "@example.test:x@elsewhere.example"):
            code, reply = s.docmd(f"RCPT TO:<{to}>")
            assert code >= 500, (to, reply)
        assert s.rcpt("x@elsewhere.example")[1].startswith(b"5.7.1")


def test_gtube_is_refused_with_a_link(g):
    before = len(g.mail("alice@example.test"))
    code, reply = g.send("alice@example.test", message("alice@example.test", body=GTUBE + "\n"))
    assert code == 550 and reply.startswith("5.7.") and re.search(LINK, reply), reply
    assert len(g.mail("alice@example.test")) == before
    rows = g.rows("ledger", "--to", "alice@example.test")
    assert "GTUBE" in str(rows[-1])


def test_the_token_of_a_refusal_is_nowhere_on_our_disk(g):
    _, reply = g.send("alice@example.test", message("alice@example.test", body=GTUBE + "\n"))
    token = re.search(LINK, reply)[0].rsplit("/", 1)[1]
    found = subprocess.run(["grep", "-rlF", token, str(g.data)], capture_output=True, text=True)
    assert found.stdout == ""
    assert token not in g.log()


def test_a_message_that_is_too_big_is_refused(gatepost):
    g = gatepost(settings="[smtp]\nmax_size = 100K\n", start=False)
    g.people("alice@example.test")
    g.start()
    with g.smtp() as s:
        assert s.esmtp_features["size"] == "102400"
        assert s.docmd("MAIL FROM:<a@sender.example> SIZE=200000")[0] == 552
    code, _ = g.send("alice@example.test", message("alice@example.test", body="x" * 70 + "\n" * 1)
                     + ("y" * 70 + "\n") * 3000)
    assert code == 552
    assert g.send("alice@example.test")[0] == 250


# --- viruses ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(clamd):
    from gatepost import Gatepost
    g = Gatepost(clamd=clamd)
    try:
        g.people("alice@example.test")
        yield g.start()
    finally:
        print(g.log()[-4000:])
        g.remove()


def zipped(name, content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("name,content", [
    ("eicar.com", EICAR.encode()),
    ("eicar.zip", zipped("eicar.com", EICAR)),
    ("twice.zip", zipped("eicar.zip", zipped("eicar.com", EICAR))),
])
def test_a_virus_is_refused_with_a_link(guarded, name, content):
    code, reply = guarded.send("alice@example.test",
                               with_file("alice@example.test", name, content))
    assert code == 550 and re.search(LINK, reply), reply
    assert guarded.mail("alice@example.test") == []


def test_a_virus_is_refused_in_observe_mode_too(guarded):
    guarded.verb("policy", "set", "alice@example.test", "filter=observe")
    try:
        code, _ = guarded.send("alice@example.test",
                               with_file("alice@example.test", "eicar.com", EICAR.encode()))
        assert code == 550
    finally:
        guarded.verb("policy", "set", "alice@example.test", "filter=enforce")


def test_clean_mail_passes_the_virus_scanner(guarded):
    code, _ = guarded.send("alice@example.test",
                           with_file("alice@example.test", "clean.bin", b"harmless" * 1000))
    assert code == 250
    guarded.wait_mail("alice@example.test", 1)


# --- what an administrator changes, with the server running ------------------------


def test_a_new_account_gets_mail_at_once(g):
    assert g.send("late@example.test")[0] == 550
    g.verb("account", "add", "late@example.test")
    assert g.send("late@example.test")[0] == 250
    g.wait_mail("late@example.test", 1)
    g.verb("account", "disable", "late@example.test")
    code, reply = g.send("late@example.test")
    assert code == 550 and "5.2.1" in reply
    g.verb("account", "remove", "late@example.test")
    assert g.send("late@example.test")[0] == 550


def test_catch_all_takes_what_nobody_has(g):
    g.verb("domain", "add", "catch.test")
    g.verb("account", "add", "all@catch.test")
    assert g.send("anything@catch.test")[0] == 550
    g.verb("domain", "catchall", "catch.test", "all@catch.test")
    assert g.send("anything@catch.test")[0] == 250
    g.wait_mail("all@catch.test", 1)
    g.verb("domain", "catchall", "catch.test", "off")
    assert g.send("anything@catch.test")[0] == 550


def test_a_domain_alias_is_the_domain(g):
    g.verb("domain", "alias", "other.test", "example.test")
    new_mail(g, "bob@example.test", lambda: g.send("bob@other.test"))


def test_a_full_mailbox_is_452_at_rcpt(g):
    g.verb("account", "add", "small@example.test", "--quota", "10K")
    assert g.send("small@example.test", message("small@example.test", body="x" * 9000))[0] == 250
    g.wait_mail("small@example.test", 1)
    g.send("small@example.test", message("small@example.test", body="y" * 3000))
    g.settle()
    code, reply = g.send("small@example.test")
    assert code == 452 and reply.startswith("4.2.2")


def test_observe_mode_refuses_nothing_for_its_score(g):
    g.verb("account", "add", "watcher@example.test")
    g.verb("policy", "set", "watcher@example.test", "filter=observe")
    text = message("watcher@example.test", body=GTUBE + "\n")
    assert g.send("watcher@example.test", text)[0] == 250
    g.wait_mail("watcher@example.test", 1)
    assert "GTUBE" in str(g.rows("ledger", "--to", "watcher@example.test")[-1])


def test_explain_tells_where_mail_would_go(g):
    text = g.verb("explain", "sales@example.test")
    assert "alice@example.test" in text
    assert g.json("explain", "sales@example.test")


def test_an_alias_loop_is_found_when_it_is_made(g):
    g.verb("alias", "add", "one@example.test", "alice@example.test")
    g.verb("alias", "add", "two@example.test", "one@example.test")
    code, sentence = g.fails("alias", "add", "one@example.test", "two@example.test")
    assert code == 1 and "one@example.test" in sentence


def test_reload_takes_new_settings_and_drops_no_session(gatepost):
    g = gatepost(start=False)
    g.people("alice@example.test")
    g.start()
    with g.raw() as old:
        old.expect("220")
        old.say("EHLO old", "250")
        g.configure(settings="[smtp]\nmax_size = 77K\n")
        since = len(g.lines)
        g.reload()
        g.wait_log("gate info reloaded", since=since)
        old.say("NOOP", "250")
        with g.smtp() as new:
            assert new.esmtp_features["size"] == str(77 * 1024)
        old.say("MAIL FROM:<a@sender.example>", "250")


def test_reload_with_wrong_settings_changes_nothing(gatepost):
    g = gatepost(start=False)
    g.people("alice@example.test")
    g.start()
    g.conf.write_text(g.conf.read_text() + "\n[smtp]\nno_such_setting = 1\n")
    since = len(g.lines)
    g.reload()
    g.wait_log("no_such_setting", since=since)
    assert g.send("alice@example.test")[0] == 250


def test_drain_lets_a_message_finish(gatepost):
    g = gatepost(start=False)
    g.people("alice@example.test")
    g.start()
    with g.raw() as c, g.raw() as idle:
        idle.expect("220")
        idle.say("EHLO idle", "250")
        c.expect("220")
        c.say("EHLO busy", "250")
        c.say("MAIL FROM:<a@sender.example>", "250")
        c.say("RCPT TO:<alice@example.test>", "250")
        c.say("DATA", "354")
        c.send("Subject: half\r\n")
        g.process.send_signal(signal.SIGTERM)
        idle.expect("421")
        c.send("From: a@sender.example\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\nrest\r\n.\r\n")
        c.expect("250 2")
    assert g.ends() == 0    # a second SIGTERM would not wait until it is in the mailbox
    assert len(g.mail("alice@example.test")) == 1
    g.audit()


def test_everything_holds_after_a_restart(gatepost):
    g = gatepost(start=False)
    g.people("alice@example.test")
    g.start()
    for n in range(5):
        assert g.send("alice@example.test", subject=f"number {n}")[0] == 250
    assert g.stop() == 0
    g.start()
    g.wait_mail("alice@example.test", 5)
    g.audit()
    g.verb("verify")


def test_the_audit_of_all_this_is_clean(g):
    g.audit()
