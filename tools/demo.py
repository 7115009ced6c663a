#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""make demo: the server at work, from nothing to a read message.

Makes an instance in build/demo, starts it with a real clamd, sends mail with
swaks over STARTTLS and shows what was answered.  On a terminal it goes on
serving until Ctrl-C; otherwise it ends with 0 only if all went as promised.
"""
import base64
import email
import email.policy
import imaplib
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import zipfile

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "it"))

from clamd import CLAMD, EICAR, GTUBE, Clamd, wait_for  # noqa: E402
from gatepost import free  # noqa: E402

BINARY = TOP / "build" / "gatepost"
DEMO = TOP / "build" / "demo"
CONF = DEMO / "gatepost.conf"
OFFSET = int(os.environ.get("GATEPOST_DEMO_OFFSET", "20000"))
PORT = 25 + OFFSET
PASSWORD = "correct horse battery staple"
HTML = """<html><body><h1>Minutes</h1>
<p>Dear Alice, the minutes of Monday are <b>attached</b>.</p></body></html>
"""
MINUTES = "Minutes of Monday\n" * 20

broken = []


def say(text=""):
    print(text, flush=True)


def promise(kept, what):
    if not kept:
        broken.append(what)
        say(f"  NOT AS PROMISED: {what}")
    return kept


def run(*words, stdin=None):
    """A verb, shown as one would type it; its output."""
    say(f"$ gatepost -c build/demo/gatepost.conf {' '.join(words)}")
    done = subprocess.run([BINARY, "-c", CONF, *words], capture_output=True, text=True,
                          errors="replace", input=stdin)
    promise(done.returncode == 0, f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def show(text, most=12):
    lines = text.splitlines()
    for line in lines[:most]:
        say("    " + line)
    if len(lines) > most:
        say(f"    … {len(lines) - most} more lines")


def init(clamd):
    shutil.rmtree(DEMO, ignore_errors=True)
    say(f"$ gatepost init build/demo --hostname mx.example.test --port-offset {OFFSET}")
    subprocess.run([BINARY, "init", DEMO, "--hostname", "mx.example.test", "--port-offset",
                    str(OFFSET)], check=True)
    with open(CONF, "a") as f:
        f.write(f"\n[clamav]\nsocket = {clamd.socket}\nconf = {clamd.conf}\n")


class Server:
    def __init__(self):
        self.log = open(DEMO / "log", "w+")
        self.process = subprocess.Popen([BINARY, "-c", CONF, "serve"], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT)
        started = wait_for(lambda: self.process.poll() is not None or not free(PORT), 30)
        if not started or self.process.poll() is not None:
            sys.exit("gatepost did not start:\n" + (DEMO / "log").read_text())
        say("$ gatepost -c build/demo/gatepost.conf serve   (its log: build/demo/log)")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        promise(code == 0, f"the server ended with {code}")


# --- what is sent --------------------------------------------------------------


def files(folder):
    """Attachments; the virus scanners' test strings are put together here."""
    (folder / "page.html").write_text(HTML)
    (folder / "minutes.txt").write_text(MINUTES)
    (folder / "gtube.txt").write_text(GTUBE + "\n")
    (folder / "eicar.com").write_text(EICAR)
    with zipfile.ZipFile(folder / "eicar.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("eicar.com", EICAR)
    (folder / "hidden.eml").write_text(hidden())


def hidden():
    """A file that readers show and clamd alone does not find: two boundaries, of which
    programs take different ones."""
    file = base64.encodebytes(EICAR.encode()).decode()
    return ("From: Bob <bob@sender.example>\nTo: alice@example.test\nSubject: two boundaries\n"
            "Date: Mon, 23 Nov 2026 10:00:00 +0000\nMessage-ID: <1@sender.example>\n"
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=seen; boundary=real\n\n"
            "--seen\nContent-Type: text/plain\n\nhello\n--seen--\n"
            "--real\nContent-Type: application/octet-stream; name=eicar.com\n"
            f"Content-Transfer-Encoding: base64\n\n{file}\n--real--\n")


def letters(folder):
    """(what, recipient, swaks options, pattern of the answer that is promised)"""
    attach = "--attach-type application/octet-stream --attach-name {0} --attach @{1}/{0}"
    return [
        ("clean HTML, attachment", "sales@example.test",
         f"--attach-type text/html --attach-body @{folder}/page.html "
         "--attach-type text/plain --attach-name minutes.txt "
         f"--attach @{folder}/minutes.txt", r"250 2\."),
        ("GTUBE", "alice@example.test", f"--body @{folder}/gtube.txt", r"550 5\.7\.\d+ .*https://"),
        ("EICAR attached", "alice@example.test", attach.format("eicar.com", folder),
         r"550 5\.7\.\d+ .*https://"),
        ("EICAR in a zip", "alice@example.test", attach.format("eicar.zip", folder),
         r"550 5\.7\.\d+ .*https://"),
        ("EICAR, two boundaries", "alice@example.test", f"--data @{folder}/hidden.eml",
         r"550 5\.7\.\d+ .*https://"),
        ("unknown recipient", "nobody@example.test", "", r"550 5\.1\.1"),
        ("relay", "someone@elsewhere.example", "", r"550 5\.7\.1"),
    ]


def swaks(to, options):
    """The answer that decided: of the last dot, or of the recipient."""
    done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(PORT), "--tls",
        "--helo", "client.sender.example", "--from", "bob@sender.example", "--to", to,
        "--h-From", "Bob <bob@sender.example>", "--h-Subject", "Minutes", *options.split()],
        capture_output=True, text=True, errors="replace")
    answers = [m[1] for m in re.finditer(r"^<[-~*]{1,2} +(\d{3}[ -].*)$", done.stdout, re.M)]
    answers = [a for a in answers if not a.startswith(("221", "354"))]
    refused = [a for a in answers if a[0] in "45"]
    promise("TLS started" in done.stdout, f"swaks did not speak TLS: {done.stdout[-2000:]}")
    return (refused or answers or ["(no answer)"])[-1]


