#ifndef FOUNDATION_SHIM_INTERRUPT_TABLE_H_
#define FOUNDATION_SHIM_INTERRUPT_TABLE_H_

#include "core_vtable.h"

namespace foundation {

/// What the core's watchdog may ask of isolates, from a thread without one. The registry behind it
/// lives as long as the process.
extern const InterruptTable kInterruptTable;

}  // namespace foundation

#endif  // FOUNDATION_SHIM_INTERRUPT_TABLE_H_
