#include "isolate_registry.h"

#include <utility>

namespace foundation {

namespace {

/// Frames of a stack that are reported, the innermost ones.
constexpr int kFramesMax = 32;

std::string Text(v8::Isolate* isolate, v8::Local<v8::String> string, const char* otherwise) {
  if (string.IsEmpty() || string->Length() == 0) return otherwise;
  const v8::String::Utf8Value text(isolate, string);
  return *text == nullptr ? otherwise : std::string(*text, text.length());
}

std::string StackOf(v8::Isolate* isolate) {
  const v8::HandleScope scope(isolate);
  const v8::Local<v8::StackTrace> trace =
      v8::StackTrace::CurrentStackTrace(isolate, kFramesMax, v8::StackTrace::kDetailed);
  std::string stack;
  for (int index = 0; index < trace->GetFrameCount(); index++) {
    const v8::Local<v8::StackFrame> frame = trace->GetFrame(isolate, index);
    stack += "    at " + Text(isolate, frame->GetFunctionName(), "<anonymous>") + " (" +
             Text(isolate, frame->GetScriptName(), "<unknown>") + ":" +
             std::to_string(frame->GetLineNumber()) + ":" + std::to_string(frame->GetColumn()) +
             ")\n";
  }
  return stack;
}

IsolateReport ReportOf(v8::Isolate* isolate) {
  IsolateReport report;
  report.stack = StackOf(isolate);
  v8::HeapStatistics heap;
  isolate->GetHeapStatistics(&heap);
  report.used_heap_bytes = heap.used_heap_size();
  report.total_heap_bytes = heap.total_heap_size();
  report.heap_limit_bytes = heap.heap_size_limit();
  report.external_bytes = heap.external_memory();
  report.malloced_bytes = heap.malloced_memory();
  return report;
}

/// Isolate and request in the one pointer that V8 carries: V8 drops the interrupts of a dying
/// isolate without a word, and with them whatever memory they point to.
void* PlaceOf(uint32_t number, uint32_t request) {
  static_assert(sizeof(void*) == sizeof(uint64_t), "two numbers fit a pointer");
  return reinterpret_cast<void*>(uint64_t{number} << 32 | request);
}

std::pair<uint32_t, uint32_t> NumbersOf(void* place) {
  const auto bits = reinterpret_cast<uint64_t>(place);
  return {static_cast<uint32_t>(bits >> 32), static_cast<uint32_t>(bits)};
}

}  // namespace

IsolateRegistry& IsolateRegistry::OfProcess() {
  static IsolateRegistry* const registry = new IsolateRegistry();
  return *registry;
}

uint32_t IsolateRegistry::Add(v8::Isolate* isolate, node::Environment* environment) {
  const std::lock_guard lock(mutex_);
  const uint32_t number = next_++;
  entries_.emplace(number, Entry{.isolate = isolate, .environment = environment});
  return number;
}

void IsolateRegistry::Remove(uint32_t number) {
  const std::lock_guard lock(mutex_);
  entries_.erase(number);
}

uint32_t IsolateRegistry::Request(uint32_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  if (found == entries_.end()) return 0;
  Entry& entry = found->second;
  entry.requests += 1;
  entry.isolate->RequestInterrupt(&OnInterrupt, PlaceOf(number, entry.requests));
  return entry.requests;
}

// Runs on the isolate's own thread, between two steps of its JavaScript.
void IsolateRegistry::OnInterrupt(v8::Isolate* isolate, void* place) {
  const auto [number, request] = NumbersOf(place);
  IsolateReport report = ReportOf(isolate);
  IsolateRegistry& registry = OfProcess();
  const std::lock_guard lock(registry.mutex_);
  const auto found = registry.entries_.find(number);
  if (found == registry.entries_.end() || found->second.answered > request) return;
  found->second.answered = request;
  found->second.report = std::move(report);
}

std::optional<IsolateReport> IsolateRegistry::Take(uint32_t number, uint32_t request) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  // A later report answers an earlier request as well.
  if (found == entries_.end() || found->second.answered < request) return std::nullopt;
  return found->second.report;
}

uint32_t IsolateRegistry::RequestMemory(uint32_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  if (found == entries_.end()) return 0;
  Entry& entry = found->second;
  entry.memory_requests += 1;
  entry.isolate->RequestInterrupt(&OnMemoryInterrupt, PlaceOf(number, entry.memory_requests));
  return entry.memory_requests;
}

// As `OnInterrupt`.
void IsolateRegistry::OnMemoryInterrupt(v8::Isolate* isolate, void* place) {
  const auto [number, request] = NumbersOf(place);
  v8::HeapStatistics heap;
  isolate->GetHeapStatistics(&heap);
  IsolateRegistry& registry = OfProcess();
  const std::lock_guard lock(registry.mutex_);
  const auto found = registry.entries_.find(number);
  if (found == registry.entries_.end() || found->second.memory_answered > request) return;
  found->second.memory_answered = request;
  found->second.external_bytes = heap.external_memory();
}

std::optional<uint64_t> IsolateRegistry::TakeMemory(uint32_t number, uint32_t request) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  if (found == entries_.end() || found->second.memory_answered < request) return std::nullopt;
  return found->second.external_bytes;
}

bool IsolateRegistry::Terminate(uint32_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  if (found == entries_.end()) return false;
  node::Stop(found->second.environment);
  return true;
}

}  // namespace foundation
