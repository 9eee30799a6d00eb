// What one crossing of the boundary costs in C++: the floor for any other binding.

#include <chrono>
#include <cstring>
#include <vector>

#include "yardstick.h"

namespace yardstick {

namespace {

using Clock = std::chrono::steady_clock;

/// `empty()`: nothing at all.
napi_value Empty(napi_env, napi_callback_info) { return nullptr; }

/// `byteLengthOf(view)`: finds the memory behind a typed array, as every send must.
napi_value ByteLengthOf(napi_env env, napi_callback_info info) {
  napi_value view = nullptr;
  Arguments(env, info, 1, &view);
  size_t bytes = 0;
  void* memory = nullptr;
  YARDSTICK_CHECK(napi_get_typedarray_info(env, view, nullptr, &bytes, &memory, nullptr, nullptr) ==
                  napi_ok);
  napi_value result = nullptr;
  YARDSTICK_CHECK(napi_create_uint32(env, static_cast<uint32_t>(bytes), &result) == napi_ok);
  return result;
}

void FreeExternal(napi_env, void* memory, void*) { std::free(memory); }

/// `externalBuffer(bytes)`: lends native memory to JavaScript, with a finalizer.
napi_value ExternalBuffer(napi_env env, napi_callback_info info) {
  napi_value argument = nullptr;
  Arguments(env, info, 1, &argument);
  const auto bytes = static_cast<size_t>(Integer(env, argument));
  void* memory = std::calloc(1, bytes);
  YARDSTICK_CHECK(memory != nullptr);
  napi_value buffer = nullptr;
  YARDSTICK_CHECK(napi_create_external_buffer(env, bytes, memory, FreeExternal, nullptr, &buffer) ==
                  napi_ok);
  return buffer;
}

/// `copiedBuffer(bytes)`: a buffer of JavaScript's own, filled from native memory.
napi_value CopiedBuffer(napi_env env, napi_callback_info info) {
  static thread_local std::vector<uint8_t> source;
  napi_value argument = nullptr;
  Arguments(env, info, 1, &argument);
  const auto bytes = static_cast<size_t>(Integer(env, argument));
  if (source.size() < bytes) source.resize(bytes, 0x5A);
  napi_value buffer = nullptr;
  YARDSTICK_CHECK(napi_create_buffer_copy(env, bytes, source.data(), nullptr, &buffer) == napi_ok);
  return buffer;
}

/// `callInto(fn, count)`: nanoseconds that C++ needs for one call of a JavaScript function.
napi_value CallInto(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  Arguments(env, info, 2, arguments);
  const int64_t count = Integer(env, arguments[1]);
  napi_value receiver = nullptr;
  YARDSTICK_CHECK(napi_get_undefined(env, &receiver) == napi_ok);
  const auto start = Clock::now();
  for (int64_t call = 0; call < count; ++call) {
    napi_handle_scope scope = nullptr;
    YARDSTICK_CHECK(napi_open_handle_scope(env, &scope) == napi_ok);
    napi_value returned = nullptr;
    if (napi_call_function(env, receiver, arguments[0], 0, nullptr, &returned) != napi_ok) {
      return nullptr;  // The function threw; the exception is pending and JavaScript sees it.
    }
    YARDSTICK_CHECK(napi_close_handle_scope(env, scope) == napi_ok);
  }
  const std::chrono::duration<double, std::nano> elapsed = Clock::now() - start;
  napi_value result = nullptr;
  const double per_call_ns = elapsed.count() / static_cast<double>(count > 0 ? count : 1);
  YARDSTICK_CHECK(napi_create_double(env, per_call_ns, &result) == napi_ok);
  return result;
}

}  // namespace

void ExportCalls(napi_env env, napi_value exports) {
  Export(env, exports, "empty", Empty);
  Export(env, exports, "byteLengthOf", ByteLengthOf);
  Export(env, exports, "externalBuffer", ExternalBuffer);
  Export(env, exports, "copiedBuffer", CopiedBuffer);
  Export(env, exports, "callInto", CallInto);
}

}  // namespace yardstick
