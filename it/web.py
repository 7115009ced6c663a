# SPDX-License-Identifier: ISC
"""A browser without a window, raw requests, and what a person does with a link."""
import hashlib
import html
import imaplib
import re
import socket
import ssl
import subprocess
import urllib.parse

from clamd import GTUBE, wait_for
from gatepost import SLOW, insecure, message

ALICE, BOB = "alice@example.test", "bob@example.test"
POSTMASTER = "postmaster@example.test"
PASSWORD = "correct horse"
FORM = "application/x-www-form-urlencoded"


# --- answers ---

class Answer:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.status = int(lines[0].split(" ")[1])
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.body = body
        self.text = body.decode()

    def get(self, name):
        values = [v for n, v in self.fields if n.lower() == name.lower()]
        assert len(values) <= 1, f"{name} comes {len(values)} times"
        return values[0] if values else None

    def hidden(self):
        """What forms of the page carry along."""
        return {html.unescape(name): html.unescape(value) for name, value in
                re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', self.text)}

    def heading(self):
        return html.unescape(re.search(r"<h1>(.*?)</h1>", self.text, re.S)[1])

    def words(self):
        """The page as a person reads it."""
        text = re.sub(r"<(script|title)\b.*?</\1>", " ", self.text, flags=re.S)
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text))).strip()


def answers(data, heads=0):
    """All answers in what was sent; those with an index in `heads` have no body."""
    out = []
    while data:
        assert b"\r\n\r\n" in data, data
        head, data = data.split(b"\r\n\r\n", 1)
        a = Answer(head, b"")
        if a.status == 100:
            continue
        length = 0 if a.status == 304 or heads else int(a.get("Content-Length"))
        assert len(data) >= length, "an answer was cut off"
        out.append(Answer(head, data[:length]))
        data = data[length:]
    return out


# --- connections ---

def connect(g, tls=True, timeout=30, seconds=20):
    """A connection; it waits for a house that is just being started."""
    made = []

    def attempt():
        try:
            s = socket.create_connection(("127.0.0.1", (443 if tls else 80) + g.offset), timeout * SLOW)
            made.append(insecure().wrap_socket(s, server_hostname=g.hostname) if tls else s)
        except OSError:
            return False
        return True

    assert wait_for(attempt, seconds * SLOW, 0.1), "nobody is at the door"
    return made[0]


def until_closed(s):
    """What comes until the other side closes; socket.timeout if it does not."""
    out = b""
    try:
        while got := s.recv(65536):
            out += got
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
        pass
    return out


def raw(g, data, tls=True, timeout=30):
    """Bytes said over one connection, and all that comes back until it is closed."""
    with connect(g, tls, timeout) as s:
        try:
            s.sendall(data)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            pass
        return until_closed(s)


def ask(g, method, path, fields=(), body=b"", tls=True):
    """One request over a connection of its own."""
    head = f"{method} {path} HTTP/1.1\r\n"
    names = {name.lower() for name, _ in fields}
    extra = [("Host", f"{g.hostname}:{443 + g.offset}")] if "host" not in names else []
    extra += [("Connection", "close")]
    if body and "content-length" not in names and "transfer-encoding" not in names:
        extra.append(("Content-Length", str(len(body))))
    head += "".join(f"{n}: {v}\r\n" for n, v in [*extra, *fields]) + "\r\n"
    got = answers(raw(g, head.encode() + body, tls), heads=method == "HEAD")
    assert len(got) == 1, [a.line for a in got]
    return got[0]


class Browser:
    """Keeps its cookie, says where a form comes from, as browsers do."""

    def __init__(self, g, language="en"):
        self.g, self.language, self.cookie = g, language, None

    def origin(self):
        return f"https://{self.g.hostname}:{443 + self.g.offset}"

    def ask(self, method, path, fields=(), body=b""):
        fields = [("Accept-Language", self.language), *fields]
        if self.cookie:
            fields.append(("Cookie", f"__Host-gatepost={self.cookie}"))
        a = ask(self.g, method, path, fields, body)
        if (line := a.get("Set-Cookie")):
            assert line.endswith("; Path=/; Secure; HttpOnly; SameSite=Strict")
            self.cookie = re.match(r"__Host-gatepost=([0-9a-z]{26});", line)[1]
        return a

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, form, fields=None):
        body = form if isinstance(form, bytes) else urllib.parse.urlencode(form).encode()
        if fields is None:
            fields = [("Origin", self.origin()), ("Sec-Fetch-Site", "same-origin")]
        return self.ask("POST", path, [("Content-Type", FORM), *fields], body)


