# SPDX-License-Identifier: ISC
"""Content-Transfer-Encoding, base64, quoted-printable."""
import base64

from .craft import (B, CRLF, attached, b64, evil, in_zip, lines, mixed, note, padded, parts, qp,
                    trick, usual, uu, whole, with_type, head)

K = "encoding"


def encoded(body, encoding, **more):
    return whole(mixed(note(), attached(body, encoding, **more)))


def two_encodings(first, second, body):
    return whole(mixed(note(), attached(
        body, None, extra=lines(b"Content-Transfer-Encoding: " + first,
                                b"Content-Transfer-Encoding: " + second))))


# --- the field -------------------------------------------------------------------


@trick(K, "the first of two encodings counts for Thunderbird and Python")
def encoding_twice_first(data):
    return two_encodings(b"base64", b"7bit", b64(data))


@trick(K, "the last of two encodings counts for Outlook and Apple Mail")
def encoding_twice_last(data):
    return two_encodings(b"7bit", b"base64", b64(data))


@trick(K, "quoted-printable and base64 contradict each other; the text is base64")
def encoding_qp_then_base64(data):
    return two_encodings(b"quoted-printable", b"base64", b64(data))


@trick(K, "base64 and quoted-printable contradict each other; the text is quoted-printable")
def encoding_base64_then_qp(data):
    return two_encodings(b"base64", b"quoted-printable", qp(data))


@trick(K, "a comment behind the token (RFC 2045 6.1 allows it)")
def encoding_comment_behind(data):
    return encoded(b64(data), b"base64 (RFC 2045)")


@trick(K, "a comment in front of the token")
def encoding_comment_before(data):
    return encoded(b64(data), b"(here it comes) base64")


@trick(K, "junk behind the token: clients that compare its beginning decode")
def encoding_junk_behind(data):
    return encoded(b64(data), b"base64 foo bar")


@trick(K, "a semicolon and a parameter behind the token")
def encoding_with_parameter(data):
    return encoded(b64(data), b"base64; charset=us-ascii")


@trick(K, "quotes around the token")
def encoding_quoted(data):
    return encoded(b64(data), b'"base64"')


@trick(K, "mixed case")
def encoding_case(data):
    return encoded(b64(data), b"BaSe64")


@trick(K, "a full stop behind the token")
def encoding_full_stop(data):
    return encoded(b64(data), b"base64.")


@trick(K, "an encoded word that says base64")
def encoding_encoded_word(data):
    return encoded(b64(data), b"=?us-ascii?Q?base64?=")


@trick(K, "the token on the next line")
def encoding_folded(data):
    return encoded(b64(data), b"\r\n base64")


@trick(K, "the token behind a line of blanks: some end the header there")
def encoding_folded_over_blank_line(data):
    return encoded(b64(data), b"\r\n \r\n\tbase64")


@trick(K, "blanks between the field's name and the colon")
def encoding_blank_before_colon(data):
    part = attached(b64(data)).replace(b"Encoding:", b"Encoding :")
    return whole(mixed(note(), part))


@trick(K, "NUL behind the token: programs in C do not see it", binary=True)
def encoding_nul_behind(data):
    return encoded(b64(data), b"base64\0x")


@trick(K, "vertical tab and form feed around the token")
def encoding_odd_blanks(data):
    return encoded(b64(data), b"\x0b\x0cbase64\x0c")


@trick(K, "the multipart itself is base64, which RFC 2045 6.4 forbids and Outlook decodes")
def multipart_base64(data):
    return head() + (b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n"
                     b"Content-Transfer-Encoding: base64\r\n\r\n" % B) + b64(usual(data))


@trick(K, "the multipart says base64 but stands there plain: everybody ignores it, or nobody")
def multipart_said_base64(data):
    return head() + (b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n"
                     b"Content-Transfer-Encoding: base64\r\n\r\n" % B) + usual(data)


@trick(K, "the inner multipart is quoted-printable as a whole")
def multipart_qp(data):
    inner = (b"Content-Type: multipart/mixed; boundary=inner\r\n"
             b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" +
             qp(usual(data, b"inner")))
    return whole(mixed(note(), inner))


@trick(K, "the whole message is one base64 part that is an executable's zip")
def message_base64_alone(data):
    return whole(attached(b64(in_zip(data)), ctype=b"application/zip", name=b"notes.zip"))


@trick(K, "the encoding of the multipart is inherited by readers that should not: the part has "
          "none of its own",
       nobody="no client hands an encoding down to the parts")
def encoding_inherited(data):
    return head() + (b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n"
                     b"Content-Transfer-Encoding: base64\r\n\r\n" % B) + \
        parts(note(), attached(b64(data), None))


