# SPDX-License-Identifier: ISC
"""What BINARY of a part is, worked out from Dovecot's BODY of it: a difference is
explained only where Gatepost's answer is this, byte for byte."""
import base64
import quopri
import re

ASKED = re.compile(r"BINARY(\.SIZE)?\[([\d.]*)\](?:<(\d+)>)?")
NO_PART = "Parts of parts that have none"
PARTS, DRESSED, SIZES = "BINARY of what has parts", "Encodings in odd dress", "Sizes that are not those of BINARY"


def has_parts(structure):
    return bool(structure) and (isinstance(structure[0], list) or inner(structure) is not None)


def inner(structure):
    """The body of an attached message."""
    kind = [v.lower() for v in structure[:2] if isinstance(v, bytes)]
    return structure[8] if kind in ([b"message", b"rfc822"], [b"message", b"global"]) and len(structure) > 8 and \
        isinstance(structure[8], list) else None


def part_at(structure, section):
    """Of a BODYSTRUCTURE (RFC 9051 6.4.5.1); None where there is no such part."""
    here = structure
    for depth, n in enumerate(int(n) for n in section.split(".") if n):
        if depth and not isinstance(here[0], list):
            here = inner(here)
            if here is None:
                return None
        if isinstance(here[0], list):
            parts = [p for p in here if isinstance(p, list) and len(p) > 6 or isinstance(p, list) and p and isinstance(p[0], list)]
            if n > len(parts):
                return None
            here = parts[n - 1]
        elif n != 1:
            return None
    return here


def encoding(mime):
    """Its name, without folds, comments, quotes and what follows, and whether it stood there so."""
    m = re.search(rb"(?im)^content-transfer-encoding[ \t]*:((?:[^\r]|\r\n[ \t])*)", mime)
    if not m:
        return b"", True
    plain = re.sub(rb"\([^()]*\)|\r\n|\"", b"", m[1]).strip().lower()
    return re.match(rb"[\w-]*", plain)[0], m[1].strip(b" \t").lower() == plain


def decoded(body, name):
    if name == b"quoted-printable":
        return quopri.decodestring(body)
    if name == b"base64":       # RFC 2045 6.8: other characters are ignored, "=" ends it
        text = re.sub(rb"[^A-Za-z0-9+/=]", b"", body).partition(b"=")[0]
        return base64.b64decode(text[:len(text) - (len(text) % 4 == 1)] + b"==")
    return body


def loosely(body):
    """Base64 with the letters of RFC 4648 5, too, that goes on behind "="."""
    text = re.sub(rb"[^A-Za-z0-9+/=]", b"", body.replace(b"-", b"+").replace(b"_", b"/"))
    out = left = b""
    for run in re.split(rb"=+", text):      # behind one letter of a group it ends nothing
        run = left + run
        left = run[len(run) - 1:] if len(run) % 4 == 1 else b""
        out += base64.b64decode(run[:len(run) - len(left)] + b"==")
    return out


class Binary:
    """`fetch(items)` gives Dovecot's answers about the message, by item."""

    def __init__(self, fetch):
        self.fetch = fetch

    def why(self, name, ours, command, refused=False):
        """The heading that explains why only Gatepost answered so, or None."""
        m = ASKED.fullmatch(name)
        if not m:
            return None
        size, section, start = m.groups()
        body = f"BODY[{section}]"
        mime = f"BODY[{section}.MIME]" if section else "BODY[HEADER]"
        got = self.fetch(" ".join((body, mime, "BODYSTRUCTURE")).replace("[", ".PEEK["))
        if not all(got.get(k) is not None for k in (body, mime, "BODYSTRUCTURE")):
            return None
        part = part_at(got["BODYSTRUCTURE"], section)
        if part is None:
            return NO_PART if ours in (b"", 0) else None
        whole = not section or has_parts(part)
        cte, well = encoding(got[mime])
        value = got[body] if whole else decoded(got[body], cte)
        loose = loosely(got[body]) if refused and not whole and cte == b"base64" else value
        if start is not None:
            count = re.search(rf"BINARY(?:\.PEEK)?\[{re.escape(section)}\]<{start}\.(\d+)>", command.decode("latin-1"), re.I)
            value, loose = (v[int(start):int(start) + int(count[1])] for v in (value, loose))
        if ours not in ((len(value), len(loose)) if size else (value, loose)):
            return None
        if whole:
            return PARTS
        if size and not refused:        # of what it gives itself
            theirs = self.fetch(f"BINARY.PEEK[{section}]").get(f"BINARY[{section}]")
            return SIZES if theirs is not None and len(theirs) == ours else None
        return DRESSED if not well or refused else None
