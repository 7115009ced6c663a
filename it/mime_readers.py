# SPDX-License-Identifier: ISC
"""The leaves of messages as other readers find them: Python's email, Debian's gmime,
and `gatepost mime`.  A leaf is (type, SHA-256 of its decoded bytes)."""
import concurrent.futures
import email
import email.policy
import hashlib
import json
import re
import subprocess

from gatepost import BINARY

OPAQUE = {"message/delivery-status", "message/partial", "message/external-body", "message/global"}


def ours(message):
    """`gatepost mime` of it; a limit is {"refused": sentence}."""
    done = subprocess.run([BINARY, "-c", "/nowhere", "mime", "--json", "-"], input=message, capture_output=True,
                          timeout=120)
    if done.returncode == 1 and done.stderr:
        return {"refused": done.stderr.decode()}
    assert done.returncode == 0 and not done.stderr, (done.returncode, done.stderr[-2000:])
    return json.loads(done.stdout)


def all_ours(messages):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(ours, messages))


def parts(part, alternates=False):
    yield part
    for child in part["children"]:
        yield from parts(child, alternates)
    if alternates:
        for other in part["alternates"]:
            yield from parts(other, True)


def kind_of(part):
    return f"{part['type']}/{part['subtype']}".lower()


def our_leaves(answer):
    return [(kind_of(p), p["sha256"]) for p in parts(answer["tree"]) if p["kind"] == "leaf"]


def our_digests(answer):
    """Of everything that we look at, in all readings, and what is embedded in it."""
    found = {p["sha256"] for p in parts(answer["tree"], True) if p["kind"] == "leaf"}
    return found | {leaf["sha256"] for leaf in answer["content"]["leaves"]}


def digests(content):
    """Of the bytes, and of the same with the line ends that readers add or drop."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    found = set()
    for c in (content, lines, content.removesuffix(b"\r")):
        for again in (c, c.removesuffix(b"\r\n"), c.removesuffix(b"\n"), c + b"\r\n"):
            found.add(hashlib.sha256(again).hexdigest())
    return found


def stands_in(content, message):
    """It is a piece of the message as it stands: whoever scans that has seen it."""
    return content.strip() in message or content.strip().replace(b"\n", b"\r\n") in message


def python_leaves(message, policy=email.policy.compat32):
    def walk(part):
        kind = re.sub(r"\([^()]*\)", "", part.get_content_type()).lower().strip() or "text/plain"
        if kind in OPAQUE:
            return [(kind, None)]
        if part.is_multipart():
            return [leaf for child in part.get_payload() for leaf in walk(child)]
        return [(kind, part.get_payload(decode=True) or b"")]
    return walk(email.message_from_bytes(message, policy=policy))


def gmime():
    """GMime's module; None where Debian's packages are missing."""
    try:
        import gi
        gi.require_version("GMime", "3.0")
        from gi.repository import GMime
    except (ImportError, ValueError):
        return None
    GMime.init()
    return GMime


def gmime_leaves(g, message):
    def content(part):
        wrapper = part.get_content()
        out = g.StreamMem.new()
        if wrapper is None or wrapper.write_to_stream(out) < 0:
            return b""
        array = out.get_byte_array()
        return bytes(array) if array else b""

    def walk(part):
        kind = part.get_content_type().get_mime_type().lower()
        if isinstance(part, g.Multipart):
            return [leaf for i in range(part.get_count()) for leaf in walk(part.get_part(i))]
        if isinstance(part, g.MessagePart):
            inner = part.get_message()
            return walk(inner.get_mime_part()) if inner and inner.get_mime_part() else []
        return [(kind, None if kind in OPAQUE else content(part))]

    whole = g.Parser.new_with_stream(g.StreamMem.new_with_buffer(message)).construct_message(None)
    top = whole.get_mime_part() if whole else None
    return walk(top) if top else []


# --- which differences are meant: headings of doc/mime-differences.md ---

def has_blank_before_colon(message):
    return re.search(rb"(?m)^[!-9;-~]+[ \t]+:", message) is not None


def has_loose_encoding(message):
    return re.search(rb"(?im)^content-transfer-encoding[ \t]*:([^\r\n]*[^\s][ \t]+\r?$|\s*\r?\n[ \t])", message) is not None


def has_empty_message(message):
    return re.search(rb"(?im)^content-type[ \t]*:\s*message/rfc822", message) is not None


def has_quoted_blanks(message):
    return re.search(rb"(?im)^content-transfer-encoding[ \t]*:\s*quoted-printable", message) is not None \
        and re.search(rb"(?m)[ \t]\r?$", message) is not None


def has_spaced_type(message):
    return re.search(rb"(?im)^content-type[ \t]*:\s*[a-z]+(\s+/|/\s)", message) is not None


READERS_EXPLAINED = [
    ("Blanks within a type", "python", has_spaced_type),
    ("Blanks at the ends of quoted-printable lines", "python", has_quoted_blanks),
    ("Blanks at the ends of quoted-printable lines", "gmime", has_quoted_blanks),
    ("A blank before the colon", "python", has_blank_before_colon),
    ("An encoding with blanks around it", "python", has_loose_encoding),
    ("A message that is empty", "gmime", has_empty_message),
]


def same(leaves, answer):
    mine = our_leaves(answer)
    return len(leaves) == len(mine) and all(
        kind == k and (content is None or d in digests(content)) for (kind, content), (k, d) in zip(leaves, mine))


def hidden(leaves, answer, message):
    """Decoded leaves that none of our readings has, and that the message as it stands
    does not show either."""
    known = our_digests(answer)
    return [(kind, content) for kind, content in leaves
            if content and content.strip() and not stands_in(content, message)
            and not any(digests(c) & known for c in (content, *without_blanks(content)))]


def without_blanks(content):
    """At the ends of lines, and at its end."""
    return re.sub(rb"[ \t]+(?=\r?\n|\Z)", b"", content), re.sub(rb"[ \t]+(\r?\n)?\Z", b"", content)


BROKEN_HEADER = {"bad_line", "nul", "no_body_line"}
# A decoder that stops where another goes on: what both give begins alike.
DECODED_OTHERWISE = {"bad_base64", "bad_qp", "bad_embedded", "encoded_composite"}


def judge(reader, leaves, answer, message):
    """"same"; the heading that explains the difference; or None."""
    if same(leaves, answer):
        return "same"
    odd = {bit for part in parts(answer["tree"], True) for bit in part.get("odd_decoding", [])} | set(answer["odd"])
    odd |= BROKEN_HEADER & set(answer["header"]["flags"])
    if hidden(leaves, answer, message):
        if reader == "python" and has_blank_before_colon(message):
            return "A blank before the colon"       # it decodes the rest of the header
        return "Decoders that stop or go on" if odd & DECODED_OTHERWISE else None
    if odd:
        return "What is broken is read in every way"
    for name, who, holds in READERS_EXPLAINED:
        if who == reader and holds(message):
            return name
    return None