def send_all(folder):
    rows = []
    for what, to, options, expected in letters(folder):
        answer = swaks(to, options)
        good = re.match(expected, answer)
        rows.append((what, to, answer, "as promised" if good else "WRONG"))
        if not good:
            broken.append(f"{what}: {answer}")
    say(f"\n{'sent':<24} {'to':<26} answered")
    for what, to, answer, verdict in rows:
        say(f"{what:<24} {to:<26} {answer}   [{verdict}]")
    say()


# --- what is there afterwards ----------------------------------------------------


def read_back():
    wait_for(lambda: len(mailbox()) >= 1, 10)
    promise(len(mailbox()) == 1, f"one message in alice's mailbox, not {len(mailbox())}")
    show(run("mailbox", "list", "alice@example.test", "INBOX"))
    uid = str(mailbox()[0]["uid"]) if mailbox() else "1"
    text = run("mailbox", "read", "alice@example.test", "INBOX", uid)
    show(re.sub(r"(?m)^X-Gatepost-Pad:.*\n", "", text), 40)
    mail = email.message_from_string(text, policy=email.policy.default)
    parts = [part.get_content().replace("\r\n", "\n").strip() for part in mail.iter_parts()]
    promise(parts == [HTML.strip(), MINUTES.strip()], "the clean mail is as it was sent")
    promise("Received: from client.sender.example" in text, "it has our Received field")


def release():
    """What was refused is not gone: somebody says that it was no spam."""
    show(run("refusal", "list"))
    listed = subprocess.run([BINARY, "-c", CONF, "refusal", "list", "--json"],
                            capture_output=True, text=True).stdout
    names = [r["id"] for r in map(json.loads, listed.splitlines()) for r in
             (r if isinstance(r, list) else [r]) if "GTUBE" in json.dumps(r)]
    promise(len(names) == 1, "the message with GTUBE is held")
    show(run("refusal", "release", *names[:1]))
    promise(len(mailbox()) == 2, "its original is in the mailbox now")


def read_with_imap():
    """As a mail program does, which trusts our own CA."""
    say(f"Alice's mail program reads it, over TLS on port {993 + OFFSET}:")
    trust = ssl.create_default_context(cafile=DEMO / "keys" / "ca.crt")
    trust.check_hostname = False    # it is called by its address here
    with imaplib.IMAP4_SSL("127.0.0.1", 993 + OFFSET, ssl_context=trust) as i:
        i.login("alice@example.test", PASSWORD)
        i.select("INBOX")
        _, found = i.search(None, "TEXT", '"minutes of monday"')
        say(f"    SEARCH TEXT \"minutes of monday\": message {found[0].decode()}")
        _, answer = i.fetch("1:*", "(FLAGS ENVELOPE)")
        show("\n".join(a.decode() for a in answer))
    promise(found == [b"1"] and len(answer) == 2, "IMAP finds the minutes, and both messages")


def mailbox():
    done = subprocess.run([BINARY, "-c", CONF, "mailbox", "list", "alice@example.test", "INBOX",
                           "--json"], capture_output=True, text=True)
    return json.loads(done.stdout or "[]")


def story(folder):
    run("domain", "add", "example.test")
    run("account", "add", "alice@example.test", "--password-stdin", stdin=PASSWORD + "\n")
    run("alias", "add", "sales@example.test", "alice@example.test")
    show(run("explain", "sales@example.test"))
    send_all(folder)
    read_back()
    say()
    ledger = run("ledger")
    show(ledger, 40)
    promise("GTUBE" in ledger and "alice@example.test" in ledger, "the ledger tells all of it")
    say()
    release()
    say()
    read_with_imap()
    say()
    show(run("audit"))


def serve_on(server):
    say(f"\nServing on 127.0.0.1:{PORT}; Ctrl-C ends it. Try:")
    say(f"  swaks --server 127.0.0.1 --port {PORT} --tls --to sales@example.test")
    say("  build/gatepost -c build/demo/gatepost.conf mailbox list alice@example.test INBOX")
    try:
        server.process.wait()
    except KeyboardInterrupt:
        pass


def main():
    for tool in (CLAMD, shutil.which("swaks")):
        if not tool:
            sys.exit("clamd or swaks is missing: run ./demo.sh as root once, it installs them.")
    if not free(PORT):
        sys.exit(f"Something listens on port {PORT} already; end it first.")
    if os.geteuid() == 0:       # then each process switches to a user of its own
        subprocess.run([TOP / "tools" / "users.sh"], check=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-demo-", dir="/tmp"))
    clamd = server = None
    try:
        files(folder)
        clamd = Clamd(big=True)
        say("Starting clamd" + (" with the machine's databases (this takes a while)"
                                if clamd.big else " with the small EICAR database"))
        clamd.start()
        init(clamd)
        server = Server()
        story(folder)
        if sys.stdin.isatty() and sys.stdout.isatty():
            serve_on(server)
    finally:
        if server and server.process.poll() is None:
            server.stop()
        if clamd:
            clamd.remove()
        shutil.rmtree(folder, ignore_errors=True)
    say("\nAll went as promised." if not broken else "\nNot as promised:\n  " + "\n  ".join(broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
