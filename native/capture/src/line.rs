//! Words that different threads write lie apart.

use core::ops::Deref;

/// A value alone on two cache lines: the adjacent-line prefetcher moves lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Line<T>(pub(crate) T);

impl<T> Deref for Line<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}
