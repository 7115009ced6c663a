# SPDX-License-Identifier: ISC
"""The real daemon in a temporary folder, and the clients that talk to it."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from clamd import TOP, wait_for

BUILD = TOP / os.environ.get("GATEPOST_BUILD", "build")
BINARY = BUILD / "gatepost"
LOAD = BUILD / "bench" / "load"
SLOW = 5 if "asan" in BUILD.name or "tsan" in BUILD.name else 1
MEASURED = SLOW == 1        # sanitizers keep what was freed: memory says nothing then
STANDARD = [25, 465, 587, 110, 143, 993, 995, 443, 80]


def free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


_taken = set()


def free_offset():
    """A port_offset whose ports nobody has, below those that clients are given."""
    for _ in range(1000):
        offset = random.randrange(9000, 31000)
        ports = {port + offset for port in STANDARD}
        if not ports & _taken and all(free(port) for port in ports):
            _taken.update(ports)
            return offset
    raise RuntimeError("no free ports")


def give_back(offset):
    _taken.difference_update(port + offset for port in STANDARD)


class Failed(Exception):
    """A verb that did not end with 0: .code, .out, .err"""

    def __init__(self, words, done):
        super().__init__(f"gatepost {' '.join(words)}: exit {done.returncode}: "
                         f"{done.stderr.strip()} {done.stdout.strip()}")
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


class Gatepost:
    """One instance.  `settings` is text put into gatepost.conf after init's; a
    line before the first [section] may be given in `server`."""

    def __init__(self, hostname="mx.example.test", clamd=None, settings="", server="",
                 folder=None):
        self.own = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="gatepost-it-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.dir = self.folder / "gp"
        self.conf = self.dir / "gatepost.conf"
        self.data = self.dir / "data"
        self.hostname = hostname
        self.offset = free_offset()
        self.port = 25 + self.offset
        self.process = None
        self.lines = []
        self.arrived = threading.Condition()
        self._run(["init", str(self.dir), "--hostname", hostname,
                   "--port-offset", str(self.offset)])
        self.configure(clamd, settings, server)

    # --- settings -----------------------------------------------------------

    def configure(self, clamd=None, settings="", server=""):
        """Writes gatepost.conf anew, from what a test wants to differ."""
        sections = {"": [f"hostname = {self.hostname}", f"port_offset = {self.offset}"]}
        if os.environ.get("GATEPOST_SANDBOX"):
            sections["sandbox"] = ["mode = " + os.environ["GATEPOST_SANDBOX"]]
        sections["clamav"] = [f"socket = {clamd.socket if hasattr(clamd, 'socket') else clamd or ''}"]
        if hasattr(clamd, "conf"):
            sections["clamav"].append(f"conf = {clamd.conf}")
        self._merge(sections, server)
        self._merge(sections, settings)
        text = ""
        for name, lines in sections.items():
            text += (f"[{name}]\n" if name else "") + "\n".join(lines) + "\n"
        self.conf.write_text(text)

    @staticmethod
    def _merge(sections, text):
        section = ""
        for line in text.splitlines():
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            m = re.fullmatch(r"\[(\w+)\]", line)
            if m:
                section = m[1]
                continue
            key = line.split("=")[0].strip()
            kept = [l for l in sections.get(section, []) if l.split("=")[0].strip() != key]
            sections[section] = kept + [line]

    # --- the daemon ---------------------------------------------------------

    def start(self, seconds=20):
        assert not self.process
        self.process = subprocess.Popen([str(BINARY), "-c", str(self.conf), "serve"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self._read_log, args=(self.process,), daemon=True).start()
        ready = wait_for(lambda: self.process.poll() is not None or self.greets(),
                         seconds * SLOW, 0.05)
        if not ready or self.process.poll() is not None:
            raise RuntimeError("gatepost did not start:\n" + self.log())
        return self

    def _read_log(self, process):
        for line in process.stdout:
            with self.arrived:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.arrived.notify_all()

    def log(self):
        return "\n".join(self.lines)

    def wait_log(self, pattern, seconds=20, since=0):
        """The first line from `since` on in which the pattern is found."""
        until = time.monotonic() + seconds * SLOW
        n = since
        with self.arrived:
            while True:
                while n < len(self.lines):
                    if re.search(pattern, self.lines[n]):
                        return self.lines[n]
                    n += 1
                left = until - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"no log line with {pattern!r}:\n" + self.log()[-4000:])
                self.arrived.wait(left)

    def greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.settimeout(5)
                return s.recv(100).startswith(b"220")
        except OSError:
            return False

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self, seconds=60):
        """SIGTERM; its exit status."""
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(seconds * SLOW)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("SIGTERM did not end it:\n" + self.log()[-4000:])
        code, self.process = self.process.returncode, None
        return code

    def ends(self, seconds=60):
        """Waits until it has ended by itself; its exit status."""
        code, self.process = self.process.wait(seconds * SLOW), None
        return code

    def kill(self):
        """kill -9 of the manager, and of what might be left of its children."""
        pids = self.descendants()
        for pid in [self.process.pid] + pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None

    def descendants(self):
        out, todo = [], [self.process.pid]
        while todo:
            for child in children(todo.pop()):
                out.append(child)
                todo.append(child)
        return out

    def pids(self, role):
        """Processes of a role: "manager", "gate", "house", "scanner"."""
        if role == "manager":
            return [self.process.pid]
        # not just the word: "gate" stands in everybody's "gatepost"
        return [pid for pid in self.descendants() if f"--child {role} " in role_of(pid)]

    def signal(self, role, number):
        pids = self.pids(role)
        for pid in pids:
            os.kill(pid, number)
        return pids

    def remove(self):
        try:
            if self.process:
                self.stop()
        finally:
            give_back(self.offset)
            if self.own and not os.environ.get("GATEPOST_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)

    # --- verbs --------------------------------------------------------------

    @staticmethod
    def _run(words, stdin=None, check=True, timeout=120):
        done = subprocess.run([str(BINARY), *words], input=stdin, capture_output=True, text=True,
                              timeout=timeout * SLOW, errors="replace")
        if check and done.returncode:
            raise Failed(words, done)
        return done

    def verb(self, *words, stdin=None):
        """Standard output of a verb; Failed when it was not done."""
        return self._run(["-c", str(self.conf), *map(str, words)], stdin).stdout

    def fails(self, *words, stdin=None):
        """A verb that must not be done: its exit status and sentence."""
        done = self._run(["-c", str(self.conf), *map(str, words)], stdin, check=False)
        assert done.returncode != 0, f"{words} was done: {done.stdout}"
        return done.returncode, done.stderr.strip()

    def json(self, *words):
        """What a verb says with --json; a line each becomes a list."""
        lines = [l for l in self.verb(*words, "--json").splitlines() if l.strip()]
        values = [json.loads(l) for l in lines]
        return values[0] if len(values) == 1 else values

    def rows(self, *words):
        """The same, always as a list of rows.  The ledger knows by then all that was
        answered."""
        if words[0] == "ledger" and self.process:
            self.settle()
        value = self.json(*words)
        if isinstance(value, list):
            return value
        for key in ("rows", "messages", "accounts", "domains", "mailboxes", "aliases"):
            if isinstance(value.get(key), list):
                return value[key]
        return [value]

    def people(self, *addresses, domain="example.test"):
        """A domain with accounts that have no password."""
        self.verb("domain", "add", domain)
        for address in addresses:
            self.verb("account", "add", address)

    def audit(self):
        self.verb("audit")

    # --- clients ------------------------------------------------------------

    def smtp(self, tls=False, helo="client.sender.example", timeout=60):
        s = smtplib.SMTP("127.0.0.1", self.port, local_hostname=helo, timeout=timeout)
        s.ehlo()
        if tls:
            s.starttls(context=insecure())
            s.ehlo()
        return s

    def raw(self, timeout=30):
        return Raw(self.port, timeout)

    def send(self, to, text=None, sender="someone@sender.example", subject="hello", tls=False):
        """Delivers over a connection of its own; (code, sentence) after the last dot,
        or of the first recipient when none was taken."""
        text = message(to, subject=subject, sender=sender) if text is None else text
        data = text if isinstance(text, bytes) else text.encode()
        with self.smtp(tls) as s:
            code, reply = s.mail(sender)
            if code != 250:
                return code, reply.decode()
            answers = [s.rcpt(a) for a in ([to] if isinstance(to, str) else to)]
            if all(code != 250 for code, _ in answers):
                return answers[0][0], answers[0][1].decode()
            code, reply = s.data(re.sub(rb"(?<!\r)\n", b"\r\n", data))
            return code, reply.decode()

    # --- what is in a mailbox -----------------------------------------------

    def mail(self, address, mailbox="INBOX"):
        """Rows of the mailbox's messages, by UID."""
        return self.rows("mailbox", "list", address, mailbox)

    def read(self, address, uid, mailbox="INBOX"):
        """One message, whole, as bytes."""
        done = subprocess.run([str(BINARY), "-c", str(self.conf), "mailbox", "read", address,
                               mailbox, str(uid)], capture_output=True, timeout=60 * SLOW)
        if done.returncode:
            raise AssertionError(done.stderr.decode())
        return done.stdout

    def settle(self):
        """Waits until everything that was answered is in its mailbox and the ledger."""
        def done():
            now = self.json("status")
            return now["applied"] >= now["synced"]
        assert wait_for(done, 20 * SLOW), self.verb("status")

    def texts(self, address, mailbox="INBOX"):
        return [self.read(address, row["uid"], mailbox) for row in self.mail(address, mailbox)]

    def wait_mail(self, address, count, mailbox="INBOX", seconds=20):
        """Waits until so many messages are there (applying follows the answer by
        milliseconds); the rows."""
        wait_for(lambda: len(self.mail(address, mailbox)) >= count, seconds * SLOW)
        rows = self.mail(address, mailbox)
        assert len(rows) == count, f"{address} has {len(rows)} messages, not {count}: {rows}"
        return rows


