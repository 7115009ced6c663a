# SPDX-License-Identifier: ISC
"""Files in archives and documents, whole and damaged in ways that programs forgive."""
import bz2
import functools
import gzip
import io
import lzma
import os
import pathlib
import struct
import subprocess
import tarfile
import tempfile
import warnings
import zipfile
import zlib

from .craft import attached, b64, in_zip, jpeg, mixed, note, padded, trick, whole

K = "archive"


def sent(content, name, ctype=b"application/octet-stream"):
    return whole(mixed(note(), attached(b64(content), ctype=ctype, name=name)))


@functools.lru_cache(maxsize=256)
def run(command, files, result=None, stdin=None):
    """Runs a tool among the files ((name, bytes) pairs); what it wrote."""
    with tempfile.TemporaryDirectory(prefix="gatepost-evasion-") as folder:
        for name, content in files:
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (1795428000, 1795428000))
        done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, check=True)
        return pathlib.Path(folder, result).read_bytes() if result else done.stdout


def piped(data, *command):
    return run(command, (), None, data)


def bsdtar(kind, data, *options, name="notes.txt"):
    return run(("bsdtar", "-cf", "out", "--format", kind, *options, name), ((name, data),), "out")


def tar(data, name="notes.txt", mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as t:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def deflated(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(data) + c.flush()


def zip_by_hand(data, packed=None, method=8, name=b"notes.txt", flags=0, local=None, central=None,
                descriptor=b"", directory=True, before=b"", behind=b""):
    """A zip of one member; what is said of it in the local header and in the directory
    can be changed: {"size": …, "csize": …, "crc": …, "name": …, "method": …}."""
    packed = deflated(data) if packed is None else packed
    fact = {"size": len(data), "csize": len(packed), "crc": zlib.crc32(data), "name": name,
            "method": method, "flags": flags, "extra": b""}
    l, c = {**fact, **(local or {})}, {**fact, **(central or {})}
    first = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, l["flags"], l["method"], 0x5000, 0x5d77,
                        l["crc"], l["csize"], l["size"], len(l["name"]), len(l["extra"]))
    body = before + first + l["name"] + l["extra"] + packed + descriptor
    if not directory:
        return body + behind
    row = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, c["flags"], c["method"], 0x5000,
                      0x5d77, c["crc"], c["csize"], c["size"], len(c["name"]), len(c["extra"]), 0,
                      0, 0, 0, len(before)) + c["name"] + c["extra"]
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(row), len(body), 0)
    return body + row + end + behind


def in_gz(data):
    """For archives that only store: scanners carve zips out of anything, but no gzips."""
    return gzip.compress(padded(data))


def zipped(data, **more):
    return sent(zip_by_hand(data, **more), b"notes.zip", b"application/zip")


# --- zip -------------------------------------------------------------------------


@trick(K, "a zip")
def zip_plain(data):
    return sent(in_zip(data), b"notes.zip", b"application/zip")


@trick(K, "a zip in a zip in a zip")
def zip_in_zip_in_zip(data):
    return sent(in_zip(in_zip(in_zip(data), name="b.zip"), name="a.zip"), b"notes.zip")


@trick(K, "zips in each other, 12 deep")
def zip_12_deep(data):
    inner = data
    for n in range(12):
        inner = in_zip(inner, name="%d.zip" % n if n else "notes.txt")
    return sent(inner, b"notes.zip")


@trick(K, "something else in front of the zip: programs look for its end")
def zip_behind_junk(data):
    return zipped(data, before=b"This is not a zip.\r\n" * 200)


@trick(K, "a zip behind a picture: a JPEG to programs that look at the first bytes")
def zip_behind_picture(data):
    return sent(jpeg() + in_zip(data), b"photo.jpg", b"image/jpeg")


@trick(K, "a zip behind a program, as self-extracting ones are")
def zip_behind_program(data):
    return sent(b"MZ" + bytes(510) + in_zip(data), b"notes.bin")


@trick(K, "something else behind the zip")
def zip_before_junk(data):
    return zipped(data, behind=b"junk " * 3000)


