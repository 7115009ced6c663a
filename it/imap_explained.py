# SPDX-License-Identifier: ISC
"""Which differences of Gatepost and Dovecot are meant: each rule stands behind a
heading of doc/imap-differences.md.

EXPLAINED holds rules for one value (a Difference of it/imap_compare.py), FOUND rules
for one message that only one of the two found (a Hit).
"""
import re

USES = {b"\\archive", b"\\drafts", b"\\junk", b"\\sent", b"\\trash"}
CHILDREN = {b"\\haschildren", b"\\hasnochildren"}


def verb(d):
    words = d.command.upper().split(b" ")
    return words[words[0] == b"UID"]


def item(d):
    """Of FETCH: its name."""
    return d.key[2] if d.key[0] == "fetch" and len(d.key) == 3 else ""


def is_no_modseq(d):
    return d.key == "code HIGHESTMODSEQ" and d.theirs is None


def is_modseq_again(d):
    return d.key == "code HIGHESTMODSEQ" and d.ours is None and verb(d) not in (b"SELECT", b"EXAMINE", b"EXPUNGE", b"MOVE")


def is_read_only(d):
    return d.key == "tagged" and verb(d) in (b"STORE", b"MOVE", b"EXPUNGE") and "code CANNOT" in d.codes


def is_section_0(d):
    return b"[0]" in d.command and (d.key == "tagged" or d.key[0] == "fetch")


def is_no_day(d):
    return b"32-Jan" in d.command and (d.key == "search" or (d.ours, d.theirs) == ("BAD", "OK"))


def is_wild_name(d):
    return d.command == b'CREATE "per%cent"' and (d.key == "code CANNOT" or (d.ours, d.theirs) == ("NO", "OK"))


def is_use_in_lsub(d):
    return d.key[0] == "lsub" and d.ours and d.theirs and \
        d.ours == ([f for f in d.theirs[0] if f not in USES], *d.theirs[1:])


def is_more_attributes(d):
    """Children and uses in extended LIST, unasked."""
    if d.key[0] != "list" or not (d.ours and d.theirs):
        return False
    return set(d.ours[0]) - set(d.theirs[0]) <= USES | CHILDREN and d.theirs[0] == [f for f in d.ours[0] if f in d.theirs[0]]


def is_nonexistent(d):
    """An extended LIST says \\NonExistent."""
    if d.key[0] != "list" or not (d.ours and d.theirs):
        return False
    ours, theirs = set(d.ours[0]), set(d.theirs[0])
    return b"\\nonexistent" in ours and b"\\noselect" in theirs and ours - theirs <= CHILDREN | {b"\\nonexistent"}


def is_level(d):
    if d.key[0] != "list" or not d.theirs:
        return False
    if d.ours is None:
        return b"\\noselect" in d.theirs[0]
    return set(d.ours[0]) - set(d.theirs[0]) == {b"\\hasnochildren"} and set(d.theirs[0]) - set(d.ours[0]) == {b"\\haschildren"}


def is_level_deleted(d):
    """A folder that was left on the disk."""
    return d.key == "tagged" and verb(d) == b"DELETE" and (d.ours, d.theirs) == ("NO", "OK") and "code NONEXISTENT" in d.codes


def is_childless_subscription(d):
    return d.key[0] == "list" and b"SUBSCRIBED" in d.command.split(b'"')[0] and bool(d.ours and d.theirs) and \
        set(d.ours[0]) - set(d.theirs[0]) == {b"\\haschildren"} and set(d.theirs[0]) - set(d.ours[0]) <= CHILDREN


def is_root(d):
    return d.key[0] in ("list", "status") and re.search(rb'^LIST (?:\([^)]*\) )?"[^"]+" (?:""|\("" |\([^)]* ""\))', d.command) and \
        (d.ours is None) != (d.theirs is None)


def is_own_status(d):
    return d.key == "code CLIENTBUG" and verb(d) == b"STATUS" and d.ours is None


def is_still_subscribed(d):
    if d.key[0] == "lsub" or d.key[0] == "list" and b"SUBSCRIBED" in d.command:
        ours, theirs = set(d.ours[0] if d.ours else ()), set(d.theirs[0] if d.theirs else ())
        return bool(d.ours and not d.theirs) and (d.key[0] == "lsub" or b"\\subscribed" in ours) or \
            ours - theirs == {b"\\subscribed"} and theirs <= ours
    return False