# --- what people do ---

def spam(to=ALICE, subject="win", sender="someone@sender.example", body=""):
    return message(to, subject=subject, sender=sender, body=f"{GTUBE}\n{body}")


def token_of(g, text):
    found = re.findall(r"https://(\S+?)/r/(\w+)", text)
    assert len(found) == 1 and found[0][0] == f"{g.hostname}:{443 + g.offset}", text
    return found[0][1]


def refused(g, text=None, to=ALICE, sender="someone@sender.example"):
    """The token of a refusal."""
    code, said = g.send(to, text or spam(to, sender=sender), sender=sender)
    assert code == 550, said
    g.settle()
    return token_of(g, said)


def swaks(g, to=ALICE, text=None, sender="someone@sender.example"):
    """The same, sent by swaks, which ends the text with a line's end of its own."""
    text = text or spam(to, sender=sender)
    done = subprocess.run(["swaks", "--server", f"127.0.0.1:{g.port}", "--from", sender, "--to", to,
                           "--helo", "client.sender.example", "--data", "-"],
                          input=text.removesuffix("\n").encode(), capture_output=True, timeout=60 * SLOW)
    out = done.stdout.decode()
    assert done.returncode == 26 and re.search(r"<\*\* 550", out), out + done.stderr.decode()
    g.settle()
    return token_of(g, "\n".join(line for line in out.splitlines() if line.startswith("<**")))


def proof(stamp, bits):
    """The least counter that is good enough, as the page's script looks for it."""
    n = 0
    while True:
        digest = hashlib.sha256(f"{stamp}:{n}".encode()).digest()
        if int.from_bytes(digest[:4], "big") >> (32 - bits) == 0:
            return str(n)
        n += 1


def filled(page, note="It was a letter to a friend.", contact="someone@sender.example"):
    """The page's form as its script sends it."""
    form = page.hidden()
    form["proof"] = proof(form["stamp"], int(form["bits"])) if int(form["bits"]) else "0"
    return {**form, "note": note, "contact": contact}


def appeal(g, token, browser=None, **words):
    b = browser or Browser(g)
    page = b.get(f"/r/{token}")
    assert page.status == 200, page.line
    return b.post(f"/r/{token}/appeal", filled(page, **words))


def decide(g, token, decision, browser=None):
    b = browser or Browser(g)
    page = b.get(f"/d/{token}")
    assert page.status == 200, page.line
    return b.post(f"/d/{token}", {**page.hidden(), "decision": decision})


# --- letters, as a mail program gets them ---

def with_password(g, *addresses):
    for address in addresses:
        g.verb("account", "password", address, "--password-stdin", stdin=PASSWORD + "\n")


def over_imap(g, address):
    """All messages of the INBOX, over IMAPS."""
    made = []

    def attempt():
        try:
            i = imaplib.IMAP4_SSL("127.0.0.1", 993 + g.offset, ssl_context=insecure(), timeout=30 * SLOW)
            i.login(address, PASSWORD)
            made.append(i)
        except (OSError, imaplib.IMAP4.abort):
            return False
        return True

    assert wait_for(attempt, 20 * SLOW, 0.1)
    i = made[0]
    i.select("INBOX")
    uids = i.uid("SEARCH", "ALL")[1][0].split()
    out = [i.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1] for uid in uids]
    i.logout()
    return out


def wait_letters(g, address, count, seconds=20):
    """Its messages once there are so many."""
    found = []

    def there():
        found[:] = over_imap(g, address)
        return len(found) >= count

    wait_for(there, seconds * SLOW, 0.2)
    assert len(found) == count, [m.decode(errors="replace") for m in found]
    return found


def decider_links(text):
    return re.findall(r"^ *https://\S+/d/(\w+)$", text, re.M)