@trick(K, "the local header says stored, the directory deflated: unpackers believe the directory")
def zip_local_method_lies(data):
    return zipped(data, local={"method": 0})


@trick(K, "the local header's sizes are wrong")
def zip_local_sizes_lie(data):
    return zipped(data, local={"size": 1, "csize": 1})


@trick(K, "the local header's sizes and checksum are zero, the directory right")
def zip_local_sizes_zero(data):
    return zipped(data, local={"size": 0, "csize": 0, "crc": 0})


@trick(K, "the directory's sizes are zero: readers of local headers unpack it")
def zip_directory_sizes_zero(data):
    return zipped(data, central={"size": 0, "csize": 0})


@trick(K, "the names differ")
def zip_names_differ(data):
    return zipped(data, local={"name": b"readme.md"})


@trick(K, "the checksum is wrong: unpackers warn and leave the file")
def zip_checksum_wrong(data):
    return zipped(data, local={"crc": 1}, central={"crc": 1})


@trick(K, "the local header says encrypted, the directory does not")
def zip_local_says_encrypted(data):
    return zipped(data, local={"flags": 1})


@trick(K, "the directory says encrypted though nothing is: scanners that see the flag skip")
def zip_directory_says_encrypted(data):
    return zipped(data, central={"flags": 1})


@trick(K, "sizes in a data descriptor behind the file")
def zip_data_descriptor(data):
    packed = deflated(data)
    return zipped(data, flags=8, local={"size": 0, "csize": 0, "crc": 0},
                  descriptor=struct.pack("<4sIII", b"PK\7\x08", zlib.crc32(data), len(packed),
                                         len(data)))


@trick(K, "a data descriptor without its signature")
def zip_data_descriptor_bare(data):
    return zipped(data, flags=8, local={"size": 0, "csize": 0, "crc": 0},
                  descriptor=struct.pack("<III", zlib.crc32(data), len(deflated(data)), len(data)))


@trick(K, "zip64 fields for a small file")
def zip64(data):
    sizes = struct.pack("<HHQQ", 1, 16, len(data), len(deflated(data)))
    big = {"size": 0xffffffff, "csize": 0xffffffff, "extra": sizes}
    return zipped(data, local=big, central=big)


@trick(K, "the directory is missing: repaired by most unpackers")
def zip_without_directory(data):
    return zipped(data, directory=False)


@trick(K, "the zip is cut off behind the packed file")
def zip_cut_off(data):
    whole_zip = zip_by_hand(padded(data), name=b"notes.txt")
    return sent(whole_zip[:-30], b"notes.zip")


@trick(K, "two zips, one behind the other: the last end counts for most, the first for others")
def zip_twice_second(data):
    return sent(in_zip(b"nothing", name="a.txt") + in_zip(data, name="b.txt"), b"notes.zip")


@trick(K, "two zips: the file is in the first")
def zip_twice_first(data):
    return sent(in_zip(data, name="a.txt") + in_zip(b"nothing", name="b.txt"), b"notes.zip")


@trick(K, "bzip2 in zip")
def zip_bzip2(data):
    return sent(in_zip(data, zipfile.ZIP_BZIP2), b"notes.zip")


@trick(K, "lzma in zip: 7-Zip and WinZip unpack it, clamd does not")
def zip_lzma(data):
    return sent(in_zip(data, zipfile.ZIP_LZMA), b"notes.zip")


@trick(K, "xz in zip: WinZip unpacks it")
def zip_xz(data):
    return zipped(padded(data), packed=lzma.compress(padded(data)), method=95)


@trick(K, "zstd in zip: WinZip and Windows 11 unpack it")
def zip_zstd(data):
    return zipped(padded(data), packed=piped(padded(data), "zstd", "-qc"), method=93)


@trick(K, "deflate64 in zip: Windows unpacks it")
def zip_deflate64(data):
    return zipped(data, method=9)