def is_absent_subscription(d):
    return d.command.endswith(b"SUBSCRIBE story-none") and d.key in ("tagged", "code NONEXISTENT")


def is_inbox_made(d):
    return d.command == b"CREATE INBOX" and (d.key == "code ALREADYEXISTS" or (d.ours, d.theirs) == ("NO", "OK"))


def is_empty_partial(d):
    return b"<0.0>" in d.command and (d.key == "tagged" or d.key[0] == "fetch")


def is_keyword_news(d):
    return d.key in ("flags", "code PERMANENTFLAGS") and d.ours is None and verb(d) not in (b"SELECT", b"EXAMINE")


def is_recent_again(d):
    return d.key == "recent" and (None in (d.ours, d.theirs)) and verb(d) in (b"EXPUNGE", b"MOVE")


def is_enabled_list(d):
    return d.key == "enabled" and set(d.theirs) < set(d.ours) and b"QRESYNC" in d.theirs


REASONS = {"code NONEXISTENT", "code BADCHARSET", "code CANNOT", "code HASCHILDREN", "code ALREADYEXISTS"}


def is_said_more(d):
    if d.key == "code ALREADYEXISTS":       # both have one, but not the same
        if verb(d) == b"RENAME" and d.codes & {"code NONEXISTENT", "code CANNOT"}:
            return True
    return d.key in REASONS and d.ours is not None and not d.theirs


def is_hidden_number(d):
    """n:* with a number beyond the last."""
    return d.key == "tagged" and (d.ours, d.theirs) == ("BAD", "OK") and verb(d) in (b"STORE", b"FETCH", b"COPY", b"MOVE") and \
        re.search(rb"\*", d.command.split(b" ")[1])


def asked(d, name):
    return name.encode() in d.command.upper()


def is_unchanged(d):
    """STORE tells what it did not change, too."""
    return verb(d) == b"STORE" and d.key[0] == "fetch" and len(d.key) == 2 and d.theirs is None


def is_more_modseq(d):
    return item(d) == "MODSEQ" and d.theirs is None and not asked(d, "MODSEQ")


def is_more_uid(d):
    return item(d) == "UID" and d.theirs is None and not d.command.upper().startswith(b"UID ") and not asked(d, " UID")


def is_unused_keyword(d):
    """In FLAGS of SELECT."""
    return d.key in ("flags", "code PERMANENTFLAGS") and verb(d) in (b"SELECT", b"EXAMINE") and \
        set(d.ours or []) < set(d.theirs or [])


def is_argument_too_many(d):
    return d.key == "tagged" and d.command in (b"NOOP NOOP",) and (d.ours, d.theirs) == ("BAD", "OK")


def is_for_nobody(d):
    """COPY or MOVE of no message to a mailbox that is not there."""
    return verb(d) in (b"COPY", b"MOVE") and d.command.endswith(b" story-none") and \
        (d.key == "code TRYCREATE" or (d.ours, d.theirs) == ("NO", "OK"))


FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")


def is_no_field(d):
    """HEADER.FIELDS.NOT with the lines of a header that are none."""
    if "HEADER.FIELDS.NOT" not in item(d) or d.ours is None or not d.theirs:
        return False
    lines = re.findall(rb"[^\r\n]*(?:\r\n[ \t][^\r\n]*)*(?:\r\n|$)", d.theirs)
    return d.ours == b"".join(line for line in lines if FIELD.match(line) or line == b"\r\n")


def is_inbox_in_lsub(d):
    return d.key == ("lsub", b"INBOX") and bool(d.ours and d.theirs) and b"%" in d.command and \
        d.theirs == (d.ours[0] + [b"\\noselect"], *d.ours[1:])


def is_end_of_header(d):
    """Of a part, and of a message that has no empty line."""
    if not isinstance(d.ours, bytes) or not isinstance(d.theirs, bytes):
        return False
    if re.search(r"\.MIME\]|\[[\d.]+\.HEADER\]", item(d)):
        return d.ours == d.theirs + b"\r\n"
    return "HEADER" in item(d) and d.message is not None and b"\r\n\r\n" not in b"\r\n" + d.message and \
        d.ours != d.theirs and d.ours in (d.theirs + b"\r\n", d.theirs.removesuffix(b"\r\n"))


