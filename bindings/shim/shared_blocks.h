#ifndef FOUNDATION_SHIM_SHARED_BLOCKS_H_
#define FOUNDATION_SHIM_SHARED_BLOCKS_H_

#include <v8.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core_vtable.h"

namespace foundation {

/// Why a block could not be had, or `kNone`.
enum class BlockError {
  kNone,
  /// `Connect` was not called yet.
  kNotConnected,
  /// The core has no memory for the block.
  kOutOfMemory,
  /// The core does not know the id any more, or never did.
  kGone,
  /// The core answered with a block that JavaScript cannot hold: null or outside the limits.
  kUnusable,
};

/// Why a table was refused, or `kNone`.
enum class ConnectError { kNone, kUnreadable, kVersion, kIncomplete, kOtherCore };

/// A backing store that any isolate may wrap in a SharedArrayBuffer, or the reason for its absence.
struct BlockResult {
  BlockError error = BlockError::kNone;
  uint64_t id = 0;
  std::shared_ptr<v8::BackingStore> store;
  /// The store was made by this call, so its bytes are not yet accounted to any isolate.
  bool is_fresh = false;
};

/// Figures of the process since it loaded the shim. `allocated + retained - released == live` once
/// the process is quiet.
struct BlockStatistics {
  uint64_t allocated;
  uint64_t retained;
  uint64_t shared;
  uint64_t released;
  uint64_t refused;
  uint64_t live;
  uint64_t live_bytes;
};

/// The largest block. Unit: bytes. V8 aborts the process on a store above its own limit, and 4 GiB
/// is the lowest limit of the supported 64-bit versions.
inline constexpr uint64_t kBlockBytesMax = 0xFFFF'FFFF;

/// The blocks of the core that JavaScript holds, one table per process. A block that is opened
/// twice, by whatever isolates, has one backing store: the core sees one reference, one release.
///
/// Thread safe. The mutex guards the map; it is never held while a backing store dies, because its
/// deleter takes it.
class SharedBlocks {
 public:
  /// The instance of the process. It is never destroyed: V8 may run deleters during exit.
  static SharedBlocks& OfProcess();

  /// Accepts the core's table. The same table again is fine (each worker connects), another is not.
  ConnectError Connect(const CoreVtable* vtable);

  /// A new zeroed block of the core. `bytes` lies in [1, kBlockBytesMax].
  BlockResult Allocate(size_t bytes);

  /// The block with this id, from the table or from the core.
  BlockResult Open(uint64_t id);

  BlockStatistics Statistics() const;

  bool IsConnected() const { return vtable_.load(std::memory_order_acquire) != nullptr; }

 private:
  struct Lease;
  struct Entry {
    std::weak_ptr<v8::BackingStore> store;
    // The reference of the core that the store stands for. A dying store's deleter may run after
    // the id was opened anew; it must leave the newer entry alone.
    const Lease* lease;
  };

  SharedBlocks() = default;
  static void OnStoreDeleted(void* memory, size_t bytes, void* lease);

  std::shared_ptr<v8::BackingStore> Wrap(uint8_t* memory, size_t bytes, uint64_t id);
  BlockResult Refuse(BlockError error);
  void Forget(const Lease* lease);

  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, Entry> entries_;
  // Written once by Connect (release) and read by every call (acquire): the table is immutable.
  std::atomic<const CoreVtable*> vtable_{nullptr};
  // Plain counts: no other memory is published through them.
  std::atomic<uint64_t> allocated_{0};
  std::atomic<uint64_t> retained_{0};
  std::atomic<uint64_t> shared_{0};
  std::atomic<uint64_t> released_{0};
  std::atomic<uint64_t> refused_{0};
  std::atomic<uint64_t> live_bytes_{0};
};

}  // namespace foundation

#endif  // FOUNDATION_SHIM_SHARED_BLOCKS_H_
