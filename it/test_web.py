# SPDX-License-Identifier: ISC
"""The sender's way back, whole: a refusal's link, its page, the appeal, the letter, the
decision, the mailbox.  A browser without scripts and windows; test_web_browser.py has one with."""
import datetime
import email
import email.policy
import hashlib
import re
import signal
import socket
import sqlite3
import ssl
import threading
import time

import pytest

from clamd import wait_for
from gatepost import SLOW
from web import (ALICE, BOB, POSTMASTER, Browser, answers, appeal, ask, decide, decider_links, filled,
                 over_imap, raw, refused, spam, swaks, wait_letters, with_password)

TRACE = 1024
FAST = "[web]\nwork = 8\n"
MANY = "[web]\nwork = 0\nappeals_network = 1000\nappeals_domain = 1000\n"


@pytest.fixture
def make(gatepost):
    """An instance with people who can log in; ended with an audit."""
    made = []

    def instance(settings=FAST, people=(ALICE, BOB), start=True, **more):
        g = gatepost(start=False, settings=settings, **more)
        g.people(*people)
        with_password(g, *people, POSTMASTER)
        made.append(g)
        return g.start() if start else g

    yield instance
    for g in made:
        g.audit()


def wire(text):
    return re.sub(rb"(?<!\r)\n", b"\r\n", text.encode())


def text_of(letter):
    """Subject and words of one of our letters."""
    m = email.message_from_bytes(letter, policy=email.policy.default)
    return m["Subject"], m.get_content().replace("\r\n", "\n")


def link_in(letter):
    link, = decider_links(text_of(letter)[1])
    return link


def name_of(g, n=0):
    return g.rows("refusal", "list")[n]["refusal"]


def state(g, name):
    listed, = [r for r in g.rows("refusal", "list") if r["refusal"] == name]
    shown = g.json("refusal", "show", name)
    assert listed["state"] == shown["state"]
    return shown["state"]


def is_original(got, text):
    """As it was sent, behind our trace block, and marked as released once."""
    return got[TRACE:] == wire(text) and got[:TRACE].count(b"\r\nX-Gatepost-Released: ") == 1


# --- the whole way ---

def nothing(g):
    pass


def restart(g):
    assert g.stop() == 0
    g.audit()
    g.start()


def kill(g):
    """House is killed, and the manager starts another."""
    before = g.signal("house", signal.SIGKILL)
    assert wait_for(lambda: g.pids("house") not in ([], before), 20 * SLOW)
    g.settle()


@pytest.mark.parametrize("between", [nothing, restart, kill], ids=["at once", "restarts", "kills"])
def test_a_refused_sender_is_heard_and_the_original_arrives_once(make, between):
    g = make()
    text = spam(subject="für alle", body="äöü\n" * 300)
    token = swaks(g, text=text)
    between(g)
    b = Browser(g, "de-AT, de;q=0.9, en;q=0.5")
    page = b.get(f"/r/{token}")
    assert page.status == 200 and page.get("Content-Language") == "de"
    assert page.heading() == "Ihre Nachricht wurde nicht zugestellt"
    assert "sender.example" in page.words() and "example.test" in page.words()
    for secret in (ALICE, "someone@", "für alle", "GTUBE", "äöü"):
        assert secret not in page.text, f"the page tells {secret}"
    between(g)
    done = b.post(f"/r/{token}/appeal", filled(page, note="Das war kein Spam.\nSiehe http://evil.example/x"))
    assert done.status == 200 and done.heading() == "Danke. Ihre Worte sind unterwegs."
    between(g)

    letter, = wait_letters(g, POSTMASTER, 1)
    subject, words = text_of(letter)
    assert "sender.example" in subject and name_of(g) in words and ALICE in words
    assert "  > Das war kein Spam.\n  > Siehe hxxp[:]//evil[.]example/x\n" in words
    assert "Subject: für alle\n" in words and token not in words
    link = link_in(letter)
    assert state(g, name_of(g)) == "appealed"
    between(g)
    page = b.get(f"/r/{token}")
    assert "<form" not in page.text and page.heading() == "Ihre Nachricht wird noch einmal angesehen"
    between(g)

    p = Browser(g)
    page = p.get(f"/d/{link}")
    assert page.status == 200 and "für alle" in page.words() and ALICE in page.words()
    assert "GTUBE" in page.words() and "Das war kein Spam." in page.words()
    assert not over_imap(g, ALICE)
    between(g)
    for _ in range(2):      # the second press changes nothing
        done = p.post(f"/d/{link}", {**page.hidden(), "decision": "release"})
        assert done.status == 200 and done.heading() == "The message is delivered"
        between(g)

    got, = wait_letters(g, ALICE, 1)
    assert is_original(got, text)
    assert state(g, name_of(g)) == "released"
    assert g.json("refusal", "show", name_of(g))["decided_by"] == POSTMASTER
    assert "released already" in g.fails("refusal", "release", name_of(g))[1]
    assert b.get(f"/r/{token}").heading() == "Ihre Nachricht wurde doch noch zugestellt"
    between(g)
    assert len(over_imap(g, POSTMASTER)) == 1 and len(over_imap(g, ALICE)) == 1
    g.audit()
    g.verb("verify")
    for secret in (token, link, b.cookie, p.cookie, page.hidden()["token"]):
        assert secret not in g.log(), "a token is in the log"


