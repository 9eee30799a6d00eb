// The exported half of the limit program: a Pipe as a JavaScript value, with a coalesced doorbell.

#include <memory>

#include "pipe.h"
#include "yardstick.h"

namespace yardstick {

namespace {

/// A pipe with what ties it to its environment: the ring's memory and the doorbell.
struct BoundPipe {
  napi_env env = nullptr;
  napi_ref memory = nullptr;
  napi_threadsafe_function doorbell = nullptr;
  std::unique_ptr<Pipe> pipe;
};

/// Ends the thread while its doorbell still exists, then lets go of the memory.
void Close(void* argument) {
  auto* bound = static_cast<BoundPipe*>(argument);
  if (bound->pipe == nullptr) return;
  bound->pipe->Stop();
  napi_release_threadsafe_function(bound->doorbell, napi_tsfn_abort);
  napi_delete_reference(bound->env, bound->memory);
}

void OnDoorbell(napi_env env, napi_value function, void*, void*) {
  if (env == nullptr) return;
  napi_value receiver = nullptr;
  YARDSTICK_CHECK(napi_get_undefined(env, &receiver) == napi_ok);
  if (napi_call_function(env, receiver, function, 0, nullptr, nullptr) == napi_ok) return;
  napi_value error = nullptr;
  YARDSTICK_CHECK(napi_get_and_clear_last_exception(env, &error) == napi_ok);
  napi_fatal_exception(env, error);
}

/// Takes `(ring, fn)`: a Uint8Array of the ring's words and data, and the function to ring.
BoundPipe* Bind(napi_env env, napi_value ring, napi_value function) {
  size_t bytes = 0;
  void* memory = nullptr;
  YARDSTICK_CHECK(napi_get_typedarray_info(env, ring, nullptr, &bytes, &memory, nullptr, nullptr) ==
                  napi_ok);
  YARDSTICK_CHECK(reinterpret_cast<uintptr_t>(memory) % 128 == 0);
  const auto capacity = static_cast<uint32_t>(bytes - RingLayout::kData);
  YARDSTICK_CHECK(bytes > RingLayout::kData && (capacity & (capacity - 1)) == 0);
  auto* bound = new BoundPipe{};
  bound->env = env;
  YARDSTICK_CHECK(napi_create_reference(env, ring, 1, &bound->memory) == napi_ok);
  napi_value name = nullptr;
  YARDSTICK_CHECK(napi_create_string_utf8(env, "pipe", NAPI_AUTO_LENGTH, &name) == napi_ok);
  // Two calls suffice: the flag in the ring lets one through for each time JavaScript falls asleep.
  YARDSTICK_CHECK(napi_create_threadsafe_function(env, function, nullptr, name, 2, 1, nullptr,
                                                  nullptr, nullptr, OnDoorbell,
                                                  &bound->doorbell) == napi_ok);
  // After the ThreadsafeFunction, so that it runs before its end.
  YARDSTICK_CHECK(napi_add_env_cleanup_hook(env, Close, bound) == napi_ok);
  const auto doorbell = [handle = bound->doorbell] {
    napi_call_threadsafe_function(handle, nullptr, napi_tsfn_nonblocking);
  };
  const Ring view(static_cast<uint8_t*>(memory), capacity);
  bound->pipe = std::make_unique<Pipe>(view, doorbell);
  return bound;
}

/// The pipe as an opaque value. It lives until its environment ends: there are only a few.
napi_value Handle(napi_env env, BoundPipe* bound) {
  napi_value handle = nullptr;
  YARDSTICK_CHECK(napi_create_external(env, bound, nullptr, nullptr, &handle) == napi_ok);
  return handle;
}

BoundPipe* Unwrap(napi_env env, napi_callback_info info) {
  napi_value handle = nullptr;
  void* bound = nullptr;
  Arguments(env, info, 1, &handle);
  YARDSTICK_CHECK(napi_get_value_external(env, handle, &bound) == napi_ok);
  return static_cast<BoundPipe*>(bound);
}

/// `receiveInto(ring, fn)`: `{ pipe, port }`.
napi_value ReceiveInto(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  Arguments(env, info, 2, arguments);
  BoundPipe* bound = Bind(env, arguments[0], arguments[1]);
  napi_value result = NewObject(env);
  SetNumber(env, result, "port", bound->pipe->StartReceiving());
  YARDSTICK_CHECK(napi_set_named_property(env, result, "pipe", Handle(env, bound)) == napi_ok);
  return result;
}

/// `sendFrom(ring, fn, port)`: the pipe.
napi_value SendFrom(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  Arguments(env, info, 3, arguments);
  BoundPipe* bound = Bind(env, arguments[0], arguments[1]);
  bound->pipe->StartSending(static_cast<uint16_t>(Integer(env, arguments[2])));
  return Handle(env, bound);
}

/// `wake(pipe)`.
napi_value Wake(napi_env env, napi_callback_info info) {
  BoundPipe* bound = Unwrap(env, info);
  if (bound->pipe != nullptr) bound->pipe->Wake();
  return nullptr;
}

/// `closePipe(pipe)`: joins the thread; closing twice is fine.
napi_value ClosePipe(napi_env env, napi_callback_info info) {
  BoundPipe* bound = Unwrap(env, info);
  if (bound->pipe == nullptr) return nullptr;
  YARDSTICK_CHECK(napi_remove_env_cleanup_hook(env, Close, bound) == napi_ok);
  Close(bound);
  bound->pipe.reset();
  return nullptr;
}

/// `pipeFigures(pipe)`: what the thread did so far; an empty object once it is closed.
napi_value Figures(napi_env env, napi_callback_info info) {
  const BoundPipe* bound = Unwrap(env, info);
  napi_value result = NewObject(env);
  if (bound->pipe == nullptr) return result;
  const PipeFigures& figures = bound->pipe->figures();
  SetNumber(env, result, "bytes", static_cast<double>(figures.bytes.load()));
  SetNumber(env, result, "systemCalls", static_cast<double>(figures.system_calls.load()));
  SetNumber(env, result, "sleeps", static_cast<double>(figures.sleeps.load()));
  SetNumber(env, result, "doorbells", static_cast<double>(figures.doorbells.load()));
  return result;
}

/// `bytesToAlignment(view)`: how far its memory is from the next multiple of 128. JavaScript sees
/// no addresses, and a SharedArrayBuffer starts at a multiple of 16 only.
napi_value BytesToAlignment(napi_env env, napi_callback_info info) {
  napi_value view = nullptr;
  Arguments(env, info, 1, &view);
  void* memory = nullptr;
  const napi_status found =
      napi_get_typedarray_info(env, view, nullptr, nullptr, &memory, nullptr, nullptr);
  YARDSTICK_CHECK(found == napi_ok);
  const uintptr_t past = reinterpret_cast<uintptr_t>(memory) % 128;
  napi_value result = nullptr;
  const auto bytes = static_cast<uint32_t>((128 - past) % 128);
  YARDSTICK_CHECK(napi_create_uint32(env, bytes, &result) == napi_ok);
  return result;
}

}  // namespace

void ExportLimit(napi_env env, napi_value exports) {
  Export(env, exports, "receiveInto", ReceiveInto);
  Export(env, exports, "sendFrom", SendFrom);
  Export(env, exports, "wake", Wake);
  Export(env, exports, "closePipe", ClosePipe);
  Export(env, exports, "pipeFigures", Figures);
  Export(env, exports, "bytesToAlignment", BytesToAlignment);
}

}  // namespace yardstick
