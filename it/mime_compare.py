# SPDX-License-Identifier: ISC
"""Two answers to FETCH of one message: where they differ, by the name of the field.

What both say is a list as it/mime_dovecot.py parses it.  A difference is
(field, ours, theirs); EXPLAINED says which of them are meant, by the names that
doc/mime-differences.md has as headings.
"""
import re

ENVELOPE = ["date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc", "in-reply-to", "message-id"]
LISTS = ENVELOPE[2:8]
MULTIPART = ["subtype", "params", "disposition", "language", "location"]
LEAF = ["id", "description", "encoding", "size"]
LAST = ["md5", "disposition", "language", "location"]


def is_multipart(body):
    return bool(body) and isinstance(body[0], list)


def is_message(body):
    return len(body) > 8 and isinstance(body[7], list) and isinstance(body[8], list)


def envelopes(ours, theirs, inner=""):
    for name, a, b in zip(ENVELOPE, ours, theirs):
        if a != b:
            yield f"{inner}{name}", a, b


def fields(ours, theirs, names):
    for name, a, b in zip(names, ours, theirs):
        if a != b:
            yield name, a, b


def bodies(ours, theirs):
    """The differences of two BODYSTRUCTUREs or BODYs."""
    if is_multipart(ours) != is_multipart(theirs) or is_message(ours) != is_message(theirs):
        yield "kind", ours, theirs
        return
    if is_multipart(ours):
        a, b = ours[:children(ours)], theirs[:children(theirs)]
        if len(a) != len(b):
            yield "parts", ours, theirs
            return
        for x, y in zip(a, b):
            yield from bodies(x, y)
        yield from fields(ours[len(a):], theirs[len(b):], MULTIPART)
        return
    if ours[:3] != theirs[:3]:
        yield "type", ours[:3], theirs[:3]
    yield from fields(ours[3:7], theirs[3:7], LEAF)
    if is_message(ours):
        yield from envelopes(ours[7], theirs[7], "inner ")
        yield from bodies(ours[8], theirs[8])
        yield from fields(ours[9:], theirs[9:], ["lines", *LAST])
        return
    (a, ours), (b, theirs) = lines(ours), lines(theirs)
    if a is not None and b is not None and a != b:
        yield "lines", a, b
    yield from fields(ours, theirs, LAST)


def lines(leaf):
    """Lines of a text, None for others; and what is behind that."""
    if (leaf[0] or b"").lower() == b"text":
        return leaf[7], leaf[8:]
    return None, leaf[7:]


def children(body):
    n = 0
    while n < len(body) and isinstance(body[n], list):
        n += 1
    return n


def differences(ours, theirs):
    """Of {ENVELOPE, BODY, BODYSTRUCTURE}."""
    yield from envelopes(ours[b"ENVELOPE"], theirs[b"ENVELOPE"])
    found = list(bodies(ours[b"BODYSTRUCTURE"], theirs[b"BODYSTRUCTURE"]))
    yield from found
    if not found:
        yield from bodies(ours[b"BODY"], theirs[b"BODY"])


# --- which differences are meant ---

# A field as a word of letters: a atom, q quoted string, l literal, X what never ends.
TOKEN = re.compile(rb"""(?P<blank>[ \t\r\n]+)|(?P<a>[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]+)
    |(?P<q>"(?:[^"\\]|\\.)*")|(?P<comment>\((?:[^()\\]|\\.)*\))|(?P<l>\[[^\[\]\\]*\])|(?P<special>[<>@,;:.])
    |(?P<X>.)""", re.S | re.X)
ADDRESS = r"[aq](?:\.[aq])*@(?:a(?:\.a)*|l)"
MAILBOX = rf"(?:{ADDRESS}|[aq]*<{ADDRESS}>)"
GROUP = rf"[aq]+:(?:{MAILBOX}(?:,{MAILBOX})*)?;"
LIST = re.compile(rf"(?:{MAILBOX}|{GROUP})(?:,(?:{MAILBOX}|{GROUP}))*")


def is_list(value):
    """RFC 5322 3.4."""
    word = ""
    for m in TOKEN.finditer(value):
        if m.lastgroup == "special":
            word += m.group().decode()
        elif m.lastgroup not in ("blank", "comment"):
            word += m.lastgroup
    return LIST.fullmatch(word) is not None


