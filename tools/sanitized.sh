#!/bin/sh
# SPDX-License-Identifier: ISC
# sanitized.sh COMMAND...: runs it with the sanitizers' settings; a finding is a failure.
set -eu
export ASAN_OPTIONS="abort_on_error=0:exitcode=99:detect_leaks=${GATEPOST_LEAKS:-1}:detect_stack_use_after_return=1:strict_string_checks=1"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:exitcode=99"
export TSAN_OPTIONS="halt_on_error=1:exitcode=99:second_deadlock_stack=1"
exec "$@"
