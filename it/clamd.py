# SPDX-License-Identifier: ISC
"""A real clamd of our own, and one that lies.

Debian's AppArmor profile lets clamd reach little more than /tmp, so everything
of it lives there: settings, databases, log, socket.
"""
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
SIGNATURES = TOP / "tools" / "clamav"
DEBIAN = pathlib.Path("/var/lib/clamav")
CLAMD = shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))

# In pieces, so that no virus scanner trips over this file.
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!" + "$H+H*"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-" + "UBE-TEST-EMAIL*C.34X"


def wait_for(what, seconds=20, step=0.02):
    """Calls what() until it is true; its last value."""
    until = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > until:
            return value
        time.sleep(step)


def takes_connections(path):
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(str(path))
            return True
        except OSError:
            return False


class Clamd:
    """clamd in the foreground, with the small EICAR database and, when asked
    for, the machine's."""

    def __init__(self, big=False, settings=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-clamd-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.socket = self.folder / "clamd.sock"
        self.conf = self.folder / "clamd.conf"
        self.log = self.folder / "clamd.log"
        self.databases = self.folder / "db"
        self.databases.mkdir()
        for path in SIGNATURES.iterdir():
            shutil.copy(path, self.databases)
        self.big = big and self._link_machines()
        self.process = None
        lines = {
            "LocalSocket": self.socket, "LocalSocketMode": "666", "Foreground": "yes",
            "LogFile": self.log, "DatabaseDirectory": self.databases,
            "TemporaryDirectory": self.folder, "MaxThreads": "8", "ConcurrentDatabaseReload": "yes",
            "SelfCheck": "0", "StreamMaxLength": "60M", "MaxFileSize": "60M", "MaxScanSize": "400M",
            **(settings or {}),
        }
        self.conf.write_text("".join(f"{k} {v}\n" for k, v in lines.items()))

    def _link_machines(self):
        found = [p for p in DEBIAN.glob("*.c[vl]d")] if os.access(DEBIAN, os.R_OK) else []
        for path in found:
            if os.access(path, os.R_OK):
                (self.databases / path.name).symlink_to(path)
        return bool(found)

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen([CLAMD, "--config-file", str(self.conf)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ready = wait_for(lambda: self.process.poll() is not None or
                         takes_connections(self.socket), 300 if self.big else 60)
        if not ready or self.process.poll() is not None:
            raise RuntimeError("clamd did not start: " + self.log_text())
        return self

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else "(no log)"

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class FakeClamd:
    """A clamd that answers as `mood` says: "clean", "hang" (reads, never answers),
    "garbage", "close" (hangs up), or any text, which is sent as the answer.
    Counts what it was asked in `asked`."""

    def __init__(self, folder, mood="clean"):
        self.path = pathlib.Path(folder) / "fake-clamd.sock"
        self.mood = mood
        self.asked = []
        self.open = True
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.path.unlink(missing_ok=True)
        self.listener.bind(str(self.path))
        self.path.chmod(0o666)
        self.listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while self.open:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(s,), daemon=True).start()

    def _talk(self, s):
        number = 0
        with s:
            while self.open:
                command = self._command(s)
                if command is None:
                    return
                with self.lock:
                    self.asked.append(command)
                    mood = self.mood
                if command == "END":
                    return
                if command == "IDSESSION":
                    continue
                number += 1
                if mood == "close":
                    return
                if mood == "hang":
                    self._until_closed(s)
                    return
                s.sendall(self._answer(command, mood, number))

    @staticmethod
    def _answer(command, mood, number):
        if mood == "garbage":
            return b"\xff\xfe\x00garbage \x01\x02\x00" * 20
        if command.startswith("PING"):
            text = "PONG"
        elif command.startswith("VERSION"):
            text = "ClamAV 1.4.6/27000/Mon Nov 23 2026"
        elif mood == "clean":
            text = ("fd[7]" if command.startswith("FILDES") else "stream") + ": OK"
        else:
            text = mood
        return text.encode() + b"\0"

    def _command(self, s):
        """One z-command (or n-command); descriptors and streams are taken and dropped."""
        out = b""
        while True:
            try:
                c, fds, _, _ = socket.recv_fds(s, 1, 4)
            except OSError:
                return None
            for fd in fds:
                os.close(fd)
            if not c:
                return None
            if c in b"\0\n" and out:
                break
            out += c
        word = out.decode(errors="replace").strip("\0\n")
        word = word[1:] if word[:1] in "zn" else word
        if word == "INSTREAM":
            self._drain_stream(s)
        elif word == "FILDES":
            _, fds, _, _ = socket.recv_fds(s, 1, 4)
            for fd in fds:
                os.close(fd)
        return word

    @staticmethod
    def _drain_stream(s):
        f = s.makefile("rb", buffering=0)
        while True:
            head = f.read(4)
            if not head or len(head) < 4:
                return
            size = struct.unpack("!I", head)[0]
            if not size:
                return
            while size:
                got = f.read(size)
                if not got:
                    return
                size -= len(got)

    @staticmethod
    def _until_closed(s):
        try:
            while s.recv(4096):
                pass
        except OSError:
            pass

    def close(self):
        self.open = False
        self.listener.close()
        self.path.unlink(missing_ok=True)
