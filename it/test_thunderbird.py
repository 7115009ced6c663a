# SPDX-License-Identifier: ISC
"""Thunderbird without a screen, told by Marionette to do what people do with mail, against
the real server; each test looks at both ends.  thunderbird.js is what is done in it."""
import base64
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from clamd import TOP, wait_for
from gatepost import SLOW, Gatepost, message
from test_imap_clients import MAIL, PASSWORD, fill, log_in

pytestmark = pytest.mark.skipif(not shutil.which("thunderbird"),
                                reason="thunderbird is missing; tools/packages.sh desktop installs it")
A = "alice@example.test"
SCRIPT = (TOP / "it" / "thunderbird.js").read_text()
PROFILE = """
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mail.shell.checkDefaultClient", false);
user_pref("mail.spotlight.firstRunDone", true);
user_pref("mailnews.start_page.enabled", false);
user_pref("mailnews.confirm.moveFoldersToTrash", false);
user_pref("marionette.port", 0);
user_pref("mail.accountmanager.accounts", "account1");
user_pref("mail.accountmanager.defaultaccount", "account1");
user_pref("mail.account.account1.server", "server1");
user_pref("mail.account.account1.identities", "id1");
user_pref("mail.identity.id1.useremail", "{user}");
user_pref("mail.identity.id1.fullName", "Alice");
user_pref("mail.identity.id1.valid", true);
user_pref("mail.identity.id1.smtpServer", "smtp1");
user_pref("mail.smtpservers", "smtp1");
user_pref("mail.smtp.defaultserver", "smtp1");
user_pref("mail.smtpserver.smtp1.hostname", "127.0.0.1");
user_pref("mail.smtpserver.smtp1.port", {smtp});
user_pref("mail.smtpserver.smtp1.type", "smtp");
user_pref("mail.smtpserver.smtp1.try_ssl", 0);
user_pref("mail.smtpserver.smtp1.authMethod", 1);
user_pref("mail.server.server1.hostname", "127.0.0.1");
user_pref("mail.server.server1.port", {imaps});
user_pref("mail.server.server1.type", "imap");
user_pref("mail.server.server1.userName", "{user}");
user_pref("mail.server.server1.name", "gatepost");
user_pref("mail.server.server1.socketType", 3);
user_pref("mail.server.server1.authMethod", 3);
user_pref("mail.server.server1.login_at_startup", false);
user_pref("mail.server.server1.use_idle", true);
user_pref("mail.server.server1.autosync_offline_stores", false);
user_pref("mail.server.server1.use_condstore", {condstore});
"""


