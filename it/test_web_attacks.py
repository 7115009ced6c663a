# SPDX-License-Identifier: ISC
"""What strangers try on the web's doors: each is refused, bounded or shown as text."""
import concurrent.futures
import datetime
import email
import email.policy
import html
import re
import resource
import socket
import ssl
import statistics
import threading
import time
import urllib.parse

import pytest

from clamd import wait_for
from gatepost import MEASURED, SLOW, Gatepost, insecure
from web import (ALICE, BOB, FORM, POSTMASTER, Answer, Browser, answers, appeal, ask, connect, decider_links,
                 filled, over_imap, raw, refused, spam, token_of, until_closed, wait_letters, with_password)

APPEALS = 10000 if MEASURED else 500
SETTINGS = "[web]\nwork = 0\nwait = 2s\nguesses = 1000000\n"


@pytest.fixture(scope="module")
def g():
    """One instance, with a lot of guesses, and no work for an appeal."""
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
def token(g):
    return refused(g, spam(subject="for attacks"))


def new_token(g, **more):
    return refused(g, spam(subject=f"s{time.monotonic_ns()}"), **more)


def alive(g):
    """Somebody else is served at once."""
    start = time.monotonic()
    assert ask(g, "GET", "/").status == 200
    assert time.monotonic() - start < 2 * SLOW


def state(g, token=None):
    return [(r["refusal"], r["state"]) for r in g.rows("refusal", "list")]


# --- scripts in everything ---

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>\'{{hostname}}{{=foot_cookie}}&lt;'


def is_text(a, *shown):
    """It came out as text: nothing of it is an element, an attribute or a template."""
    assert not re.search(r"<(script|img)[^>]*(alert|src=x|onerror)", a.text, re.I), a.text
    assert "<script>" not in a.text
    for words in shown:
        assert words in html.unescape(a.text), f"{words} is not on the page"
    assert "'unsafe-inline'" not in a.get("Content-Security-Policy")
    assert "'unsafe-eval'" not in a.get("Content-Security-Policy")


def test_what_strangers_write_is_text_on_every_page(gatepost, fake_clamd):
    g = gatepost(start=False, settings=SETTINGS, clamd=fake_clamd.path)
    g.people(ALICE)
    with_password(g, ALICE, POSTMASTER)
    g.start()
    fake_clamd.mood = "fd[7]: <script>alert(1)</script> FOUND"
    sender = '"<script>alert(1)</script>"@sender.example'
    with g.raw() as s:
        s.expect("220")
        s.say("EHLO <script>alert(1)</script>.example", "250")
        s.say(f"MAIL FROM:<{sender}>", "250")
        s.say(f"RCPT TO:<{ALICE}>", "250")
        s.say("DATA", "354")
        said = s.say(spam(subject=EVIL).replace("\n", "\r\n") + ".", "550")
    fake_clamd.mood = "clean"
    g.settle()
    token = token_of(g, said)
    b = Browser(g)
    page = b.get(f"/r/{token}")
    is_text(page)
    long = b.post(f"/r/{token}/appeal", {**page.hidden(), "note": EVIL * 200, "contact": EVIL})
    assert long.status == 400
    is_text(long, EVIL)
    is_text(b.post(f"/r/{token}/appeal", {**page.hidden(), "note": EVIL, "contact": EVIL}))
    letter, = wait_letters(g, POSTMASTER, 1)
    m = email.message_from_bytes(letter, policy=email.policy.default)
    assert m.get_content_type() == "text/plain" and not m.is_multipart() and not m.defects
    link, = decider_links(m.get_content().replace("\r\n", "\n"))
    p = Browser(g)
    page = p.get(f"/d/{link}")
    is_text(page, EVIL, sender.replace('"', ""), "<script>alert(1)</script>.example")
    is_text(p.post(f"/d/{link}", {**page.hidden(), "decision": "dismiss"}))
    is_text(b.get(f"/r/{token}"))


def test_the_second_step_gives_back_what_was_typed_as_text(gatepost):
    g = gatepost(start=False)
    g.people(ALICE)
    token = new_token(g.start())
    b = Browser(g)
    form = {**b.get(f"/r/{token}").hidden(), "proof": "", "note": EVIL + "\r\nline", "contact": EVIL}
    wait = b.post(f"/r/{token}/appeal", form)
    is_text(wait, EVIL)
    assert wait.hidden()["note"] == EVIL + "\nline" and wait.hidden()["contact"] == EVIL