@trick(K, "stored in zip, behind a member with the same name")
def zip_same_name_twice(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for content in (b"nothing", data):
            with warnings.catch_warnings():     # it minds the same name
                warnings.simplefilter("ignore")
                z.writestr(zipfile.ZipInfo("notes.txt"), content, zipfile.ZIP_DEFLATED)
    return sent(out.getvalue(), b"notes.zip")


@trick(K, "the 3,000th member of a zip")
def zip_3000_members(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for n in range(2999):
            z.writestr(zipfile.ZipInfo(f"{n}.txt"), b"nothing")
        z.writestr(zipfile.ZipInfo("z.txt"), data, zipfile.ZIP_DEFLATED)
    return sent(out.getvalue(), b"notes.zip")


def crypt(data, password):
    """ZipCrypto (APPNOTE 6.1), with a header of zeros."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def step(c):
        keys[0] = zlib.crc32(bytes([c]), keys[0] ^ 0xffffffff) ^ 0xffffffff
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xffffffff
        keys[2] = zlib.crc32(bytes([keys[1] >> 24]), keys[2] ^ 0xffffffff) ^ 0xffffffff
    for c in password:
        step(c)
    out = bytearray()
    for c in data:
        t = keys[2] | 2
        out.append(c ^ ((t * (t ^ 1) >> 8) & 255))
        step(c)
    return bytes(out)


@trick("policy", "an encrypted zip, its password in the text: nobody can look into it but the reader")
def zip_encrypted(data):
    packed = deflated(data)
    packed = crypt(bytes(11) + bytes([zlib.crc32(data) >> 24]) + packed, b"geheim")
    archive = zip_by_hand(data, packed=packed, flags=1)
    return whole(mixed(note(b"The password is: geheim\r\n"), attached(b64(archive), name=b"n.zip")))


@trick("policy", "a 7z with encrypted names, its password in the text")
def sevenzip_encrypted(data):
    archive = run(("7zz", "a", "-pgeheim", "-mhe=on", "out.7z", "notes.txt"),
                  (("notes.txt", data),), "out.7z")
    return whole(mixed(note(b"The password is: geheim\r\n"), attached(b64(archive), name=b"n.7z")))


# --- other archives --------------------------------------------------------------


@trick(K, "tar.gz")
def tar_gz(data):
    return sent(gzip.compress(tar(data)), b"notes.tar.gz")


@trick(K, "tar.bz2")
def tar_bz2(data):
    return sent(bz2.compress(tar(data)), b"notes.tar.bz2")


@trick(K, "tar.xz")
def tar_xz(data):
    return sent(lzma.compress(tar(padded(data))), b"notes.tar.xz")


@trick(K, "tar.zst: Windows 11 and all Linux desktops unpack it, clamd does not")
def tar_zst(data):
    return sent(piped(tar(padded(data)), "zstd", "-qc"), b"notes.tar.zst")


@trick(K, "gzip of one file")
def gz(data):
    return sent(gzip.compress(data), b"notes.txt.gz", b"application/gzip")


@trick(K, "gzip in gzip in gzip")
def gz_in_gz_in_gz(data):
    return sent(gzip.compress(gzip.compress(gzip.compress(data))), b"notes.txt.gz")


@trick(K, "gzip with an extra field, a name and a comment")
def gz_with_fields(data):
    packed = gzip.compress(data)
    return sent(packed[:3] + b"\x1c" + packed[4:10] + b"\5\0extra" + b"name\0" + b"comment\0" +
                packed[10:], b"notes.txt.gz")


@trick(K, "the file is in the second member of a gzip: gunzip joins them")
def gz_second_member(data):
    return sent(gzip.compress(b"nothing") + gzip.compress(data), b"notes.txt.gz")


@trick(K, "gzip cut off before its checksum")
def gz_cut_off(data):
    return sent(gzip.compress(data)[:-8], b"notes.txt.gz")


@trick(K, "bzip2")
def bz2_file(data):
    return sent(bz2.compress(data), b"notes.txt.bz2")


@trick(K, "xz")
def xz_file(data):
    return sent(lzma.compress(padded(data)), b"notes.txt.xz")


@trick(K, "the old .lzma, which has no magic bytes")
def lzma_file(data):
    return sent(lzma.compress(padded(data), lzma.FORMAT_ALONE), b"notes.txt.lzma")


@trick(K, "zstd: clamd does not open it")
def zst_file(data):
    return sent(piped(padded(data), "zstd", "-qc"), b"notes.txt.zst")


@trick(K, "lz4: clamd does not open it")
def lz4_file(data):
    return sent(piped(in_gz(data), "lz4", "-qc"), b"notes.txt.gz.lz4")


@trick(K, "lzip: clamd does not open it")
def lzip_file(data):
    return sent(piped(padded(data), "lzip", "-c"), b"notes.txt.lz")


@trick("policy", "lzop: clamd does not open it, and hardly anybody else does")
def lzop_file(data):
    return sent(piped(in_gz(data), "lzop", "-c"), b"notes.txt.gz.lzo")


@trick(K, "compress(1)'s .Z")
def compress_file(data):
    return sent(bsdtar("ustar", padded(data), "--compress"), b"notes.tar.Z")


@trick(K, "7z")
def sevenzip(data):
    return sent(bsdtar("7zip", data), b"notes.7z")


@trick(K, "7z with PPMd")
def sevenzip_ppmd(data):
    return sent(bsdtar("7zip", padded(data), "--options", "7zip:compression=ppmd"), b"notes.7z")


@trick(K, "7z with deflate and a packed directory, by 7-Zip itself")
def sevenzip_solid(data):
    return sent(run(("7zz", "a", "-m0=deflate", "-ms=on", "out.7z", "a.txt", "b.txt"),
                    (("a.txt", b"nothing"), ("b.txt", data)), "out.7z"), b"notes.7z")


@trick(K, "a gzip in a CD image, as mounted by a double click in Windows")
def iso9660(data):
    return sent(bsdtar("iso9660", in_gz(data), name="notes.gz"), b"disc.iso")


@trick(K, "a gzip in cpio (newc)")
def cpio_newc(data):
    return sent(bsdtar("newc", in_gz(data), name="notes.gz"), b"notes.cpio")


@trick(K, "a gzip in cpio (odc), gzipped")
def cpio_odc_gz(data):
    return sent(gzip.compress(bsdtar("odc", in_gz(data), name="notes.gz")), b"notes.cpio.gz")


@trick(K, "a gzipped tar in ar, as Debian's packages are")
def ar_of_tar_gz(data):
    return sent(run(("bsdtar", "-cf", "out", "--format", "ar", "data.tar.gz"),
                    (("data.tar.gz", gzip.compress(tar(data))),), "out"), b"notes.deb")


@trick(K, "xar, Apple's packages")
def xar(data):
    return sent(bsdtar("xar", data), b"notes.xar")


@trick(K, "a Microsoft cabinet")
def cab(data):
    return sent(run(("gcab", "-c", "-z", "out.cab", "notes.txt"),
                    (("notes.txt", padded(data)),), "out.cab"), b"notes.cab")


@trick(K, "ARJ")
def arj(data):
    return sent(run(("arj", "a", "-y", "out.arj", "notes.txt"),
                    (("notes.txt", padded(data)),), "out.arj"), b"notes.arj")


def lha_stored(content, name=b"notes.gz"):
    """LHA level 0, -lh0-."""
    crc = 0
    for c in content:
        crc ^= c
        for _ in range(8):
            crc = crc >> 1 ^ 0xa001 if crc & 1 else crc >> 1
    rest = (b"-lh0-" + struct.pack("<III", len(content), len(content), 0x5d775000) + b"\x20\0" +
            bytes([len(name)]) + name + struct.pack("<H", crc))
    return bytes([len(rest), sum(rest) & 255]) + rest + content + b"\0"


@trick(K, "LHA with a stored gzip")
def lha(data):
    return sent(lha_stored(in_gz(data)), b"notes.lzh")


def vint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def rar5_block(body):
    sized = vint(len(body)) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized


def rar5_stored(content, name=b"notes.gz"):
    """RAR 5 (rarlab's technical note), method 0."""
    member = (vint(2) + vint(2) + vint(len(content)) + vint(4) + vint(len(content)) + vint(0x20) +
              struct.pack("<I", zlib.crc32(content)) + vint(0) + vint(1) + vint(len(name)) + name)
    return (b"Rar!\x1a\7\1\0" + rar5_block(vint(1) + vint(0) + vint(0)) + rar5_block(member) +
            content + rar5_block(vint(5) + vint(0) + vint(0)))


@trick(K, "RAR 5 with a stored gzip")
def rar5(data):
    return sent(rar5_stored(in_gz(data)), b"notes.rar")


@trick(K, "RAR 5 behind a program, as self-extracting ones are")
def rar5_behind_program(data):
    return sent(b"MZ" + bytes(1022) + rar5_stored(in_gz(data)), b"notes.bin")


@trick(K, "a WARC with a gzip")
def warc(data):
    return sent(bsdtar("warc", in_gz(data), name="notes.gz"), b"notes.warc")


@trick(K, "a tar whose header has a wrong checksum: GNU tar and 7-Zip skip to the next")
def tar_second_after_bad_header(data):
    first = bytearray(tar(b"nothing", "a.txt"))
    first[148:156] = b"0000000\0"
    return sent(bytes(first[:1024]) + tar(in_gz(data), "b.gz"), b"notes.tar")


@trick(K, "a gzipped tar said to be a picture")
def tar_gz_said_picture(data):
    return sent(gzip.compress(tar(data)), b"photo.png", b"image/png")


@trick(K, "mail in zip in zip, with a base64 attachment in it")
def mail_in_zip_in_zip(data):
    message = sent(in_zip(data), b"notes.zip")
    return sent(in_zip(in_zip(message, name="mail.eml"), name="mail.zip"), b"mail.zip")


@trick(K, "zip in tar.xz in tar.zst in 7z: each opened by another program")
def zip_in_xz_in_zst_in_7z(data):
    inner = lzma.compress(tar(in_zip(padded(data)), "a.zip"))
    inner = piped(tar(inner, "b.tar.xz"), "zstd", "-qc")
    return sent(bsdtar("7zip", inner, name="c.tar.zst"), b"notes.7z")


# --- documents -------------------------------------------------------------------


@trick("document", "a Word document (a zip) with the file embedded")
def docx_embedded(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(zipfile.ZipInfo("[Content_Types].xml"), b'<?xml version="1.0"?><Types/>')
        z.writestr(zipfile.ZipInfo("word/document.xml"), b"<w:document/>")
        z.writestr(zipfile.ZipInfo("word/embeddings/oleObject1.bin"), data, zipfile.ZIP_DEFLATED)
    return sent(out.getvalue(), b"letter.docx")


@trick("document", "a PDF with the file embedded, deflated")
def pdf_embedded(data):
    stream = zlib.compress(data)
    objects = [b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(notes.txt) "
               b"3 0 R] >> >> >>", b"<< /Type /Pages /Kids [] /Count 0 >>",
               b"<< /Type /Filespec /F (notes.txt) /EF << /F 4 0 R >> >>",
               b"<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"
               % (len(stream), stream)]
    out, places = b"%PDF-1.7\n", []
    for n, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    table = b"".join(b"%010d 00000 n \n" % at for at in places)
    out += (b"xref\n0 5\n0000000000 65535 f \n" + table +
            b"trailer << /Root 1 0 R /Size 5 >>\nstartxref\n%d\n%%%%EOF\n" % len(out))
    return sent(out, b"letter.pdf", b"application/pdf")


@trick("document", "RTF with the file as an object in hexadecimal")
def rtf_object(data):
    name = b"notes.txt\0"
    native = (struct.pack("<H", 2) + name + name + struct.pack("<HHI", 0, 3, len(name)) + name +
              struct.pack("<I", len(data)) + data)
    ole = struct.pack("<III", 0x501, 2, 8) + b"Package\0" + struct.pack("<IIII", 0, 0, len(native), 0)[:12]
    rtf = (rb"{\rtf1{\object\objemb{\*\objdata " + (ole + native).hex().encode() + rb"}}}")
    return sent(rtf, b"letter.rtf", b"application/rtf")