@trick(K, "7bit is said and base64 stands there", nobody="shown as letters, decoded by nobody")
def encoding_7bit_but_base64(data):
    return encoded(b64(data), b"7bit")


@trick(K, "an empty encoding before base64", nobody="shown as letters, decoded by nobody")
def encoding_empty(data):
    return encoded(b64(data), b"")


@trick(K, "an unknown token before base64", nobody="RFC 2045 6.4: octet-stream, decoded by nobody")
def encoding_unknown(data):
    return encoded(b64(data), b"x-very-own")


@trick(K, "base64 in quoted-printable: two decoders in a row", nobody="no reader decodes twice")
def base64_in_qp(data):
    return encoded(qp(b64(data)), b"quoted-printable")


# --- base64 ----------------------------------------------------------------------


@trick(K, "foreign characters between the letters: RFC 2045 6.8 says ignore them; strict decoders "
          "stop")
def base64_junk_characters(data):
    text = b64(data, 60)
    return encoded(b".".join(text[i:i + 3] for i in range(0, len(text), 3)), b"base64")


@trick(K, "lines of junk among the base64")
def base64_junk_lines(data):
    return encoded(b64(data, 20).replace(CRLF, b"\r\n!!! * !!!\r\n"), b"base64")


@trick(K, "8-bit characters and control characters among the letters", binary=True)
def base64_8bit_junk(data):
    return encoded(b64(data, 12).replace(CRLF, b"\xe4\x00\x07\r\n"), b"base64")


@trick(K, "every third byte is encoded alone, with padding: Outlook and Thunderbird go on behind "
          "the padding")
def base64_padded_everywhere(data):
    text = b"".join(base64.b64encode(data[i:i + 1]) for i in range(len(data)))
    return encoded(b"\r\n".join(text[i:i + 76] for i in range(0, len(text), 76)) + CRLF, b"base64")


@trick(K, "one padding in the middle: the decoder of Python stops or goes on, by its version")
def base64_padding_in_the_middle(data):
    return encoded(base64.b64encode(data[:19]) + CRLF + b64(data[19:]), b"base64")


@trick(K, "a harmless file with padding first, the file behind it")
def base64_behind_padding(data):
    return encoded(base64.b64encode(b"Hello!!") + CRLF + b64(data), b"base64")


@trick(K, "padding characters first of all")
def base64_begins_with_padding(data):
    return encoded(b"====\r\n" + b64(data), b"base64")


@trick(K, "single padding characters strewn in between: ignored by readers that drop what does not "
          "fit, group by group")
def base64_padding_strewn(data):
    text = b64(data, 60)
    return encoded(text[:5] + b"=" + text[5:], b"base64")


@trick(K, "no padding at the end: all clients fill it up")
def base64_without_padding(data):
    return encoded(b64(data[:-1] if len(data) % 3 == 0 else data).rstrip(b"=\r\n") + CRLF, b"base64")


@trick(K, "one letter on each line")
def base64_lines_of_1(data):
    return encoded(b64(data, 1), b"base64")


@trick(K, "three letters on each line, so that no line is a group")
def base64_lines_of_3(data):
    return encoded(b64(data, 3), b"base64")


@trick(K, "77 letters on each line: one more than allowed")
def base64_lines_of_77(data):
    return encoded(b64(padded(data), 77), b"base64")


@trick(K, "998 letters on each line")
def base64_lines_of_998(data):
    return encoded(b64(padded(data), 998), b"base64")


@trick(K, "10,000 letters on one line: longer than SMTP's lines, but taken")
def base64_lines_of_10000(data):
    return encoded(b64(padded(data, 9000), 10000), b"base64")


@trick(K, "blanks in front of each line and between letters")
def base64_blanks(data):
    text = b64(data, 20)
    return encoded(b"   " + text.replace(CRLF, b" \t\r\n   ").replace(b"V", b" V "), b"base64")


@trick(K, "empty lines in front and between")
def base64_empty_lines(data):
    return encoded(b"\r\n\r\n" + b64(data, 20).replace(CRLF, b"\r\n\r\n"), b"base64")


@trick(K, "the alphabet of URLs, as written by careless programs and read by some clients")
def base64_url_alphabet(data):
    body = b64(in_zip(data)).replace(b"+", b"-").replace(b"/", b"_")
    return encoded(body, b"base64", ctype=b"application/zip", name=b"notes.zip")


@trick(K, "CR alone ends the lines", binary=True)
def base64_bare_cr(data):
    return encoded(b64(data, 20, b"\r"), b"base64")


