// The exported functions of the shim: argument checks, coded errors, and the step from a V8 handle
// to a Node-API value. What is shared by the whole process lives in SharedBlocks.

#include <napi.h>

#include <cmath>
#include <cstring>
#include <string>

#include "interrupt_table.h"
#include "isolate_registry.h"
#include "shared_blocks.h"

namespace foundation {

namespace {

/// Throws into JavaScript an error that carries a stable `code`.
template <typename ErrorKind>
Napi::Value Throw(Napi::Env env, const char* code, const std::string& message) {
  ErrorKind error = ErrorKind::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  error.ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Value ThrowArgument(Napi::Env env, const std::string& message) {
  return Throw<Napi::TypeError>(env, "shim_invalid_argument", message);
}

Napi::Value ThrowBlock(Napi::Env env, BlockError error) {
  switch (error) {
    case BlockError::kNotConnected:
      return Throw<Napi::Error>(env, "shim_not_connected", "connect(coreVtable()) comes first");
    case BlockError::kOutOfMemory:
      return Throw<Napi::Error>(env, "shared_block_out_of_memory",
                                "the core has no memory for the block");
    case BlockError::kGone:
      return Throw<Napi::Error>(env, "shared_block_gone", "the block was freed or never existed");
    case BlockError::kUnusable:
    case BlockError::kNone:
      break;
  }
  return Throw<Napi::Error>(env, "shared_block_unusable",
                            "the core answered with a block outside the limits");
}

Napi::Value ThrowConnect(Napi::Env env, ConnectError error) {
  switch (error) {
    case ConnectError::kVersion:
      return Throw<Napi::Error>(env, "shim_version_mismatch",
                                "the core's table is not of version " +
                                    std::to_string(kCoreVtableVersion) +
                                    ": core and shim come from different releases");
    case ConnectError::kIncomplete:
      return Throw<Napi::Error>(env, "shim_vtable_incomplete",
                                "the core's table is too short or lacks a function");
    case ConnectError::kOtherCore:
      return Throw<Napi::Error>(env, "shim_connected_elsewhere",
                                "this process is already connected to another core");
    case ConnectError::kUnreadable:
    case ConnectError::kNone:
      break;
  }
  return ThrowArgument(env, "the address of the core's table is not readable memory");
}

/// Reads an unsigned 64-bit BigInt without loss.
bool ReadUint64(const Napi::CallbackInfo& info, uint64_t* value) {
  if (info.Length() < 1 || !info[0].IsBigInt()) return false;
  bool is_lossless = false;
  *value = info[0].As<Napi::BigInt>().Uint64Value(&is_lossless);
  return is_lossless;
}

/// A V8 handle as a Node-API value. Node-API's own handles are V8 handles by construction: its
/// implementation and every mixed addon rely on it.
Napi::Value ToNodeApi(Napi::Env env, v8::Local<v8::Value> local) {
  static_assert(sizeof(local) == sizeof(napi_value));
  napi_value value = nullptr;
  std::memcpy(&value, &local, sizeof(value));
  return Napi::Value(env, value);
}

}  // namespace

/// The addon in one environment (isolate): the main thread and each worker have an instance.
class ShimAddon : public Napi::Addon<ShimAddon> {
 public:
  ShimAddon(Napi::Env, Napi::Object exports) {
    DefineAddon(exports, {
                             InstanceMethod("connect", &ShimAddon::Connect),
                             InstanceMethod("allocateShared", &ShimAddon::AllocateShared),
                             InstanceMethod("openShared", &ShimAddon::OpenShared),
                             InstanceMethod("stats", &ShimAddon::Stats),
                             InstanceMethod("watchIsolate", &ShimAddon::WatchIsolate),
                             InstanceMethod("interrupt", &ShimAddon::Interrupt),
                             InstanceMethod("takeReport", &ShimAddon::TakeReport),
                             InstanceMethod("terminate", &ShimAddon::Terminate),
                         });
  }

 private:
  Napi::Value Connect(const Napi::CallbackInfo& info) {
    uint64_t address = 0;
    if (!ReadUint64(info, &address)) {
      return ThrowArgument(info.Env(), "connect takes the address from coreVtable(), a bigint");
    }
    if (address == 0 || address > UINTPTR_MAX || address % alignof(CoreVtable) != 0) {
      return ThrowConnect(info.Env(), ConnectError::kUnreadable);
    }
    const auto* vtable = reinterpret_cast<const CoreVtable*>(static_cast<uintptr_t>(address));
    const ConnectError error = SharedBlocks::OfProcess().Connect(vtable);
    if (error != ConnectError::kNone) return ThrowConnect(info.Env(), error);
    // Each time: another isolate may have connected, and not have come to this yet.
    if (vtable->adopt_interrupts(&kInterruptTable) != 1) {
      return ThrowConnect(info.Env(), ConnectError::kVersion);
    }
    return info.Env().Undefined();
  }

