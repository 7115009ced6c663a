# SPDX-License-Identifier: ISC
"""Where a multipart's parts begin and end."""
from .craft import (B, CRLF, b64, attached, evil, head, letter, mixed, note, parts, trick, usual,
                    whole, with_type)

K = "boundary"
DECOY = b"=_decoy"


def decoy(data):
    """Parts of B in what readers of DECOY take for the preamble, and the other way
    round: each sees a whole message."""
    return (parts(note(), evil(data)) +
            parts(note(b"Nothing to see.\r\n"), boundary=DECOY))


@trick(K, "Python's email and Dovecot take the first of two boundary parameters; scanners that "
          "take the last one see a text")
def boundary_twice_first_counts(data):
    return with_type(b'multipart/mixed; boundary="%s"; boundary="%s"' % (B, DECOY), decoy(data))


@trick(K, "Outlook and others take the last of two boundary parameters; clamd and Python the first")
def boundary_twice_last_counts(data):
    return with_type(b'multipart/mixed; boundary="%s"; boundary="%s"' % (DECOY, B), decoy(data))


@trick(K, "readers of RFC 2231 join boundary*0 and boundary*1; older scanners find no boundary")
def boundary_continued(data):
    return with_type(b'multipart/mixed; boundary*0="=_fron"; boundary*1="tier"', usual(data))


@trick(K, "RFC 2231 readers put continuations in order of their numbers; naive ones join them as "
          "they come")
def boundary_continued_backwards(data):
    return with_type(b'multipart/mixed; boundary*1="tier"; boundary*0="=_fron"', usual(data))


@trick(K, "Python and Thunderbird join the continuations; clamd takes the plain decoy beside them")
def boundary_continued_beside_plain(data):
    return with_type(b'multipart/mixed; boundary="%s"; boundary*0="=_fron"; boundary*1="tier"'
                     % DECOY, decoy(data))


@trick(K, "readers that prefer the plain value show the file; those that join continuations a decoy")
def boundary_plain_beside_continued(data):
    return with_type(b'multipart/mixed; boundary="%s"; boundary*0="=_de"; boundary*1="coy"' % B,
                     decoy(data))


@trick(K, "an RFC 2231 boundary with a charset: Thunderbird decodes it, most scanners do not")
def boundary_rfc2231_charset(data):
    return with_type(b"multipart/mixed; boundary*=us-ascii''%3D_frontier", usual(data))


@trick(K, "the same with percent signs and continuations mixed")
def boundary_rfc2231_mixed(data):
    return with_type(b"multipart/mixed; boundary*0*=us-ascii'en'%3D%5ffron; boundary*1=\"tier\"",
                     usual(data))


@trick(K, "specials in an unquoted boundary: every client reads to the blank or semicolon, a "
          "strict tokenizer stops at '='")
def boundary_unquoted_specials(data):
    return with_type(b"multipart/mixed; boundary=--==a=b?c:d/e@f", usual(data, b"--==a=b?c:d/e@f"))


@trick(K, "RFC 5322 readers take the backslash of a quoted pair away; scanners compare it")
def boundary_quoted_pair(data):
    return with_type(rb'multipart/mixed; boundary="=_fr\ontier"', usual(data))


@trick(K, "readers that leave the backslash where it is show the file; those that unescape see none")
def boundary_quoted_pair_kept(data):
    return with_type(rb'multipart/mixed; boundary="=_fr\ontier"', usual(data, rb"=_fr\ontier"))


@trick(K, "a blank at the end of the quoted boundary: Outlook trims it (no boundary may end in "
          "one), others find no part")
def boundary_ends_in_blank(data):
    return with_type(b'multipart/mixed; boundary="%s "' % B, usual(data))


@trick(K, "blanks around '=': clients allow them, the grammar does not")
def boundary_blanks_around_equals(data):
    return with_type(b'multipart/mixed; boundary = "%s"' % B, usual(data))


@trick(K, "single quotes are no quotes: they belong to the boundary")
def boundary_single_quotes(data):
    return with_type(b"multipart/mixed; boundary='%s'" % B, usual(data, b"'%s'" % B))


