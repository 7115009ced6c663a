# SPDX-License-Identifier: ISC
"""Messages in messages, multiparts in multiparts, and other containers of mail."""
import base64
import struct
import urllib.parse
import zlib

from .craft import (B, CRLF, attached, b64, evil, fields, head, in_zip, letter, lines, mixed, note,
                    parts, qp, trick, usual, uu, whole, with_type)
from .encodings import encoded

K = "nesting"


def message_part(message, ctype=b"message/rfc822", encoding=b""):
    cte = b"Content-Transfer-Encoding: " + encoding + CRLF if encoding else b""
    return b"Content-Type: " + ctype + CRLF + cte + CRLF + message


def inside(data):
    """A whole message with the attachment, to be put into others."""
    return whole(mixed(note(), evil(data), boundary=b"inside"))


def around(message, **more):
    return whole(mixed(note(), message_part(message, **more)))


def deep(data, levels):
    message = inside(data)
    for _ in range(levels):
        message = head() + b"MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + message
    return message


@trick(K, "a forwarded message as attachment")
def forwarded(data):
    return around(inside(data))


@trick(K, "the message is a forwarded message and nothing else")
def forwarded_alone(data):
    return deep(data, 1)


@trick(K, "forwarded five times")
def forwarded_5_times(data):
    return deep(data, 5)


@trick(K, "forwarded 30 times: past the recursion limits of scanners, no reader minds")
def forwarded_30_times(data):
    return deep(data, 30)


@trick(K, "the forwarded message is base64: RFC 2046 5.2.1 forbids it, Outlook and Gmail open it")
def forwarded_base64(data):
    return around(b64(inside(data)), encoding=b"base64")


@trick(K, "the forwarded message is quoted-printable")
def forwarded_qp(data):
    return around(qp(inside(data)), encoding=b"quoted-printable")


@trick(K, "base64 in base64: a forwarded message in a forwarded message, each encoded")
def forwarded_base64_twice(data):
    return around(b64(around(b64(inside(data)), encoding=b"base64")), encoding=b"base64")


@trick(K, "message/global (RFC 6532)")
def forwarded_global(data):
    return around(inside(data), ctype=b"message/global")


@trick(K, "message/global in base64, which RFC 6532 allows")
def forwarded_global_base64(data):
    return around(b64(inside(data)), ctype=b"message/global", encoding=b"base64")


@trick(K, "message/news: shown as a message by clients that know news")
def forwarded_news(data):
    return around(inside(data), ctype=b"message/news")


@trick(K, "an empty line in front of the forwarded message's fields")
def forwarded_behind_empty_line(data):
    return around(CRLF + inside(data))


@trick(K, "a From_ line in front of the forwarded message's fields")
def forwarded_behind_from_line(data):
    return around(b"From carol@sender.example Mon Nov 23 10:00:00 2026\r\n" + inside(data))


@trick(K, "the forwarded message is attached as data with the name .eml, in base64: opened by a "
          "double click")
def eml_as_data(data):
    return encoded(b64(inside(data)), b"base64", name=b"forwarded.eml")


@trick(K, "the .eml as data, not encoded")
def eml_as_data_plain(data):
    return encoded(inside(data), b"8bit", name=b"forwarded.eml")


@trick(K, "the .eml as text/plain in quoted-printable")
def eml_as_text(data):
    return encoded(qp(inside(data)), b"quoted-printable", ctype=b"text/plain",
                   name=b"forwarded.eml")


@trick(K, "an mbox attached, the file in its second message")
def mbox_attached(data):
    box = (b"From a@b.example Mon Nov 23 10:00:00 2026\r\n" + letter(b"", b"Nothing.\r\n") + CRLF +
           b"From a@b.example Mon Nov 23 10:00:00 2026\r\n" + inside(data) + CRLF)
    return encoded(b64(box), b"base64", ctype=b"application/mbox", name=b"mails.mbox")


@trick(K, "an .mht: a web archive that browsers open, the file in a part of it")
def mht_attached(data):
    page = (b"From: <saved by a browser>\r\nMIME-Version: 1.0\r\n" +
            mixed(b"Content-Type: text/html\r\n\r\n<html><img src=x></html>\r\n",
                  evil(data, extra=b"Content-Location: http://x.example/x\r\n"),
                  subtype=b"related", boundary=b"mht"))
    return encoded(b64(page), b"base64", ctype=b"application/octet-stream", name=b"page.mht")


