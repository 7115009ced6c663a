# SPDX-License-Identifier: ISC
"""Certificates that strangers trust: got from an ACME server (Pebble), renewed, and
what happens when that does not work."""
import datetime
import http.server
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import urllib.request

import pytest

from clamd import wait_for
from gatepost import BINARY, SLOW, insecure
from pebble import CHALLTESTSRV, PEBBLE, Pebble

HOST, LINKS = "mx.example.test", "links.example.test"
UACME = pathlib.Path("/usr/bin/uacme")
# the first one lasts five years: 4.7 years from now it ends soon
LATER = datetime.timedelta(days=4.7 * 365)

pytestmark = pytest.mark.skipif(not (PEBBLE and CHALLTESTSRV and UACME.exists()),
    reason="pebble or uacme is missing; tools/packages.txt names them")


@pytest.fixture
def acme(gatepost):
    """acme(...): an instance that is not started, and its Pebble, which is."""
    made = []

    def make(extra="", start=True):
        g = gatepost(start=False)
        p = Pebble(80 + g.offset)
        made.append(p)
        g.acme = lambda extra="": g.configure(settings=p.settings() + extra,
                                              server=f"link_host = {LINKS}")
        g.acme(extra)
        if start:
            p.start()
        return g, p

    yield make
    for p in made:
        print("--- Pebble\n" + p.log()[-3000:])
        p.remove()


def at(delta):
    """Settings: the server's time, when it starts."""
    now = datetime.datetime.utcnow() + delta
    return f"[test]\nnow = {now:%Y-%m-%dT%H:%M:%SZ}"


def check(g, trust=None):
    """Exit status of `check`, what is wrong, what is not."""
    env = os.environ | ({"SSL_CERT_FILE": str(trust)} if trust else {})
    done = subprocess.run([str(BINARY), "-c", str(g.conf), "check"], capture_output=True, text=True,
                          env=env, timeout=60 * SLOW)
    lines = done.stdout.splitlines()
    return (done.returncode, [l for l in lines if l.startswith("WRONG")],
            [l for l in lines if l.startswith("ok")])


def rows(g):
    return {row["file"]: row for row in json.loads(g.verb("tls", "show", "--json"))}


def shown(g, name=HOST, standard=993, context=None):
    """The certificate that a client is shown, DER."""
    with socket.create_connection(("127.0.0.1", standard + g.offset), 20) as s:
        with (context or insecure()).wrap_socket(s, server_hostname=name) as t:
            return t.getpeercert(binary_form=True)


def trust(p, tmp_path):
    path = tmp_path / "root.pem"
    path.write_text(p.root())
    return path


def got(g, since=0):
    line = g.wait_log("acme info .*was got", 60, since)
    for who in ("gate", "house"):
        g.wait_log(f"{who} info .*reloaded", 20, g.lines.index(line, since))


def state(g):
    lines = (g.dir / "keys/acme/state").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


def move(p, name, address):
    """The CA finds a name at another address from now on."""
    for what in ({"host": name}, {"host": name, "addresses": [address]}):
        path = "add-a" if "addresses" in what else "clear-a"
        body = json.dumps(what).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{p.mock}/{path}", body, 20).close()


# --- before -------------------------------------------------------------------


def test_before_there_is_one_the_own_ca_names_the_links_too_and_check_is_red(gatepost):
    g = gatepost(server=f"link_host = {LINKS}")
    own = rows(g)[HOST]
    assert own["own"] and not own["public"] and own["serves"] == ["hostname", "link_host"]
    assert set(own["names"]) == {HOST, LINKS}
    context = ssl.create_default_context(cadata=g.verb("tls", "ca"))
    for standard in (993, 443):
        shown(g, LINKS, standard, context)
        shown(g, HOST, standard, context)
    code, wrong, _ = check(g)
    assert code == 1 and len(wrong) == 1, wrong
    assert f"https://{LINKS}" in wrong[0] and "own CA" in wrong[0] and "[acme] directory" in wrong[0]
    g.configure(server="link_host = other.example.test")
    g.reload()
    g.wait_log("house info .*reloaded")
    shown(g, "other.example.test", 443, context)