@trick(K, "readers that take single quotes for quotes (web mail in several languages)")
def boundary_single_quotes_taken_off(data):
    return with_type(b"multipart/mixed; boundary='%s'" % B, usual(data))


@trick(K, "200 characters, where 70 are allowed: clients do not count, some scanners cut")
def boundary_of_200(data):
    long = b"long" * 50
    return with_type(b'multipart/mixed; boundary="%s"' % long, usual(data, long))


@trick(K, "900 characters: as long as a line can be")
def boundary_of_900(data):
    long = b"verylong_" * 100
    return with_type(b'multipart/mixed;\r\n boundary="%s"' % long, usual(data, long))


@trick(K, "70 characters are compared by readers that cut; the delimiter lines differ after them")
def boundary_cut_at_70(data):
    long = b"c" * 70
    return with_type(b'multipart/mixed; boundary="%s-the-rest"' % long, usual(data, long))


@trick(K, "all characters that a boundary may have, a blank in its middle among them")
def boundary_all_characters(data):
    all_of_them = b"'()+_,-./:=? x"
    return with_type(b'multipart/mixed; boundary="%s"' % all_of_them, usual(data, all_of_them))


@trick(K, "the inner boundary begins with the outer one: who compares prefixes ends the inner "
          "multipart too early")
def boundary_inner_begins_with_outer(data):
    return whole(mixed(note(), mixed(note(), evil(data), boundary=B + b"-x")))


@trick(K, "the outer boundary begins with the inner one: who compares prefixes takes outer "
          "delimiters for inner ones")
def boundary_outer_begins_with_inner(data):
    return whole(mixed(note(), mixed(note(), boundary=b"=_fr"), evil(data)))


@trick(K, "prefix readers (Outlook, older Thunderbird) take --=_frontierXYZ for a delimiter; "
          "exact ones see one text")
def delimiter_with_junk(data):
    body = parts(note(), evil(data), boundary=B + b"XYZ", last=b"")
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "the first part is delimited exactly, the file by a line with junk behind the boundary")
def delimiter_with_junk_later(data):
    body = (b"--" + B + CRLF + note() + b"--" + B + b" junk" + CRLF + evil(data) +
            b"--" + B + b"--" + CRLF)
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "a blank in front of the dashes: lenient readers (ripMIME, some web mail) strip lines")
def delimiter_behind_blank(data):
    body = b" " + usual(data).replace(CRLF + b"--", CRLF + b" --")
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "blanks and tabs behind the boundary are allowed (RFC 2046 5.1.1); exact comparers miss "
          "the part")
def delimiter_trailing_blanks(data):
    body = usual(data).replace(B + CRLF, B + b" \t  " + CRLF)
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "parts go on behind the closing delimiter: Outlook Express and others show them, "
          "scanners stop there")
def parts_behind_the_end(data):
    body = parts(note()) + parts(evil(data))
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "the closing delimiter comes first, then the parts")
def end_in_front(data):
    return with_type(b'multipart/mixed; boundary="%s"' % B, b"--" + B + b"--\r\n" + usual(data))


@trick(K, "something stands behind the closing delimiter's dashes, so that only some take it for "
          "the end")
def end_with_junk(data):
    body = parts(note(), last=b"--x") + parts(evil(data))
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "no closing delimiter: every client shows the part, some scanners drop what is open")
def end_missing(data):
    return with_type(b'multipart/mixed; boundary="%s"' % B,
                     usual(data)[:-len(b"--" + B + b"--\r\n")])


@trick(K, "no line end after the last base64 line and no end: cut off in the middle of the part")
def end_missing_and_line_end(data):
    body = usual(data)[:-len(b"--" + B + b"--\r\n")]
    return with_type(b'multipart/mixed; boundary="%s"' % B, body.rstrip(CRLF))


@trick(K, "the first delimiter is missing: some readers take the fields at the body's beginning "
          "for a part's; for others it is preamble")
def first_delimiter_missing(data):
    body = evil(data) + parts(note())
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "the file stands in the preamble, with fields of its own behind a note",
       nobody="a preamble is not shown, and not decoded where it is")
