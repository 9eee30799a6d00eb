#ifndef FOUNDATION_SHIM_READABLE_MEMORY_H_
#define FOUNDATION_SHIM_READABLE_MEMORY_H_

#include <cstddef>

namespace foundation {

/// Whether `bytes` bytes at `address` can be read, found out without touching them: an address that
/// came from JavaScript may be any number, and a wrong one must be an error, not a crash.
bool IsReadable(const void* address, size_t bytes);

}  // namespace foundation

#endif  // FOUNDATION_SHIM_READABLE_MEMORY_H_
