#!/bin/sh
# SPDX-License-Identifier: ISC
# users.sh: makes the users of [sandbox] where they are missing (root only): one
# for each process, all in one group, none can log in.
set -eu
getent group gatepost >/dev/null || groupadd --system gatepost
for user in gatepost-gate gatepost-house gatepost-scan gatepost-acme; do
	getent passwd "$user" >/dev/null || useradd --system --gid gatepost --no-create-home \
		--home-dir /nonexistent --shell /usr/sbin/nologin "$user"
done
