//! The one monotonic clock of the process: isolates mark their loops with it, the kernel threads
//! read it.

use std::sync::OnceLock;
use std::time::Instant;

use foundation_link::Micros;

static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// Microseconds since the process first asked, never 0.
#[must_use]
pub fn now() -> Micros {
    let origin = ORIGIN.get_or_init(Instant::now);
    Micros(origin.elapsed().as_micros() as u64 + 1)
}
