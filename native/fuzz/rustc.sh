#!/bin/sh
# Stands between cargo and rustc. All code of the targets is built with AddressSanitizer; what is
# fuzzed gets coverage too, so that our own code and the wire's verifier guide the fuzzer. The
# arithmetic of the curve gets neither: it would take nine tenths of the time and tell nothing.
case "$CARGO_PKG_NAME $*" in
  x25519-dalek*" --target "* | curve25519-dalek*" --target "*) exec "$@" ;;
  foundation-*" --target "* | flatbuffers*" --target "*)
    exec "$@" -Zsanitizer=address -Cpasses=sancov-module \
      -Cllvm-args=-sanitizer-coverage-level=4 \
      -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
      -Cllvm-args=-sanitizer-coverage-pc-table \
      -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
  *" --target "*) exec "$@" -Zsanitizer=address ;;
  *) exec "$@" ;;
esac