class Thunderbird:
    """It, and what Marionette says: a length, a colon, JSON."""

    def __init__(self, g, home, condstore=False):
        home.mkdir(exist_ok=True)
        (home / "user.js").write_text(PROFILE.format(
            user=A, smtp=g.port, imaps=993 + g.offset, condstore=str(condstore).lower()))
        self.certificate = base64.b64encode(ssl.PEM_cert_to_DER_cert(
            ssl.get_server_certificate(("127.0.0.1", 993 + g.offset)))).decode()
        self.at = home / "MarionetteActivePort"
        self.at.unlink(missing_ok=True)
        with open(home / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["thunderbird", "--headless", "--no-remote", "--profile", home, "--marionette",
                 "-remote-allow-system-access"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={"HOME": str(home), "PATH": os.environ["PATH"],
                                             "LC_ALL": "C.UTF-8", "TZ": "UTC"})
        try:
            assert wait_for(self.connect, 60 * SLOW, 0.1), "no Marionette"
            self.hear()
            self.call("WebDriver:NewSession")
            self.call("WebDriver:SetTimeouts", script=40000 * SLOW)
            self.call("Marionette:SetContext", value="chrome")
            assert wait_for(lambda: self.call("WebDriver:ExecuteScript", args=[], script="""
                return !!Services.wm.getMostRecentWindow("mail:3pane")?.msgWindow"""), 30 * SLOW, 0.1), "no window"
        except BaseException:
            self.close()
            raise

    def connect(self):
        try:
            self.sock = socket.create_connection(("127.0.0.1", int(self.at.read_text())), 60 * SLOW)
        except (OSError, ValueError):
            return False
        self.file = self.sock.makefile("rb")
        return True

    def hear(self):
        size = b""
        while (c := self.file.read(1)) != b":":
            assert c, "Thunderbird hung up"
            size += c
        return json.loads(self.file.read(int(size)))

    def call(self, name, **arguments):
        text = json.dumps([0, 1, name, arguments]).encode()
        self.sock.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self.hear()
        assert not error, error
        return (result or {}).get("value")

    def do(self, step, given=None, **more):
        said = self.call("WebDriver:ExecuteAsyncScript", script=SCRIPT,
                         args=[step, more if given is None else given])
        assert not (isinstance(said, str) and said.startswith("error: ")), f"{step}: {said}"
        return said

    def log_in(self):
        return self.do("login", certificate=self.certificate, password=PASSWORD)

    def seen(self, box="INBOX"):
        """What its window has, by the first word of the subject; nothing is asked for."""
        return {word(row["subject"]): row for row in self.do("seen", box)}

    def sees(self, what, box="INBOX"):
        """Waits until what(seen) is true."""
        assert wait_for(lambda: what(self.seen(box)), 20 * SLOW, 0.1), self.seen(box)

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(20 * SLOW)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()


def word(subject):
    return re.split(r"[: ]", subject)[0]


@pytest.fixture(scope="module")
def server():
    g = Gatepost(server="plain_loopback = yes")
    try:
        g.verb("domain", "add", "example.test")
        g.verb("account", "add", A, "--password-stdin", stdin=PASSWORD + "\n")
        fill(log_in(g.start(), A))
        yield g
        g.audit()
    finally:
        print(g.log()[-3000:])
        g.remove()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("thunderbird") / "profile"


@pytest.fixture(scope="module")
def bird(server, home):
    b = Thunderbird(server, home)
    try:
        b.welcome = b.log_in()
        yield b
    finally:
        b.close()


def put(g, subject, flags="", body="what it says", box="INBOX"):
    i = log_in(g, A)
    assert i.append(box, f"({flags})", None, text(subject, body))[0] == "OK"
    i.logout()


def text(subject, body="what it says"):
    return (f"From: bob@sender.example\r\nTo: {A}\r\nSubject: {subject}\r\n"
            f"Message-ID: <{subject}@sender.example>\r\n\r\n{body}\r\n").encode()


def kept(g, box="INBOX"):
    """{subject: flags} of what the server has."""
    i, found = log_in(g, A), {}
    if i.select(f'"{box}"', readonly=True)[0] == "OK":
        for row in i.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
            if isinstance(row, tuple):
                flags = set(re.search(r"FLAGS \((.*?)\)", row[0].decode())[1].split())
                found[word(row[1].decode().split(": ", 1)[1].strip())] = flags - {"\\Recent"}
    i.logout()
    return found


def names(g):
    return {row["name"] for row in g.rows("mailbox", "list", A)}


def keeps(g, what, box="INBOX"):
    """Waits until what(kept) is true: Thunderbird tells the server when it has time."""
    assert wait_for(lambda: what(kept(g, box)), 20 * SLOW, 0.1), kept(g, box)


def test_it_finds_the_folders_and_what_each_is_for(bird):
    assert bird.welcome == {"folders": ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"],
                            "special": ["Sent", "Drafts", "Trash", "Junk", "Archive"]}


def test_it_lists_and_reads_every_message_whole(bird):
    seen = bird.seen()
    assert [seen[s]["size"] for s in ("one", "two", "three", "four")] == [len(m) for m in MAIL]
    assert seen["two"]["subject"] == "two: Grüße"
    assert not seen["one"]["read"] and seen["two"]["read"] and seen["three"]["flagged"]
    for subject, want in zip(("one", "two", "three", "four"), MAIL):
        assert without_status(bird.do("read", subject=subject, box="INBOX")) == want


def without_status(said):
    """A message, without the lines that Thunderbird writes in front of it."""
    return re.sub(rb"\A(X-Mozilla-[^\n]*\n)+", b"", said.encode("latin-1"))


def test_a_message_that_is_opened_is_shown_and_read(server, bird):
    put(server, "opened", body="Plain words.")
    bird.sees(lambda seen: "opened" in seen)
    assert bird.do("show", "opened").endswith("Plain words.")
    keeps(server, lambda kept: kept["opened"] == {"\\Seen"})
    bird.sees(lambda seen: seen["opened"]["read"])


def test_marks_go_both_ways(server, bird):
    put(server, "marked", "\\Seen")
    bird.sees(lambda seen: "marked" in seen)
    bird.do("mark", subject="marked", read=False, flagged=True, keyword="$label1")
    keeps(server, lambda kept: kept["marked"] == {"\\Flagged", "$label1"})
    i = log_in(server, A)
    i.select()
    uid = i.uid("SEARCH", "SUBJECT", "marked")[1][0].decode()
    i.uid("STORE", uid, "FLAGS", "(\\Seen $label2)")
    bird.sees(lambda seen: seen["marked"]["read"] and not seen["marked"]["flagged"] and
              seen["marked"]["keywords"] == ["$label2"])
    i.uid("STORE", uid, "+FLAGS", "(\\Deleted)")
    i.expunge()
    i.logout()
    bird.sees(lambda seen: "marked" not in seen)


def test_new_mail_appears_while_it_idles(server, bird):
    assert server.send(A, message(A, subject="fresh from outside"))[0] == 250
    bird.sees(lambda seen: "fresh" in seen and not seen["fresh"]["read"])


def test_it_copies_moves_and_throws_away(server, bird):
    for subject in ("copied", "moved", "thrown"):
        put(server, subject)
    bird.sees(lambda seen: {"copied", "moved", "thrown"} <= set(seen))
    bird.do("copy", subject="copied", to="Archive", move=False)
    bird.do("copy", subject="moved", to="Junk", move=True)
    bird.do("remove", subject="thrown", model=1)
    keeps(server, lambda kept: "copied" in kept and not {"moved", "thrown"} & set(kept))
    for box, subject in (("Archive", "copied"), ("Junk", "moved"), ("Trash", "thrown")):
        assert [word(row["subject"]) for row in bird.do("list", box)] == [subject]
        assert server.texts(A, box) == [text(subject)]
    bird.do("empty_trash")
    keeps(server, lambda kept: not kept, "Trash")


def test_what_is_only_marked_deleted_goes_when_it_compacts(server, bird):
    for subject in ("doomed", "spared"):
        put(server, subject)
    bird.sees(lambda seen: {"doomed", "spared"} <= set(seen))
    bird.do("remove", subject="doomed", model=0)
    keeps(server, lambda kept: "\\Deleted" in kept["doomed"])
    bird.do("compact", "INBOX")
    keeps(server, lambda kept: "doomed" not in kept and kept["spared"] == set())
    bird.sees(lambda seen: "doomed" not in seen and "spared" in seen)


def test_folders_of_any_name_are_made_renamed_filled_and_removed(server, bird):
    bird.do("create", name="Grüße & mehr")
    bird.do("create", name="below", parent="Grüße & mehr")
    put(server, "filed")
    bird.sees(lambda seen: "filed" in seen)
    bird.do("copy", subject="filed", to="below", move=True)
    bird.do("rename", name="Grüße & mehr", to="Entwürfe~")
    assert {"Entwürfe~", "Entwürfe~/below"} <= names(server)
    assert "Grüße & mehr" not in names(server)
    assert [row["subject"] for row in bird.do("list", "below")] == ["filed"]
    assert server.texts(A, "Entwürfe~/below") == [text("filed")]
    bird.do("remove_folder", name="below", to="Trash")
    assert server.texts(A, "Trash/below") == [text("filed")]
    bird.do("empty_trash")
    assert wait_for(lambda: "Trash/below" not in names(server), 20 * SLOW, 0.1), names(server)


def test_a_draft_is_saved(server, bird):
    bird.do("save", to="Drafts", text=text("draft").decode(), draft=True)
    bird.sees(lambda seen: set(seen) == {"draft"}, "Drafts")
    assert server.texts(A, "Drafts") == [text("draft")]
    assert "\\Draft" in kept(server, "Drafts")["draft"]


def test_what_it_sends_is_received_and_kept_in_sent(server, bird):
    bird.do("send", to=A, text=text("dispatched").decode())
    bird.sees(lambda seen: "dispatched" in seen)
    assert [row["subject"] for row in bird.do("list", "Sent")] == ["dispatched"]
    keeps(server, lambda kept: kept["dispatched"] == {"\\Seen"}, "Sent")
    assert server.texts(A, "Sent")[0].endswith(b"\r\n\r\nwhat it says\r\n")


def test_it_searches_on_the_server(server, bird):
    put(server, "sought", body="a quince, among others")
    bird.sees(lambda seen: "sought" in seen)
    assert bird.do("search", box="INBOX", attribute="Body", value="quince") == ["sought"]
    assert bird.do("search", box="INBOX", attribute="Subject", value="Grüße") == ["two: Grüße"]
    assert bird.do("search", box="INBOX", attribute="Body", value="no such word") == []


def test_a_message_of_megabytes_arrives_whole(server, bird):
    put(server, "huge", body="\r\n".join("%070d" % n for n in range(70000)))
    bird.sees(lambda seen: "huge" in seen)
    assert without_status(bird.do("read", subject="huge", box="INBOX")) == \
        text("huge", "\r\n".join("%070d" % n for n in range(70000)))


def test_a_folder_is_downloaded_and_then_read_from_disk(server, bird):
    for n in range(40):
        put(server, f"kept{n}", body=f"number {n}", box="Archive")
    bird.do("list", "Archive")
    bird.do("download", "Archive")
    for n in range(40):
        got = bird.do("read", subject=f"kept{n}", box="Archive", local=True)
        assert without_status(got).replace(b"\r\n", b"\n") == \
            text(f"kept{n}", f"number {n}").replace(b"\r\n", b"\n")


def test_with_condstore_it_learns_at_its_next_start_what_changed(server, bird, home):
    put(server, "before")
    bird.sees(lambda seen: "before" in seen)
    bird.close()
    b = Thunderbird(server, home, condstore=True)
    try:
        b.log_in()
        b.sees(lambda seen: "before" in seen)
    finally:
        b.close()
    i = log_in(server, A)
    i.select()
    uid = i.uid("SEARCH", "SUBJECT", "before")[1][0].decode()
    i.uid("STORE", uid, "+FLAGS", "(\\Flagged \\Answered)")
    uid = i.uid("SEARCH", "SUBJECT", "two")[1][0].decode()
    i.uid("STORE", uid, "+FLAGS", "(\\Deleted)")
    i.expunge()
    i.logout()
    put(server, "after")
    b = Thunderbird(server, home, condstore=True)
    try:
        b.log_in()
        b.sees(lambda seen: seen["before"]["flagged"] and "after" in seen and "two" not in seen)
        assert set(b.seen()) == set(kept(server))
    finally:
        b.close()
