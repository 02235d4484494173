#!/bin/sh
# qumo-relay @VERSION@ for @PLATFORM@, in one file: this script, Deno @DENO@ and the program behind it, compressed.
# The first start unpacks both into the user's cache folder, under names that are their SHA-256; later ones run them there.
#   QUMO_CACHE_DIR    the folder to unpack into, in place of the usual ones
#   QUMO_ALLOW        "run": the relay may start any program, as commands of hooks need it; "all": no permission is held back
set -eu
umask 077

fail() {
  echo "qumo-relay: $1" >&2
  exit 1
}

# A service has its own folder, a user has a home, and everybody has at least the folder for temporary files.
user=$(id -u)
chosen=${QUMO_CACHE_DIR:-${CACHE_DIRECTORY:-${STATE_DIRECTORY:-}}}
root=
for candidate in "${chosen%%:*}" "${XDG_CACHE_HOME:-}" "${HOME:+$HOME/.cache}" "${TMPDIR:-/tmp}"; do
  [ -n "$candidate" ] || continue
  case $candidate in
  /*) ;;
  *) candidate=$PWD/$candidate ;;
  esac
  # In a folder open to all, another user may have made our folder first: that is checked below. In another user's folder,
  # such as the home that `sudo` keeps, its owner may replace ours at any moment.
  if mkdir -p "$candidate/qumo-relay-$user" 2>/dev/null && [ -w "$candidate/qumo-relay-$user" ] &&
    [ -n "$(find -H "$candidate" -prune \( -user "$user" -o -user 0 \) -print)" ]; then
    root=$candidate/qumo-relay-$user
    break
  fi
  # A folder that was named is used or refused, never replaced by another.
  [ "$candidate" != "${QUMO_CACHE_DIR:-}" ] || break
done
[ -n "$root" ] || fail "Cannot unpack: no folder of yours can be written to; set QUMO_CACHE_DIR to one that can"

# Prints everything below a path that is a link, or that somebody else owns or can change.
strangers() {
  find "$@" ! \( \( -type d -o -type f \) -user "$user" ! -perm -020 ! -perm -002 \) -print
}

deno=$root/@DENO_HASH@/deno
program=$root/@PROGRAM_HASH@/qumo-relay.js

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi
}

# unpack FILE HASH OFFSET LENGTH: writes a part of this file to FILE, whole or not at all.
unpack() {
  mkdir -p "${1%/*}" && fresh=$(mktemp "$root/unpack.XXXXXX") || fail "Cannot write to $root"
  trap 'rm -f "$fresh"' EXIT
  trap 'exit 1' HUP INT TERM
  tail -c "+$3" "$0" | head -c "$4" | gzip -dc >"$fresh" || fail "Cannot unpack into $root: is the disk full?"
  found=$(sha256 "$fresh") || fail "Cannot check what was unpacked: neither sha256sum nor shasum is here"
  [ "${found%% *}" = "$2" ] || fail "Cannot use what was unpacked: its SHA-256 is ${found%% *}, not $2; fetch $0 again"
  chmod 0700 "$fresh"
  # Another start may have been faster. Then the same bytes replace the same bytes.
  mv -f "$fresh" "$1"
  trap - EXIT HUP INT TERM
}

# Checks the size too: after a power loss a file may have its name but not all of its bytes.
whole() { [ -f "$1" ] && [ $(($(wc -c <"$1"))) -eq "$2" ]; }

check() {
  # Where everybody may rename, our folder can be replaced at any moment.
  open=$(find -H "${root%/*}" -prune -perm -002 ! -perm -1000 -print)
  [ -z "$open" ] || fail "Cannot unpack below $open: everybody may write there; set QUMO_CACHE_DIR to a folder of yours"
  stranger=$(strangers "$root" -prune && strangers "$root/@DENO_HASH@" "$root/@PROGRAM_HASH@" 2>/dev/null || :)
  [ -z "$stranger" ] || fail "Cannot trust $stranger: somebody else owns it or may change it; remove it, or set QUMO_CACHE_DIR"
}

check
whole "$deno" @DENO_SIZE@ || unpack "$deno" @DENO_HASH@ @DENO_AT@ @DENO_BYTES@
whole "$program" @PROGRAM_SIZE@ || unpack "$program" @PROGRAM_HASH@ @PROGRAM_AT@ @PROGRAM_BYTES@
check

export QUMO_PACKED=1
# Keeps V8's compiled code, so that a second start is faster, and the packages of `npm:` plugins.
export DENO_DIR="${DENO_DIR:-$root/deno}" DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1
run="=@RUN@"
case ${1:-} in
bench) run=$run,$deno ;; # its load comes from more processes like this one
ports) run=$run,nft ;;
esac
case ${QUMO_ALLOW:-} in
all) set -- -A "$program" "$@" ;;
run) set -- @PERMISSIONS@ --allow-run "$program" "$@" ;;
"") set -- @PERMISSIONS@ "--allow-run$run" "$program" "$@" ;;
*) fail "QUMO_ALLOW is \"$QUMO_ALLOW\", and may be run or all" ;;
esac
exec "$deno" run --quiet --no-config --no-lock --no-prompt --unstable-net @V8_FLAGS@ "$@"
exit 1
