#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian's headers of ITK 5.4 into a folder; installs nothing and needs no root.
#   unpack_debian_itk_headers.sh FOLDER
# The package comes from suite trixie of the mirror that this machine's apt is set up with.
set -eu
folder=$1
[ -e "$folder/usr/include/ITK-5.4/itkImageToImageMetricv4.h" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo "this is not a Debian system"; exit 1; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || { echo "there is no $keyring"; exit 1; }
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null | grep -v -- -security | head -n 1)
[ -n "$mirror" ] || mirror=$(sed -n -E 's/^(URIs:|deb( \[[^]]*\])?) +(http[^ ]*\/debian\/?)( .*)?$/\3/p' \
  /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)
[ -n "$mirror" ] || { echo "apt is set up with no mirror of Debian"; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
echo "deb [signed-by=$keyring] $mirror trixie main" > "$work/sources.list"
private="-oDir::Etc::sourcelist=$work/sources.list -oDir::Etc::sourceparts=/dev/null -oDir::State::Lists=$work/lists
  -oDir::State::status=/dev/null -oDir::Cache=$work/cache -oAPT::Sandbox::User= -oAcquire::Languages=none"
# shellcheck disable=SC2086
apt-get $private -qq update && (cd "$work" && apt-get $private -qq download libinsighttoolkit5-dev)
mkdir -p "$folder"
dpkg -x "$work"/libinsighttoolkit5-dev_5.4*.deb "$folder"