@pytest.mark.parametrize("path", [
    "/<script>alert(1)</script>", "/%3Cscript%3Ealert(1)%3C/script%3E", "/r/%3Cscript%3Ealert(1)",
    "/?lang=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/?lang=en%0d%0aX-Evil:1", "/r/a?x=<script>alert(1)</script>",
    "/ui/%3Cscript%3Ealert(1)", "/d/%22onload=alert(1)"])
def test_a_path_is_never_part_of_a_page(g, path):
    data = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    a, = answers(raw(g, data))
    is_text(a)
    assert "alert" not in a.text and a.get("X-Evil") is None


@pytest.mark.parametrize("host", ["<script>alert(1)</script>", "evil.example", "evil.example:443", "x\"y", "a b", "[::1]",
                                  "..", "%0d%0a", "evil.example/path", "user@evil.example"])
def test_the_name_that_is_asked_for_is_never_said_again(g, token, host):
    for tls, path in ((True, f"/r/{token}"), (True, "/ca"), (False, "/r/abc"), (False, "//evil.example/x")):
        data = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        a, = answers(raw(g, data, tls))
        everything = a.text + str(a.fields)
        assert "evil" not in everything.replace("//evil.example/x", "") and "alert" not in everything
        if not tls and a.status == 308:
            assert a.get("Location").startswith(f"https://{g.hostname}:{443 + g.offset}/")


# --- forms of others ---

def test_a_form_counts_only_with_its_cookie_its_page_and_its_origin(g):
    token, other = new_token(g), new_token(g)
    b = Browser(g)
    page = b.get(f"/r/{token}")
    form = filled(page)
    cookie, path = b.cookie, f"/r/{token}/appeal"
    wrong = {
        "no cookie": (None, form, []),
        "somebody's cookie": (foreign_cookie(g, token), form, []),
        "a made up cookie": ("0" * 26, form, []),
        "no token": (cookie, {**form, "token": ""}, []),
        "two tokens": (cookie, urllib.parse.urlencode([("token", form["token"])] * 2).encode(), []),
        "another page's token": (cookie, {**form, "token": b.get(f"/r/{other}").hidden()["token"]}, []),
        "a later token": (cookie, {**form, "token": re.sub(r"^\d+", "999999999", form["token"])}, []),
        "an earlier token": (cookie, {**form, "token": re.sub(r"^\d+", "1", form["token"])}, []),
        "foreign origin": (cookie, form, [("Origin", "https://evil.example")]),
        "origin in clear": (cookie, form, [("Origin", f"http://{g.hostname}:{443 + g.offset}")]),
        "another port": (cookie, form, [("Origin", f"https://{g.hostname}")]),
        "cross-site": (cookie, form, [("Sec-Fetch-Site", "cross-site")]),
        "same-site": (cookie, form, [("Sec-Fetch-Site", "same-site"), ("Origin", "null")]),
        "typed": (cookie, form, [("Sec-Fetch-Site", "none")]),
        "nobody": (cookie, form, [("Sec-Fetch-Site", "cross-site"), ("Origin", "null")]),
    }
    before = state(g)
    for name, (cookie_, form_, fields) in wrong.items():
        b.cookie = cookie_
        a = b.post(path, form_, fields)
        assert a.status == 403, (name, a.status, a.heading())
    assert state(g) == before
    b.cookie = cookie
    # two cookies of the name: a neighbour's domain may have set one
    fields = [("Cookie", f"__Host-gatepost={'0' * 26}; __Host-gatepost={cookie}"), ("Content-Type", FORM)]
    assert ask(g, "POST", path, fields, urllib.parse.urlencode(form).encode()).status == 403
    assert b.post(path, form).heading() == "Thank you. Your words are on their way."


def foreign_cookie(g, token):
    b = Browser(g)
    b.get(f"/r/{token}")
    return b.cookie


