#!/bin/sh
# SPDX-License-Identifier: ISC
# format.sh [--check]: lays out every C file as .clang-format says, or says which are not.
set -eu
cd "$(dirname "$0")/.."
files=$(find src test fuzz bench -name '*.c' | sort)
if [ "${1-}" = --check ]; then
	# shellcheck disable=SC2086 # a list of words
	exec clang-format --dry-run --Werror --ferror-limit=3 $files
fi
# shellcheck disable=SC2086
exec clang-format -i $files