  Napi::Value AllocateShared(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const double bytes = info.Length() > 0 && info[0].IsNumber()
                             ? info[0].As<Napi::Number>().DoubleValue()
                             : std::nan("");
    // A NaN fails both comparisons.
    const bool is_in_range = bytes >= 1 && bytes <= static_cast<double>(kBlockBytesMax);
    if (!is_in_range || bytes != std::floor(bytes)) {
      return ThrowArgument(env, "allocateShared takes a whole number of bytes from 1 to " +
                                    std::to_string(kBlockBytesMax));
    }
    const BlockResult block = SharedBlocks::OfProcess().Allocate(static_cast<size_t>(bytes));
    if (block.error != BlockError::kNone) return ThrowBlock(env, block.error);
    Napi::Object result = Napi::Object::New(env);
    result.Set("id", Napi::BigInt::New(env, block.id));
    result.Set("buffer", WrapForIsolate(env, block));
    return result;
  }

  Napi::Value OpenShared(const Napi::CallbackInfo& info) {
    uint64_t id = 0;
    if (!ReadUint64(info, &id)) {
      return ThrowArgument(info.Env(), "openShared takes the id of a block, an unsigned bigint");
    }
    const BlockResult block = SharedBlocks::OfProcess().Open(id);
    if (block.error != BlockError::kNone) return ThrowBlock(info.Env(), block.error);
    return WrapForIsolate(info.Env(), block);
  }

  /// Makes this isolate's SharedArrayBuffer. V8 does not account shared memory to any isolate, so
  /// nothing would urge the collector to free blocks: the isolate that brings a block into the
  /// process carries its bytes until its buffer object is collected.
  Napi::Value WrapForIsolate(Napi::Env env, const BlockResult& block) {
    v8::Isolate* isolate = v8::Isolate::GetCurrent();
    const auto bytes = static_cast<int64_t>(block.store->ByteLength());
    Napi::Value buffer = ToNodeApi(env, v8::SharedArrayBuffer::New(isolate, block.store));
    if (!block.is_fresh) return buffer;
    AccountExternal(env, bytes);
    const auto give_back = [bytes](Napi::Env finalized, ShimAddon* addon) {
      addon->AccountExternal(finalized, -bytes);
    };
    buffer.As<Napi::Object>().AddFinalizer(give_back, this);
    return buffer;
  }

  void AccountExternal(Napi::Env env, int64_t bytes) {
    external_bytes_ += bytes;
    Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
  }

  Napi::Value Stats(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const SharedBlocks& blocks = SharedBlocks::OfProcess();
    const BlockStatistics figures = blocks.Statistics();
    const auto count = [env](uint64_t value) {
      return Napi::Number::New(env, static_cast<double>(value));
    };
    Napi::Object result = Napi::Object::New(env);
    result.Set("isConnected", Napi::Boolean::New(env, blocks.IsConnected()));
    result.Set("allocated", count(figures.allocated));
    result.Set("retained", count(figures.retained));
    result.Set("shared", count(figures.shared));
    result.Set("released", count(figures.released));
    result.Set("refused", count(figures.refused));
    result.Set("live", count(figures.live));
    result.Set("liveBytes", count(figures.live_bytes));
    result.Set("isolateExternalBytes", count(static_cast<uint64_t>(external_bytes_)));
    return result;
  }

  Napi::Value WatchIsolate(const Napi::CallbackInfo& info) {
    if (watched_ == 0) {
      v8::Isolate* isolate = v8::Isolate::GetCurrent();
      node::Environment* environment = node::GetCurrentEnvironment(isolate->GetCurrentContext());
      watched_ = IsolateRegistry::OfProcess().Add(isolate, environment);
      // Node runs it on this thread before it disposes of the isolate.
      info.Env().AddCleanupHook(
          [](uint32_t* number) { IsolateRegistry::OfProcess().Remove(*number); }, &watched_);
    }
    return Napi::Number::New(info.Env(), watched_);
  }

  static uint32_t Argument(const Napi::CallbackInfo& info, size_t index) {
    const bool is_given = info.Length() > index && info[index].IsNumber();
    return is_given ? info[index].As<Napi::Number>().Uint32Value() : 0;
  }

  Napi::Value Interrupt(const Napi::CallbackInfo& info) {
    const uint32_t request = IsolateRegistry::OfProcess().Request(Argument(info, 0));
    return Napi::Number::New(info.Env(), request);
  }

  Napi::Value TakeReport(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const auto report = IsolateRegistry::OfProcess().Take(Argument(info, 0), Argument(info, 1));
    if (!report.has_value()) return env.Undefined();
    const auto count = [env](uint64_t value) {
      return Napi::Number::New(env, static_cast<double>(value));
    };
    Napi::Object result = Napi::Object::New(env);
    result.Set("stack", Napi::String::New(env, report->stack));
    result.Set("usedHeapBytes", count(report->used_heap_bytes));
    result.Set("totalHeapBytes", count(report->total_heap_bytes));
    result.Set("heapLimitBytes", count(report->heap_limit_bytes));
    result.Set("externalBytes", count(report->external_bytes));
    result.Set("mallocedBytes", count(report->malloced_bytes));
    return result;
  }

  Napi::Value Terminate(const Napi::CallbackInfo& info) {
    const bool is_there = IsolateRegistry::OfProcess().Terminate(Argument(info, 0));
    return Napi::Boolean::New(info.Env(), is_there);
  }

  /// Number of this isolate in the registry; 0 until it is watched.
  uint32_t watched_ = 0;
  /// Bytes that this isolate accounts. Touched by its own thread alone.
  int64_t external_bytes_ = 0;
};

}  // namespace foundation

// The macro's generated function needs the unqualified name.
using foundation::ShimAddon;
NODE_API_ADDON(ShimAddon)