@trick(K, "message/partial, one of one: Outlook Express puts it together")
def partial_one_of_one(data):
    return head() + (b"MIME-Version: 1.0\r\nContent-Type: message/partial; id=\"x@y\"; number=1; "
                     b"total=1\r\n\r\n") + inside(data)


@trick(K, "multipart/digest: a part without a type is a message (RFC 2046 5.1.5)")
def digest_default(data):
    return whole(mixed(CRLF + letter(b"", b"First.\r\n"), CRLF + inside(data), subtype=b"digest"))


@trick(K, "in a digest a part that says text/plain is text, and one without fields a message")
def digest_mixed(data):
    return whole(mixed(note(), CRLF + inside(data), subtype=b"digest"))


@trick(K, "multiparts 30 deep")
def multiparts_30_deep(data):
    inner = evil(data)
    for n in range(30):
        inner = mixed(note(b"Level.\r\n"), inner, boundary=b"level-%02d" % n)
    return whole(inner)


@trick(K, "multiparts 60 deep: within what RFCs allow, past what scanners follow")
def multiparts_60_deep(data):
    inner = evil(data)
    for n in range(60):
        inner = mixed(inner, boundary=b"level-%02d-" % n)
    return whole(inner)


@trick(K, "200 harmless parts in front")
def behind_200_parts(data):
    return whole(mixed(*[note(b"Part %d.\r\n" % n) for n in range(200)], evil(data)))


@trick(K, "1,500 harmless attachments in front")
def behind_1500_parts(data):
    return whole(mixed(*[attached(b64(b"%d" % n), name=b"%d.txt" % n) for n in range(1500)],
                       evil(data)))


@trick(K, "multipart/alternative: the file is a choice that clients list as attachment")
def in_alternative(data):
    return whole(mixed(note(), b"Content-Type: text/html\r\n\r\n<p>Hello</p>\r\n", evil(data),
                       subtype=b"alternative"))


@trick(K, "multipart/related: the file has a Content-Id and is reached by a link in the page")
def in_related(data):
    return whole(mixed(b"Content-Type: text/html\r\n\r\n<a href=\"cid:f@x\">open</a>\r\n",
                       evil(data, extra=b"Content-ID: <f@x>\r\n"), subtype=b"related"))


