#ifndef FOUNDATION_SHIM_ISOLATE_REGISTRY_H_
#define FOUNDATION_SHIM_ISOLATE_REGISTRY_H_

#include <node.h>
#include <v8.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace foundation {

/// What an isolate said of itself when it was interrupted.
struct IsolateReport {
  /// One line for each frame of JavaScript, the innermost first; empty where none runs.
  std::string stack;
  uint64_t used_heap_bytes = 0;
  uint64_t total_heap_bytes = 0;
  uint64_t heap_limit_bytes = 0;
  uint64_t external_bytes = 0;
  uint64_t malloced_bytes = 0;
};

/// The isolates of the process that may be interrupted, by number. An isolate is removed by a
/// cleanup hook of its environment, hence before it is disposed of; whoever touches one holds the
/// mutex, so none is touched after that.
///
/// Lock order: the mutex, then V8's own lock of the isolate. V8 runs interrupts without its lock.
class IsolateRegistry {
 public:
  /// The instance of the process. It is never destroyed: a worker may end during exit.
  static IsolateRegistry& OfProcess();

  /// Adds an isolate; answers with its number, which is never used again.
  uint32_t Add(v8::Isolate* isolate, node::Environment* environment);
  void Remove(uint32_t number);

  /// Interrupts an isolate so that it reports; answers with the number of the request, 0 where the
  /// isolate is gone. It reports as soon as it runs JavaScript.
  uint32_t Request(uint32_t number);
  /// The report that answers a request, or nothing so far.
  std::optional<IsolateReport> Take(uint32_t number, uint32_t request);
  /// Interrupts an isolate so that it measures its memory alone, which is cheaper than a report; as
  /// `Request`.
  uint32_t RequestMemory(uint32_t number);
  /// Memory outside of the heap that answers a request, or nothing so far. Unit: bytes.
  std::optional<uint64_t> TakeMemory(uint32_t number, uint32_t request);
  /// Ends a worker, whatever it runs; false where it is gone. To end its JavaScript alone
  /// (`v8::Isolate::TerminateExecution`) would leave Node with a stack of callbacks that never
  /// returned, for which it aborts the process.
  bool Terminate(uint32_t number);

 private:
  struct Entry {
    v8::Isolate* isolate;
    node::Environment* environment;
    uint32_t requests = 0;
    /// The request that `report` answers.
    uint32_t answered = 0;
    std::optional<IsolateReport> report = std::nullopt;
    uint32_t memory_requests = 0;
    /// The request that `external_bytes` answers.
    uint32_t memory_answered = 0;
    uint64_t external_bytes = 0;
  };

  IsolateRegistry() = default;
  static void OnInterrupt(v8::Isolate* isolate, void* place);
  static void OnMemoryInterrupt(v8::Isolate* isolate, void* place);

  std::mutex mutex_;
  std::unordered_map<uint32_t, Entry> entries_;
  uint32_t next_ = 1;
};

}  // namespace foundation

#endif  // FOUNDATION_SHIM_ISOLATE_REGISTRY_H_
