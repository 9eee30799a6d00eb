//! The doorbell of an isolate: one bounded ThreadsafeFunction that carries no data.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use foundation_node::{Doorbell, LoopMark};
use napi::sys;

use crate::error::{Result, check};

/// Rings asked for, over all isolates.
pub(crate) static RINGS: AtomicU64 = AtomicU64::new(0);
/// Rings saved because one was under way.
pub(crate) static COALESCED: AtomicU64 = AtomicU64::new(0);
/// Rings to isolates that were gone.
pub(crate) static TO_CLOSED: AtomicU64 = AtomicU64::new(0);
/// Exceptions that a wake-up threw and that were raised again in its isolate.
pub(crate) static REPORTED_EXCEPTIONS: AtomicU64 = AtomicU64::new(0);

/// Bells that Node has not let go of yet.
pub(crate) static LIVE: AtomicU32 = AtomicU32::new(0);
/// The next wake-up panics, to show what becomes of that.
pub(crate) static PANICS_FOR_TEST: AtomicBool = AtomicBool::new(false);

/// A ThreadsafeFunction's pointer; only used under the lock beside it.
#[derive(Debug, Clone, Copy)]
struct Function(sys::napi_threadsafe_function);

// SAFETY: a ThreadsafeFunction may be called from any thread; that is its purpose.
unsafe impl Send for Function {}

/// Rings an isolate from any thread; harmless once it is closed.
#[derive(Debug)]
pub(crate) struct Bell {
    function: Mutex<Option<Function>>,
    is_ringing: AtomicBool,
    /// The kernel thread panicked: the wake-ups say so.
    has_failed: AtomicBool,
    /// A wake-up runs JavaScript in the poll phase of its loop.
    mark: Arc<LoopMark>,
}