def test_a_form_of_yesterday_has_to_be_loaded_again(gatepost):
    g = gatepost(start=False, settings=SETTINGS)
    g.people(ALICE)
    token = new_token(g.start())
    b = Browser(g)
    form = filled(b.get(f"/r/{token}"))
    assert g.stop() == 0
    now = datetime.datetime.utcnow() + datetime.timedelta(hours=13)
    g.configure(settings=SETTINGS + f"[test]\nnow = {now:%Y-%m-%dT%H:%M:%SZ}\n")
    g.start()
    assert b.post(f"/r/{token}/appeal", form).status == 403
    assert b.post(f"/r/{token}/appeal", filled(b.get(f"/r/{token}"))).status == 200


def test_a_proof_counts_for_one_link_and_its_time(gatepost):
    g = gatepost(start=False, settings="[web]\nwork = 8\n")
    g.people(ALICE)
    g.start()
    one, two = new_token(g), new_token(g)
    b = Browser(g)
    good, other = filled(b.get(f"/r/{one}")), filled(b.get(f"/r/{two}"))
    for wrong in ({"stamp": other["stamp"], "proof": other["proof"]}, {"proof": "1x"}, {"proof": ""},
                  {"stamp": good["stamp"].replace(".8.", ".0."), "bits": "0"}, {"bits": "0", "proof": "999999999"},
                  {"stamp": "p.1.0.x"}, {"stamp": ""}):
        a = b.post(f"/r/{one}/appeal", {**good, **wrong})
        assert a.heading() == "One more step, and a little patience", wrong
    assert b.post(f"/r/{one}/appeal", good).heading() == "Thank you. Your words are on their way."


# --- what a request may be ---

def head(*lines):
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


