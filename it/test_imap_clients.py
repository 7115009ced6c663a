# SPDX-License-Identifier: ISC
"""Programs that people read mail with, against the real server: curl, mbsync, offlineimap,
interimap, mutt, fetchmail, mpop, getmail, Python's own, imap-tools, and imapflow of npm."""
import email
import hashlib
import imaplib
import json
import os
import pathlib
import poplib
import pty
import re
import select
import shutil
import ssl
import subprocess
import time

import pytest

from clamd import TOP
from gatepost import SLOW, Gatepost, insecure
from imap_talk import DOVECOT, Dovecot, DovecotTalk

PASSWORD = "correct horse"
NPM = TOP / "it" / "npm"
MAIL = [
    b"From: Ann <ann@sender.example>\r\nTo: you@example.test\r\nSubject: one\r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n\r\nFirst.\r\n",
    "From: Jörg <joerg@sender.example>\r\nSubject: two: Grüße\r\nMessage-ID: <2@sender.example>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\n.Köln\r\n..\r\nFrom here on.\r\n".encode(),
    b"Subject: three\r\nMessage-ID: <3@sender.example>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\n\r\ntext\r\n--x\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + b"\r\n".join([b"AAAA" * 19] * 200) + b"\r\n--x--\r\n",
    b"Subject: four\r\nMessage-ID: <4@sender.example>\r\n\r\n" + b"x" * 900 + b"\r\nand no end of line\r\n",
]
FLAGS = ["", "\\Seen", "\\Answered \\Flagged", "\\Draft \\Seen"]


@pytest.fixture(scope="module")
def server():
    g = Gatepost(server="plain_loopback = yes")
    g.verb("domain", "add", "example.test")
    yield g.start()
    g.audit()
    g.remove()


@pytest.fixture
def user(server):
    """A new account with the mail above in its INBOX."""
    name = f"user{time.monotonic_ns()}@example.test"
    server.verb("account", "add", name, "--password-stdin", stdin=PASSWORD + "\n")
    fill(log_in(server, name))
    return name


def log_in(g, user):
    i = imaplib.IMAP4("127.0.0.1", 143 + g.offset, timeout=60 * SLOW)
    i.login(user, PASSWORD)
    return i


def fill(i):
    for text, flags in zip(MAIL, FLAGS):
        ok, answer = i.append("INBOX", f"({flags})", '"23-Nov-2026 10:00:00 +0000"', text)
        assert ok == "OK", answer
    i.logout()


def run(words, cwd=None, check=True, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, cwd=cwd,
                          timeout=120 * SLOW, **more)
    if check and done.returncode:
        raise AssertionError(f"{words[0]}: {done.returncode}\n{done.stdout[-3000:].decode(errors='replace')}"
                             f"\n{done.stderr[-3000:].decode(errors='replace')}")
    return done.stdout


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is missing; "
                              "tools/packages.sh test installs it")


def state(g, user):
    """What is in INBOX: {subject: flags}, and its HIGHESTMODSEQ."""
    i = log_in(g, user)
    i.select("INBOX", readonly=True)
    found = {}
    for row in i.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
        if isinstance(row, tuple):
            flags = set(re.search(rb"FLAGS \((.*?)\)", row[0])[1].split()) - {rb"\Recent"}
            found[row[1].decode().split(":", 1)[1].split()[0].rstrip(":")] = flags
    last = i.status("INBOX", "(HIGHESTMODSEQ)")[1][0]
    i.logout()
    return found, int(re.search(rb"HIGHESTMODSEQ (\d+)", last)[1])


# --- curl ---