@trick(K, "LF alone ends the lines", binary=True)
def base64_bare_lf(data):
    return encoded(b64(data, 20, b"\n"), b"base64")


@trick(K, "quote marks in front of each line, as a forwarded text has")
def base64_quoted_lines(data):
    return encoded(b"> " + b64(data, 20).replace(CRLF, b"\r\n> "), b"base64")


@trick(K, "a mailing list's footer behind the base64")
def base64_footer(data):
    return encoded(b64(data) + b"_______________\r\nlist mailing list\r\nlist@example.org\r\n",
                   b"base64")


@trick(K, "a line of text in front: four letters of it count as base64 unless a reader drops lines "
          "that cannot be",
       nobody="every decoder takes the text's letters for base64 and gets garbage")
def base64_behind_text(data):
    return encoded(b"Decode what follows:\r\n" + b64(data), b"base64")


@trick(K, "fields and an empty line stand in front of the base64 a second time",
       nobody="every decoder takes the fields for base64")
def base64_behind_fields(data):
    return encoded(b"Content-Type: text/plain\r\n\r\n" + b64(data), b"base64")


@trick(K, "uuencode within base64: a file that clients save and the user opens")
def base64_of_uuencode(data):
    return encoded(b64(uu(data)), b"base64", ctype=b"text/plain", name=b"notes.txt")


@trick(K, "base64 cut off in the middle of a group: clients give what there is")
def base64_cut_off(data):
    text = b64(padded(data))
    return encoded(text[:len(text) * 2 // 3 + 1], b"base64")


# --- quoted-printable ------------------------------------------------------------


@trick(K, "all bytes as =XX")
def qp_everything(data):
    return encoded(qp(data), b"quoted-printable")


@trick(K, "lower-case digits, which RFC 2045 6.7 forbids and all read")
def qp_lower_case(data):
    return encoded(qp(data, digits=b"=%02x"), b"quoted-printable")


@trick(K, "soft line breaks within the words")
def qp_soft_breaks(data):
    rows = [data[i:i + 3].replace(b"=", b"=3D") for i in range(0, len(data), 3)]
    return encoded(b"=\r\n".join(rows) + CRLF, b"quoted-printable")


@trick(K, "blanks between '=' and the line's end: transport padding, dropped by all but strict "
          "decoders")
def qp_blanks_behind_soft_breaks(data):
    rows = [data[i:i + 5] for i in range(0, len(data), 5)]
    return encoded(b"= \t\r\n".join(rows) + CRLF, b"quoted-printable")


@trick(K, "escapes that are none stand in front: a strict decoder gives up, a client leaves them")
def qp_invalid_escapes(data):
    return encoded(b"=ZZ=4=\r\n=G0 =\r\n" + qp(data), b"quoted-printable")


@trick(K, "soft line breaks with bare LF", binary=True)
def qp_bare_lf(data):
    return encoded(qp(data, eol=b"\n"), b"quoted-printable")


@trick(K, "soft line breaks with bare CR", binary=True)
def qp_bare_cr(data):
    return encoded(qp(data, eol=b"\r"), b"quoted-printable")


@trick(K, "a soft line break as the very last thing")
def qp_ends_in_soft_break(data):
    return encoded(qp(data).rstrip(CRLF) + b"=\r\n", b"quoted-printable")


@trick(K, "lines far longer than 76")
def qp_long_lines(data):
    return encoded(qp(padded(data), 990), b"quoted-printable")


@trick(K, "binary in quoted-printable: a zip")
def qp_zip(data):
    return encoded(qp(in_zip(data)), b"quoted-printable", ctype=b"application/zip",
                   name=b"notes.zip")


@trick(K, "the underscore spelling of the encoding's name",
       nobody="an unknown encoding to the readers that we know")
def qp_misspelt(data):
    return encoded(qp(data), b"quoted_printable")


@trick(K, "8bit is said for a zip in the raw", binary=True)
def binary_zip(data):
    return encoded(in_zip(data) + CRLF, b"binary", ctype=b"application/zip", name=b"notes.zip")


@trick(K, "no encoding is said for a zip in the raw", binary=True)
def unsaid_binary_zip(data):
    return encoded(in_zip(data) + CRLF, None, ctype=b"application/zip", name=b"notes.zip")


@trick(K, "the note is base64 too, and the file is its second half, behind padding, with fields in "
          "the decoded text",
       nobody="decoded parts are not parsed for further parts by any client")
def parts_within_base64_text(data):
    body = b64(b"Hello.\r\n--" + B + CRLF + evil(data))
    return with_type(b'multipart/mixed; boundary="%s"' % B, parts(
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body))