def test_house_killed_in_the_middle_of_each_step_loses_and_doubles_nothing(make):
    """The answer is not waited for: who asks again gets the same."""
    g = make(MANY)
    for n in range(6):
        text = spam(subject=f"number {n}")
        token = refused(g, text)
        b = Browser(g)
        form = filled(b.get(f"/r/{token}"), note=f"note {n}")
        with_kill(g, lambda: b.post(f"/r/{token}/appeal", form))
        done = b.post(f"/r/{token}/appeal", form)
        assert done.heading() in ("Thank you. Your words are on their way.", "We have been told already")
        letter = wait_letters(g, POSTMASTER, n + 1)[-1]
        assert f"note {n}" in text_of(letter)[1]
        link = link_in(letter)
        page = b.get(f"/d/{link}")
        with_kill(g, lambda: b.post(f"/d/{link}", {**page.hidden(), "decision": "release"}))
        done = b.post(f"/d/{link}", {**page.hidden(), "decision": "release"})
        assert done.heading() == "The message is delivered"
        assert is_original(wait_letters(g, ALICE, n + 1)[-1], text)
    g.settle()
    assert len(over_imap(g, ALICE)) == 6 and len(over_imap(g, POSTMASTER)) == 6
    g.verb("verify")


def with_kill(g, request):
    """House is killed while it works on a request; what it answered counts for nothing."""
    def attempt():
        try:
            request()
        except (OSError, AssertionError, IndexError):
            pass

    t = threading.Thread(target=attempt)
    t.start()
    time.sleep(0.01 * SLOW)     # some moment; which one does not matter
    kill(g)
    t.join()


# --- decisions ---

def test_a_refusal_that_is_upheld_stays_and_says_so(make):
    g = make()
    token = refused(g)
    sender = Browser(g)
    form = filled(sender.get(f"/r/{token}"))
    assert sender.post(f"/r/{token}/appeal", form).status == 200
    link = link_in(wait_letters(g, POSTMASTER, 1)[0])
    b = Browser(g)
    page = b.get(f"/d/{link}")
    done = b.post(f"/d/{link}", {**page.hidden(), "decision": "dismiss"})
    assert done.heading() == "The refusal is upheld"
    assert state(g, name_of(g)) == "dismissed"
    assert "the refusal was upheld" in Browser(g).get(f"/r/{token}").words()
    assert "<form" not in b.get(f"/d/{link}").text
    late = b.post(f"/d/{link}", {**page.hidden(), "decision": "release"})
    assert late.heading() == "It was decided otherwise before"
    assert sender.post(f"/r/{token}/appeal", form).heading() == "It has been decided already"
    assert "dismissed" in g.fails("refusal", "release", name_of(g))[1]
    assert not over_imap(g, ALICE)


def test_one_appeal_is_enough(make):
    g = make()
    token = refused(g)
    b = Browser(g)
    form = filled(b.get(f"/r/{token}"), note="first")
    assert b.post(f"/r/{token}/appeal", form).heading() == "Thank you. Your words are on their way."
    for _ in range(3):
        assert b.post(f"/r/{token}/appeal", {**form, "note": "more"}).heading() == "We have been told already"
    letter, = wait_letters(g, POSTMASTER, 1)
    assert "> first" in text_of(letter)[1]
    assert "more" not in Browser(g).get(f"/d/{link_in(letter)}").text