def curl(g, user, url, *more):
    door, _, path = url.partition(":")
    port = {"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995}[door] + g.offset
    return run(["curl", "-sSk", "--max-time", 60 * SLOW, "-u", f"{user}:{PASSWORD}",
                f"{door}://127.0.0.1:{port}/{path}", *more])


def test_curl_reads_appends_and_searches(server, user, tmp_path):
    for n, text in enumerate(MAIL, 1):
        assert curl(server, user, f"imaps:INBOX;UID={n}") == text
    assert b'"/" INBOX\r\n' in curl(server, user, "imap:", "--ssl-reqd")
    assert curl(server, user, "imaps:INBOX?SUBJECT%20two") == b"* SEARCH 2\r\n"
    assert b"Subject: three" in curl(server, user, "imaps:INBOX;UID=3;SECTION=HEADER")
    (tmp_path / "new").write_bytes(b"Subject: five\r\n\r\nby curl\r\n")
    curl(server, user, "imaps:INBOX", "-T", tmp_path / "new")
    assert curl(server, user, "imaps:INBOX;UID=5") == b"Subject: five\r\n\r\nby curl\r\n"
    curl(server, user, "imaps:INBOX", "-X", "STORE 1 +FLAGS (\\Flagged)")
    assert state(server, user)[0]["one"] == {rb"\Flagged", rb"\Seen"}


def test_curl_reads_and_deletes_with_pop3(server, user):
    for n, text in enumerate(MAIL, 1):
        assert curl(server, user, f"pop3s:{n}") == text
    assert len(curl(server, user, "pop3:", "--ssl-reqd").splitlines()) == 4
    curl(server, user, "pop3s:2", "-X", "DELE", "-l")
    assert set(state(server, user)[0]) == {"one", "three", "four"}


# --- mbsync ---

def mbsync(folder, store, name="box", more=""):
    """Synchronizes a Maildir both ways with a store of mbsync's."""
    (folder / name).mkdir(exist_ok=True)
    (folder / f"{name}.rc").write_text(f"""
{store}
MaildirStore near
Path {folder}/{name}/
Inbox {folder}/{name}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
Expunge Both
SyncState *
{more}""")
    return run(["mbsync", "-V", "-c", folder / f"{name}.rc", "-a"], env={"HOME": str(folder),
               "PATH": os.environ["PATH"]})


def account(g, user, folder):
    pem = folder / "server.pem"
    pem.write_text(ssl.get_server_certificate(("127.0.0.1", 993 + g.offset)))
    return f"""
IMAPAccount a
Host 127.0.0.1
Port {993 + g.offset}
User {user}
Pass "{PASSWORD}"
SSLType IMAPS
SSLVersions TLSv1.2 TLSv1.3
CertificateFile {pem}

IMAPStore far
Account a
"""


def of_dovecot(d):
    """The same of Dovecot's program, over a pipe."""
    drop = f"setpriv --reuid={d.user} --clear-groups --regid=$(id -g {d.user})" \
        if os.geteuid() == 0 else ""
    script = d.folder / "run"
    script.write_text(f"#!/bin/sh\nexport USER={d.user} HOME={d.folder}\n"
                      f"exec {drop} {DOVECOT} -c {d.folder}/conf 2>/dev/null\n")
    script.chmod(0o755)
    return f"\nIMAPStore far\nTunnel {script}\n"


def maildir(folder):
    """{subject: (text, flags)} of a Maildir's INBOX."""
    found = {}
    for part in ("cur", "new"):
        for path in sorted((folder / "INBOX" / part).iterdir()):
            text = re.sub(rb"^X-TUID: .*\n", b"", path.read_bytes(), flags=re.M)   # mbsync's
            subject = re.search(rb"Subject: (\w+)", text)[1].decode()
            found[subject] = (text, path.name.partition(":2,")[2])
    return found


def names(folder):
    return sorted(p.name for p in (folder / "INBOX").rglob("*") if p.parent.name in ("cur", "new"))


@needs("mbsync")
def test_mbsync_goes_both_ways_and_then_has_nothing_to_do(server, user, tmp_path):
    store = account(server, user, tmp_path)
    mbsync(tmp_path, store)
    box = tmp_path / "box"
    for text in MAIL:
        subject = re.search(rb"Subject: (\w+)", text)[1].decode()
        assert maildir(box)[subject][0] == text.replace(b"\r\n", b"\n")
    assert maildir(box)["three"][1] == "FR"
    before = names(box), state(server, user)
    mbsync(tmp_path, store)
    assert (names(box), state(server, user)) == before
    # changes of both sides
    one = next(p for p in (box / "INBOX").rglob("*") if p.is_file() and b"Subject: one" in p.read_bytes())
    one.rename(box / "INBOX" / "cur" / (one.name.partition(":")[0] + ":2,FS"))
    two = next(p for p in (box / "INBOX").rglob("*") if p.is_file() and b"Subject: two" in p.read_bytes())
    two.unlink()
    (box / "INBOX" / "new" / "1.new.host").write_bytes(b"Subject: five\n\nby Maildir\n")
    i = log_in(server, user)
    i.select("INBOX")
    i.store("3", "-FLAGS", "(\\Flagged)")
    i.store("4", "+FLAGS", "(\\Deleted)")
    i.expunge()
    i.logout()
    mbsync(tmp_path, store)
    assert state(server, user)[0] == {"one": {rb"\Flagged", rb"\Seen"}, "three": {rb"\Answered"},
                                      "five": set()}
    assert {s: f for s, (_, f) in maildir(box).items()} == {"one": "FS", "three": "R", "five": ""}
    before = names(box), state(server, user)
    mbsync(tmp_path, store)
    assert (names(box), state(server, user)) == before


@needs("mbsync")
@pytest.mark.skipif(not DOVECOT.exists(), reason="dovecot-imapd is missing")
def test_mbsync_gets_of_dovecot_what_it_gets_of_us(server, user, tmp_path):
    d = Dovecot("maildir")
    try:
        talk = DovecotTalk(d)
        for text, flags in zip(MAIL, FLAGS):
            assert talk.do(b"APPEND INBOX (%s) {%d+}\r\n%s" % (flags.encode(), len(text), text)
                           ).status == b"OK"
        talk.close()
        mbsync(tmp_path, of_dovecot(d), "theirs")
        mbsync(tmp_path, account(server, user, tmp_path), "ours")
        assert len(maildir(tmp_path / "ours")) == len(MAIL)
        assert maildir(tmp_path / "ours") == maildir(tmp_path / "theirs")
    finally:
        d.remove()


# --- others that synchronize ---

def box_of(folder):
    """{subject: path} of a Maildir."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.parent.name in ("cur", "new"):
            found[re.search(rb"Subject: (\w+)", path.read_bytes())[1].decode()] = path
    return found


@needs("offlineimap")
def test_offlineimap_goes_both_ways(server, user, tmp_path):
    der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", 993 + server.offset)))
    box = tmp_path / "box" / "INBOX"
    (tmp_path / "rc").write_text(f"""
[general]
accounts = a
ui = basic
metadata = {tmp_path}/state
[Account a]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {tmp_path}/box
[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {993 + server.offset}
remoteuser = {user}
remotepass = {PASSWORD}
ssl = yes
cert_fingerprint = {hashlib.sha256(der).hexdigest()}
usecompression = yes
""")
    words = ["offlineimap", "-o", "-c", tmp_path / "rc"]
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    run(words, env=home)
    was = box_of(box)
    assert set(was) == {"one", "two", "three", "four"}
    assert was["three"].name.endswith(":2,FR") and was["four"].name.endswith(":2,DS")
    was["one"].rename(box / "cur" / (was["one"].name.partition(":")[0] + ":2,FS"))
    was["two"].unlink()
    (box / "new" / "1.new.host").write_bytes(b"Subject: five\nMessage-ID: <5@x>\n\nby Maildir\n")
    run(words, env=home)
    assert state(server, user)[0] == {"one": {rb"\Flagged", rb"\Seen"}, "five": set(),
                                      "three": {rb"\Answered", rb"\Flagged"},
                                      "four": {rb"\Draft", rb"\Seen"}}


@needs("interimap")
def test_interimap_makes_two_accounts_the_same(server, user, tmp_path):
    other = f"other{time.monotonic_ns()}@example.test"
    server.verb("account", "add", other, "--password-stdin", stdin=PASSWORD + "\n")
    (tmp_path / "rc").write_text(f"database = {tmp_path}/state.db\n" + "".join(f"""
[{side}]
type = imaps
host = 127.0.0.1
port = {993 + server.offset}
username = {name}
password = {PASSWORD}
SSL_verify = no
""" for side, name in (("local", user), ("remote", other))))
    words = ["interimap", "--config", tmp_path / "rc"]
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    run(words, env=home)
    assert state(server, other)[0] == state(server, user)[0]
    i = log_in(server, other)
    i.select()
    i.store("1", "+FLAGS", "(\\Flagged)")
    i.store("2", "+FLAGS", "(\\Deleted)")
    i.expunge()
    i.append("INBOX", "", None, b"Subject: five\r\n\r\nby the other\r\n")
    i.logout()
    run(words, env=home)
    assert state(server, other)[0] == state(server, user)[0]
    assert set(state(server, user)[0]) == {"one", "three", "four", "five"}


# --- mutt ---

def on_a_terminal(words, seconds, **more):
    """Runs what wants a terminal; what it wrote."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([str(w) for w in words], stdin=theirs, stdout=theirs, stderr=theirs,
                          start_new_session=True, **more) as p:
        os.close(theirs)
        out, until = b"", time.monotonic() + seconds
        while p.poll() is None and time.monotonic() < until:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    out += os.read(ours, 65536)
                except OSError:
                    break
        try:
            p.wait(5)
        except subprocess.TimeoutExpired:
            p.kill()
            raise AssertionError(f"{words[0]} did not end: {out[-1500:]!r}") from None
        finally:
            os.close(ours)
    return out


@needs("mutt")
def test_mutt_tags_copies_deletes_and_quits(server, user, tmp_path):
    (tmp_path / "rc").write_text(f"""
set folder=imap://127.0.0.1:{143 + server.offset}/ spoolfile=+INBOX
set imap_user="{user}" imap_pass="{PASSWORD}" ssl_starttls=no ssl_force_tls=no
set confirmcreate=no confirmappend=no delete=yes quit=yes move=no mark_old=no
set imap_qresync=yes imap_condstore=yes header_cache={tmp_path}/cache wait_key=no record="" beep=no
set postponed="" imap_idle=no sleep_time=0 copy=no
""")
    keys = "<tag-pattern>~s t<enter><tag-prefix><copy-message>=kept<enter>" \
           "<untag-pattern>.<enter><delete-pattern>~s four<enter>" \
           "<search>~s one<enter><flag-message><sync-mailbox><quit>"
    out = on_a_terminal(["mutt", "-n", "-F", tmp_path / "rc", "-e", f'push "{keys}"'], 30 * SLOW,
                        env={"HOME": str(tmp_path), "TERM": "vt100", "PATH": os.environ["PATH"],
                             "LC_ALL": "C.UTF-8"})
    found = state(server, user)[0]
    assert set(found) == {"one", "two", "three"}, out[-2000:]
    assert rb"\Flagged" in found["one"]
    i = log_in(server, user)
    assert i.select("kept")[1] == [b"2"], out[-2000:]
    assert i.uid("FETCH", "1", "(BODY.PEEK[])")[1][0][1] == MAIL[1]
    i.logout()


# --- those that fetch ---

def texts(folder):
    """Messages of a Maildir, by subject, with LF."""
    found = [p.read_bytes() for part in ("new", "cur") for p in (folder / part).iterdir()]
    return {re.search(rb"Subject: (\w+)", t)[1].decode(): t for t in found}


def same(found):
    """All of MAIL came whole, whatever its reader wrote in front."""
    for text in MAIL:
        want = text.replace(b"\r\n", b"\n")
        subject = re.search(rb"Subject: (\w+)", text)[1].decode()
        got = found[subject].replace(b"\r\n", b"\n")
        assert got.partition(b"\n\n")[2] == want.partition(b"\n\n")[2]
        for line in want.partition(b"\n\n")[0].splitlines():
            assert line in got
    assert len(found) == len(MAIL)


def three(folder):
    box = folder / "box"
    for part in ("cur", "new", "tmp"):
        (box / part).mkdir(parents=True)
    return box


def into(box):
    """A program that puts what it reads into a Maildir."""
    program = box.parent / "deliver"
    program.write_text(f"#!/bin/sh\nexec cat >{box}/new/$$.host\n")
    program.chmod(0o755)
    return program


@needs("fetchmail")
@pytest.mark.parametrize("door", ["pop3", "imap"])
def test_fetchmail_takes_all_and_empties_the_mailbox(server, user, tmp_path, door):
    box = three(tmp_path)
    deliver = into(box)
    rc = tmp_path / "rc"
    rc.write_text(f'poll 127.0.0.1 service {dict(pop3=995, imap=143)[door] + server.offset} protocol {door}\n'
                  f' user "{user}" password "{PASSWORD}" {"ssl" if door == "pop3" else "sslproto TLS1.2+"}'
                  f' no sslcertck fetchall no keep mda "{deliver}"\n')
    rc.chmod(0o600)
    run(["fetchmail", "-v", "-f", rc, "--pidfile", tmp_path / "pid", "--idfile", tmp_path / "ids"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    same(texts(box))
    assert state(server, user)[0] == {}


@needs("mpop")
def test_mpop_takes_what_it_does_not_have(server, user, tmp_path):
    box = three(tmp_path)
    rc = tmp_path / "rc"
    rc.write_text(f"account default\nhost 127.0.0.1\nport {995 + server.offset}\ntls on\n"
                  f"tls_starttls off\ntls_certcheck off\nauth scram-sha-256\nuser {user}\n"
                  f"password {PASSWORD}\nkeep on\ndelivery maildir {box}\nuidls_file {tmp_path}/uidls\n"
                  "received_header off\n")
    rc.chmod(0o600)
    for _ in range(2):
        run(["mpop", "-C", rc])
        same(texts(box))
    assert len(state(server, user)[0]) == 4


@needs("getmail")
@pytest.mark.parametrize("kind", ["POP3SSL", "IMAPSSL"])
def test_getmail_takes_what_it_does_not_have(server, user, tmp_path, kind):
    box = three(tmp_path)
    port = {"POP3SSL": 995, "IMAPSSL": 993}[kind] + server.offset
    (tmp_path / "rc").write_text(f"[retriever]\ntype = Simple{kind}Retriever\nserver = 127.0.0.1\nport = {port}\n"
                                 f"username = {user}\npassword = {PASSWORD}\n"
                                 f"[destination]\ntype = MDA_external\npath = {into(box)}\n"
                                 "unixfrom = false\nallow_root_commands = true\n"
                                 "[options]\nread_all = false\ndelivered_to = false\nreceived = false\n")
    for _ in range(2):
        run(["getmail", "--getmaildir", tmp_path, "--rcfile", "rc"],
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
        same(texts(box))


# --- Python ---

def test_imaplib_does_all_it_can(server, user):
    i = imaplib.IMAP4_SSL("127.0.0.1", 993 + server.offset, ssl_context=insecure(), timeout=60 * SLOW)
    assert i.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())[0] == "OK"
    assert i.namespace() == ("OK", [b'(("" "/")) NIL NIL'])
    assert i.select() == ("OK", [b"4"])
    assert i.response("UIDVALIDITY")[1][0].isdigit()
    assert i.fetch("2", "(BODY.PEEK[])")[1][0][1] == MAIL[1]
    assert i.search(None, "UNSEEN") == ("OK", [b"1 3"])
    i.literal = "Grüße".encode()
    assert i.search("UTF-8", "SUBJECT") == ("OK", [b"2"])
    assert i.sort("(REVERSE SIZE)", "UTF-8", "ALL")[1][0].split()[0] == b"3"
    assert i.thread("REFERENCES", "UTF-8", "ALL") == ("OK", [b"(1)(2)(3)(4)"])
    assert i.create("box/below")[0] == i.subscribe("box/below")[0] == "OK"
    assert i.copy("1:2", "box/below")[0] == "OK"
    assert i.uid("MOVE", "3", "box/below")[0] == "OK"
    assert i.status("box/below", "(MESSAGES)") == ("OK", [b"box/below (MESSAGES 3)"])
    assert i.lsub("box/", "*")[1] == [b'() "/" box/below']
    assert i.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
    assert i.expunge()[1][-1] == b"1"
    assert i.getquotaroot("INBOX")[0] == "OK"
    assert i.noop()[0] == i.check()[0] == i.close()[0] == "OK"
    assert i.rename("box", "other")[0] == "OK"
    assert i.delete("other/below")[0] == "OK"
    assert i.delete("nothing")[0] == "NO"
    i.enable("UTF8=ACCEPT")
    assert i.create('"Entwürfe"')[0] == "OK"
    assert i.append('"Entwürfe"', "", None, MAIL[1])[0] == "OK"
    assert i.select('"Entwürfe"') == ("OK", [b"1"])
    assert i.unselect()[0] == "OK"
    assert i.logout()[0] == "BYE"


def test_imap_tools_reads_searches_and_files(server, user):
    tools = pytest.importorskip("imap_tools", reason="imap_tools is missing")
    with tools.MailBoxUnencrypted("127.0.0.1", 143 + server.offset).login(user, PASSWORD) as m:
        assert [x.subject for x in m.fetch()] == ["one", "two: Grüße", "three", "four"]
        assert [a.filename for x in m.fetch("SUBJECT three") for a in x.attachments] == ["a.pdf"]
        # it quotes UTF-8 where RFC 3501 wants a literal
        assert [x.uid for x in m.fetch(tools.AND(subject="Grüße"), charset="utf8")] == ["2"]
        m.flag("1", [tools.MailMessageFlags.FLAGGED], True)
        m.folder.create("Ärger & Co")
        m.copy("1", "Ärger & Co")
        m.move("2", "Ärger & Co")
        m.delete("3")
        assert m.folder.status("Ärger & Co")["MESSAGES"] == 2
        m.folder.rename("Ärger & Co", "Büro")
        m.folder.set("Büro")
        assert [x.subject for x in m.fetch(mark_seen=False, bulk=True)] == ["one", "two: Grüße"]
        m.folder.set("INBOX")
        m.folder.delete("Büro")
    assert state(server, user)[0] == {"one": {rb"\Flagged", rb"\Seen"}, "four": {rb"\Draft", rb"\Seen"}}


def test_poplib_does_all_it_can(server, user):
    p = poplib.POP3("127.0.0.1", 110 + server.offset, timeout=60 * SLOW)
    assert "STLS" in p.capa()
    p.stls(insecure())
    p.utf8()
    p.user(user)
    p.pass_(PASSWORD)
    assert p.stat() == (4, sum(map(len, MAIL)))
    uids = [line.split()[1] for line in p.uidl()[1]]
    assert len(set(uids)) == 4
    for n, text in enumerate(MAIL, 1):
        assert b"\r\n".join(p.retr(n)[1]) + b"\r\n" == text
        assert p.list(n).split()[2] == b"%d" % len(text)
    top = email.message_from_bytes(b"\r\n".join(p.top(3, 1)[1]))
    assert top["Message-ID"] == "<3@sender.example>"
    with pytest.raises(poplib.error_proto):
        p.retr(5)
    p.dele(4)
    p.rset()
    p.dele(1)
    p.quit()
    p = poplib.POP3_SSL("127.0.0.1", 995 + server.offset, context=insecure(), timeout=60 * SLOW)
    p.user(user)
    p.pass_(PASSWORD)
    assert [line.split()[1] for line in p.uidl()[1]] == uids[1:]
    p.quit()


# --- imapflow ---

@pytest.mark.skipif(not (NPM / "node_modules" / "imapflow").is_dir() or not shutil.which("node"),
                    reason="imapflow is missing; tools/packages.sh test installs it where npm is")
@pytest.mark.parametrize("enable", ["", "IMAP4rev2"])
def test_imapflow_reads_searches_moves_and_idles(server, user, enable):
    out = run(["node", NPM / "session.mjs", 993 + server.offset, user, PASSWORD, enable])
    said = json.loads(out.splitlines()[-1])
    assert said["mailboxes"] == ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]
    assert said["special"] == ["\\Archive", "\\Drafts", "\\Inbox", "\\Junk", "\\Sent", "\\Trash"]
    assert said["exists"] == 4
    assert said["subjects"] == ["one", "two: Grüße", "three", "four"]
    assert said["flags"][2] == ["\\Answered", "\\Flagged"]
    assert said["sizes"] == [len(m) for m in MAIL]
    assert bytes(said["source"], "latin-1") == MAIL[1]
    assert said["parts"] == ["text/plain", "application/pdf"]
    assert said["download"] == 57 * 200
    assert said["found"] == [2]
    assert said["appended"] == 5
    assert said["moved"] == [[3, 1]]
    assert said["woken"] == 6 - 1
    assert said["status"] == {"messages": 5, "unseen": 3, "uidNext": 7}
    assert said["left"] == [1, 2, 5, 6]


def test_the_client_scripts_are_pinned():
    lock = json.loads((NPM / "package-lock.json").read_text())
    wanted = json.loads((NPM / "package.json").read_text())["dependencies"]
    assert wanted and all(re.fullmatch(r"[\d.]+", v) for v in wanted.values())
    assert all(p.get("integrity") for name, p in lock["packages"].items() if name)
    assert pathlib.Path(NPM / "session.mjs").exists()
