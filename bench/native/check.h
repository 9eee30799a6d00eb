#ifndef FOUNDATION_BENCH_CHECK_H_
#define FOUNDATION_BENCH_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace yardstick {

/// Ends the process with the place of a failed call: a yard-stick that goes on measures nothing.
inline void Check(bool is_good, const char* what, const char* file, int line) {
  if (is_good) return;
  std::fprintf(stderr, "yardstick: %s failed at %s:%d\n", what, file, line);
  std::abort();
}

/// Asserts that a Node-API or system call did what it must.
#define YARDSTICK_CHECK(condition) \
  ::yardstick::Check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

}  // namespace yardstick

#endif  // FOUNDATION_BENCH_CHECK_H_
