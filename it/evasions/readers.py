# SPDX-License-Identifier: ISC
"""Readers of mail that can be asked by a program: for evidence that a trick works,
not for tests.  A reader finds the file when it is in one of the files that it
takes out of the message, or in an archive of those."""
import email
import email.policy
import pathlib
import shutil
import subprocess
import tempfile

QUIET = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}


def unpacked(content):
    """What archivers make of it, and what is in it if it is mail itself."""
    with tempfile.NamedTemporaryFile(prefix="gatepost-evasion-") as f:
        f.write(content)
        f.flush()
        for command in (["bsdtar", "-xOf"], ["bsdcat"], ["7zz", "x", "-so", "-pgeheim"]):
            try:
                done = subprocess.run([*command, f.name], timeout=10, **QUIET)
            except (subprocess.TimeoutExpired, OSError):
                continue
            if done.stdout and done.stdout != content:
                yield done.stdout
    if b"Message-ID:" in content:
        yield from python(content)


def holds(content, wanted, depth=5, seen=None):
    seen = set() if seen is None else seen
    if wanted in content:
        return True
    if depth == 0 or hash(content) in seen:
        return False
    seen.add(hash(content))
    return any(holds(inner, wanted, depth - 1, seen) for inner in unpacked(content))


def python_parts(message, policy):
    for part in email.message_from_bytes(message, policy=policy).walk():
        try:
            body = part.get_payload(decode=True)
        except Exception:       # it trips over what it was given
            continue
        if body:
            yield body


def python(message):
    yield from python_parts(message, email.policy.compat32)


def files_of(command, message):
    """What a program leaves in its folder."""
    with tempfile.TemporaryDirectory(prefix="gatepost-evasion-") as folder:
        path = pathlib.Path(folder, "in.eml")
        path.write_bytes(message)
        out = pathlib.Path(folder, "out")
        out.mkdir()
        words = [w.replace("IN", str(path)).replace("OUT", str(out)) for w in command]
        try:
            subprocess.run(words, cwd=out, timeout=20, **QUIET)
        except subprocess.TimeoutExpired:
            pass
        for found in out.rglob("*"):
            if found.is_file():
                yield found.read_bytes()


PROGRAMS = {
    "munpack": ["munpack", "-f", "-t", "-C", "OUT", "IN"],
    "ripmime": ["ripmime", "-i", "IN", "-d", "OUT"],
    "uudeview": ["uudeview", "-i", "-q", "-t", "-p", "OUT", "IN"],
}


def finders(message, wanted):
    """Names of the readers that get the file out of the message."""
    bare = message.replace(b"\r\n", b"\n")
    found = [] if not any(holds(body, wanted) for body in python(message)) else ["python"]
    for name, command in PROGRAMS.items():
        if shutil.which(name) and any(holds(body, wanted) for body in files_of(command, bare)):
            found.append(name)
    return found