def file_in_preamble(data):
    body = b"This is a message in MIME format.\r\n\r\n" + evil(data) + parts(note())
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "the file stands in the epilogue, uuencoded: text for readers that show epilogues")
def file_in_epilogue(data):
    from .craft import uu
    return with_type(b'multipart/mixed; boundary="%s"' % B, parts(note()) + CRLF + uu(data))


@trick(K, "inner and outer multipart have the same boundary: readers differ in who owns a part")
def boundary_same_nested(data):
    return whole(mixed(note(), mixed(note(), evil(data))))


@trick(K, "the same, and the inner end closes both for some: the file comes behind it")
def boundary_same_nested_then_more(data):
    inner = mixed(note())
    body = b"--" + B + CRLF + note() + b"--" + B + CRLF + inner + parts(evil(data))
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "the inner multipart is never closed; the file is the outer one's next part")
def inner_never_closed(data):
    inner = mixed(note(), boundary=b"inner")[:-len(b"--inner--\r\n")]
    return whole(mixed(inner, evil(data)))


@trick(K, "the outer boundary ends the inner multipart, whose delimiters go on behind it")
def inner_goes_on_outside(data):
    inner = mixed(note(), boundary=b"inner")[:-len(b"--inner--\r\n")]
    body = (b"--" + B + CRLF + inner + b"--" + B + CRLF + note() +
            parts(evil(data), boundary=b"inner") + b"--" + B + b"--\r\n")
    return with_type(b'multipart/mixed; boundary="%s"' % B, body)


@trick(K, "the first Content-Type is text, the second multipart: readers of the last one show the "
          "file")
def type_twice_multipart_last(data):
    return letter(b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n"
                  % B, usual(data))


@trick(K, "the first Content-Type is multipart, the second text: readers of the first show the file")
def type_twice_multipart_first(data):
    return letter(b"Content-Type: multipart/mixed; boundary=\"%s\"\r\nContent-Type: text/plain\r\n"
                  % B, usual(data))


@trick(K, "two multipart types with a boundary each; every reader sees another message")
def type_twice_two_boundaries(data):
    return letter(b"Content-Type: multipart/mixed; boundary=\"%s\"\r\n"
                  b"Content-Type: multipart/mixed; boundary=\"%s\"\r\n" % (DECOY, B), decoy(data))


@trick(K, "the boundary parameter on a line of its own: ordinary, but seen to break scanners")
def boundary_folded(data):
    return with_type(b'multipart/mixed;\r\n\tcharset="utf-8";\r\n\tboundary="%s"' % B, usual(data))


@trick(K, "folded inside the quotes: unfolding leaves a blank in the boundary")
def boundary_folded_in_quotes(data):
    return with_type(b'multipart/mixed; boundary="=_fron\r\n tier"', usual(data, b"=_fron tier"))


@trick(K, "folded inside the quotes: readers that drop the fold with its blank")
def boundary_folded_in_quotes_dropped(data):
    return with_type(b'multipart/mixed; boundary="=_fron\r\n tier"', usual(data))


@trick(K, "comments around everything (RFC 822): Python and Thunderbird skip them, many scanners "
          "do not")
def boundary_commented(data):
    return with_type(b'multipart/mixed (a); (b) boundary (c) = (d) "%s" (e)' % B, usual(data))


@trick(K, "a comment holds another boundary parameter, found by those who search for the word")
def boundary_in_comment(data):
    return with_type(b'multipart/mixed; (boundary="%s";) boundary="%s"' % (DECOY, B), decoy(data))


@trick(K, "the quoted value of another parameter holds a boundary parameter")
def boundary_in_other_value(data):
    return with_type(b'multipart/mixed; x="; boundary=%s"; boundary="%s"' % (DECOY, B),
                     decoy(data))


@trick(K, "an empty boundary: delimiters are two dashes")
def boundary_empty(data):
    return with_type(b'multipart/mixed; boundary=""', usual(data, b""))


@trick(K, "no boundary parameter: readers that guess take the first line that begins with dashes")
def boundary_none(data):
    return with_type(b"multipart/mixed", usual(data))


@trick(K, "NUL in the boundary: programs in C compare what is before it", binary=True)
def boundary_with_nul(data):
    return with_type(b'multipart/mixed; boundary="=_fron\0tier"', usual(data, b"=_fron"))