def test_the_own_ca_is_shown_with_its_fingerprint(gatepost):
    g = gatepost(start=False)
    text = g.verb("tls", "ca")
    assert (g.dir / "keys/ca.crt").read_text() in text
    openssl = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=text,
                             capture_output=True, text=True, check=True).stdout
    assert openssl.split("=")[1].strip() in text
    assert json.loads(g.verb("tls", "ca", "--json"))["sha256"] in text


def test_without_a_ca_to_ask_it_says_what_to_set(gatepost):
    g = gatepost(start=False)
    code, sentence = g.fails("tls", "acme")
    assert code == 1 and "[acme] directory" in sentence
    g.configure(settings="[acme]\ndirectory = https://127.0.0.1:1/dir")
    code, sentence = g.fails("tls", "acme")
    assert code == 1 and "no server is running" in sentence
    g.configure(settings="[acme]\ndirectory = https://127.0.0.1:1/dir\nnames = *.example.test")
    code, sentence = g.fails("tls", "acme")
    assert code == 1 and "no host name" in sentence


# --- getting ------------------------------------------------------------------


def test_strangers_trust_every_name_soon_after_the_start(acme, tmp_path):
    g, p = acme(f"names = {HOST} {LINKS} imap.example.test")
    g.start()
    got(g)
    root = trust(p, tmp_path)
    context = ssl.create_default_context(cafile=root)
    for name in (HOST, LINKS, "imap.example.test"):
        for standard in (993, 443):
            shown(g, name, standard, context)
    row = rows(g)[HOST]
    assert set(row["names"]) == {HOST, LINKS, "imap.example.test"} and not row["own"]
    code, wrong, ok = check(g, root)
    assert (code, wrong) == (0, []), wrong
    assert any("valid for everybody" in l for l in ok)
    code, wrong, _ = check(g)       # who does not trust that root is told so
    assert code == 1 and len(wrong) == 1 and "does not lead to a CA" in wrong[0]
    assert "There is nothing to do" in g.verb("tls", "acme")
    assert list((g.data / "acme").iterdir()) == []
    private = [f for f in (g.dir / "keys").rglob("*") if f.is_file() and f.suffix != ".crt"]
    assert all(f.stat().st_mode & 0o077 == 0 for f in private if f.name.startswith(("key", HOST)))


@pytest.mark.skipif(os.geteuid() != 0, reason="users are switched by root only")
def test_who_asks_the_ca_is_a_user_of_its_own_and_never_has_the_key(acme):
    g, _ = acme()
    g.start()
    got(g)
    folder = g.dir / "keys/acme/uacme"
    assert folder.owner() == "gatepost-acme" and folder.stat().st_mode & 0o777 == 0o700
    key = (g.dir / f"keys/tls/{HOST}.key").read_text()
    left = [f for f in folder.rglob("*") if f.is_file()]
    assert "request-cert.pem" in [f.name for f in left]
    assert not any(key in f.read_text() for f in left)
    assert all(f.owner() == "gatepost-acme" for f in left)
    assert (g.dir / f"keys/tls/{HOST}.key").owner() == "root"


def test_sessions_go_on_over_a_new_certificate(acme):
    g, _ = acme()
    g.people("alice@example.test")
    g.start()
    got(g)
    before = shown(g)
    with g.smtp(tls=True) as smtp, socket.create_connection(("127.0.0.1", 993 + g.offset), 20) as s:
        imap = insecure().wrap_socket(s, server_hostname=HOST)
        assert imap.recv(1000).startswith(b"* OK")
        smtp.mail("someone@sender.example")
        assert smtp.rcpt("alice@example.test")[0] == 250
        since = len(g.lines)
        said = g.verb("tls", "acme", "--force")
        assert "Got it" in said and "open sessions go on" in said
        g.wait_log("gate info .*reloaded", 20, since)
        g.wait_log("house info .*reloaded", 20, since)
        assert shown(g) != before
        assert imap.getpeercert(binary_form=True) == before
        imap.sendall(b"a NOOP\r\n")
        assert b"a OK" in imap.recv(1000)
        assert smtp.data(b"Subject: hello\r\n\r\nStill here.\r\n")[0] == 250
    g.wait_mail("alice@example.test", 1)


