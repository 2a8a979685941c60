#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rootfs.sh BINARY FOLDER: fills FOLDER/system with the root of an image that holds the binary and
# what it needs of this Debian, and FOLDER/owned with what belongs to the image's user.
#
# A library is taken from where the dynamic linker finds it. Its package is noted in
# var/lib/dpkg/status.d with its version, so that scanners find what has to be updated, and its
# copyright file comes along.
set -eu

binary=$1
root=$2/system
owned=$2/owned
user=10001 # The same in the Dockerfile.

mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/etc/ssl/certs" \
  "$root/usr/share/zoneinfo" "$root/var/lib/dpkg/status.d" "$root/pipelines" "$root/plugins"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
install -m 0755 "$binary" "$root/usr/bin/streamd"
strip --strip-all "$root/usr/bin/streamd"
install -d -m 1777 "$root/tmp"
# What an engine mounts something over must be there when the root can't be written to.
mkdir -p "$root/proc" "$root/sys" "$root/dev"
: >"$root/etc/hosts"
: >"$root/etc/resolv.conf"
: >"$root/etc/hostname"
install -d -m 0750 "$owned/state"

# The linker's list: "name => path (address)", and the linker itself without a name.
ldd "$binary" >"$2/libraries"
if grep -q 'not found' "$2/libraries"; then
  cat "$2/libraries" >&2
  exit 1
fi
libraries=$(sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' "$2/libraries")
for library in $libraries; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp -L /etc/ssl/openssl.cnf "$root/etc/ssl/" 2>/dev/null || true # Not every base has it.
cp -R /usr/share/zoneinfo/. "$root/usr/share/zoneinfo/"
cp /usr/lib/os-release "$root/usr/lib/os-release"
ln -s ../usr/lib/os-release "$root/etc/os-release"
cp /etc/debian_version "$root/etc/"
printf 'root:x:0:0:root:/:/sbin/nologin\nstreamd:x:%s:%s:streamd:/state:/sbin/nologin\n' \
  "$user" "$user" >"$root/etc/passwd"
printf 'root:x:0:\nstreamd:x:%s:\n' "$user" >"$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n' \
  >"$root/etc/nsswitch.conf"

# dpkg knows the paths of before /usr was merged, or of after it, depending on the package.
package_of() { # PATH
  for path in "$1" "/usr$1" "$(readlink -f "$1")" "$(readlink -f "$1" | sed 's|^/usr||')"; do
    dpkg-query -S "$path" 2>/dev/null | sed -n '/^diversion/d; s/:.*//p' | head -n 1 | grep . && return
  done
  echo "rootfs: no package has $1" >&2
  return 1
}
packages="base-files ca-certificates tzdata"
for library in $libraries; do packages="$packages $(package_of "$library")"; done
for package in $(printf '%s\n' $packages | sort -u); do
  dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
  if [ -f "/usr/share/doc/$package/copyright" ]; then
    mkdir -p "$root/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/"
  fi
done

chown -R 0:0 "$root"
chown -R "$user:$user" "$owned/state"
du -sm "$root" | sed 's/\t.*/ MB of files/'
