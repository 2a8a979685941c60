#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh NAME: builds the container image of this tree without Docker, as NAME in a storage of its
# own in the cache. Needs root, and buildah and debootstrap.
#
# The base that the Dockerfile names is asked of no registry: it is made by debootstrap from the
# Debian mirror that this machine uses. A base of that name that is already there is taken.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

name=$1
cache=${STREAMD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/streamd}/image
base=docker.io/library/debian:trixie-slim
mkdir -p "$cache"

# Plain copies as layers: works in any file system and in a chroot.
export STORAGE_DRIVER=vfs
images() { buildah --root "$cache/storage" --runroot "$cache/run" "$@"; }

mirror() { # The first one that apt takes Debian's packages from.
  local url
  url=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | head -n 1)
  printf '%s\n' "${url:-http://deb.debian.org/debian/}"
}

make_base() {
  local root container from
  from=$(mirror)
  printf '==> making %s by debootstrap from %s\n' "$base" "$from" >&2
  root=$(mktemp -d "$cache/base.XXXXXX")
  trap 'rm -rf "$root"' RETURN
  debootstrap --variant=minbase trixie "$root" "$from" >"$cache/debootstrap.log" ||
    { tail -n 20 "$cache/debootstrap.log" >&2; return 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  # Packages of the build must not start what they bring.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 0755 "$root/usr/sbin/policy-rc.d"
  container=$(images from scratch)
  images add -q "$container" "$root" / >/dev/null
  images config --cmd /bin/bash "$container"
  images commit -q --rm "$container" "$base" >/dev/null
}

images inspect --type image "$base" >/dev/null 2>&1 || make_base

version=$(sed -n 's/^project(streamd VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
# An OCI image has no health check: the format of Docker has.
images bud --isolation chroot --pull-never --format docker --network host \
  --build-arg VERSION="$version" --build-arg REVISION="$revision" \
  --build-arg jobs="${STREAMD_JOBS:-0}" --tag "$name" .
images rmi --prune >/dev/null 2>&1 || true # What an earlier build of this name was.
