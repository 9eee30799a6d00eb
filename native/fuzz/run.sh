#!/bin/sh
# Fuzzes one target on the stable toolchain: native/fuzz/run.sh TARGET SECONDS [libFuzzer options]
#
# libFuzzer itself comes with libfuzzer-sys and is built by the C++ compiler; rustc's own LLVM
# inserts the coverage that it needs. New inputs and findings go under target/ (or
# CARGO_TARGET_DIR); the committed corpus is read only. libFuzzer prints the seed of each run.
set -eu
cd "$(dirname "$0")"

if [ $# -lt 2 ] || [ ! -f "targets/$1.rs" ]; then
  echo "usage: run.sh TARGET SECONDS [libFuzzer options]; targets:" targets/*_decode.rs >&2
  exit 2
fi
target=$1
seconds=$2
shift 2

output="${CARGO_TARGET_DIR:-target}"
# Naming the host as the target keeps these flags away from build scripts and macros.
host="$(rustc -vV | sed -n 's/^host: //p')"
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --quiet --release --locked --target "$host" --bin "$target"

mkdir -p "$output/corpus/$target" "$output/findings"
exec "$output/$host/release/$target" "$output/corpus/$target" "corpus/$target" \
  -max_total_time="$seconds" -max_len=4096 -timeout=5 -rss_limit_mb=512 \
  -artifact_prefix="$output/findings/$target-" -print_final_stats=1 "$@"