EXPLAINED = [
    ("The empty line behind a header", is_end_of_header),
    ("Lines that are no fields", is_no_field),
    ("INBOX in LSUB", is_inbox_in_lsub),
    ("STORE that changes nothing", is_unchanged),
    ("MODSEQ and UID unasked", is_more_modseq),
    ("MODSEQ and UID unasked", is_more_uid),
    ("Keywords that no message has", is_unused_keyword),
    ("Arguments too many", is_argument_too_many),
    ("COPY of nothing to nowhere", is_for_nobody),
    ("HIGHESTMODSEQ that nobody asked for", is_no_modseq),
    ("HIGHESTMODSEQ now and then", is_modseq_again),
    ("Changes after EXAMINE", is_read_only),
    ("Part 0", is_section_0),
    ("Days that there are not", is_no_day),
    ("CREATE INBOX", is_inbox_made),
    ("Names with % and *", is_wild_name),
    ("The root of a reference", is_root),
    ("Children in a list of subscriptions", is_childless_subscription),
    ("STATUS of the selected mailbox", is_own_status),
    ("Subscriptions stay", is_still_subscribed),
    ("Attributes that nobody asked for", is_more_attributes),
    ("NonExistent and Noselect", is_nonexistent),
    ("Levels without a mailbox", is_level),
    ("Levels without a mailbox", is_level_deleted),
    ("Uses of mailboxes in LSUB", is_use_in_lsub),
    ("Subscriptions to what is not there", is_absent_subscription),
    ("Partial of no octets", is_empty_partial),
    ("New keywords", is_keyword_news),
    ("RECENT after messages have gone", is_recent_again),
    ("What ENABLE QRESYNC enables", is_enabled_list),
    ("Reasons in brackets", is_said_more),
    ("Numbers beyond the last, beside a *", is_hidden_number),
]

WITHOUT_DATE = re.compile(rb"(?im)^date[ \t]*:[ \t]*(?:\r\n|not a date|Mon, 32 Foo)")
LANGUAGE = re.compile(rb"=\?[\w-]+\*[\w-]+\?[bq]\?", re.I)
ATTACHED = re.compile(rb"(?i)content-type:\s*(?:message/rfc822|multipart/digest)")
WORDED = re.compile(rb"\b(BODY|TEXT)\b")


def header(message):
    return message.partition(b"\r\n\r\n")[0] + b"\r\n"


def fields(message):
    """Those of attached messages, too."""
    found = re.findall(rb"(?m)^[!-9;-~]+:[^\r\n]*\r\n", message) if ATTACHED.search(message) else []
    return header(message) + b"".join(found)


def has_no_date(hit):
    h = header(hit.message)
    return b"SENT" in hit.command and (not re.search(rb"(?im)^date[ \t]*:", h) or bool(WITHOUT_DATE.search(h)))


def names_language(hit):
    return LANGUAGE.search(hit.message)


def is_more(hit):
    """Found here and not there, but for what is asked the other way round."""
    return hit.ours or b"NOT " in hit.command


def is_attached(hit):
    return is_more(hit) and WORDED.search(hit.command) and ATTACHED.search(hit.message)


def has_html(hit):
    return is_more(hit) and WORDED.search(hit.command) and b"text/html" in hit.message.lower()


def has_hebrew(hit):
    return b"windows-1255" in hit.message.lower()


def has_twice(hit):
    return any(len(re.findall(rb"\b(?:%s)\b" % names, hit.command)) > 1
               for names in (b"SMALLER|LARGER", b"(?:SENT)?(?:BEFORE|ON|SINCE)"))


def has_apostrophe(hit):
    return re.search(rb"(?:FROM|TO|CC) \"O'Neil", hit.command) and b"O'Neil" in hit.message


def is_otherwise(hit):
    """FROM and the like, dates, sorting by them, and texts of parts."""
    return hit.otherwise and re.search(rb"\b(?:SENTBEFORE|SENTON|SENTSINCE|DATE|SUBJECT|FROM|TO|CC|BCC|DISPLAYFROM|DISPLAYTO|BODY|TEXT)\b", hit.command)


def asks_quoted(hit):
    """For a quote or a backslash alone, which Dovecot puts around and into names."""
    return (not hit.ours or b'"' in header(hit.message)) and re.search(rb'\b(?:FROM|TO|CC|BCC) "\\["\\]"', hit.command)