def test_a_recipient_who_may_decide_sees_only_what_is_theirs(make):
    g = make()
    g.verb("policy", "set", ALICE, "appeals=recipient")
    text = spam()
    code, said = g.send([ALICE, BOB], text)
    assert code == 550
    g.settle()
    token = re.search(r"/r/(\w+)", said)[1]
    assert appeal(g, token).status == 200
    to_postmaster, = wait_letters(g, POSTMASTER, 1)
    to_alice, = wait_letters(g, ALICE, 1)
    assert not over_imap(g, BOB)
    assert BOB in text_of(to_postmaster)[1] and BOB not in text_of(to_alice)[1]
    mine, theirs = link_in(to_alice), link_in(to_postmaster)
    assert mine != theirs
    b = Browser(g)
    page = b.get(f"/d/{mine}")
    assert ALICE in page.words() and BOB not in page.text and "GTUBE" not in page.text
    page_of_postmaster = Browser(g).get(f"/d/{theirs}")
    assert BOB in page_of_postmaster.words()
    # the form of one page is not good on another's
    assert b.post(f"/d/{theirs}", {**page.hidden(), "decision": "release"}).status == 403
    assert b.post(f"/d/{mine}", {**page.hidden(), "decision": "release"}).heading() == "The message is delivered"
    wait_letters(g, ALICE, 2)
    wait_letters(g, BOB, 1)     # one message, one decision: the page says so
    assert "all its recipients" in page.words()
    assert g.json("refusal", "show", name_of(g))["decided_by"] == ALICE
    page = Browser(g).get(f"/d/{theirs}")
    assert "<form" not in page.text and ALICE in page.words()


def test_one_recipient_does_not_learn_of_another(make):
    """Blind copies: who decided is told to the postmaster, and to who it was."""
    g = make()
    for who in (ALICE, BOB):
        g.verb("policy", "set", who, "appeals=recipient")
    code, said = g.send([ALICE, BOB], spam())
    g.settle()
    assert appeal(g, re.search(r"/r/(\w+)", said)[1]).status == 200
    alices, bobs, postmasters = (link_in(wait_letters(g, who, 1)[0]) for who in (ALICE, BOB, POSTMASTER))
    assert decide(g, alices, "dismiss").heading() == "The refusal is upheld"
    assert ALICE in Browser(g).get(f"/d/{postmasters}").text
    page = Browser(g).get(f"/d/{bobs}")
    assert page.heading() == "The refusal was upheld" and "alice" not in page.text
    assert "This was decided on" in page.words()
    assert f"by {ALICE}" in Browser(g).get(f"/d/{alices}").words()


def test_a_virus_is_only_the_postmasters_to_release(make, fake_clamd):
    g = make(start=False, clamd=fake_clamd.path)
    g.verb("policy", "set", ALICE, "appeals=recipient", "refused_mail=daily")
    g.start()
    first_look(g)
    fake_clamd.mood = "fd[7]: Win.Test.EICAR_HDB-1 FOUND"
    text = spam(body="an attachment\n")
    token = refused(g, text)
    fake_clamd.mood = "clean"
    page = Browser(g).get(f"/r/{token}")
    assert "virus" in page.words() and "EICAR" not in page.text
    assert "only the postmaster can have the message delivered" in page.words()
    assert appeal(g, token).status == 200
    letter, = wait_letters(g, POSTMASTER, 1)
    assert "A VIRUS was found in it." in text_of(letter)[1]
    link = link_in(letter)
    page = Browser(g).get(f"/d/{link}")
    assert "EICAR" in page.words() and "A virus was found in this message." in page.words()
    # a recipient has a link only from the daily letter
    assert g.stop() == 0
    tomorrow(g, fake_clamd.path)
    daily, = wait_letters(g, ALICE, 1)
    assert "only the postmaster can have it delivered" in text_of(daily)[1].replace("\n", " ")
    mine = link_in(daily)
    b = Browser(g)
    page = b.get(f"/d/{mine}")
    assert 'value="release"' not in page.text
    done = b.post(f"/d/{mine}", {**page.hidden(), "decision": "release"})
    assert done.status == 403 and done.heading() == "Only the postmaster can do this"
    assert len(over_imap(g, ALICE)) == 1 and state(g, name_of(g)) == "appealed"
    assert decide(g, link, "release").heading() == "The message is delivered"
    assert is_original(wait_letters(g, ALICE, 2)[-1], text)


