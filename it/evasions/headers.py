# SPDX-License-Identifier: ISC
"""The header block, and names of files."""
from .craft import (B, CRLF, attached, b64, evil, fields, head, in_zip, letter, mixed, note, parts,
                    trick, usual, whole, with_type)

K = "header"
N = "name"
TYPE = b'Content-Type: multipart/mixed; boundary="%s"\r\n' % B


def raw(header, data):
    """A whole header block as it stands, then the usual parts."""
    return header + CRLF + usual(data)


@trick(K, "blanks between Content-Type and its colon: Outlook and Thunderbird accept, strict "
          "readers see no field")
def type_blank_before_colon(data):
    return raw(head() + TYPE.replace(b"Type:", b"Type :"), data)


@trick(K, "a tab before the colon in a part's field")
def part_type_tab_before_colon(data):
    return whole(mixed(note(), evil(data).replace(b"Encoding:", b"Encoding\t:")
                       .replace(b"Type:", b"Type\t:")))


@trick(K, "the field's name is on one line, colon and value on the next",
       nobody="the line is no field to any reader that we know")
def field_name_folded(data):
    return raw(head() + TYPE.replace(b"Type:", b"Type\r\n :"), data)


@trick(K, "no MIME-Version: everybody decodes, strict readers of RFC 2045 need not")
def mime_version_missing(data):
    return raw(head() + TYPE, data)


@trick(K, "MIME-Version 2.0")
def mime_version_2(data):
    return raw(head() + b"MIME-Version: 2.0\r\n" + TYPE, data)


@trick(K, "a comment in MIME-Version")
def mime_version_commented(data):
    return raw(head() + b"MIME-Version: 1.(produced by nobody)0\r\n" + TYPE, data)


@trick(K, "a line without a colon among the fields: some end the header there, clients go on")
def line_without_colon(data):
    return raw(head() + b"this line is no field\r\nMIME-Version: 1.0\r\n" + TYPE, data)


@trick(K, "the same in a part's header")
def part_line_without_colon(data):
    return whole(mixed(note(), b"this line is no field\r\n" + evil(data)))


@trick(K, "a byte order mark in front of the first field")
def byte_order_mark(data):
    return b"\xef\xbb\xbf" + raw(head() + b"MIME-Version: 1.0\r\n" + TYPE, data)


@trick(K, "the byte order mark stands in front of Content-Type, the first field")
def byte_order_mark_at_type(data):
    return b"\xef\xbb\xbf" + raw(TYPE + b"MIME-Version: 1.0\r\n" + head(), data)


@trick(K, "an empty line in front of everything: lenient readers skip it")
def empty_line_first(data):
    return CRLF + raw(head() + b"MIME-Version: 1.0\r\n" + TYPE, data)


@trick(K, "a blank-only line in front of everything")
def blank_line_first(data):
    return b"  \t\r\n" + raw(head() + b"MIME-Version: 1.0\r\n" + TYPE, data)


@trick(K, "the first line is folded from nothing")
def continuation_first(data):
    return b" continued\r\n" + raw(head() + b"MIME-Version: 1.0\r\n" + TYPE, data)


@trick(K, "mbox's From_ line in front, as badly exported mail has")
def from_line_first(data):
    return b"From carol@sender.example Mon Nov 23 10:00:00 2026\r\n" + \
        raw(head() + b"MIME-Version: 1.0\r\n" + TYPE, data)


@trick(K, "a quoted From_ line in front")
def quoted_from_line_first(data):
    return b">From carol@sender.example Mon Nov 23 10:00:00 2026\r\n" + \
        raw(head() + b"MIME-Version: 1.0\r\n" + TYPE, data)


@trick(K, "NUL in another field before Content-Type", binary=True)
def nul_in_header(data):
    return raw(head() + b"X-Any: a\0b\r\nMIME-Version: 1.0\r\n" + TYPE, data)


@trick(K, "NUL within Content-Type's value", binary=True)
def nul_in_type(data):
    return raw(head() + TYPE.replace(b"mixed;", b"mixed\0;"), data)


@trick(K, "NUL in the field's name", binary=True,
       nobody="another name to readers that keep it, no field to others")
def nul_in_name_of_field(data):
    return raw(head() + TYPE.replace(b"Content-Type", b"Content-\0Type"), data)


@trick(K, "40 KB of another field before Content-Type: scanners with small buffers lose it")
def long_field_before(data):
    filler = b"X-Filler: " + b" ".join([b"a" * 70 + CRLF] * 560) + CRLF
    return raw(head() + filler.replace(CRLF + CRLF, CRLF) + TYPE, data)


@trick(K, "2,000 fields before Content-Type")
def many_fields_before(data):
    return raw(head() + b"".join(b"X-Field-%d: x\r\n" % n for n in range(2000)) + TYPE, data)


@trick(K, "a thousand parameters in front of the boundary")
def many_parameters(data):
    more = b"".join(b" p%d=x;\r\n" % n for n in range(200))
    return with_type(b"multipart/mixed;\r\n" + more + b' boundary="%s"' % B, usual(data))


@trick(K, "10 KB of parameter in front of the boundary")
def long_parameter(data):
    return with_type(b"multipart/mixed;\r\n" + b"".join(b' x%d="%s";\r\n' % (n, b"v" * 900)
                                                        for n in range(11)) +
                     b' boundary="%s"' % B, usual(data))


@trick(K, "a line of blanks alone within Content-Type: continued for some, the header's end for "
          "others")
def blank_line_in_type(data):
    return with_type(b'multipart/mixed;\r\n \r\n boundary="%s"' % B, usual(data))