def test_it_is_renewed_by_itself_when_it_ends_soon(acme):
    g, _ = acme("renew_before = 365d\n" + at(LATER))
    g.start()
    got(g)
    first = shown(g)
    code, wrong, ok = check(g)
    assert len(wrong) == 1 and "does not lead to a CA" in wrong[0]
    # two days later: one that ends soon is asked for once a day at most
    g.stop()
    since = len(g.lines)
    g.acme("renew_before = 365d\n" + at(LATER + datetime.timedelta(hours=23)))
    g.start()
    assert shown(g) == first and not any("asked for" in l for l in g.lines[since:])
    g.stop()
    since = len(g.lines)
    g.acme("renew_before = 365d\n" + at(LATER + datetime.timedelta(hours=25)))
    g.start()
    g.wait_log("a certificate is asked for, because the certificate ends soon", since=since)
    got(g, since)
    assert shown(g) != first
    previous = (g.dir / f"keys/tls/{HOST}.previous").read_text()
    assert ssl.PEM_cert_to_DER_cert(previous[:previous.index("-----END CERT") + 25]) == first


def test_another_ca_in_the_settings_is_asked_at_once(acme):
    g, p = acme()
    g.start()
    got(g)
    before = shown(g)
    other = Pebble(80 + g.offset).start()
    try:
        since = len(g.lines)
        g.configure(settings=other.settings(), server=f"link_host = {LINKS}")
        g.reload()
        got(g, since)
        assert shown(g) != before
    finally:
        other.remove()


def test_a_name_that_is_added_is_asked_for_at_once(acme):
    g, _ = acme()
    g.start()
    got(g)
    since = len(g.lines)
    g.acme(f"names = {HOST} {LINKS} pop.example.test")
    g.reload()
    g.wait_log("does not name pop.example.test", since=since)
    got(g, since)
    assert "pop.example.test" in rows(g)[HOST]["names"]


def test_the_links_may_have_a_certificate_of_their_own(acme, tmp_path):
    g, p = acme(f"names = {LINKS}")
    g.start()
    assert set(rows(g)[HOST]["names"]) == {HOST, LINKS}
    got(g)
    assert rows(g)[HOST]["names"] == [HOST] and rows(g)[LINKS]["serves"] == ["link_host"]
    shown(g, LINKS, 443, ssl.create_default_context(cafile=trust(p, tmp_path)))
    shown(g, HOST, 993, ssl.create_default_context(cadata=g.verb("tls", "ca")))
    code, wrong, _ = check(g, tmp_path / "root.pem")
    assert (code, wrong) == (0, []), wrong


# --- when it does not work ----------------------------------------------------------


