// What it costs a native thread to wake JavaScript: a ThreadsafeFunction, a thread, two patterns.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "yardstick.h"

namespace yardstick {

namespace {

using Clock = std::chrono::steady_clock;

/// Calls that may wait in the queue; a burst blocks the thread beyond it.
constexpr size_t kQueueCallsMax = 1024;

/// One measurement: a thread that calls JavaScript `count` times, and the promise of its figures.
struct Wakes {
  int64_t count = 0;
  /// Wait for each call to run before the next: latency. Otherwise: throughput.
  bool is_round_trip = false;
  napi_threadsafe_function doorbell = nullptr;
  napi_deferred deferred = nullptr;
  std::thread thread;
  /// Calls that JavaScript has run. Its release pairs with the acquire of the waiting thread.
  std::atomic<int64_t> ran{0};
  /// Set when the environment goes away: the thread must be gone first.
  std::atomic<bool> is_stopping{false};
  std::vector<double> round_trip_ns;
  double elapsed_ns = 0;
};

void ThreadBody(Wakes* wakes) {
  const auto start = Clock::now();
  for (int64_t call = 0; call < wakes->count && !wakes->is_stopping.load(); ++call) {
    const auto sent = Clock::now();
    // A refused call means that the doorbell is closing, and that it is no longer ours to release.
    const napi_status rung =
        napi_call_threadsafe_function(wakes->doorbell, nullptr, napi_tsfn_blocking);
    if (rung != napi_ok) return;
    if (!wakes->is_round_trip) continue;
    wakes->ran.wait(call, std::memory_order_acquire);
    const std::chrono::duration<double, std::nano> took = Clock::now() - sent;
    wakes->round_trip_ns.push_back(took.count());
  }
  if (!wakes->is_round_trip) {
    for (int64_t ran = wakes->ran.load(std::memory_order_acquire);
         ran < wakes->count && !wakes->is_stopping.load();
         ran = wakes->ran.load(std::memory_order_acquire)) {
      wakes->ran.wait(ran, std::memory_order_acquire);
    }
  }
  const std::chrono::duration<double, std::nano> elapsed = Clock::now() - start;
  wakes->elapsed_ns = elapsed.count();
  napi_release_threadsafe_function(wakes->doorbell, napi_tsfn_release);
}

/// Runs in JavaScript's thread, once a call.
void OnWake(napi_env env, napi_value function, void* context, void*) {
  auto* wakes = static_cast<Wakes*>(context);
  if (env != nullptr) {
    napi_value receiver = nullptr;
    YARDSTICK_CHECK(napi_get_undefined(env, &receiver) == napi_ok);
    if (napi_call_function(env, receiver, function, 0, nullptr, nullptr) != napi_ok) {
      napi_value error = nullptr;
      YARDSTICK_CHECK(napi_get_and_clear_last_exception(env, &error) == napi_ok);
      napi_fatal_exception(env, error);
    }
  }
  wakes->ran.fetch_add(1, std::memory_order_release);
  wakes->ran.notify_one();
}

/// Runs when the environment ends during a measurement: the thread must be gone before it.
void StopThread(void* argument) {
  auto* wakes = static_cast<Wakes*>(argument);
  wakes->is_stopping.store(true);
  // The thread may wait for room in the queue, which nobody drains any more: closing refuses it.
  napi_release_threadsafe_function(wakes->doorbell, napi_tsfn_abort);
  wakes->ran.fetch_add(wakes->count, std::memory_order_release);
  wakes->ran.notify_one();
  wakes->thread.join();
}

double Percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<size_t>(share * last)];
}

/// Runs in JavaScript's thread after the last call: settles the promise and frees the measurement.
void OnFinished(napi_env env, void* data, void*) {
  const std::unique_ptr<Wakes> wakes(static_cast<Wakes*>(data));
  if (wakes->is_stopping.load()) return;
  wakes->thread.join();
  YARDSTICK_CHECK(napi_remove_env_cleanup_hook(env, StopThread, wakes.get()) == napi_ok);
  std::sort(wakes->round_trip_ns.begin(), wakes->round_trip_ns.end());
  napi_value figures = NewObject(env);
  SetNumber(env, figures, "count", static_cast<double>(wakes->count));
  SetNumber(env, figures, "elapsedNs", wakes->elapsed_ns);
  SetNumber(env, figures, "p50Ns", Percentile(wakes->round_trip_ns, 0.50));
  SetNumber(env, figures, "p99Ns", Percentile(wakes->round_trip_ns, 0.99));
  YARDSTICK_CHECK(napi_resolve_deferred(env, wakes->deferred, figures) == napi_ok);
}

napi_value Start(napi_env env, napi_callback_info info, bool is_round_trip) {
  napi_value arguments[2] = {};
  Arguments(env, info, 2, arguments);
  auto wakes = std::make_unique<Wakes>();
  wakes->count = Integer(env, arguments[1]);
  wakes->is_round_trip = is_round_trip;
  if (is_round_trip) wakes->round_trip_ns.reserve(static_cast<size_t>(wakes->count));
  napi_value promise = nullptr;
  YARDSTICK_CHECK(napi_create_promise(env, &wakes->deferred, &promise) == napi_ok);
  napi_value name = nullptr;
  YARDSTICK_CHECK(napi_create_string_utf8(env, "wakes", NAPI_AUTO_LENGTH, &name) == napi_ok);
  const napi_status created = napi_create_threadsafe_function(
      env, arguments[0], nullptr, name, kQueueCallsMax, 1, wakes.get(), OnFinished, wakes.get(),
      OnWake, &wakes->doorbell);
  YARDSTICK_CHECK(created == napi_ok);
  // After the ThreadsafeFunction, so that it runs before: the thread ends first.
  YARDSTICK_CHECK(napi_add_env_cleanup_hook(env, StopThread, wakes.get()) == napi_ok);
  wakes->thread = std::thread(ThreadBody, wakes.get());
  // Owned by OnFinished from here.
  static_cast<void>(wakes.release());
  return promise;
}

/// `wakeRoundTrips(fn, count)`: thread -> JavaScript -> thread, one at a time.
napi_value WakeRoundTrips(napi_env env, napi_callback_info info) { return Start(env, info, true); }

/// `wakeBurst(fn, count)`: one call a message, as fast as the queue takes them.
napi_value WakeBurst(napi_env env, napi_callback_info info) { return Start(env, info, false); }

}  // namespace

void ExportWakes(napi_env env, napi_value exports) {
  Export(env, exports, "wakeRoundTrips", WakeRoundTrips);
  Export(env, exports, "wakeBurst", WakeBurst);
}

}  // namespace yardstick
