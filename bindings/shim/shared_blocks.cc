#include "shared_blocks.h"

#include "readable_memory.h"

#ifdef V8_ENABLE_SANDBOX
#error "A sandboxed V8 cannot hold memory of the core: build without the shim."
#endif

namespace foundation {

namespace {

constexpr std::memory_order kCount = std::memory_order_relaxed;

}  // namespace

/// One reference of the core, held by one backing store.
struct SharedBlocks::Lease {
  uint64_t id;
  const CoreVtable* vtable;
};

SharedBlocks& SharedBlocks::OfProcess() {
  static SharedBlocks* const blocks = new SharedBlocks();
  return *blocks;
}

ConnectError SharedBlocks::Connect(const CoreVtable* vtable) {
  // The version is read first: a table of another version may be shorter than ours.
  if (!IsReadable(vtable, offsetof(CoreVtable, allocate))) return ConnectError::kUnreadable;
  if (vtable->version != kCoreVtableVersion) return ConnectError::kVersion;
  if (vtable->size_bytes < sizeof(CoreVtable)) return ConnectError::kIncomplete;
  if (!IsReadable(vtable, sizeof(CoreVtable))) return ConnectError::kUnreadable;
  if (vtable->allocate == nullptr || vtable->retain == nullptr || vtable->release == nullptr ||
      vtable->adopt_interrupts == nullptr) {
    return ConnectError::kIncomplete;
  }
  const CoreVtable* connected = nullptr;
  if (vtable_.compare_exchange_strong(connected, vtable, std::memory_order_acq_rel)) {
    return ConnectError::kNone;
  }
  return connected == vtable ? ConnectError::kNone : ConnectError::kOtherCore;
}

BlockResult SharedBlocks::Allocate(size_t bytes) {
  const CoreVtable* vtable = vtable_.load(std::memory_order_acquire);
  if (vtable == nullptr) return Refuse(BlockError::kNotConnected);
  BlockResult result;
  uint8_t* memory = vtable->allocate(bytes, &result.id);
  if (memory == nullptr) return Refuse(BlockError::kOutOfMemory);
  allocated_.fetch_add(1, kCount);
  std::lock_guard lock(mutex_);
  result.store = Wrap(memory, bytes, result.id);
  result.is_fresh = true;
  return result;
}

BlockResult SharedBlocks::Open(uint64_t id) {
  const CoreVtable* vtable = vtable_.load(std::memory_order_acquire);
  if (vtable == nullptr) return Refuse(BlockError::kNotConnected);
  BlockResult result;
  result.id = id;
  // The mutex stays held across `retain`: two isolates that open one id at the same time must get
  // one store. This cannot deadlock: the core never calls into the shim.
  std::unique_lock lock(mutex_);
  if (const auto found = entries_.find(id); found != entries_.end()) {
    result.store = found->second.store.lock();
    if (result.store != nullptr) {
      shared_.fetch_add(1, kCount);
      return result;
    }
    // The store is dying and its release is on the way: ask the core for a reference of our own.
  }
  uint8_t* memory = nullptr;
  size_t bytes = 0;
  if (vtable->retain(id, &memory, &bytes) != 1) return Refuse(BlockError::kGone);
  if (memory == nullptr || bytes == 0 || bytes > kBlockBytesMax) {
    lock.unlock();
    vtable->release(id);
    return Refuse(BlockError::kUnusable);
  }
  retained_.fetch_add(1, kCount);
  result.store = Wrap(memory, bytes, id);
  result.is_fresh = true;
  return result;
}

std::shared_ptr<v8::BackingStore> SharedBlocks::Wrap(uint8_t* memory, size_t bytes, uint64_t id) {
  const auto* vtable = vtable_.load(std::memory_order_acquire);
  auto* lease = new Lease{id, vtable};
  std::shared_ptr<v8::BackingStore> store =
      v8::SharedArrayBuffer::NewBackingStore(memory, bytes, &OnStoreDeleted, lease);
  entries_.insert_or_assign(id, Entry{store, lease});
  live_bytes_.fetch_add(bytes, kCount);
  return store;
}

// Runs once per store, on whichever thread drops the last handle: an isolate, a thread of the
// garbage collector, or the exit of the process.
void SharedBlocks::OnStoreDeleted(void*, size_t bytes, void* deleter_data) {
  const std::unique_ptr<const Lease> lease(static_cast<const Lease*>(deleter_data));
  SharedBlocks& blocks = OfProcess();
  blocks.Forget(lease.get());
  lease->vtable->release(lease->id);
  blocks.live_bytes_.fetch_sub(bytes, kCount);
  // Pairs with the acquire in Statistics.
  blocks.released_.fetch_add(1, std::memory_order_release);
}

void SharedBlocks::Forget(const Lease* lease) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(lease->id);
  if (found != entries_.end() && found->second.lease == lease) entries_.erase(found);
}

BlockResult SharedBlocks::Refuse(BlockError error) {
  refused_.fetch_add(1, kCount);
  BlockResult result;
  result.error = error;
  return result;
}

BlockStatistics SharedBlocks::Statistics() const {
  BlockStatistics figures{};
  // Releases are read first: each has its allocation counted already, so `live` is never negative.
  figures.released = released_.load(std::memory_order_acquire);
  figures.allocated = allocated_.load(kCount);
  figures.retained = retained_.load(kCount);
  figures.shared = shared_.load(kCount);
  figures.refused = refused_.load(kCount);
  figures.live = figures.allocated + figures.retained - figures.released;
  figures.live_bytes = live_bytes_.load(kCount);
  return figures;
}

}  // namespace foundation
