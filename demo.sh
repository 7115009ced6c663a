#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs what is missing, builds, and shows the server at work.
set -eu
cd "$(dirname "$0")"
tools/packages.sh build demo
exec make demo
