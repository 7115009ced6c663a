#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""contrast.py FILE.css: are the colours of the style sheet told apart by everybody (WCAG 2.1, 1.4.3 and 1.4.11)?

Reads the variables of each :root block; prints each pair that is too near and exits 1 when there is one.
"""
import re
import sys

TEXT, SHAPE = 4.5, 3.0
PAIRS = [(ink, on, TEXT) for on in ("sheet", "desk") for ink in ("ink", "soft", "accent", "warn")]
PAIRS += [("accent-ink", "accent", TEXT), ("warn", "warn-ground", TEXT)]
PAIRS += [("field", on, SHAPE) for on in ("sheet", "desk")]


def luminance(colour):
    if len(colour) == 4:
        colour = "#" + "".join(c * 2 for c in colour[1:])
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def main():
    bad, seen = 0, {}
    css = open(sys.argv[1], encoding="utf-8").read()
    for n, block in enumerate(re.findall(r":root\s*{(.*?)}", css, flags=re.S)):
        seen = {**seen, **dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]+);", block))}
        for ink, on, least in PAIRS:
            ratio = contrast(seen[ink], seen[on])
            if ratio < least:
                print(f"{sys.argv[1]}: :root {n + 1}: {ink} on {on}: {ratio:.2f} : 1, not {least}")
                bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
