#!/bin/sh
# SPDX-License-Identifier: ISC
# packages.sh SECTION...: installs what tools/packages.txt names and the machine lacks.
# Debian starts services when it installs them; here none may start, so a
# policy-rc.d that says no stands in the way meanwhile.
# What the tests need of npm comes from its registry as it/npm/package-lock.json has it; without
# it those tests are skipped.
set -eu

list=$(dirname "$0")/packages.txt
policy=/usr/sbin/policy-rc.d

wanted() {
	for section in "$@"; do
		sed -n "/^#: $section\$/,/^#: /{/^[a-z0-9]/p}" "$list"
	done | sort -u
}

# A node from elsewhere has its own npm, and Debian's cannot stand beside it.
missing() {
	for package in $(wanted "$@"); do
		[ "$package" != npm ] || ! command -v npm >/dev/null || continue
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || printf ' %s' "$package"
	done
}

restore() {
	rm -f "$policy"
	[ ! -e "$policy.gatepost" ] || mv "$policy.gatepost" "$policy"
}

from_npm() {
	npm=$(dirname "$0")/../it/npm
	[ "$npm/node_modules/.package-lock.json" -nt "$npm/package-lock.json" ] && return
	command -v npm >/dev/null || return 0
	npm ci --prefix "$npm" --no-audit --no-fund --ignore-scripts >/dev/null 2>&1 ||
		echo "npm could not install it/npm; its tests are skipped" >&2
}

last() {
	case " $* " in
	*" test "*) from_npm ;;
	esac
}

need=$(missing "$@")
[ -n "$need" ] || { last "$@"; exit 0; }
if [ "$(id -u)" != 0 ]; then
	echo "These Debian packages are missing:$need" >&2
	echo "Run this once as root, or: apt-get install --no-install-recommends$need" >&2
	exit 1
fi

[ ! -e "$policy" ] || mv "$policy" "$policy.gatepost"
trap restore EXIT
trap 'exit 1' HUP INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
echo "Installing:$need"
# shellcheck disable=SC2086 # a list of words
install="apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0$need"
$install >/dev/null 2>&1 || {
	apt-get update -q
	$install
}
last "$@"