@trick(K, "NUL in the boundary and in the delimiters: others compare all of it", binary=True)
def boundary_with_nul_everywhere(data):
    return with_type(b'multipart/mixed; boundary="=_fron\0tier"', usual(data, b"=_fron\0tier"))


@trick(K, "8-bit characters in the boundary")
def boundary_8bit(data):
    return with_type("multipart/mixed; boundary=\"=_fröntiér\"".encode(),
                     usual(data, "=_fröntiér".encode()))


@trick(K, "bare LF in front of the delimiters, as a server hands it on that takes BINARYMIME: most "
          "readers split lines there", binary=True)
def delimiter_after_bare_lf(data):
    return with_type(b'multipart/mixed; boundary="%s"' % B,
                     usual(data).replace(CRLF + b"--" + B, b"\n--" + B))


@trick(K, "the whole body has bare LF", binary=True)
def body_bare_lf(data):
    return with_type(b'multipart/mixed; boundary="%s"' % B, usual(data).replace(CRLF, b"\n"))


@trick(K, "the whole message has bare LF", binary=True)
def message_bare_lf(data):
    return with_type(b'multipart/mixed; boundary="%s"' % B, usual(data)).replace(CRLF, b"\n")


@trick(K, "bare CR ends the lines, as of an old Macintosh; Python splits there", binary=True)
def body_bare_cr(data):
    return with_type(b'multipart/mixed; boundary="%s"' % B, usual(data).replace(CRLF, b"\r"))


@trick(K, "bare CR in front of the delimiter only", binary=True)
def delimiter_after_bare_cr(data):
    return with_type(b'multipart/mixed; boundary="%s"' % B,
                     usual(data).replace(CRLF + b"--" + B, b"\r--" + B))


@trick(K, "CR CR LF ends the lines, as careless gateways write", binary=True)
def body_cr_cr_lf(data):
    return with_type(b'multipart/mixed; boundary="%s"' % B, usual(data).replace(CRLF, b"\r\r\n"))


@trick(K, "no semicolon between type and parameter: readers that search for 'boundary=' show it")
def semicolon_missing(data):
    return with_type(b'multipart/mixed boundary="%s"' % B, usual(data))


@trick(K, "no semicolon between two parameters")
def semicolon_missing_later(data):
    return with_type(b'multipart/mixed; charset="utf-8" boundary="%s"' % B, usual(data))


@trick(K, "a comma where a semicolon belongs")
def comma_for_semicolon(data):
    return with_type(b'multipart/mixed, boundary="%s"' % B, usual(data))


@trick(K, "two semicolons, and one in front")
def semicolons_doubled(data):
    return with_type(b'multipart/mixed;;; ; boundary="%s";;' % B, usual(data))


@trick(K, "blanks around the slash")
def blanks_in_type(data):
    return with_type(b'multipart / mixed; boundary="%s"' % B, usual(data))


@trick(K, "the type without a subtype: treated as mixed by several clients")
def type_without_subtype(data):
    return with_type(b'multipart; boundary="%s"' % B, usual(data))


@trick(K, "an unknown subtype is mixed (RFC 2046 5.1.7); scanners with a list leave it alone")
def subtype_unknown(data):
    return with_type(b'multipart/x-whatever; boundary="%s"' % B, usual(data))


@trick(K, "an encoded word as boundary: some web mail decodes it (RFC 2047 5 forbids it)")
def boundary_encoded_word(data):
    return with_type(b'multipart/mixed; boundary="=?us-ascii?Q?=3D=5Ffrontier?="', usual(data))


@trick(K, "an encoded word as boundary, not decoded: it is the boundary as it stands")
def boundary_encoded_word_kept(data):
    word = b"=?us-ascii?Q?=3D=5Ffrontier?="
    return with_type(b'multipart/mixed; boundary="%s"' % word, usual(data, word))


@trick(K, "upper case in the names; only the boundary's value has a case")
def boundary_upper_case(data):
    return with_type(b'MULTIPART/MIXED; BOUNDARY="%s"' % B, usual(data))


