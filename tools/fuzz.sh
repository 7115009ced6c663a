#!/bin/sh
# SPDX-License-Identifier: ISC
# fuzz.sh BUILD SECONDS [NAME...]: runs each fuzz target for so long, from its corpus,
# as many at a time as there are cores.  What is found new goes to BUILD/corpus; a
# finding stays in BUILD and is the end.
set -eu
cd "$(dirname "$0")/.."

one() {	# BUILD SECONDS NAME
	build=$1 seconds=$2 name=$3
	mkdir -p "$build/corpus/$name" "fuzz/corpus/$name"
	if ! "$build/fuzz/${name}_fuzz" -max_total_time="$seconds" \
		-rss_limit_mb=1024 -timeout=10 -max_len=65536 -print_final_stats=1 \
		-artifact_prefix="$build/finding-$name-" \
		"$build/corpus/$name" "fuzz/corpus/$name" >"$build/fuzz-$name.log" 2>&1; then
		printf 'fuzz %-16s FOUND SOMETHING\n' "$name"
		tail -n 60 "$build/fuzz-$name.log"
		exit 255	# xargs starts no more
	fi
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz-$name.log")
	printf 'fuzz %-16s %s runs, nothing found\n' "$name" "$runs"
}

export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1"
if [ "$1" = --one ]; then
	shift
	one "$@"
	exit 0
fi
build=$1 seconds=$2
shift 2
# shellcheck disable=SC2046 # names of targets are single words
[ $# -gt 0 ] || set -- $(find fuzz -name '*_fuzz.c' | sed 's|fuzz/||; s|_fuzz\.c||' | sort)
printf '%s\n' "$@" | xargs -P "$(nproc)" -I NAME tools/fuzz.sh --one "$build" "$seconds" NAME
