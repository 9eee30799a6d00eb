#ifndef FOUNDATION_BENCH_YARDSTICK_H_
#define FOUNDATION_BENCH_YARDSTICK_H_

#include <node_api.h>

#include <cstdint>

#include "check.h"

namespace yardstick {

/// Reads up to `max` arguments; missing ones are undefined.
inline void Arguments(napi_env env, napi_callback_info info, size_t max, napi_value* arguments) {
  size_t count = max;
  YARDSTICK_CHECK(napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) == napi_ok);
}

/// A whole number argument, or the end of the process.
inline int64_t Integer(napi_env env, napi_value value) {
  int64_t integer = 0;
  YARDSTICK_CHECK(napi_get_value_int64(env, value, &integer) == napi_ok);
  return integer;
}

/// Adds `exports[name]`.
inline void Export(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  YARDSTICK_CHECK(napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) ==
                  napi_ok);
  YARDSTICK_CHECK(napi_set_named_property(env, exports, name, function) == napi_ok);
}

/// Sets a numeric property of a result.
inline void SetNumber(napi_env env, napi_value object, const char* name, double number) {
  napi_value value = nullptr;
  YARDSTICK_CHECK(napi_create_double(env, number, &value) == napi_ok);
  YARDSTICK_CHECK(napi_set_named_property(env, object, name, value) == napi_ok);
}

/// An empty object for a result.
inline napi_value NewObject(napi_env env) {
  napi_value object = nullptr;
  YARDSTICK_CHECK(napi_create_object(env, &object) == napi_ok);
  return object;
}

/// Calls and buffers: what one crossing costs. Defined in calls.cc.
void ExportCalls(napi_env env, napi_value exports);
/// Waking JavaScript from a thread. Defined in wakes.cc.
void ExportWakes(napi_env env, napi_value exports);
/// Rings, threads and sockets alone. Defined in limit.cc.
void ExportLimit(napi_env env, napi_value exports);

}  // namespace yardstick

#endif  // FOUNDATION_BENCH_YARDSTICK_H_