H = "Host: mx.example.test"
HIDDEN = b"GET /ca HTTP/1.1\r\nHost: x\r\n\r\n"
SMUGGLED = {
    "TE and CL": head("POST /r/a/appeal HTTP/1.1", H, f"Content-Type: {FORM}", "Content-Length: 5",
                      "Transfer-Encoding: chunked") + b"0\r\n\r\n" + HIDDEN,
    "two CL": head("POST /r/a/appeal HTTP/1.1", H, f"Content-Type: {FORM}", "Content-Length: 0",
                   f"Content-Length: {len(HIDDEN)}") + HIDDEN,
    "two equal CL": head("POST /r/a/appeal HTTP/1.1", H, "Content-Length: 3", "Content-Length: 3") + b"a=b" + HIDDEN,
    "a list of CL": head("POST /r/a/appeal HTTP/1.1", H, "Content-Length: 3, 3") + b"a=b" + HIDDEN,
    "CL +3": head("POST /r/a/appeal HTTP/1.1", H, "Content-Length: +3") + b"a=b" + HIDDEN,
    "CL 0x3": head("POST /r/a/appeal HTTP/1.1", H, "Content-Length: 0x3") + b"a=b" + HIDDEN,
    "CL huge": head("POST /r/a/appeal HTTP/1.1", H, "Content-Length: 18446744073709551619") + b"a=b" + HIDDEN,
    "CL empty": head("POST /r/a/appeal HTTP/1.1", H, "Content-Length:") + HIDDEN,
    "TE xchunked": head("POST /r/a/appeal HTTP/1.1", H, "Transfer-Encoding: xchunked") + b"0\r\n\r\n" + HIDDEN,
    "TE chunked twice": head("POST /r/a/appeal HTTP/1.1", H, "Transfer-Encoding: chunked",
                             "Transfer-Encoding: chunked") + b"0\r\n\r\n" + HIDDEN,
    "TE gzip, chunked": head("POST /r/a/appeal HTTP/1.1", H, "Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n" + HIDDEN,
    "TE identity": head("POST /r/a/appeal HTTP/1.1", H, "Transfer-Encoding: identity") + HIDDEN,
    "TE in 1.0": head("POST /r/a/appeal HTTP/1.0", H, "Transfer-Encoding: chunked") + b"0\r\n\r\n" + HIDDEN,
    "TE VT": head("POST /r/a/appeal HTTP/1.1", H, "Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n" + HIDDEN,
    "blank before colon": head("POST /r/a/appeal HTTP/1.1", H, "Transfer-Encoding : chunked") + b"0\r\n\r\n" + HIDDEN,
    "obs-fold": head("POST /r/a/appeal HTTP/1.1", H, "Transfer-Encoding:", " chunked") + b"0\r\n\r\n" + HIDDEN,
    "fold first": head("GET / HTTP/1.1", " Host: x", H) + HIDDEN,
    "fold after": head("GET / HTTP/1.1", H, "X: a", "\tb") + HIDDEN,
    "GET with a body": head("GET / HTTP/1.1", H, f"Content-Length: {len(HIDDEN)}") + HIDDEN,
    "bare LF": b"GET / HTTP/1.1\nHost: x\n\n" + HIDDEN,
    "LF in head": b"GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n" + HIDDEN,
    "bare CR": b"GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n" + HIDDEN,
    "CR CR LF": b"GET / HTTP/1.1\r\r\nHost: x\r\n\r\n" + HIDDEN,
    "NUL": b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n" + HIDDEN,
    "no name": head("GET / HTTP/1.1", H, ": x") + HIDDEN,
    "no colon": head("GET / HTTP/1.1", H, "chunked") + HIDDEN,
    "no Host": head("GET / HTTP/1.1") + HIDDEN,
    "two Hosts": head("GET / HTTP/1.1", H, "Host: evil.example") + HIDDEN,
    "lowercase": head("get / HTTP/1.1", H) + HIDDEN,
    "TRACE": head("TRACE / HTTP/1.1", H) + HIDDEN,
    "CONNECT": head("CONNECT evil.example:25 HTTP/1.1", H) + HIDDEN,
    "absolute": head("GET https://mx.example.test/ HTTP/1.1", H) + HIDDEN,
    "asterisk": head("OPTIONS * HTTP/1.1", H) + HIDDEN,
    "two blanks": head("GET  / HTTP/1.1", H) + HIDDEN,
    "tab": head("GET\t/\tHTTP/1.1", H) + HIDDEN,
    "blank in front": head(" GET / HTTP/1.1", H) + HIDDEN,
    "0.9": b"GET /\r\n" + HIDDEN,
    "2.0": head("GET / HTTP/2.0", H) + HIDDEN,
    "1.10": head("GET / HTTP/1.10", H) + HIDDEN,
    "PRI": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "another Expect": head("POST /r/a/appeal HTTP/1.1", H, f"Content-Type: {FORM}", "Content-Length: 3",
                           "Expect: the worst") + b"a=b" + HIDDEN,
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_what_two_programs_may_read_differently_is_refused_and_ends_the_connection(g, name):
    for tls in (True, False):
        got = answers(raw(g, SMUGGLED[name], tls))
        assert len(got) == 1, f"{name}: {[a.line for a in got]}"
        assert 400 <= got[0].status <= 599 and got[0].get("Connection") == "close", got[0].line
        assert "/ca.crt" not in got[0].text


CHUNKED = head("POST /r/a/appeal HTTP/1.1", H, f"Content-Type: {FORM}", "Transfer-Encoding: chunked")
CHUNKS = {
    "garbage behind the size": b"3 x\r\na=b\r\n0\r\n\r\n",
    "garbage behind the data": b"3\r\na=bxx0\r\n\r\n",
    "LF only": b"3\na=b\n0\n\n",
    "negative": b"-3\r\na=b\r\n0\r\n\r\n",
    "0x": b"0x3\r\na=b\r\n0\r\n\r\n",
    "blank in front": b" 3\r\na=b\r\n0\r\n\r\n",
    "no size": b"\r\na=b\r\n0\r\n\r\n",
    "huge": b"ffffffffffffffff3\r\na=b\r\n0\r\n\r\n",
    "16 digits": b"fffffffffffffff3\r\na=b\r\n0\r\n\r\n",
    "extension with LF": b"3;a\nb\r\na=b\r\n0\r\n\r\n",
    "extension with CR": b"3;a\rb\r\na=b\r\n0\r\n\r\n",
    "long extension": b"3;" + b"x" * 5000 + b"\r\na=b\r\n0\r\n\r\n",
    "many extensions": b"".join(b"1;x=yyyyyyyyyyyyyyyyyyyy\r\na\r\n" for _ in range(500)) + b"0\r\n\r\n",
    "trailers without end": b"0\r\n" + b"X: y\r\n" * 1000,
}


@pytest.mark.parametrize("name", CHUNKS)
def test_chunks_that_are_none_end_the_connection(g, name):
    got = answers(raw(g, CHUNKED + CHUNKS[name] + HIDDEN))
    assert len(got) == 1 and got[0].status in (400, 413), [a.line for a in got]


def test_good_chunks_are_read_and_what_follows_is_the_next_request(g, token):
    body = b"3;name=value\r\na=b\r\n0\r\nTrailer: x\r\n\r\n"
    last = b"GET /ca.crt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    one, two = answers(raw(g, CHUNKED + body + last))
    assert one.status == 403 and two.status == 200


def test_http_1_0_is_answered_and_closed_whatever_it_says(g):
    data = b"GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"
    a, = answers(raw(g, data + HIDDEN))
    assert a.status == 200 and a.get("Connection") == "close"


def test_requests_one_after_the_other_are_answered_in_their_order(g):
    ask_ = "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n".format
    data = "".join(ask_(p) for p in ["ca", "robots.txt", "nothing", "ca.crt"] * 20)
    last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    got = answers(raw(g, (data + last).encode()))
    assert [a.status for a in got] == [200, 200, 404, 200] * 20 + [200]


@pytest.mark.parametrize("path", [
    "/../etc/passwd", "/ui/../../etc/passwd", "/ui/%2e%2e/%2e%2e/etc/passwd", "/ui/..%2f..%2fetc/passwd", "/ui/%2e%2e%5cx",
    "/ui//etc/passwd", "/ui/%00", "/ui/page.css%00.x", "/ui/%c0%ae%c0%ae/", "/ui/\\..\\x", "/r/../ca", "/r/%2e%2e", "/./", "//ca",
    "/ui/%252e%252e/x", "/%", "/%zz", "/ca/", "/CA", "/r/", "/r//appeal", "/d/"])
def test_no_path_leads_out_of_what_is_served(g, path):
    a, = answers(raw(g, head(f"GET {path} HTTP/1.1", H, "Connection: close")))
    assert a.status in (400, 404) and "root:" not in a.text


@pytest.mark.parametrize("path", [
    "/.well-known/acme-challenge/../../gatepost.db", "/.well-known/acme-challenge/%2e%2e%2f%2e%2e%2fpasswd",
    "/.well-known/acme-challenge/", "/.well-known/acme-challenge/..", "/.well-known/acme-challenge/a/b",
    "/.well-known/acme-challenge/" + "a" * 4000, "/.well-known/acme-challenge/.account"])
def test_no_challenge_leads_out_of_its_folder(g, path):
    a, = answers(raw(g, head(f"GET {path} HTTP/1.1", H, "Connection: close"), tls=False))
    assert a.status in (400, 404, 308) and "text" in (a.get("Content-Type") or "text")
    if a.status == 308:
        assert a.get("Location").startswith(f"https://{g.hostname}:{443 + g.offset}/.well-known/")


EVIL_HOSTS = ["evil.example", "mx.example.test.evil.example", "mx.example.test@evil.example", "[::1]:80"]


@pytest.mark.parametrize("path", ["/", "//evil.example", "//evil.example/%2f..", "/\\evil.example", "/%5cevil.example",
                                  "/https://evil.example", "/?u=https://evil.example", "/.evil.example", "/@evil.example"])
def test_port_80_leads_nowhere_else(g, path):
    here = f"https://{g.hostname}:{443 + g.offset}/"
    for host in EVIL_HOSTS:
        a, = answers(raw(g, head(f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close"), tls=False))
        assert a.status in (308, 400)
        if a.status == 308:
            assert a.get("Location").startswith(here), a.get("Location")
            assert urllib.parse.urlsplit(a.get("Location")).netloc == here.split("/")[2]


@pytest.mark.parametrize("what", ["%0d%0aX-Evil:%201", "%0aX-Evil:1", "%0dX-Evil:1", "%E5%98%8A%E5%98%8DX-Evil:1", "\xc4\x8d\xc4\x8aX-Evil:1",
                                  "%u000aX-Evil:1", "%00X-Evil:1"])
def test_no_line_gets_into_an_answers_head(g, what):
    for tls, path in ((True, f"/{what}"), (True, f"/r/{what}"), (True, f"/?lang={what}"), (True, f"/r/{what}/appeal"),
                      (False, f"/{what}"), (False, f"/x?{what}")):
        got = answers(raw(g, head(f"GET {path} HTTP/1.1", H, "Connection: close"), tls))
        assert len(got) == 1 and got[0].get("X-Evil") is None
        assert all("X-Evil" not in n for n, _ in got[0].fields)


def test_no_line_gets_into_a_letters_head(g):
    token = new_token(g)
    before = len(letters_of(g))
    b = Browser(g)
    crlf = "x\r\nBcc: evil@evil.example\r\n\r\nbody"
    assert b.post(f"/r/{token}/appeal", {**filled(b.get(f"/r/{token}")), "note": crlf, "contact": crlf}).status == 200
    assert wait_for(lambda: len(letters_of(g)) > before, 20 * SLOW, 0.2)
    letter = letters_of(g)[-1]
    m = email.message_from_bytes(letter, policy=email.policy.default)
    assert m["Bcc"] is None and not m.defects
    assert "> Bcc: evil@evil[.]example" in m.get_content()


def letters_of(g):
    return over_imap(g, POSTMASTER)


# --- what every answer says ---

def test_every_answer_keeps_frames_scripts_and_sniffing_away(g, token):
    paths = [f"/r/{token}", "/", "/ca", "/ca.crt", "/nothing", "/robots.txt", f"/r/{token}/appeal", "/favicon.ico"]
    pages = [ask(g, "GET", p) for p in paths] + [ask(g, "PUT", "/"), ask(g, "POST", "/"), ask(g, "GET", "/", tls=False)]
    pages += answers(raw(g, b"nonsense\r\n\r\n"))
    for a in pages:
        policy = a.get("Content-Security-Policy")
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
        assert "form-action 'self'" in policy and "script-src 'self'" in policy
        assert a.get("X-Frame-Options") == "DENY" and a.get("X-Content-Type-Options") == "nosniff"
        assert a.get("Referrer-Policy") == "no-referrer" and "noindex" in a.get("X-Robots-Tag")
        assert a.get("Server") is None and a.get("Access-Control-Allow-Origin") is None
    for a in pages[:5]:
        assert a.get("Cache-Control") == "no-store" or a.status in (304,)


def test_a_scanner_of_links_changes_nothing(g):
    token = new_token(g)
    b = Browser(g)
    b.post(f"/r/{token}/appeal", filled(b.get(f"/r/{token}")))
    name = state(g)[0][0]
    assert wait_for(lambda: any(name in m.decode() for m in letters_of(g)), 20 * SLOW, 0.2)
    letter, = [m.decode() for m in letters_of(g) if name in m.decode()]
    link, = decider_links(letter.replace("\r\n", "\n"))
    before, letters = state(g), len(letters_of(g))
    shown = g.json("refusal", "show", name)
    for path in (f"/r/{token}", f"/r/{token}/appeal", f"/d/{link}", f"/d/{link}?decision=release",
                 f"/r/{token}/appeal?note=x", f"/d/{link}?token=1&decision=dismiss"):
        for method in ("GET", "HEAD"):
            for _ in range(5):
                assert ask(g, method, path).status in (200, 303)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "POST"):
        assert ask(g, method, f"/d/{link}").status >= 400
    assert state(g) == before and g.json("refusal", "show", name) == shown
    assert len(letters_of(g)) == letters


# --- guessing ---

def test_who_guesses_links_is_told_to_wait_and_learns_nothing(gatepost):
    g = gatepost(start=False, settings="[web]\nwork = 0\nguesses = 10\n")
    g.people(ALICE)
    token = new_token(g.start())
    for n in range(9):
        a = ask(g, "GET", f"/r/{token[:-1]}{'01'[token[-1] == '0']}")
        assert a.status == 404
    for path in ("/d/" + "0" * 26, ):
        assert ask(g, "GET", path).status == 404
    answers_ = [ask(g, "GET", f"/r/{token}"), ask(g, "GET", f"/r/{'0' * 26}"), ask(g, "GET", "/d/x")]
    assert [a.status for a in answers_] == [429] * 3
    assert len({a.text for a in answers_}) == 1, "a good link is answered otherwise"
    assert all(0 < int(a.get("Retry-After")) <= 3600 for a in answers_)
    assert ask(g, "GET", "/").status == 200


def test_wrong_links_are_all_answered_alike(g, token):
    """Neither words nor time tell how much of a link was right."""
    near = token[:-1] + ("0" if token[-1] != "0" else "1")
    far, short, long = "0" * 26, token[:13], token + "0"
    texts = {ask(g, "GET", f"/r/{t}").text for t in (near, far, short, long, token.upper() + "x")}
    assert len(texts) == 1
    times = {near: [], far: []}
    with connect(g) as s:
        for _ in range(150):
            for t in times:
                start = time.perf_counter()
                s.sendall(head(f"GET /r/{t} HTTP/1.1", H))
                read_one(s)
                times[t].append(time.perf_counter() - start)
    one, two = (statistics.median(v) for v in times.values())
    assert abs(one - two) < max(one, two) * 0.5, (one, two)


def read_one(s):
    data = b""
    while b"\r\n\r\n" not in data:
        data += s.recv(65536)
    h, body = data.split(b"\r\n\r\n", 1)
    length = int(Answer(h, b"").get("Content-Length"))
    while len(body) < length:
        body += s.recv(65536)
    return Answer(h, body)


# --- slow and large ---

def ended_within(s, seconds):
    """What was said when the other side ended it; it has to, within so many seconds."""
    s.settimeout(seconds * SLOW)
    start = time.monotonic()
    try:
        said = until_closed(s)
    except (TimeoutError, socket.timeout):
        raise AssertionError(f"still open after {time.monotonic() - start:.0f} s")
    return said


def drip(s, data, done):
    try:
        for byte in data:
            if done.wait(0.2):
                return
            s.sendall(bytes([byte]))
    except (OSError, ssl.SSLError):
        pass


def test_who_speaks_byte_by_byte_is_cut_off_in_time(g):
    """A head has 20 seconds, a body 30, however they come; nobody else is slowed."""
    long_head = b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 8000
    long_body = head("POST /r/a/appeal HTTP/1.1", H, f"Content-Type: {FORM}", "Content-Length: 30000") + b"a" * 8000
    done = threading.Event()
    slow = []
    for tls in (True, False):
        for data, seconds in ((long_head, 25), (long_body, 36)):
            if data is long_body and not tls:
                continue
            s = connect(g, tls)
            if data is long_body:
                at = data.index(b"\r\n\r\n") + 4
                s.sendall(data[:at])
                data = data[at:]
            threading.Thread(target=drip, args=(s, data, done), daemon=True).start()
            slow.append((s, seconds))
    start = time.monotonic()
    for _ in range(10):
        alive(g)
        time.sleep(0.1)
    try:
        for s, seconds in slow:
            said = ended_within(s, max(1, seconds - (time.monotonic() - start)))
            assert said.startswith(b"HTTP/1.1 408 ") or said == b"", said[:100]
            s.close()
    finally:
        done.set()
    alive(g)


def test_who_does_not_read_is_cut_off(g):
    """What waits for somebody who does not read is bounded: we stop answering, not reading."""
    with connect(g) as s:
        s.settimeout(5)
        sent = 0
        try:
            for _ in range(3000):
                s.sendall(b"GET /ca HTTP/1.1\r\nHost: x\r\n\r\n")
                sent += 1
        except (TimeoutError, socket.timeout, OSError):
            pass
        alive(g)


@pytest.mark.parametrize("expect", [False, True])
def test_a_body_of_100_megabytes_is_refused_before_it_is_sent(g, token, expect):
    fields = [H, f"Content-Type: {FORM}", f"Content-Length: {100 << 20}"] + (["Expect: 100-continue"] if expect else [])
    with connect(g) as s:
        s.sendall(head(f"POST /r/{token}/appeal HTTP/1.1", *fields))
        a = read_one(s)
        assert a.status == 413 and a.get("Connection") == "close" and "That was too much" in a.text
    sent = pour(g, head(f"POST /r/{token}/appeal HTTP/1.1", *fields), b"a" * 65536)
    assert sent < 20 << 20


def test_chunks_without_end_are_refused_at_a_form_s_limit(g, token):
    start = head(f"POST /r/{token}/appeal HTTP/1.1", H, f"Content-Type: {FORM}", "Transfer-Encoding: chunked")
    sent = pour(g, start, b"1000\r\n" + b"a" * 4096 + b"\r\n")
    assert sent < 20 << 20
    with connect(g) as s:
        s.sendall(start + (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 9)
        assert read_one(s).status == 413


def test_a_head_without_end_is_refused(g):
    for tls in (True, False):
        a = read_first(raw(g, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5000, tls))
        assert a.status == 431
        assert read_first(raw(g, b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n", tls)).status == 414
        assert read_first(raw(g, b"GET / HTTP/1.1\r\nA: " + b"a" * 20000 + b"\r\n\r\n", tls)).status == 431


def read_first(data):
    a, = answers(data)
    return a


def pour(g, start, piece):
    """Sends until it is ended; how many bytes it took."""
    with connect(g) as s:
        s.settimeout(10 * SLOW)
        sent = 0
        try:
            s.sendall(start)
            while sent < 100 << 20:
                s.sendall(piece)
                sent += len(piece)
        except (OSError, ssl.SSLError):
            pass
        return sent


# --- many ---

def memory(g):
    pid, = g.pids("house")
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1]) << 10


def size_of(folder):
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def test_ten_thousand_automated_appeals_are_bounded(gatepost):
    """Twenty at a time, on ten links: one appeal each, no more letters than the limits let."""
    g = gatepost(start=False, settings=SETTINGS + "appeals_network = 6\n")
    g.people(ALICE)
    with_password(g, POSTMASTER)
    g.start()
    tokens = [new_token(g) for _ in range(10)]
    before, disk = memory(g), size_of(g.data)
    done, lock = [], threading.Lock()
    left = iter(range(APPEALS))
    filled_in = threading.Barrier(20)  # a page that was appealed has no form any more

    def flood(n):
        b = Browser(g)
        forms = {t: filled(b.get(f"/r/{t}"), note="x" * 1900) for t in tokens}
        filled_in.wait(60 * SLOW)
        with connect(g) as s:
            for k in left_over():
                t = tokens[k % 10]
                body = urllib.parse.urlencode(forms[t]).encode()
                s.sendall(head(f"POST /r/{t}/appeal HTTP/1.1", f"Host: {g.hostname}", f"Content-Type: {FORM}",
                               f"Cookie: __Host-gatepost={b.cookie}", f"Content-Length: {len(body)}") + body)
                a = read_one(s)
                with lock:
                    done.append((a.status, a.heading()))
                if a.get("Connection") == "close":
                    s.close()
                    s = connect(g)

    def left_over():
        while True:
            with lock:
                n = next(left, None)
            if n is None:
                return
            yield n

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(flood, range(20)))
    took = time.monotonic() - start
    print(f"{len(done)} appeals in {took:.1f} s, {(memory(g) - before) >> 20} MiB more")
    taken = [d for d in done if d[1] == "Thank you. Your words are on their way."]
    assert len(done) == APPEALS and len(taken) == 6
    assert {status for status, _ in done} == {200, 429}
    assert sorted(r["state"] for r in g.rows("refusal", "list")) == ["appealed"] * 6 + ["open"] * 4
    wait_letters(g, POSTMASTER, 6)
    if MEASURED:
        assert memory(g) - before < 64 << 20
    assert size_of(g.data) - disk < (16 << 20)
    assert took < 60 * SLOW
    alive(g)
    g.audit()


def test_three_thousand_stalled_connections_slow_no_appeal(g):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 20000), most))
    token, held = new_token(g), []
    count = 3000 if MEASURED else 300
    try:
        context = insecure()
        for n in range(count):
            s = socket.create_connection(("127.0.0.1", (443 if n % 2 else 80) + g.offset), 60)
            held.append(s)
            if n % 4 == 1:
                s = held[-1] = context.wrap_socket(s, server_hostname=g.hostname)
            if n % 4 != 3:      # the rest says nothing, not even a handshake
                s.sendall(b"GET /r/abc HTTP/1.1\r\nHost: x\r\nA: ")
        start = time.monotonic()
        a = appeal(g, token)
        took = time.monotonic() - start
        print(f"an appeal took {took:.2f} s")
        assert a.heading() == "Thank you. Your words are on their way." and took < 1.5 * SLOW
    finally:
        for s in held:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, old)