@trick(K, "the header ends at a line of blanks: readers that trim lines")
def header_ends_at_blank_line(data):
    return head() + b"MIME-Version: 1.0\r\n" + TYPE + b" \t \r\n" + usual(data)


@trick(K, "a part's header ends at a line of blanks")
def part_header_ends_at_blank_line(data):
    part = evil(data).replace(CRLF + CRLF, CRLF + b"  " + CRLF, 1)
    return whole(mixed(note(), part))


@trick(K, "names of fields in odd case")
def field_names_case(data):
    return whole(mixed(note(), evil(data).replace(b"Content-T", b"cONTENT-t")))


@trick(K, "Content-Type with nothing on its first line")
def type_on_next_line(data):
    return raw(head() + TYPE.replace(b": ", b":\r\n ", 1), data)


@trick(K, "Content-Type folded at every blank, with tabs")
def type_folded_everywhere(data):
    return raw(head() + b"Content-Type:\r\n\tmultipart/mixed\r\n\t;\r\n\tboundary\r\n\t=\r\n\t"
               b"\"%s\"\r\n" % B, data)


@trick(K, "no blank behind the colon")
def type_without_blank(data):
    return raw(head() + TYPE.replace(b": ", b":"), data)


@trick(K, "bare CR ends the field before Content-Type: a line end to some readers", binary=True)
def bare_cr_between_fields(data):
    return raw(head() + b"MIME-Version: 1.0\r" + TYPE, data)


@trick(K, "the header has bare LF, the body CRLF", binary=True)
def header_bare_lf(data):
    return (head() + b"MIME-Version: 1.0\r\n" + TYPE + CRLF).replace(CRLF, b"\n") + usual(data)


@trick(K, "bare LF only in front of Content-Type: another field's text to strict readers",
       binary=True)
def bare_lf_before_type(data):
    return raw(head() + b"X-Any: x\n" + TYPE, data)


@trick(K, "the header ends with bare LF LF", binary=True)
def header_ends_with_bare_lf(data):
    return head() + TYPE.rstrip(CRLF) + b"\n\n" + usual(data)


@trick(K, "the header ends with bare CR CR", binary=True)
def header_ends_with_bare_cr(data):
    return head() + TYPE.rstrip(CRLF) + b"\r\r" + usual(data)


@trick(K, "Content-Type stands twice in the part: text first, the zip second")
def part_type_twice(data):
    return whole(mixed(note(), b"Content-Type: text/plain\r\n" + evil(data)))


@trick(K, "an encoding behind a second header: the part begins with an empty line",
       nobody="a part with text that shows these fields")
def part_begins_with_empty_line(data):
    return whole(mixed(note(), CRLF + evil(data)))


@trick(K, "underscore for the hyphen", nobody="not the field to any reader")
def underscore_in_field(data):
    return raw(head() + TYPE.replace(b"Content-Type", b"Content_Type"), data)


@trick(K, "the value begins with a semicolon")
def type_begins_with_semicolon(data):
    return with_type(b';multipart/mixed; boundary="%s"' % B, usual(data))


@trick(K, "8-bit characters in another field before it, no charset")
def raw_8bit_in_header(data):
    return raw(head("Übergröße".encode("latin-1")) + b"MIME-Version: 1.0\r\n" + TYPE, data)


@trick(K, "8-bit letters inside the parameters")
def raw_8bit_in_type(data):
    return with_type(b'multipart/mixed; x="\xe4\xff\x80"; boundary="%s"' % B, usual(data))


# --- names -----------------------------------------------------------------------


def named(data, name_fields):
    """The attachment, with these raw parameters as its only name."""
    return whole(mixed(note(), b"Content-Type: application/octet-stream\r\n"
                       b"Content-Disposition: attachment" + name_fields + CRLF +
                       b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(in_zip(data))))


@trick(N, "the name in continuations, its end in the last one")
def name_continued(data):
    return named(data, b"; filename*0=\"invo\"; filename*1=\"ice\"; filename*2=\".zip\"")


@trick(N, "percent signs, a charset, and a plain name that says something else")
def name_twice(data):
    return named(data, b"; filename=\"readme.txt\"; filename*=utf-8''invoice%2Ezip")


@trick(N, "the name is an encoded word")
def name_encoded_word(data):
    return named(data, b"; filename=\"=?utf-8?B?aW52b2ljZS56aXA=?=\"")


@trick(N, "100 continuations with one character each")
def name_of_100_continuations(data):
    return named(data, b"".join(b";\r\n filename*%d=\"%c\"" % (n, b"abcd."[n % 5])
                                for n in range(100)))


@trick(N, "the name has a right-to-left mark, so that its type is read backwards")
def name_right_to_left(data):
    return named(data, "; filename=\"invoice\u202epiz.txt\"".encode())


@trick(N, "the name is folded in the middle and full of blanks before the type")
def name_folded(data):
    return named(data, b";\r\n filename=\"invoice.txt" + b" " * 60 + b"\r\n .zip\"")


@trick(N, "NUL in the name", binary=True)
def name_with_nul(data):
    return named(data, b"; filename=\"invoice.txt\0.zip\"")


@trick(N, "no name at all, no disposition, and no type")
def name_none(data):
    return whole(mixed(note(), b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(in_zip(data))))


@trick(N, "said to be a picture, shown inline")
def name_says_picture(data):
    return whole(mixed(note(), b"Content-Type: image/jpeg; name=\"photo.jpg\"\r\n"
                       b"Content-Disposition: inline; filename=\"photo.jpg\"\r\n"
                       b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(in_zip(data))))


@trick(N, "path characters in the name")
def name_with_path(data):
    return named(data, b"; filename=\"..\\..\\autostart\\..//x.zip\"")
