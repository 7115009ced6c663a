#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""embed.py OUTPUT UI GROUPS ASSET...: the files of ui/ as the tables of say/ui.h.

Templates (ui/pages, ui/letters) and sentences (ui/text) as they are; assets under names with the first
eight hex digits of their SHA-256.  A name in a template that ui/VALUES.md does not tell of is refused:
who fills the pages in reads there.  So is a group of GROUPS (filter/groups.def) without a sentence.
"""
import hashlib
import pathlib
import re
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def quoted(data):
    """Bytes as a C string, a line for each line."""
    out = []
    for line in data.split(b"\n"):
        text = "".join(
            {"\\": "\\\\", '"': '\\"', "\t": "\\t", "?": "\\?"}.get(chr(b))
            or (chr(b) if 32 <= b < 127 else f"\\{b:03o}")
            for b in line
        )
        out.append('\t"' + text + '\\n"')
    if out:
        out[-1] = out[-1][:-3] + '"'
    return "\n".join(out)


def known_names(values):
    names = set(re.findall(r"[a-z][a-z0-9_]*", " ".join(re.findall(r"`([^`]+)`", values))))
    return names | {name + end for name in names for end in ("_iso", "_day")} | {"lang"}


def used_names(path, sentences):
    text = path.read_text()
    for n, line in enumerate(re.sub(r"{{!.*?}}", blank, text, flags=re.S).splitlines(), 1):
        for kind, name in re.findall(r"{{([=#?^/>!]?)\s*([a-z0-9_.]+)\s*}}", line):
            if kind == ">":
                continue
            if kind == "=":
                for inner in re.findall(r"{([a-z0-9_]+)", sentences.get(name, "")):
                    yield n, inner
            else:
                yield n, name


def blank(match):
    return "\n" * match[0].count("\n")


def sentences_of(text):
    out, key = {}, None
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and line.strip() and key:
            out[key] += " " + line.strip()
        elif "=" in line and not line.startswith("#"):
            key, _, said = (part.strip() for part in line.partition("="))
            out[key] = said
    return out


def check_groups(groups, sentences):
    for group in re.findall(r"^GROUP\((\w+)", groups.read_text(), flags=re.M):
        for key in (f"reason_{group.lower()}", f"advice_{group.lower()}"):
            if key not in sentences:
                sys.exit(f"{groups}: ui/text/en.txt does not say {key}")


def tables(ui, groups, assets):
    templates = sorted(ui.glob("pages/*.html")) + sorted(ui.glob("letters/*.txt"))
    texts = sorted(ui.glob("text/*.txt"), key=lambda p: (p.stem != "en", p.stem))
    names = known_names((ui / "VALUES.md").read_text())
    english = sentences_of((ui / "text/en.txt").read_text())
    check_groups(groups, english)
    for path in templates:
        for n, name in used_names(path, english):
            if name not in names:
                sys.exit(f"{path}:{n}: ui/VALUES.md does not tell of {name}")
    yield '/* Made by tools/embed.py. */\n#include "say/ui.h"\n'
    yield "const struct template_file ui_pages[] = {"
    for path in templates:
        yield f'{{ "{path.name}", STR_INIT(\n{quoted(path.read_bytes())}) }},'
    yield f"{{ 0 }},\n}};\nconst size_t ui_npages = {len(templates)};"
    yield "const struct sentences_file ui_texts[] = {"
    for path in texts:
        yield f'{{ "{path.stem}", STR_INIT(\n{quoted(path.read_bytes())}) }},'
    yield f"{{ 0 }},\n}};\nconst size_t ui_ntexts = {len(texts)};"
    yield "const struct ui_asset ui_assets[] = {"
    for path in sorted(assets, key=lambda p: p.name):
        data = path.read_bytes()
        name = f"{path.stem}-{hashlib.sha256(data).hexdigest()[:8]}{path.suffix}"
        yield f'{{ "{name}", "/ui/{name}", "{path.name}", "{TYPES[path.suffix]}", STR_INIT(\n{quoted(data)}) }},'
    yield "{ 0 },\n};"


def main():
    output, *paths = sys.argv[1:]
    ui, groups, *assets = map(pathlib.Path, paths)
    text = "\n".join(tables(ui, groups, assets))
    pathlib.Path(output).write_text(text + "\n")


if __name__ == "__main__":
    main()