def first_look(g):
    """Daily letters tell of what was refused after the first look for them."""
    def looked():
        try:
            with sqlite3.connect(f"file:{g.data}/refusals.db?mode=ro", uri=True) as db:
                return db.execute("SELECT count(*) FROM mark").fetchone()[0]
        except sqlite3.OperationalError:
            return 0

    assert wait_for(looked, 20 * SLOW, 0.1)


def tomorrow(g, clamd=None, settings=FAST, hours=25):
    """The server starts anew, that much later."""
    now = datetime.datetime.utcnow() + datetime.timedelta(hours=hours)
    g.configure(clamd, settings + f"[test]\nnow = {now:%Y-%m-%dT%H:%M:%SZ}\n")
    g.start()


# --- what is gone ---

def test_what_is_not_kept_cannot_be_appealed(make):
    g = make(FAST + "[held]\nall = 0\n")
    token = refused(g)
    page = Browser(g).get(f"/r/{token}")
    assert page.status == 200 and "<form" not in page.text
    assert "The original is not kept" in page.words()
    assert not over_imap(g, POSTMASTER)


def test_what_was_kept_when_the_page_was_loaded_and_is_gone_says_so(make):
    g = make()
    token = refused(g)
    b = Browser(g)
    form = filled(b.get(f"/r/{token}"))
    path, = (g.data / "held").iterdir()
    assert g.stop() == 0
    with sqlite3.connect(g.data / "refusals.db") as db:
        db.execute("UPDATE refusal SET held_as = ''")
    path.unlink()
    g.start()
    done = b.post(f"/r/{token}/appeal", form)
    assert done.status == 410 and done.heading() == "This message is not kept any more"
    assert not over_imap(g, POSTMASTER)


def test_a_link_whose_time_is_over_leads_nowhere(make):
    g = make()
    token = refused(g)
    appeal(g, token)
    link = link_in(wait_letters(g, POSTMASTER, 1)[0])
    assert g.stop() == 0
    tomorrow(g, hours=24 * 400)
    for path in (f"/r/{token}", f"/d/{link}"):
        a = Browser(g).get(path)
        assert a.status == 404 and a.heading() == "This link is not known here"


# --- letters ---

def test_many_appeals_come_in_one_letter(make):
    g = make(MANY)
    tokens = [refused(g, spam(subject=f"number {n}")) for n in range(13)]
    for n, token in enumerate(tokens):
        assert appeal(g, token, note=f"note {n}").status == 200
    letters = wait_letters(g, POSTMASTER, 10)
    assert g.stop() == 0
    tomorrow(g, settings=MANY, hours=2)
    letters = wait_letters(g, POSTMASTER, 11)
    subject, words = text_of(letters[-1])
    assert subject == "3 appeals about refused mail" and len(decider_links(words)) == 3
    said = re.findall(r"> note (\d+)", "".join(text_of(letter)[1] for letter in letters))
    assert sorted(map(int, said)) == list(range(13))
    for link in decider_links(words):
        assert decide(g, link, "release").heading() == "The message is delivered"
    assert len(over_imap(g, ALICE)) == 3


def test_who_asks_for_it_is_told_each_day_what_was_refused_for_them(make):
    g = make()
    g.verb("policy", "set", ALICE, "refused_mail=daily")
    first_look(g)
    texts = [spam(subject=f"number {n}") for n in range(2)]
    for text in texts:
        refused(g, text)
    refused(g, spam(to=BOB), to=BOB)
    assert g.stop() == 0
    tomorrow(g)
    letter, = wait_letters(g, ALICE, 1)
    subject, words = text_of(letter)
    assert subject == "2 messages were refused for you" and len(decider_links(words)) == 2
    assert not over_imap(g, BOB) and not over_imap(g, POSTMASTER)
    assert decide(g, decider_links(words)[0], "release").heading() == "The message is delivered"
    assert any(is_original(wait_letters(g, ALICE, 2)[-1], text) for text in texts)
    kill(g)
    assert g.stop() == 0
    tomorrow(g, hours=26)
    assert len(over_imap(g, ALICE)) == 2
    assert g.stop() == 0
    tomorrow(g, hours=51)   # one of the two is still refused, but was told already
    assert len(over_imap(g, ALICE)) == 2


