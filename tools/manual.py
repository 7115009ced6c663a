#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""manual.py GATEPOST PAGE.in OUTPUT: fills a manual page with what only the binary
knows: @VERBS@ (its table of verbs), @SETTINGS@ (its tables of settings) and @CHECKS@
(its checks)."""
import pathlib
import re
import subprocess
import sys
import textwrap


def asked(binary, option):
    return subprocess.run([binary, option], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8").stdout


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "\\&...")
    text = text.replace('"', "\\(dq")
    return "\\&" + text if text[:1] in (".", "'") else text


def text_lines(text):
    """Sentences begin on lines of their own; no line is long."""
    out = []
    for sentence in re.sub(r"(\w[.;:!?]) (?=[A-Z0-9])", r"\1\n", text).split("\n"):
        out += textwrap.wrap(sentence, 78, break_on_hyphens=False, break_long_words=False)
    return ["\\&" + line if line[:1] in (".", "'") else line for line in out]


def settings(binary):
    out = []
    for line in asked(binary, "--manual-settings").splitlines():
        line = re.sub(r"^\.Ss \[(\w+)\]$", r".Ss Section \1", line)
        out += [line] if line.startswith(".") else text_lines(line)
    return "\n".join(out)


def checks(binary):
    out = []
    for line in asked(binary, "--manual-checks").splitlines():
        out += [line] if line.startswith(".") else text_lines(roff(line))
    return "\n".join(out)


def verbs(binary):
    """`--help` says "  words and usage" and below it, behind a tab, what it does."""
    out = []
    for line in asked(binary, "--help").splitlines():
        if line.startswith("  "):
            words, usage = re.fullmatch(r" +((?:[a-z][a-z-]*(?: +|$))+)(.*?) *", line).groups()
            out.append(f'.It Ic {roff(words.strip())}' + (f' No "{roff(usage)}"' if usage else ""))
        elif line.startswith("\t"):
            out += text_lines(roff(line.strip()))
    return "\n".join(out)


def main():
    binary, page, output = sys.argv[1:]
    text = pathlib.Path(page).read_text()
    if "@VERBS@" in text:
        text = text.replace("@VERBS@", verbs(binary))
    if "@SETTINGS@" in text:
        text = text.replace("@SETTINGS@", settings(binary))
    if "@CHECKS@" in text:
        text = text.replace("@CHECKS@", checks(binary))
    text = text.replace("@VERSION@", asked(binary, "--version").split()[1])
    pathlib.Path(output).write_text(text)


if __name__ == "__main__":
    main()
