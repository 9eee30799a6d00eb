#include "interrupt_table.h"

#include <algorithm>
#include <cstring>

#include "isolate_registry.h"

namespace foundation {

namespace {

uint32_t AskStack(uint32_t isolate) { return IsolateRegistry::OfProcess().Request(isolate); }

int TakeStack(uint32_t isolate, uint32_t request, char* text, size_t capacity, size_t* length) {
  const auto report = IsolateRegistry::OfProcess().Take(isolate, request);
  if (!report.has_value()) return 0;
  *length = std::min(capacity, report->stack.size());
  std::memcpy(text, report->stack.data(), *length);
  return 1;
}

uint32_t AskMemory(uint32_t isolate) { return IsolateRegistry::OfProcess().RequestMemory(isolate); }

int TakeMemory(uint32_t isolate, uint32_t request, uint64_t* external_bytes) {
  const auto bytes = IsolateRegistry::OfProcess().TakeMemory(isolate, request);
  if (!bytes.has_value()) return 0;
  *external_bytes = *bytes;
  return 1;
}

int Terminate(uint32_t isolate) { return IsolateRegistry::OfProcess().Terminate(isolate) ? 1 : 0; }

}  // namespace

const InterruptTable kInterruptTable{kInterruptTableVersion,
                                     sizeof(InterruptTable),
                                     &AskStack,
                                     &TakeStack,
                                     &AskMemory,
                                     &TakeMemory,
                                     &Terminate};

}  // namespace foundation
