#!/bin/sh
# SPDX-License-Identifier: ISC
# fuzz.sh BUILD SECONDS [NAME...]: runs each fuzz target for so long, from its corpus.
# What is found new goes to BUILD/corpus; a finding stays in BUILD and ends the run.
set -eu
cd "$(dirname "$0")/.."
build=$1 seconds=$2
shift 2
# shellcheck disable=SC2046 # names of targets are single words
[ $# -gt 0 ] || set -- $(find fuzz -name '*_fuzz.c' | sed 's|fuzz/||; s|_fuzz\.c||' | sort)

export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1"
for name in "$@"; do
	mkdir -p "$build/corpus/$name" "fuzz/corpus/$name"
	printf 'fuzz %-16s ' "$name"
	if ! "$build/fuzz/${name}_fuzz" -max_total_time="$seconds" \
		-rss_limit_mb=1024 -timeout=10 -max_len=65536 -print_final_stats=1 \
		-artifact_prefix="$build/finding-$name-" \
		"$build/corpus/$name" "fuzz/corpus/$name" >"$build/fuzz-$name.log" 2>&1; then
		echo "FOUND SOMETHING"
		tail -n 60 "$build/fuzz-$name.log"
		exit 1
	fi
	sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz-$name.log" |
		sed 's/$/ runs, nothing found/'
done
