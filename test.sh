#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs what is missing, builds, and runs every test.
set -eu
cd "$(dirname "$0")"
tools/packages.sh build test
exec make test