def has_blanks(hit):
    """Two in a row."""
    if not is_more(hit):    # between encoded words, where RFC 2047 6.2 ignores them, at the beginning and the end
        return b'TEXT "  "' in hit.command and re.search(rb"\?=[ \t\r\n]{2,}=\?|[ \t]{2}\r\n|^[!-9;-~]+:[ \t]{2}",
                                                         fields(hit.message), re.M)
    return b'"  "' in hit.command and re.search(rb"[ \t\r\n]{2}", header(hit.message))


KNOWN = rb"(?:7bit|8bit|binary|base64|quoted-printable|x-uu[a-z]*|\(|\")"


def has_no_encoding(hit):
    """A Content-Transfer-Encoding that is none."""
    return is_more(hit) and WORDED.search(hit.command) and \
        re.search(rb"(?im)^content-transfer-encoding[ \t]*:\s*(?!%s)" % KNOWN, hit.message)


def has_far_date(hit):
    """Before 1970, or thousands of years away."""
    return re.search(rb"\bSENT|DATE\b", hit.command) and \
        re.search(rb"(?im)^date:\s*(?:\w+,\s*)?\d+\s+\w+\s+(?:19[0-6]\d|[3-9]\d{3})\b", header(hit.message))


def has_no_domain(hit):
    """Dovecot puts MISSING_DOMAIN there."""
    return not is_more(hit) and re.search(rb'\b(?:FROM|TO|CC|BCC) "(?:a|@)"', hit.command) and \
        re.search(rb"(?im)^(?:from|to|cc|bcc):[^@\r\n]+\r\n(?![ \t])", header(hit.message))


def has_comment(hit):
    m = re.search(rb"\b(FROM|TO|CC|BCC) ", hit.command)
    return is_more(hit) and m is not None and \
        re.search(rb"(?im)^%s:(?:[^\r\n]|\r\n[ \t])*\(" % m[1], header(hit.message))


def has_raw_subject(hit):
    m = re.search(rb"(?im)^subject:(.*)", header(hit.message))
    return b"SUBJECT" in hit.command and m is not None and "\ufffd" in m[1].decode(errors="replace")


def has_no_charset(hit):
    """Raw letters that are no UTF-8, in a message whose text names no charset."""
    try:
        hit.message.decode()
        return False
    except UnicodeDecodeError:
        return is_more(hit) and re.search(rb"[\x80-\xff]", hit.command) and WORDED.search(hit.command) and \
            not re.search(rb"(?i)charset", hit.message)


NO_FLAG = rb"(?:UNSEEN|UNDRAFT|UNFLAGGED|UNANSWERED|UNDELETED)"


def has_either_flag(hit):
    return hit.ours and re.search(rb"\bOR %s %s" % (NO_FLAG, NO_FLAG), hit.command)


FOUND = [
    ("Either of two flags", has_either_flag),
    ("Messages that are read otherwise", is_otherwise),
    ("Runs of blanks", has_blanks),
    ("Sizes or days twice in one list", has_twice),
    ("Apostrophes in quoted names", has_apostrophe),
    ("Apostrophes in quoted names", asks_quoted),
    ("Messages without a date", has_no_date),
    ("Encoded words that name a language", lambda hit: is_more(hit) and names_language(hit)),
    ("Fields of attached messages", is_attached),
    ("HTML as it is read", has_html),
    ("Letters without a charset", has_no_charset),
    ("Encodings that are none", has_no_encoding),
    ("Dates far away", has_far_date),
    ("Addresses without a domain", has_no_domain),
    ("Comments beside addresses", has_comment),
    ("The last letter in windows-1255", has_hebrew),
]

SORTED = [
    ("Encoded words that name a language", names_language),
    ("The last letter in windows-1255", has_hebrew),
    ("Messages that are read otherwise", is_otherwise),
    ("Dates far away", has_far_date),
    ("Letters without a charset", has_raw_subject),
]

# What Dovecot logged when it ended a session.
ENDED = [
    ("Sessions that end", re.compile(r"Error: Mailbox .*<binary stream of mailbox .* failed: Base64 data ends prematurely"
                                     r"|Error: Mailbox .* FETCH BINARY\[\] got too little data")),
]

# Found out by asking more (it/imap_compare.py, it/imap_binary.py).
ASKED = ("BINARY of what has parts", "Parts of parts that have none", "Encodings in odd dress", "Sizes that are not those of BINARY",
         "Sizes that are not those of the message", "Partials of header fields", "VANISHED behind the last message", "SEARCH for n:*", "Sessions that end", "RENAME to a level without a mailbox")
