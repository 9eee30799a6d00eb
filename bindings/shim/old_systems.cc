// Two symbols that a recent libstdc++ and glibc offer, and that code compiled with their headers
// asks for. With definitions of our own the shim loads on every system that its Node runs on.
#include <cstdlib>

// glibc 2.32: whether atomics may be skipped. A Node process always has several threads.
extern "C" {
__attribute__((visibility("hidden"))) extern char __libc_single_threaded;
char __libc_single_threaded = 0;
}

namespace std {
// GCC 11: an allocation whose size overflows. The shim is built without exceptions, so this ends
// the process, as an allocation that fails does.
[[noreturn]] __attribute__((visibility("hidden"))) void __throw_bad_array_new_length();
void __throw_bad_array_new_length() { std::abort(); }
}  // namespace std
