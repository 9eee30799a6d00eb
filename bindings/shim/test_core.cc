// A stand-in for the Rust core in the tests of the shim: blocks on the C heap, counted references,
// and tables that are wrong on purpose. It is never shipped.

#include <node_api.h>
#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "core_vtable.h"

namespace {

using foundation::CoreVtable;

struct Block {
  uint8_t* memory;
  size_t bytes;
  uint32_t references;
};

/// What the stand-in refuses to allocate. Unit: bytes. Lets a test see memory run short.
constexpr size_t kAllocationBytesMax = size_t{1} << 30;

std::mutex mutex;
std::unordered_map<uint64_t, Block> blocks;
uint64_t next_id = 1;
uint64_t released = 0;
uint64_t wrong_releases = 0;

uint8_t* Allocate(size_t bytes, uint64_t* id) {
  if (bytes > kAllocationBytesMax) return nullptr;
  auto* memory = static_cast<uint8_t*>(std::calloc(1, bytes));
  if (memory == nullptr) return nullptr;
  std::lock_guard lock(mutex);
  *id = next_id++;
  blocks.emplace(*id, Block{memory, bytes, 1});
  return memory;
}

int Retain(uint64_t id, uint8_t** memory, size_t* bytes) {
  std::lock_guard lock(mutex);
  const auto found = blocks.find(id);
  if (found == blocks.end()) return 0;
  found->second.references += 1;
  *memory = found->second.memory;
  *bytes = found->second.bytes;
  return 1;
}

void Release(uint64_t id) {
  std::lock_guard lock(mutex);
  const auto found = blocks.find(id);
  if (found == blocks.end()) {
    wrong_releases += 1;
    return;
  }
  released += 1;
  if (--found->second.references > 0) return;
  // Freed memory that is still used shows: nothing that a test writes has this pattern.
  std::memset(found->second.memory, 0xDD, found->second.bytes);
  std::free(found->second.memory);
  blocks.erase(found);
}

int Adopt(const foundation::InterruptTable* table) {
  return table->version == foundation::kInterruptTableVersion ? 1 : 0;
}

constexpr uint32_t kSize = sizeof(CoreVtable);
constexpr CoreVtable kGood{1, kSize, &Allocate, &Retain, &Release, &Adopt};
constexpr CoreVtable kOther = kGood;
constexpr CoreVtable kLaterVersion{2, kSize, &Allocate, &Retain, &Release, &Adopt};
constexpr CoreVtable kShort{1, kSize - sizeof(void*), &Allocate, &Retain, &Release, nullptr};
constexpr CoreVtable kHollow{1, kSize, &Allocate, nullptr, &Release, &Adopt};

napi_value Address(napi_env env, const CoreVtable* vtable) {
  napi_value value = nullptr;
  napi_create_bigint_uint64(env, reinterpret_cast<uintptr_t>(vtable), &value);
  return value;
}

/// `allocateInCore(bytes)`: a block that the core holds itself, as a received message would be.
napi_value AllocateInCore(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  int64_t bytes = 0;
  uint64_t id = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int64(env, argument, &bytes);
  if (Allocate(static_cast<size_t>(bytes), &id) == nullptr) return nullptr;
  napi_value value = nullptr;
  napi_create_bigint_uint64(env, id, &value);
  return value;
}

/// `releaseInCore(id)`: gives the core's own reference back.
napi_value ReleaseInCore(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  uint64_t id = 0;
  bool is_lossless = false;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_bigint_uint64(env, argument, &id, &is_lossless);
  Release(id);
  return nullptr;
}

/// `forkForTest()`: forks without exec. The child ends at once: JavaScript it cannot run, since the
/// heap of V8 stays with the parent.
/// Answers with the child's exit code, or -1.
napi_value ForkForTest(napi_env env, napi_callback_info) {
  int32_t ended = -1;
#ifndef _WIN32
  const pid_t child = fork();
  if (child == 0) _exit(0);
  int status = 0;
  if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)) {
    ended = WEXITSTATUS(status);
  }
#endif
  napi_value value = nullptr;
  napi_create_int32(env, ended, &value);
  return value;
}

napi_value Counts(napi_env env, napi_callback_info) {
  std::lock_guard lock(mutex);
  napi_value result = nullptr;
  napi_create_object(env, &result);
  const auto set = [env, result](const char* name, uint64_t count) {
    napi_value value = nullptr;
    napi_create_double(env, static_cast<double>(count), &value);
    napi_set_named_property(env, result, name, value);
  };
  set("live", blocks.size());
  set("made", next_id - 1);
  set("released", released);
  set("wrongReleases", wrong_releases);
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  const auto expose = [env, exports](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  };
  expose("allocateInCore", AllocateInCore);
  expose("releaseInCore", ReleaseInCore);
  expose("counts", Counts);
  expose("forkForTest", ForkForTest);
  const auto table = [env, exports](const char* name, const CoreVtable* vtable) {
    napi_set_named_property(env, exports, name, Address(env, vtable));
  };
  table("good", &kGood);
  table("other", &kOther);
  table("laterVersion", &kLaterVersion);
  table("short", &kShort);
  table("hollow", &kHollow);
  return exports;
}