def test_a_sender_without_scripts_waits_and_sends_again(make):
    g = make("[web]\nwait = 2s\n")
    token = refused(g)
    b = Browser(g)
    form = {**b.get(f"/r/{token}").hidden(), "note": "a <b>note</b>", "contact": "me@sender.example"}
    wait = b.post(f"/r/{token}/appeal", form)
    assert wait.status == 200 and wait.heading() == "One more step, and a little patience"
    early = b.post(f"/r/{token}/appeal", wait.hidden())
    assert "a little early" in early.words()
    stamped = {**wait.hidden(), "stamp": wait.hidden()["stamp"].replace("w.1", "w.0", 1)}
    assert "One more step" in b.post(f"/r/{token}/appeal", stamped).heading(), "a stamp was forged"
    assert state(g, name_of(g)) == "open"

    def sent():
        return b.post(f"/r/{token}/appeal", wait.hidden()).heading() == "Thank you. Your words are on their way."

    assert wait_for(sent, 10 * SLOW, 0.3)
    assert "> a <b>note</b>" in text_of(wait_letters(g, POSTMASTER, 1)[0])[1]


def test_what_decides_on_the_command_line_shows_on_the_page(make):
    g = make()
    token = refused(g)
    appeal(g, token)
    link = link_in(wait_letters(g, POSTMASTER, 1)[0])
    g.verb("refusal", "release", name_of(g))
    assert Browser(g).get(f"/r/{token}").heading() == "Your message was delivered after all"
    page = Browser(g).get(f"/d/{link}")
    assert page.heading() == "The message was delivered" and "<form" not in page.text


@pytest.mark.parametrize("character", ["a", "ä", "字"])
def test_two_thousand_characters_are_taken_in_every_script(make, character):
    g = make()
    b, token = Browser(g), refused(g)
    form = filled(b.get(f"/r/{token}"), note=character * 2000)
    more = character * (6000 // len(character.encode()) + 1)
    assert b.post(f"/r/{token}/appeal", {**form, "note": more}).status == 400
    assert b.post(f"/r/{token}/appeal", form).status == 200
    link = link_in(wait_letters(g, POSTMASTER, 1)[0])
    assert character * 2000 in Browser(g).get(f"/d/{link}").text


# --- the other pages ---

@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "af"])
def test_pages_speak_the_browsers_language(house, language):
    a = Browser(house, f"xx, {language}-XX;q=0.8").get("/")
    assert a.get("Content-Language") == language and f'<html lang="{language}"' in a.text
    assert Browser(house, "en").get(f"/?lang={language}").text == a.text


def test_our_own_ca_can_be_fetched_and_is_the_one_that_signs(house):
    page, crt = Browser(house).get("/ca"), Browser(house).get("/ca.crt")
    assert page.status == 200 and crt.status == 200
    der = ssl.PEM_cert_to_DER_cert(crt.text)
    fingerprint = ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())
    assert fingerprint in page.words().replace(" ", "")
    context = ssl.create_default_context(cadata=crt.text)
    with socket.create_connection(("127.0.0.1", 443 + house.offset)) as s:
        with context.wrap_socket(s, server_hostname=house.hostname) as t:
            t.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert t.recv(100).startswith(b"HTTP/1.1 200 ")


def test_port_80_leads_to_https(house):
    a = ask(house, "GET", "/r/abc?lang=de", tls=False)
    assert a.status == 308
    assert a.get("Location") == f"https://{house.hostname}:{443 + house.offset}/r/abc?lang=de"


def test_head_says_what_get_would(house):
    got, = answers(raw(house, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), heads=1)
    full = ask(house, "GET", "/")
    assert got.status == 200 and int(got.get("Content-Length")) == len(full.body)