@trick(K, "multipart/related by Content-Location, without name or disposition")
def in_related_by_location(data):
    file = (b"Content-Type: application/zip\r\nContent-Location: files/x.zip\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(in_zip(data)))
    return whole(mixed(b"Content-Type: text/html\r\n\r\n<a href=\"files/x.zip\">open</a>\r\n", file,
                       subtype=b"related"))


@trick(K, "multipart/form-data")
def in_form_data(data):
    return whole(mixed(note(), evil(data), subtype=b"form-data"))


@trick(K, "multipart/report: the file is where the returned message belongs")
def in_report(data):
    status = (b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.example\r\n\r\n"
              b"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n")
    return whole(mixed(note(), status, message_part(inside(data)), subtype=b"report"))


@trick(K, "the file stands within message/delivery-status as base64")
def in_delivery_status(data):
    return encoded(b64(data), b"base64", ctype=b"message/delivery-status", name=b"report.txt")


@trick(K, "multipart/signed: the signed part is a message with the file")
def in_signed(data):
    return whole(mixed(mixed(note(), evil(data), boundary=b"signed"),
                       b"Content-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP SIGNATURE"
                       b"-----\r\n\r\niQEz\r\n-----END PGP SIGNATURE-----\r\n", subtype=b"signed"))


@trick(K, "the file poses as the signature of multipart/signed")
def as_signature(data):
    return whole(mixed(note(), attached(b64(in_zip(data)), ctype=b"application/pkcs7-signature",
                                        name=b"smime.p7s"), subtype=b"signed"))


@trick(K, "the file poses as the encrypted part of multipart/encrypted")
def as_encrypted(data):
    return whole(mixed(b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n",
                       attached(b64(in_zip(data)), name=b"encrypted.asc"), subtype=b"encrypted"))


@trick(K, "multipart/appledouble: the data fork is the file")
def in_appledouble(data):
    return whole(mixed(attached(b64(b"\0\x05\x16\x07\0\x02\0\0"), ctype=b"application/applefile"),
                       evil(data), subtype=b"appledouble"))


@trick(K, "an OpenPGP clear-signed text with uuencode in it")
def in_clear_signed(data):
    return letter(b"Content-Type: text/plain\r\n",
                  b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n" + uu(in_zip(data)) +
                  b"-----BEGIN PGP SIGNATURE-----\r\n\r\niQEz\r\n-----END PGP SIGNATURE-----\r\n")


def der(tag, *inner):
    body = b"".join(inner)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def signed_data(content):
    """CMS SignedData with its content inside and nobody's signature (RFC 5652 5.1)."""
    data_oid = bytes.fromhex("06092a864886f70d010701")
    signed_oid = bytes.fromhex("06092a864886f70d010702")
    inner = der(0x30, data_oid, der(0xa0, der(0x04, content)))
    return der(0x30, signed_oid, der(0xa0, der(0x30, b"\x02\x01\x01", der(0x31), inner, der(0x31))))


@trick(K, "S/MIME, signed and opaque: Outlook, Apple Mail and Thunderbird open what is inside; "
          "scanners see a DER blob")
def smime_opaque(data):
    entity = mixed(note(), evil(data), boundary=b"opaque")
    return head() + (b"MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; "
                     b"smime-type=signed-data; name=\"smime.p7m\"\r\nContent-Transfer-Encoding: "
                     b"base64\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n"
                     ) + b64(signed_data(entity))


def tnef(data, name=b"notes.zip"):
    """winmail.dat with one attachment."""
    def attribute(level, number, kind, content):
        return (bytes([level]) + struct.pack("<HHI", number, kind, len(content)) + content +
                struct.pack("<H", sum(content) & 0xffff))
    rendering = struct.pack("<HIHHI", 1, 0xffffffff, 0, 0, 0)
    return (struct.pack("<IH", 0x223e9f78, 1) +
            attribute(1, 0x9006, 8, struct.pack("<I", 0x00010000)) +
            attribute(1, 0x8008, 7, b"IPM.Microsoft Mail.Note\0") +
            attribute(2, 0x9002, 6, rendering) + attribute(2, 0x8010, 1, name + b"\0") +
            attribute(2, 0x800f, 6, data))


@trick(K, "winmail.dat: Outlook shows the files in it")
def tnef_zip(data):
    return encoded(b64(tnef(in_zip(data))), b"base64", ctype=b"application/ms-tnef",
                   name=b"winmail.dat")


@trick(K, "winmail.dat as octet-stream, its file in the raw")
def tnef_raw(data):
    return encoded(b64(tnef(data, b"notes.dat")), b"base64", name=b"winmail.dat")


def page(text):
    return letter(fields(content_type=b"text/html; charset=utf-8"), text)


@trick(K, "a data: URI in base64 in HTML: a click saves the file")
def data_uri(data):
    return page(b'<html><body><a download="notes.dat" href="data:application/octet-stream;base64,' +
                base64.b64encode(data) + b'">invoice</a></body></html>\r\n')


@trick(K, "a data: URI with percent signs")
def data_uri_percent(data):
    return page(b'<html><a download="x" href="data:application/octet-stream,' +
                urllib.parse.quote(data, safe="").encode() + b'">invoice</a></html>\r\n')


@trick(K, "a data: URI with a zip, in an attached HTML page")
def data_uri_attached(data):
    html = (b'<html><a download="x.zip" href="data:application/zip;base64,' +
            base64.b64encode(in_zip(data)) + b'">invoice</a></html>\r\n')
    return encoded(b64(html), b"base64", ctype=b"text/html", name=b"page.html")


@trick(K, "HTML smuggling: a script puts the file together and saves it",
       nobody="no client runs scripts in mail; attached pages with scripts are a matter of policy")
def html_smuggling(data):
    return encoded(b64(b"<script>var b=atob('" + base64.b64encode(data) +
                       b"');save(b)</script>\r\n"), b"base64", ctype=b"text/html",
                   name=b"page.html")


@trick(K, "message/external-body", nobody="the file is elsewhere: nothing of it is in the message")
def external_body(data):
    return whole(mixed(note(), b"Content-Type: message/external-body; access-type=URL;\r\n"
                       b" URL=\"http://x.example/notes.dat\"\r\n\r\nContent-Type: text/plain\r\n\r\n"))


@trick(K, "mail in zip in mail in zip")
def mail_in_zip_in_mail(data):
    def zipped(message):
        return encoded(b64(in_zip(message, name="forwarded.eml")), b"base64",
                       ctype=b"application/zip", name=b"mails.zip")
    return zipped(zipped(inside(data)))


@trick(K, "a zip within a forwarded message within a base64 message within a digest")
def zip_in_forwarded_in_digest(data):
    inner = encoded(b64(in_zip(data)), b"base64", name=b"notes.zip")
    outer = around(b64(inner), encoding=b"base64")
    return whole(mixed(CRLF + outer, subtype=b"digest"))


@trick(K, "the attached message is cut off in the middle of the file's base64")
def forwarded_cut_off(data):
    message = inside(data + b" " * 60)
    return around(message[:message.rindex(b"--inside--") - 40])


@trick(K, "nested messages, each with a trick: a base64 multipart in a forwarded message with two "
          "encodings")
def tricks_in_each_other(data):
    inner = head() + (b"Content-Type: multipart/mixed; boundary=\"in\"\r\n"
                      b"Content-Transfer-Encoding: base64\r\n\r\n") + b64(usual(data, b"in"))
    part = (b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(inner))
    return with_type(b'multipart/mixed; boundary*0="=_fron"; boundary*1="tier"',
                     parts(note(), part))


@trick(K, "the forwarded message is uuencoded")
def forwarded_uu(data):
    return around(uu(inside(data)), encoding=b"x-uuencode")


@trick(K, "message/partial, the first of two", nobody="half a file is none; policy may refuse partials")
def partial_one_of_two(data):
    message = inside(data)
    return head() + (b"MIME-Version: 1.0\r\nContent-Type: message/partial; id=\"x@y\"; number=1; "
                     b"total=2\r\n\r\n") + message[:-120]


@trick(K, "an invitation with a file in it (RFC 5545 3.1.3): calendars show and save it")
def calendar_attachment(data):
    text = base64.b64encode(in_zip(data))
    rows = b"\r\n ".join(text[i:i + 70] for i in range(0, len(text), 70))
    calendar = (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@x.example\r\n"
                b"DTSTART:20261126T090000Z\r\nSUMMARY:Meeting\r\nATTACH;FMTTYPE=application/zip;"
                b"X-FILENAME=notes.zip;ENCODING=BASE64;VALUE=BINARY:\r\n " + rows +
                b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    return whole(mixed(note(), b"Content-Type: text/calendar; method=REQUEST\r\n\r\n" + calendar,
                       subtype=b"alternative"))


def packet(tag, body):
    """An OpenPGP packet with a four-byte length (RFC 4880 4.2.2)."""
    return bytes([0xc0 | tag, 0xff]) + struct.pack(">I", len(body)) + body


def armored(content):
    crc = 0xb704ce
    for c in content:
        crc ^= c << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864cfb if crc & 0x800000 else 0)
    check = base64.b64encode((crc & 0xffffff).to_bytes(3, "big"))
    return (b"-----BEGIN PGP MESSAGE-----\r\n\r\n" + b64(content, 64) + b"=" + check +
            b"\r\n-----END PGP MESSAGE-----\r\n")


@trick(K, "an OpenPGP message that is only compressed: whoever has gpg reads it without a key")
def pgp_compressed(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    literal = packet(11, b"b\x09notes.dat" + bytes(4) + data)
    content = packet(8, b"\x01" + c.compress(literal) + c.flush())
    return encoded(armored(content), b"7bit", name=b"notes.dat.asc")


@trick(K, "the same as the text of the message")
def pgp_compressed_text(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    literal = packet(11, b"t\0" + bytes(4) + b"Hello\r\n\r\n" + uu(data))
    return letter(b"Content-Type: text/plain\r\n", armored(packet(8, b"\x01" + c.compress(literal) +
                                                                 c.flush())))
