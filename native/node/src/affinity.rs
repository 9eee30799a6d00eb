//! Which cores a thread may run on.

/// Has the calling thread run on one core only; false where the system does not do that, or has no
/// such core for this process.
#[must_use]
pub fn pin_this_thread(core: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: `set` is a plain bit set that lives through the calls; a core outside of it is
        // refused by the bound, an absent one by the system.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            if core >= 8 * size_of::<libc::cpu_set_t>() {
                return false;
            }
            libc::CPU_SET(core, &mut set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) == 0
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = core; // other systems only take hints
        false
    }
}

/// The cores that the calling thread may run on, in order; empty where the system does not tell.
#[must_use]
pub fn cores_of_this_thread() -> Vec<usize> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the system writes within the size it is given.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) != 0 {
                return Vec::new();
            }
            (0..8 * size_of::<libc::cpu_set_t>())
                .filter(|core| libc::CPU_ISSET(*core, &set))
                .collect()
        }
    }
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{cores_of_this_thread, pin_this_thread};

    #[test]
    fn a_pinned_thread_has_one_core() {
        let all = cores_of_this_thread();
        let last = *all.last().expect("a thread runs somewhere");
        let own = std::thread::spawn(move || {
            assert!(pin_this_thread(last));
            cores_of_this_thread()
        });
        assert_eq!(own.join().expect("it ends"), vec![last]);
        assert_eq!(cores_of_this_thread(), all);
    }

    #[test]
    fn a_core_that_is_not_there_is_refused() {
        let refused = std::thread::spawn(|| pin_this_thread(1_023) || pin_this_thread(usize::MAX));
        assert!(!refused.join().expect("it ends"));
    }
}