class Impostor:
    """Somebody else's machine: it answers every challenge, wrongly."""

    def __init__(self, port):
        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"something else")

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.2", port), Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_a_wrong_challenge_leaves_the_certificate_and_check_says_why(acme):
    g, p = acme("renew_before = 365d\n" + at(LATER))
    g.start()
    got(g)
    before = shown(g)
    files = {f.name: f.read_bytes() for f in (g.dir / "keys/tls").iterdir()}
    with Impostor(80 + g.offset):
        move(p, LINKS, "127.0.0.2")
        for hours in (1, 2, 4):
            code, sentence = g.fails("tls", "acme")
            assert code == 1 and "something else" in sentence, sentence
            s = state(g)
            assert int(s["next"]) - int(s["tried"]) == hours * 3600 * 1000
    assert shown(g) == before
    assert {f.name: f.read_bytes() for f in (g.dir / "keys/tls").iterdir()} == files
    assert list((g.data / "acme").iterdir()) == []
    code, wrong, _ = check(g)
    told = [l for l in wrong if "the last try to get a certificate" in l]
    assert code == 1 and len(told) == 1 and "something else" in told[0] and "next is made at" in told[0]
    # a restart does not ask again before its time
    g.stop()
    since = len(g.lines)
    g.start()
    g.reload()
    g.wait_log("house info .*reloaded", since=since)
    assert not any("asked for" in l for l in g.lines[since:])
    assert shown(g) == before
    # and a day later it does, by itself
    move(p, LINKS, "127.0.0.1")
    g.stop()
    g.acme("renew_before = 365d\n" + at(LATER + datetime.timedelta(days=1)))
    since = len(g.lines)
    g.start()
    got(g, since)
    assert shown(g) != before and state(g)["failures"] == "0"


def test_while_the_ca_is_down_the_own_certificate_serves_and_check_says_so(acme):
    g, p = acme(start=False)
    g.start()
    g.wait_log("acme error .*no certificate could be got: .*Couldn't connect", 60)
    context = ssl.create_default_context(cadata=g.verb("tls", "ca"))
    shown(g, LINKS, 443, context)
    code, wrong, _ = check(g)
    assert code == 1 and len(wrong) == 2, wrong
    assert any("Couldn't connect" in l and "next is made at" in l for l in wrong)
    p.start()
    assert "Got it" in g.verb("tls", "acme")
    assert wait_for(lambda: not rows(g)[HOST]["own"])


def test_a_server_that_ends_takes_the_try_with_it(acme):
    g, _ = acme(start=False)
    g.start()
    g.wait_log("a certificate is asked for")
    assert wait_for(lambda: uacmes(g))
    left = uacmes(g)
    assert g.stop() == 0
    assert wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in left))
    assert state(g)["said"] == "it was interrupted"


def uacmes(g):
    out = []
    for pid in g.descendants():
        try:
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "uacme":
                out.append(pid)
        except OSError:
            pass
    return out


# --- the hook --------------------------------------------------------------------


def test_a_challenge_is_answered_on_port_80_and_is_gone_afterwards(gatepost):
    g = gatepost()
    token, auth = "a-Token_0", "a-Token_0.thumbprint"
    url = f"http://127.0.0.1:{80 + g.offset}/.well-known/acme-challenge/{token}"
    g.verb("tls", "acme-hook", "begin", "http-01", HOST, token, auth)
    assert urllib.request.urlopen(url, timeout=20).read().decode().strip() == auth
    g.verb("tls", "acme-hook", "done", "http-01", HOST, token, auth)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(url, timeout=20)


@pytest.mark.parametrize("words", [
    ("begin", "http-01", HOST, "../passwd", "a.b"),
    ("begin", "http-01", HOST, "a/b", "a.b"),
    ("begin", "http-01", HOST, ".hidden", "a.b"),
    ("begin", "http-01", HOST, "", "a.b"),
    ("begin", "http-01", HOST, "a" * 129, "a.b"),
    ("begin", "http-01", HOST, "token", "a" * 1025),
    ("begin", "http-01", HOST, "token", "a\nb"),
    ("begin", "dns-01", HOST, "token", "a.b"),
    ("done", "http-01", HOST, "../../gatepost.conf", "a.b"),
    ("other", "http-01", HOST, "token", "a.b"),
], ids=lambda words: re.sub(r"\W+", "-", "-".join(words))[:40])
def test_a_hostile_ca_names_no_file_of_ours(house, words):
    code, _ = house.fails("tls", "acme-hook", *words)
    assert code == 1
    folder = house.data / "acme"
    assert not folder.exists() or list(folder.iterdir()) == []
    assert house.conf.exists()