def insecure():
    """A TLS context that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def children(pid):
    out = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                out += [int(word) for word in f.read().split()]
    except OSError:
        pass
    return out


def role_of(pid):
    """What a process calls itself: its name and its command line."""
    try:
        with open(f"/proc/{pid}/comm") as f:
            comm = f.read().strip()
        with open(f"/proc/{pid}/cmdline") as f:
            return comm + " " + f.read().replace("\0", " ")
    except OSError:
        return ""


def message(to, subject="hello", sender="someone@sender.example", body="Good morning.\n",
            headers=""):
    to = to if isinstance(to, str) else ", ".join(to)
    return (f"From: Someone <{sender}>\nTo: {to}\nSubject: {subject}\n"
            f"Date: Mon, 23 Nov 2026 10:00:00 +0000\n"
            f"Message-ID: <{abs(hash((subject, body, time.monotonic_ns())))}@sender.example>\n"
            f"{headers}\n{body}")


class Raw:
    """A socket that says and hears bytes."""

    def __init__(self, port, timeout=30):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.settimeout(timeout)
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def line(self):
        """One line without its end; None at the end of the stream."""
        while b"\n" not in self.buffer:
            try:
                got = self.sock.recv(65536)
            except ConnectionResetError:
                got = b""
            if not got:
                return None
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r").decode(errors="replace")

    def reply(self):
        """One reply, however many lines; '' at the end of the stream."""
        lines = []
        while True:
            line = self.line()
            if line is None:
                return "\n".join(lines)
            lines.append(line)
            if len(line) < 4 or line[3] != "-":
                return "\n".join(lines)

    def expect(self, pattern):
        reply = self.reply()
        assert re.match(pattern, reply), f"expected {pattern!r}, heard {reply!r}"
        return reply

    def say(self, text, pattern=None):
        self.send(text + "\r\n")
        return self.expect(pattern) if pattern else self.reply()

    def closed(self):
        """True when the peer closes within the timeout, having said nothing more."""
        try:
            return self.line() is None
        except socket.timeout:
            return False

    def start_tls(self):
        self.sock = insecure().wrap_socket(self.sock, server_hostname="mx.example.test")
        self.buffer = b""

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
