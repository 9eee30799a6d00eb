#ifndef FOUNDATION_SHIM_CORE_VTABLE_H_
#define FOUNDATION_SHIM_CORE_VTABLE_H_

#include <cstddef>
#include <cstdint>

namespace foundation {

/// The version of the table below that this shim was written for.
inline constexpr uint32_t kCoreVtableVersion = 1;

/// What the Rust core offers to the shim. The core's addon hands out the address of its one table
/// (`coreVtable()`); the table and the functions live as long as the process. Two addons meet
/// through it without a link-time tie, so the core stays independent of the Node version.
///
/// Every function may be called from any thread. The core counts the references of a block: a
/// successful `allocate` or `retain` is answered by exactly one `release`.
struct CoreVtable {
  /// Layout version; another one is refused.
  uint32_t version;
  /// Size of the core's table. Unit: bytes. A later core may append functions, never move one.
  uint32_t size_bytes;
  /// Allocates a zeroed block, writes its id and returns its memory; null when memory is short.
  uint8_t* (*allocate)(size_t bytes, uint64_t* id);
  /// Takes one more reference to a block. Returns 1, or 0 when the block is gone.
  int (*retain)(uint64_t id, uint8_t** memory, size_t* bytes);
  /// Gives one reference back. The last one frees the memory.
  void (*release)(uint64_t id);
};

static_assert(offsetof(CoreVtable, allocate) == 8, "the core's repr(C) table has no hole here");

}  // namespace foundation

#endif  // FOUNDATION_SHIM_CORE_VTABLE_H_
