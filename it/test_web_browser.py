# SPDX-License-Identifier: ISC
"""The sender's way back in Debian's Chromium, driven by Playwright (it/npm/web.mjs), with and without
scripts; and every page looked at: axe-core, phone, dark, paper.  Screenshots: BUILD/screenshots."""
import json
import os
import select
import shutil
import subprocess

import pytest

from clamd import TOP, wait_for
from gatepost import BUILD, SLOW, Gatepost
from web import (ALICE, BOB, POSTMASTER, Browser, appeal, decider_links, over_imap, refused, spam, swaks,
                 wait_letters, with_password)

NPM = TOP / "it" / "npm"
CHROMIUM = shutil.which("chromium")
SHOTS = BUILD / "screenshots"
SETTINGS = "[web]\nwait = 3s\nappeals_network = 1000\nappeals_domain = 1000\n"
TRACE = 1024
PHONE = 360

pytestmark = pytest.mark.skipif(
    not (NPM / "node_modules" / "playwright-core").is_dir() or not shutil.which("node"),
    reason="playwright-core is missing; tools/packages.sh test installs it")


class Chromium:
    """One browser; people with windows of their own in it."""

    def __init__(self, hostname):
        assert CHROMIUM, "chromium is missing; tools/packages.txt names it"
        self.process = subprocess.Popen(["node", NPM / "web.mjs"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1, cwd=NPM,
            env={**os.environ, "CHROMIUM": CHROMIUM, "HOSTNAME_MAPPED": hostname})
        assert "ready" in json.loads(self.process.stdout.readline())

    def do(self, step, **more):
        self.process.stdin.write(json.dumps({"step": step, **more}) + "\n")
        assert select.select([self.process.stdout], [], [], 90 * SLOW)[0], f"{step} {more}: no answer"
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, f"{step} {more}: {answer['error']}"
        return answer

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Person:
    def __init__(self, chromium, g, **want):
        self.chromium, self.g = chromium, g
        self.who = f"{id(self)}"
        self.url = f"https://{g.hostname}:{443 + g.offset}"
        self.do("open", **want)

    def do(self, step, **more):
        return self.chromium.do(step, who=self.who, **more)

    def go(self, path, status=200):
        seen = self.do("go", url=self.url + path)
        assert seen["status"] == status, seen
        return seen

    def done(self, complaints=()):
        """Nothing was complained of, and nobody else was asked for anything."""
        seen = self.do("seen")
        left = [c for c in seen["complaints"] if not any(known in c for known in complaints)]
        assert not left, left
        foreign = [u for u in seen["requests"] if not u.startswith(self.url + "/")]
        # the script's worker
        assert not foreign, foreign
        self.do("close")


@pytest.fixture(scope="module")
def g():
    made = Gatepost(settings=SETTINGS)
    try:
        made.people(ALICE, BOB)
        with_password(made, ALICE, POSTMASTER)
        yield made.start()
        made.audit()
    finally:
        print(made.log()[-3000:])
        made.remove()


@pytest.fixture(scope="module")
def chromium(g):
    SHOTS.mkdir(exist_ok=True)
    c = Chromium(g.hostname)
    yield c
    c.close()


def last_link(g, before):
    """The link of the newest letter to the postmaster."""
    assert wait_for(lambda: len(over_imap(g, POSTMASTER)) > before, 20 * SLOW, 0.2)
    letter = over_imap(g, POSTMASTER)[-1].decode().replace("\r\n", "\n")
    return decider_links(letter)[0]


def original(g, text, before):
    """It is there, once, as it was sent."""
    assert wait_for(lambda: len(over_imap(g, ALICE)) > before, 20 * SLOW, 0.2)
    mail = over_imap(g, ALICE)
    assert len(mail) == before + 1
    assert mail[-1][TRACE:] == text.replace("\n", "\r\n").encode()


WORDS = {
    "en": ("Your message was not delivered", "Thank you. Your words are on their way.", "One more step, and a little patience",
           "That was a little early", "The message is delivered", "Your message was delivered after all"),
    "de": ("Ihre Nachricht wurde nicht zugestellt", "Danke. Ihre Worte sind unterwegs.", None, None, None, None),
}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_from_a_refusal_to_the_mailbox_in_a_browser(g, chromium, language, scripts):
    text = spam(subject=f"Grüße {language} {scripts}", body="äöü\n")
    token = swaks(g, text=text)
    letters, mail = len(over_imap(g, POSTMASTER)), len(over_imap(g, ALICE))
    name = f"way-{language}-{'scripts' if scripts else 'plain'}"
    p = Person(chromium, g, language={"en": "en-GB", "de": "de-AT"}[language], scripts=scripts)
    refusal, thanks, wait, early, delivered, after = WORDS[language]

    seen = p.go(f"/r/{token}")
    assert seen["heading"] == refusal and seen["language"] == language
    p.do("shot", path=str(SHOTS / f"{name}-1.png"))
    p.do("fill", name="note", text="It was an invitation.\nSee https://example.org/ <b>there</b>")
    p.do("fill", name="contact", text="someone@sender.example")
    seen = p.do("press", button="form button")
    if not scripts:
        assert wait is None or seen["heading"] == wait
        assert "<b>there</b>" in seen["text"]
        p.do("shot", path=str(SHOTS / f"{name}-2-wait.png"))
        seen = p.do("press", button="form button")
        assert early is None or early in seen["text"]
        for _ in range(40):
            if seen["heading"] == thanks:
                break
            seen = p.do("press", button="form button")
    assert seen["heading"] == thanks
    p.do("shot", path=str(SHOTS / f"{name}-3.png"))
    link = last_link(g, letters)

    postmaster = Person(chromium, g, language={"en": "en-GB", "de": "de-AT"}[language], scripts=scripts)
    seen = postmaster.go(f"/d/{link}")
    assert f"Grüße {language}" in seen["text"] and "<b>there</b>" in seen["text"]
    assert not any("example.org" in href for href in seen["links"])
    postmaster.do("shot", path=str(SHOTS / f"{name}-4.png"))
    seen = postmaster.do("press", button="button[value=release]")
    assert delivered is None or seen["heading"] == delivered
    postmaster.do("shot", path=str(SHOTS / f"{name}-5.png"))
    original(g, text, mail)
    seen = p.go(f"/r/{token}")
    assert after is None or seen["heading"] == after
    p.do("shot", path=str(SHOTS / f"{name}-6.png"))
    assert len(over_imap(g, POSTMASTER)) == letters + 1
    p.done()
    postmaster.done()


def until_focus(p, what, key="Tab", most=40):
    for _ in range(most):
        seen = p.do("keys", keys=[key])
        if what in seen["focus"]:
            return seen
    raise AssertionError(f"{what} was not reached: {seen['focus']}")


def test_the_keyboard_alone_is_enough(g, chromium):
    text = spam(subject="by keyboard")
    token = refused(g, text)
    letters, mail = len(over_imap(g, POSTMASTER)), len(over_imap(g, ALICE))
    p = Person(chromium, g, language="en-GB")
    p.go(f"/r/{token}")
    assert "To the text" in p.do("keys", keys=["Tab"])["focus"]
    p.do("keys", keys=["Enter"])
    until_focus(p, "note")
    p.do("keys", keys=["type:by keyboard", "Tab", "type:me@sender.example"])
    until_focus(p, "Ask for another look")
    assert p.do("keys", keys=["Enter"], wait=True)["heading"] == WORDS["en"][1]
    p.go(f"/d/{last_link(g, letters)}")
    until_focus(p, "Deliver the message")
    assert p.do("keys", keys=["Enter"], wait=True)["heading"] == "The message is delivered"
    original(g, text, mail)
    p.done()


def test_who_goes_back_sees_what_became_of_it(g, chromium):
    token = refused(g, spam(subject="back"))
    p = Person(chromium, g, language="en-GB")
    p.go(f"/r/{token}")
    assert p.do("press", button="form button")["heading"] == WORDS["en"][1]
    assert p.do("back")["heading"] == "Your message is being looked at again"
    p.done()


# --- every page looked at ---

def look_at(p, name, faults):
    """Shots and axe in both colours, phone width, paper."""
    for dark in (False, True):
        p.do("colours", dark=dark)
        p.do("shot", path=str(SHOTS / f"{name}{'-dark' if dark else ''}.png"))
        said = p.do("faults")
        assert said["passed"] > 8, "axe looked at nothing"
        for fault in said["faults"]:
            if fault["impact"] in ("serious", "critical"):
                faults.append(f"{name}{' dark' if dark else ''}: {fault['id']}: {fault['help']}: {fault['where']}")
    p.do("colours", dark=False)
    for width in (320, PHONE):
        wide = p.do("size", width=width, height=740)["wide"]
        if wide > 0:
            faults.append(f"{name}: {wide} px wider than a window of {width}")
    p.do("shot", path=str(SHOTS / f"{name}-phone.png"))
    p.do("colours", dark=True)
    p.do("shot", path=str(SHOTS / f"{name}-phone-dark.png"))
    p.do("colours", dark=False)
    p.do("size", width=1280, height=900)
    assert p.do("print", path=str(SHOTS / f"{name}.pdf"))["bytes"] > 2000


def test_every_page_is_free_of_faults_in_all_sizes_and_colours(g, chromium, fake_clamd):
    faults = []
    g.verb("policy", "set", BOB, "appeals=recipient")
    with_password(g, BOB)
    long_name = "someone." + "very-long-" * 5 + "name@" + "long-label-" * 5 + "x." + "another-label-" * 3 + "x.example"
    token, other = refused(g, spam(subject="all pages")), refused(g, spam(to=BOB, sender=long_name), to=BOB, sender=long_name)
    letters = len(over_imap(g, POSTMASTER))
    p = Person(chromium, g, language="en-GB")
    p.go("/")
    look_at(p, "home", faults)
    p.go("/ca")
    look_at(p, "ca", faults)
    p.go(f"/r/{token}")
    look_at(p, "refusal", faults)
    p.go(f"/r/{other}?lang=de")
    look_at(p, "refusal-long-de", faults)
    p.go(f"/r/{token}")
    p.do("fill", name="note", text="We met on Tuesday; this is the invoice that you asked for.\n\nKind regards, Someone")
    p.do("fill", name="contact", text="someone@sender.example")
    p.do("press", button="form button")
    look_at(p, "appealed", faults)
    p.go(f"/r/{token}")
    look_at(p, "refusal-appealed", faults)
    link = last_link(g, letters)
    p.go(f"/d/{link}")
    look_at(p, "decide", faults)
    p.do("press", button="button[value=release]")
    look_at(p, "decided", faults)
    p.go(f"/d/{link}")
    look_at(p, "decide-done", faults)
    p.go(f"/r/{token}")
    look_at(p, "refusal-released", faults)
    appeal(g, other, note="Word" * 200 + "\n" + "line\n" * 30)
    link = last_link(g, letters + 1)
    p.go(f"/d/{link}")
    look_at(p, "decide-long", faults)
    mine = decider_links(wait_letters(g, BOB, 1)[0].decode().replace("\r\n", "\n"))[0]
    p.go(f"/d/{mine}?lang=de")
    look_at(p, "decide-recipient-de", faults)
    p.do("press", button="button[value=dismiss]")
    look_at(p, "decided-dismissed-de", faults)
    p.go(f"/r/{other}?lang=fr")
    look_at(p, "refusal-dismissed-fr", faults)
    p.go(f"/r/{refused(g, spam(subject='second step'))}")
    p.do("fill", name="note", text="No scripts here.\nA second line.")
    p.do("fill", name="contact", text="someone@sender.example")
    assert p.do("without")["heading"] == WORDS["en"][2]
    look_at(p, "wait", faults)
    p.done()

    p = Person(chromium, g, language="en-GB")
    p.go("/r/nothing", status=404)
    look_at(p, "error-404", faults)
    p.done(complaints=["404"])
    p = Person(chromium, g, language="en-GB")
    p.go(f"/r/{refused(g, spam(subject='an old form'))}")
    p.do("without", token="1.x")
    look_at(p, "error-403", faults)
    p.done(complaints=["403"])
    assert not faults, "\n".join(faults)


def test_a_virus_page_and_one_of_what_is_not_kept_are_free_of_faults(gatepost, fake_clamd):
    g = gatepost(start=False, settings=SETTINGS, clamd=fake_clamd.path)
    g.people(ALICE)
    with_password(g, POSTMASTER)
    g.start()
    faults = []
    fake_clamd.mood = "fd[7]: Win.Test.EICAR_HDB-1 FOUND"
    token = refused(g, spam(subject="virus"))
    c = Chromium(g.hostname)
    try:
        p = Person(c, g, language="en-GB")
        p.go(f"/r/{token}")
        look_at(p, "virus", faults)
        appeal(g, token, note="")
        p.go(f"/d/{last_link(g, 0)}")
        look_at(p, "decide-virus", faults)
        assert g.stop() == 0
        g.configure(fake_clamd.path, "[held]\nall = 0\n")
        g.start()
        fake_clamd.mood = "clean"
        p.go(f"/r/{refused(g, spam(subject='not kept'))}")
        look_at(p, "refusal-not-kept", faults)
        p.done()
    finally:
        c.close()
    assert not faults, "\n".join(faults)
