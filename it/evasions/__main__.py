# SPDX-License-Identifier: ISC
"""Prints the table of tricks: what clamd alone says to the raw message, and which of
the readers at hand get the file out of it (tools/packages.txt, section readers).

    python3 -m it.evasions [--readers] [WORD...]      names or kinds that have a word
    python3 -m it.evasions --write FOLDER [WORD...]   the messages as files
    python3 -m it.evasions --server [WORD...]         what a server (GATEPOST_BUILD) answers: to the
                                                      file, to one clamd cannot open, to a harmless one
"""
import pathlib
import re
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from clamd import EICAR, Clamd  # noqa: E402
from evasions import TRICKS  # noqa: E402
from evasions.readers import finders  # noqa: E402


def asked(clamd, message):
    """The virus that clamd finds in the raw message, or OK."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(120)
        s.connect(str(clamd.socket))
        with open(clamd.folder / "message", "w+b") as f:
            f.write(message)
            f.flush()
            s.sendall(b"zFILDES\0")
            socket.send_fds(s, [b"x"], [f.fileno()])
            answer = b""
            while not answer.endswith(b"\0"):
                got = s.recv(4096)
                if not got:
                    break
                answer += got
    return answer.rstrip(b"\0").decode(errors="replace").partition(": ")[2]


def chosen(words):
    return [t for t in TRICKS if not words or any(w in t.name or w == t.kind for w in words)]


def write(folder, words):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for t in chosen(words):
        (folder / f"{t.name}.eml").write_bytes(t(EICAR.encode()))


def table(words, readers):
    clamd = Clamd(settings={"MaxFileSize": "25M", "MaxScanSize": "100M", "StreamMaxLength": "25M"})
    clamd.start()
    missed = 0
    try:
        for t in chosen(words):
            message = t(EICAR.encode())
            found = "FOUND" in asked(clamd, message)
            missed += not found and not t.nobody
            by = ",".join(finders(message, EICAR.encode())) if readers else ""
            print(f"{t.kind:9} {t.name:36} {'found' if found else 'MISSED':7}"
                  f"{'(no reader) ' if t.nobody else ''}{by}", flush=True)
        real = [t for t in chosen(words) if not t.nobody]
        print(f"{len(real)} tricks that some reader sees through; clamd alone misses {missed}")
    finally:
        clamd.remove()


def short(answer):
    """A reply as a word: 250, virus, or the beginning of the reason."""
    reason = re.sub(r"^550 5\.7\.1 https://\S+ (this message )?", "", answer)
    return "virus" if "virus" in reason else reason[:24] if answer[:3] == "550" else answer[:3]


def server(words):
    from evasions.craft import padded
    from evasions.sending import deliver
    from gatepost import Gatepost
    packed = subprocess.run(["zstd", "-qc"], input=padded(EICAR.encode()), capture_output=True,
                            check=True).stdout
    clamd = Clamd()
    g = Gatepost(clamd=clamd.start(), settings="[smtp]\ngreet_delay = 0\n[held]\nnetwork = 1G")
    try:
        g.people("alice@example.test")
        g.start()
        for t in chosen(words):
            row = []
            for data in (EICAR.encode(), packed, b"Nothing of note.\r\n"):
                try:
                    row.append(short(deliver(g, t(data))))
                except UnicodeDecodeError:
                    row.append("-")     # a text of binary
            print(f"{t.kind:9} {t.name:36} {'(no reader)' if t.nobody else '':12}"
                  + " ".join(f"{w:24}" for w in row), flush=True)
    finally:
        g.remove()
        clamd.remove()


def main(words):
    if words[:1] == ["--server"]:
        return server(words[1:])
    if words[:1] == ["--write"]:
        return write(words[1], words[2:])
    return table([w for w in words if w != "--readers"], "--readers" in words)


if __name__ == "__main__":
    main(sys.argv[1:])