def values(message, name):
    """The values of a field in every header block; lists, one for each block."""
    for block in re.split(rb"\r?\n\r?\n", message):
        found = re.findall(rb"(?im)^" + re.escape(name.encode()) + rb"[ \t]*:(.*(?:\n[ \t].*)*)", block)
        if found:
            yield found


def of_field(field):
    """What a field of the envelope is made of: From stands in for two others."""
    name = field.removeprefix("inner ")
    return [name, "from"] if name in ("sender", "reply-to") else [name]


def is_duplicate(field, ours, theirs, message):
    return any(len(found) > 1 for name in of_field(field) for found in values(message, name))


def is_no_list(field, ours, theirs, message):
    if field.removeprefix("inner ") not in LISTS:
        return False
    return any(not is_list(v) for name in of_field(field) for found in values(message, name) for v in found)


def has_spaced_dots(field, ours, theirs, message):
    return field.removeprefix("inner ") in LISTS and any(
        re.search(rb"\s\.|\.\s", v) for name in of_field(field) for found in values(message, name) for v in found)


def strip(value):
    return value.strip() if isinstance(value, bytes) else value


def is_blank(field, ours, theirs, message):
    return strip(ours) == strip(theirs)


def is_empty(field, ours, theirs, message):
    return field in ("id", "description", "location", "md5") and ours is None and strip(theirs) == b""


def named(params):
    """Without parameters that have no name."""
    pairs = list(zip(params[::2], params[1::2])) if params else []
    return [p for p in pairs if p[0]]


def is_nameless(field, ours, theirs, message):
    if field == "disposition":
        return bool(ours and theirs) and ours[0] == theirs[0] and named(ours[1]) == named(theirs[1])
    if field == "type":
        return ours[:2] == theirs[:2] and named(ours[2]) == named(theirs[2])
    return field == "params" and named(ours) == named(theirs)


def is_no_type(field, ours, theirs, message):
    """Theirs is not type/subtype; ours is the default."""
    return field == "type" and not (theirs[0] and theirs[1]) and [v.lower() for v in ours[:2]] == [b"text", b"plain"]


def is_no_disposition(field, ours, theirs, message):
    token = re.compile(rb"[!#-'*+.0-9A-Z^-~-]+")
    return field == "disposition" and not token.fullmatch(ours[0] if ours else theirs[0])


def lower(value):
    if isinstance(value, list):
        return [lower(v) for v in value]
    return value.lower() if isinstance(value, bytes) else value


def is_case(field, ours, theirs, message):
    return field in ("type", "encoding", "subtype") and lower(ours) == lower(theirs)


def is_line_end(field, ours, theirs, message):
    return field in ("size", "lines") and bool(re.search(rb"(?<!\r)\n|\r(?!\n)", message))


def is_control(field, ours, theirs, message):
    return bool(re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)", message))


def is_quoted_encoding(field, ours, theirs, message):
    """Theirs says what stands for none."""
    return field == "encoding" and lower(theirs) == b"7bit" and bool(ours) and \
        re.search(rb'(?im)^content-transfer-encoding[ \t]*:\s*"?%s[ \t]*[^-\w\s(]' % re.escape(ours), message) is not None


# Headings of doc/mime-differences.md.
EXPLAINED = [
    ("Blanks around a value", is_blank),
    ("Fields that are there but empty", is_empty),
    ("Case", is_case),
    ("An encoding in quotes", is_quoted_encoding),
    ("Parameters without a name", is_nameless),
    ("A Content-Type that is none", is_no_type),
    ("A Content-Disposition that is none", is_no_disposition),
    ("Fields that occur twice", is_duplicate),
    ("Addresses that are none", is_no_list),
    ("Blanks around the dots of an address", has_spaced_dots),
    ("Bare CR and LF", is_line_end),
    ("Control characters", is_control),
]


def explain(field, ours, theirs, message):
    """The heading under which it is explained; None: it is not."""
    for name, holds in EXPLAINED:
        if holds(field, ours, theirs, message):
            return name
    return None
