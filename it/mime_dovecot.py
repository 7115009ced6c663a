# SPDX-License-Identifier: ISC
"""What Debian's Dovecot says of messages: its imap program, in a maildir of its own,
over a pipe.  Nothing listens, and no Dovecot of the machine is touched."""
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

IMAP = pathlib.Path("/usr/lib/dovecot/imap")

CONF = """protocols = imap
ssl = no
log_path = {folder}/log
mail_location = maildir:{folder}/mail:INDEX=MEMORY
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 1
base_dir = {folder}/base
"""


class Wrong(Exception):
    pass


def parse(data, at=0):
    """One value of IMAP's grammar: list, bytes, int or None; and where it ends."""
    c = data[at:at + 1]
    if c == b"(":
        out = []
        at += 1
        while data[at:at + 1] != b")":
            if data[at:at + 1] == b" ":
                at += 1
                continue
            if at >= len(data):
                raise Wrong(f"a list without its end: {data[:200]!r}")
            value, at = parse(data, at)
            out.append(value)
        return out, at + 1
    if c == b'"':
        out = bytearray()
        at += 1
        while data[at:at + 1] != b'"':
            if at >= len(data):
                raise Wrong(f"a string without its end: {data[:200]!r}")
            if data[at:at + 1] == b"\\":
                at += 1
            out += data[at:at + 1]
            at += 1
        return bytes(out), at + 1
    if c == b"{":
        end = data.index(b"}\r\n", at)
        n = int(data[at + 1:end])
        at = end + 3
        return data[at:at + n], at + n
    end = at
    while data[end:end + 1] not in (b" ", b"(", b")", b""):
        end += 1
    atom = data[at:end]
    if not atom:
        raise Wrong(f"nothing where a value belongs: {data[at:at + 80]!r}")
    return (None if atom == b"NIL" else int(atom) if atom.isdigit() else atom), end


def structures(messages):
    """[{b"ENVELOPE": …, b"BODYSTRUCTURE": …, b"BODY": …}] of messages (with CRLF)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-dovecot-"))
    try:
        return fetch(folder, messages)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fetch(folder, messages):
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    who = pwd.getpwnam(user)
    group = subprocess.run(["id", "-gn", user], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "conf").write_text(CONF.format(folder=folder, user=user, group=group))
    for name in ("cur", "new", "tmp"):
        (folder / "mail" / name).mkdir(parents=True)
    for n, m in enumerate(messages):
        (folder / "mail" / "cur" / f"{1000000000 + n}.m.host:2,S").write_bytes(m)
    command = b"a SELECT INBOX\r\nb FETCH 1:* (RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)\r\nc LOGOUT\r\n"
    drop = {}
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", user, folder], check=True)
        drop = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
    with subprocess.Popen([IMAP, "-c", folder / "conf"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, cwd=folder,
                          env={"USER": user, "HOME": str(folder), "PATH": "/usr/bin:/bin"}, **drop) as p:
        p.stdin.write(command)      # and not closed: it would stop in the middle of its answer
        p.stdin.flush()
        return collect(p.stdout.read(), len(messages))


def collect(out, n):
    got = [None] * n
    at = 0
    while at < len(out):
        if out.startswith(b"* ", at):
            space = out.index(b" ", at + 2)
            number = out[at + 2:space]
            if number.isdigit() and out.startswith(b" FETCH (", space):
                values, at = parse(out, space + 7)
                got[int(number) - 1] = dict(zip(values[::2], values[1::2]))
        at = out.index(b"\n", at) + 1
    if None in got:
        raise Wrong(f"Dovecot gave no answer for {got.count(None)} of {n}: {out[-500:]!r}")
    return got
