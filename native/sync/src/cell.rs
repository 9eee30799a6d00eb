//! Interior mutability whose accesses loom can see.

#[cfg(loom)]
pub use loom::cell::UnsafeCell;
#[cfg(not(loom))]
pub use production::UnsafeCell;

#[cfg(not(loom))]
mod production {
    /// `std`'s cell behind the closures that loom needs to tell when an access begins and ends.
    #[derive(Debug, Default)]
    pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        /// Takes ownership of `value`; it is reached through the closures alone.
        #[inline]
        pub const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        /// Reads through `access`. Under loom a write that is not ordered against it fails the
        /// model.
        #[inline]
        pub fn with<R>(&self, access: impl FnOnce(*const T) -> R) -> R {
            access(self.0.get())
        }

        /// Writes through `access`. Under loom any access not ordered against it fails the model.
        #[inline]
        pub fn with_mut<R>(&self, access: impl FnOnce(*mut T) -> R) -> R {
            access(self.0.get())
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::UnsafeCell;

    #[test]
    fn a_write_is_seen_by_the_next_read() {
        let cell = UnsafeCell::new(1u32);
        // SAFETY: the cell is local to this thread and each pointer dies with its closure.
        cell.with_mut(|value| unsafe { *value = 7 });
        // SAFETY: as above.
        assert_eq!(cell.with(|value| unsafe { *value }), 7);
    }
}