@trick(K, "quotes that never close: the value goes to the end of the field")
def quotes_never_closed(data):
    return with_type(b'multipart/mixed; boundary="%s' % B, usual(data))


@trick(K, "a quote that never closes in a parameter before the boundary")
def quotes_never_closed_before(data):
    return with_type(b'multipart/mixed; charset="utf-8; boundary=%s' % B, usual(data))


@trick(K, "a semicolon in an unquoted boundary cuts it off: readers of what is before it")
def boundary_semicolon_cuts(data):
    return with_type(b"multipart/mixed; boundary=abc;def", usual(data, b"abc"))


@trick(K, "the boundary ends in two dashes: its delimiter looks like an end")
def boundary_ends_in_dashes(data):
    return with_type(b'multipart/mixed; boundary="%s--"' % B, usual(data, B + b"--"))


@trick(K, "text/plain with a boundary and delimiters: readers that trust the structure more than "
          "the type")
def multipart_said_to_be_text(data):
    return with_type(b'text/plain; boundary="%s"' % B, usual(data))


@trick(K, "application/octet-stream with a boundary, and the parts in it")
def multipart_said_to_be_data(data):
    return with_type(b'application/octet-stream; boundary="%s"' % B, usual(data))


@trick(K, "no empty line between the message's header and the first delimiter")
def header_without_its_end(data):
    return head() + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="%s"\r\n' % B \
        + usual(data)


@trick(K, "no empty line between a part's fields and its base64: clients take the first line that "
          "is no field for the body")
def part_without_empty_line(data):
    file = attached(b64(data)).replace(CRLF + CRLF, CRLF, 1)
    return whole(mixed(note(), file))


@trick(K, "a part whose header ends at the delimiter, so that the next one's fields look like its")
def part_of_header_alone(data):
    return whole(mixed(note(), b"Content-Type: text/plain", evil(data)))


@trick(K, "a tab inside the boundary")
def boundary_with_tab(data):
    return with_type(b'multipart/mixed; boundary="=_fron\ttier"', usual(data, b"=_fron\ttier"))


@trick(K, "five dashes: the boundary begins with dashes, and readers count them differently")
def boundary_of_dashes(data):
    return with_type(b'multipart/mixed; boundary="---"', usual(data, b"---"))


@trick(K, "delimiters in another case: no reader that we know compares without it",
       nobody="boundaries are compared with their case everywhere")
def delimiter_other_case(data):
    return with_type(b'multipart/mixed; boundary="Frontier"', usual(data, b"frontier"))


@trick(K, "junk behind the closing quote of the boundary: readers take what is quoted")
def boundary_junk_behind_quotes(data):
    return with_type(b'multipart/mixed; boundary="%s"junk' % B, usual(data))


@trick(K, "two quoted strings side by side: some readers join them")
def boundary_two_quoted(data):
    return with_type(b'multipart/mixed; boundary="=_fron""tier"', usual(data))


@trick(K, "two quoted strings side by side: others take the first")
def boundary_two_quoted_first(data):
    return with_type(b'multipart/mixed; boundary="%s""decoy"' % B, usual(data))


@trick(K, "a blank between the boundary and the closing dashes: no end to exact readers, who go on")
def end_with_blank(data):
    return with_type(b'multipart/mixed; boundary="%s"' % B, parts(note(), last=b" --") +
                     parts(evil(data)))


@trick(K, "a colon for the equals sign", nobody="no reader that we know takes it")
def boundary_colon(data):
    return with_type(b'multipart/mixed; boundary: "%s"' % B, usual(data))


@trick(K, "the name of the parameter in quotes")
def boundary_name_quoted(data):
    return with_type(b'multipart/mixed; "boundary"="%s"' % B, usual(data))


@trick(K, "vertical tab and form feed for blanks in Content-Type: isspace() to programs in C")
def type_with_vertical_tab(data):
    return with_type(b'\x0bmultipart/mixed;\x0c\x0bboundary="%s"\x0b' % B, usual(data))


@trick(K, "a no-break space in front of the type: trimmed by programs that know Unicode")
def type_behind_no_break_space(data):
    return with_type("\u00a0multipart/mixed;\u00a0".encode() + b'boundary="%s"' % B, usual(data))
