#!/bin/sh
# SPDX-License-Identifier: ISC
# bare.sh: proves that the two commands of README.md are enough.  Makes a bare
# Debian 12 in build/bare/root with debootstrap, clones the last commit into it,
# and runs ./demo.sh and ./test.sh there.  As root.
#
# bare.sh [COMMAND...]: other commands instead, for instance ./demo.sh alone.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "bare.sh: chroot and mount need root" >&2; exit 1; }
[ $# -gt 0 ] || set -- ./demo.sh ./test.sh
tools/packages.sh bare

root=$PWD/build/bare/root
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Where this machine gets its packages from.
mirror() {
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Identifier: Packages' |
		sed -n 's/ bookworm$//p' | head -n 1
}

mounted() {
	sed -n "s|^[^ ]* \($root\(/[^ ]*\)\{0,1\}\) .*|\1|p" /proc/mounts | sort -r
}

# Nothing is removed below a mount: that would be this machine's /dev.
unmount() {
	for point in $(mounted); do
		umount "$point" || umount -l "$point"
	done
}

copy_apt() {
	rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d"
	for part in sources.list sources.list.d apt.conf.d preferences.d keyrings; do
		[ ! -e "/etc/apt/$part" ] || cp -a "/etc/apt/$part" "$root/etc/apt/"
	done
	cp -a /usr/share/keyrings/. "$root/usr/share/keyrings/"
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
}

unmount
rm -rf "$root"
mkdir -p "$root"
trap unmount EXIT
trap 'exit 1' HUP INT TERM

from=$(mirror)
debootstrap --variant=minbase --keyring="$keyring" bookworm "$root" \
	"${from:-http://deb.debian.org/debian}" >build/bare/debootstrap.log ||
	{ tail -n 20 build/bare/debootstrap.log >&2; exit 1; }
copy_apt
git clone -q --no-hardlinks . "$root/gatepost"
# tests mount in namespaces of their own, for which / must be a mount
mount --bind "$root" "$root"
mount --make-private "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
mount -t sysfs -o ro sysfs "$root/sys"

for command; do
	echo "bare: $command"
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
		chroot "$root" sh -c "cd /gatepost && $command" </dev/null
done
echo "bare: all of it works"
