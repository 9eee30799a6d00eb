#ifndef FOUNDATION_SHIM_CORE_VTABLE_H_
#define FOUNDATION_SHIM_CORE_VTABLE_H_

#include <cstddef>
#include <cstdint>

namespace foundation {

/// The version of the table below that this shim was written for.
inline constexpr uint32_t kCoreVtableVersion = 1;

/// The version of the table that follows.
inline constexpr uint32_t kInterruptTableVersion = 1;

/// What the shim offers to the core: the isolates of the process, by their number in the registry.
/// The table and the functions live as long as the process; each function may be called from any
/// thread, returns at once, and is harmless where the isolate is gone.
struct InterruptTable {
  /// Layout version; another one is refused.
  uint32_t version;
  /// Size of the table. Unit: bytes.
  uint32_t size_bytes;
  /// Asks for the stack of an isolate. Returns the number of the request, 0 where it is gone.
  uint32_t (*ask_stack)(uint32_t isolate);
  /// Copies the stack that answers a request, at most `capacity` bytes of it. Returns 1, 0 so far.
  int (*take_stack)(uint32_t isolate, uint32_t request, char* text, size_t capacity,
                    size_t* length);
  /// Asks for the memory outside of the heap; as `ask_stack`, and cheaper for the isolate.
  uint32_t (*ask_memory)(uint32_t isolate);
  /// Writes the bytes that answer a request. Returns 1, 0 so far.
  int (*take_memory)(uint32_t isolate, uint32_t request, uint64_t* external_bytes);
  /// Ends a worker, whatever it runs. Returns 1, 0 where it is gone.
  int (*terminate)(uint32_t isolate);
};

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
  /// Takes the shim's own table, which may be given again. Returns 1, or 0 where the core knows no
  /// such layout.
  int (*adopt_interrupts)(const InterruptTable* table);
};

static_assert(offsetof(CoreVtable, allocate) == 8, "the core's repr(C) table has no hole here");

}  // namespace foundation

#endif  // FOUNDATION_SHIM_CORE_VTABLE_H_
