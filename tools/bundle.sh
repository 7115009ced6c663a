#!/bin/sh
# SPDX-License-Identifier: ISC
# bundle.sh ESBUILD TSC FILE.ts OUTPUT: checks the types, strictly, and makes one small script of it.
set -eu
"$2" --noEmit -p "$(dirname "$3")/.."
"$1" "$3" --bundle --minify --charset=utf8 --target=es2020 --format=iife --legal-comments=none \
	--log-level=warning --outfile="$4"
