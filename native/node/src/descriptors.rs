//! Room in the process's table of descriptors, made before it is needed.
//!
//! Linux makes the table larger when the next descriptor finds no place. Where threads share it,
//! each time waits for an RCU grace period, and so does whoever opens something meanwhile: some ms
//! where cores are idle, 3.5 to 5.3 s where a thousand nodes were forming on two cores. A kernel
//! thread that stands still for so long has its nodes suspected by all others.

use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The least room that is made, with the first connection: a table of 8 KiB.
const ROOM_MIN: usize = 1_024;
/// Room is made for so many times what is in use, once half of the room before is.
const FACTOR: usize = 8;

/// What has been made room for.
static ROOM: AtomicUsize = AtomicUsize::new(0);

/// A descriptor was opened, and there will be more.
pub(crate) fn stay_ahead(opened: BorrowedFd<'_>) {
    let used = usize::try_from(opened.as_raw_fd()).unwrap_or(0);
    let room = ROOM.load(Ordering::Relaxed);
    if !cfg!(target_os = "linux") || used < room / 2 {
        return;
    }
    let wanted = used.saturating_mul(FACTOR).next_power_of_two().max(ROOM_MIN);
    let order = Ordering::Relaxed; // a counter: nothing else is published by it
    if ROOM.compare_exchange(room, wanted, order, order).is_ok() {
        // Somebody who can wait. It ends with the grace period; without it, or where the system
        // refuses, the table grows when it has to.
        let name = "foundation-files".to_owned();
        let _ = std::thread::Builder::new().name(name).spawn(move || make_room(wanted));
    }
}

/// Has the table hold so many descriptors, or as many as the process may have.
fn make_room(wanted: usize) {
    let Ok(any) = File::open("/dev/null") else { return };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the system writes the limits into `limit`. The descriptor that is made, if any, is
    // this function's own.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            return;
        }
        let may = usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX);
        let Ok(last) = libc::c_int::try_from(wanted.min(may).saturating_sub(1)) else { return };
        let farthest = libc::fcntl(any.as_raw_fd(), libc::F_DUPFD_CLOEXEC, last);
        if farthest >= 0 {
            drop(OwnedFd::from_raw_fd(farthest));
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::make_room;

    /// Descriptors that the process's table has room for.
    fn room() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").expect("there is one");
        let line = status.lines().find_map(|line| line.strip_prefix("FDSize:"));
        line.expect("it tells").trim().parse().expect("a number")
    }

    #[test]
    fn the_table_has_room_before_it_is_used() {
        let before = room();
        make_room(before + 1);
        assert!(room() > before, "{before}");
    }
}