impl Bell {
    /// Makes the bell of an environment; `wake` is called on its thread.
    pub(crate) fn new(
        env: sys::napi_env,
        wake: sys::napi_value,
        mark: Arc<LoopMark>,
    ) -> Result<Arc<Bell>> {
        let bell = Arc::new(Bell {
            function: Mutex::new(None),
            is_ringing: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            mark,
        });
        let context = Arc::into_raw(Arc::clone(&bell)).cast_mut().cast::<c_void>();
        let mut name = ptr::null_mut();
        let mut function = ptr::null_mut();
        let label = b"foundation:doorbell";
        // SAFETY: `env` is the calling environment; `name` and `function` are out-parameters;
        // `context` is a counted reference that `finalize` gives back exactly once.
        let status = unsafe {
            sys::napi_create_string_utf8(
                env,
                label.as_ptr().cast(),
                label.len() as isize,
                &raw mut name,
            );
            sys::napi_create_threadsafe_function(
                env,
                wake,
                ptr::null_mut(),
                name,
                1,
                1,
                ptr::null_mut(),
                Some(finalize),
                context,
                Some(call_wake),
                &raw mut function,
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: nothing was created that would give this reference back.
            drop(unsafe { Arc::from_raw(context.cast_const().cast::<Bell>()) });
        }
        check(status, "creating the doorbell")?;
        LIVE.fetch_add(1, Ordering::Relaxed);
        *bell.lock() = Some(Function(function));
        Ok(bell)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Function>> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops ringing; from here on a ring is a counted no-op. Node frees the function with its
    /// environment.
    pub(crate) fn silence(&self) {
        *self.lock() = None;
    }

    /// Stops ringing and lets the function go, so that it no longer keeps the event loop alive.
    pub(crate) fn release(&self) {
        if let Some(Function(function)) = self.lock().take() {
            // SAFETY: the function was taken out under the lock, so no other thread calls it any
            // more.
            unsafe {
                sys::napi_release_threadsafe_function(
                    function,
                    sys::ThreadsafeFunctionReleaseMode::abort,
                )
            };
        }
    }

    /// The isolate is awake in the poll phase of its loop, and will look at its rings: until
    /// [`Bell::let_ring`], a ring is saved.
    pub(crate) fn hold(&self) {
        self.mark.running();
        self.is_ringing.store(true, Ordering::Relaxed);
    }

    /// Rings count again. The isolate looks at its rings after this, so none is lost.
    pub(crate) fn let_ring(&self) {
        // AcqRel, as for a wake-up: what was written before a saved ring is seen by the look.
        self.is_ringing.swap(false, Ordering::AcqRel);
    }

    /// Calls JavaScript, and raises what it threw in its isolate.
    ///
    /// # Safety
    /// Called on the thread of the live environment `env`, to which `wake` belongs.
    pub(crate) unsafe fn wake_isolate(&self, env: sys::napi_env, wake: sys::napi_value) {
        // SAFETY: promised by the caller.
        unsafe { wake_isolate(env, wake, self.has_failed.load(Ordering::Acquire)) }
    }

    /// Whether the bell keeps the event loop alive. Only on the environment's own thread.
    pub(crate) fn set_referenced(&self, env: sys::napi_env, is_referenced: bool) -> Result<()> {
        let Some(Function(function)) = *self.lock() else { return Ok(()) };
        // SAFETY: called on the loop's thread with a live function.
        let status = unsafe {
            if is_referenced {
                sys::napi_ref_threadsafe_function(env, function)
            } else {
                sys::napi_unref_threadsafe_function(env, function)
            }
        };
        check(status, "referencing the doorbell")
    }
}

impl Doorbell for Bell {
    fn ring(&self) {
        RINGS.fetch_add(1, Ordering::Relaxed);
        // AcqRel: a ring that is saved here is seen by the wake-up under way, which clears the flag
        // before it looks at the rings.
        if self.is_ringing.swap(true, Ordering::AcqRel) {
            COALESCED.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let guard = self.lock();
        let Some(Function(function)) = *guard else {
            TO_CLOSED.fetch_add(1, Ordering::Relaxed);
            return;
        };
        // SAFETY: the lock is held, so the function is not released meanwhile. A full queue means
        // that a wake-up is under way, a closing one that nobody is left to wake: both are fine.
        unsafe {
            sys::napi_call_threadsafe_function(
                function,
                ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            );
        }
    }

    fn fail(&self) {
        // Release: a wake-up that is under way may have cleared the flag of `ring` before, and then
        // the ring below is the one that tells.
        self.has_failed.store(true, Ordering::Release);
        self.ring();
    }
}

/// Gives the context's reference back when Node is done with the function.
///
/// # Safety
/// Called once by Node, with the context that `Bell::new` gave to the function.
unsafe extern "C" fn finalize(_env: sys::napi_env, _data: *mut c_void, context: *mut c_void) {
    LIVE.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: the context was made by `Arc::into_raw` and Node finalises once.
    drop(unsafe { Arc::from_raw(context.cast_const().cast::<Bell>()) });
}

/// Runs on the isolate's thread: clears the flag, wakes JavaScript, raises what it threw.
///
/// # Safety
/// Called by Node on the environment's thread, with the context that `Bell::new` gave to the
/// function.
unsafe extern "C" fn call_wake(
    env: sys::napi_env,
    wake: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // Node empties the queue of a function that was let go after it finalised, and passes no
    // environment then: the context may be gone.
    if env.is_null() || wake.is_null() || context.is_null() {
        return;
    }
    // SAFETY: Node runs JavaScript for a ring only before it finalises, so the reference is alive.
    let bell = unsafe { &*context.cast_const().cast::<Bell>() };
    bell.is_ringing.store(false, Ordering::Release); // before the rings are read: see `ring`
    bell.mark.running();
    let woken = catch_unwind(AssertUnwindSafe(|| {
        let is_test = PANICS_FOR_TEST.swap(false, Ordering::Relaxed);
        assert!(!is_test, "a panic for the test of the doorbell");
        // SAFETY: the environment is live and this is its thread.
        unsafe { bell.wake_isolate(env, wake) }
    }));
    if woken.is_err() {
        // SAFETY: as above. A panic may not cross into Node.
        unsafe { raise_panic(env) };
        bell.ring(); // what the wake-up was for is still to be done
    }
}

/// Calls JavaScript, which is told of a failed kernel thread by an argument.
///
/// # Safety
/// Called on the thread of the live environment `env`, to which `wake` belongs.
unsafe fn wake_isolate(env: sys::napi_env, wake: sys::napi_value, has_failed: bool) {
    // SAFETY: promised by the caller; every value is used within this call.
    unsafe {
        let (mut receiver, mut argument) = (ptr::null_mut(), ptr::null_mut());
        sys::napi_get_undefined(env, &raw mut receiver);
        if has_failed {
            sys::napi_get_boolean(env, true, &raw mut argument);
        }
        let mut result = ptr::null_mut();
        let count = usize::from(has_failed);
        let status = sys::napi_call_function(
            env,
            receiver,
            wake,
            count,
            &raw const argument,
            &raw mut result,
        );
        let mut is_pending = false;
        sys::napi_is_exception_pending(env, &raw mut is_pending);
        // A terminated isolate answers with the same status and has nothing to report.
        if status == sys::Status::napi_pending_exception && is_pending {
            // Node would swallow it here (DEP0168); it belongs to the isolate's
            // `uncaughtException`.
            let mut thrown = ptr::null_mut();
            sys::napi_get_and_clear_last_exception(env, &raw mut thrown);
            REPORTED_EXCEPTIONS.fetch_add(1, Ordering::Relaxed);
            sys::napi_fatal_exception(env, thrown);
        }
    }
}

/// Raises a panic of the core as `uncaughtException` of the isolate in which it happened.
///
/// # Safety
/// Called on the thread of the live environment `env`.
unsafe fn raise_panic(env: sys::napi_env) {
    let (code, text) = ("internal", "the native core panicked while it woke this isolate");
    // SAFETY: promised by the caller; every value is used within this call. Where one of the calls
    // fails, nothing is raised and the count of panics is what remains.
    unsafe {
        let (mut message, mut name, mut error) =
            (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let string = sys::napi_create_string_utf8;
        string(env, text.as_ptr().cast(), text.len() as isize, &raw mut message);
        string(env, code.as_ptr().cast(), code.len() as isize, &raw mut name);
        if sys::napi_create_error(env, name, message, &raw mut error) == sys::Status::napi_ok {
            REPORTED_EXCEPTIONS.fetch_add(1, Ordering::Relaxed);
            sys::napi_fatal_exception(env, error);
        }
    }
}
