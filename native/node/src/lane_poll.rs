//! The connections of a node that an isolate polls: one event queue of the system, whose own
//! descriptor becomes readable when any of them has something. So an event loop watches one
//! descriptor however many links come and go, and whoever has the state's lock asks the queue which
//! connections are meant.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A connection that has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ready {
    /// What it was added with.
    pub(crate) token: u64,
    pub(crate) is_readable: bool,
    pub(crate) is_writable: bool,
}

/// What is to be told of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// That bytes have come, or its end.
    pub(crate) bytes: bool,
    /// That the system takes bytes.
    pub(crate) room: bool,
}

/// Connections asked about at a time; the others are told by the next question.
pub(crate) const READY_MAX: usize = 32;

/// Connections to be polled together. Level-triggered: what is not read is told again.
#[derive(Debug)]
pub struct LanePoll {
    queue: OwnedFd,
}

impl LanePoll {
    /// Whether this system has what it takes.
    #[must_use]
    pub fn is_available() -> bool {
        cfg!(target_os = "linux")
    }
}

impl AsRawFd for LanePoll {
    fn as_raw_fd(&self) -> RawFd {
        self.queue.as_raw_fd()
    }
}

#[cfg(target_os = "linux")]
impl LanePoll {
    pub(crate) fn new() -> io::Result<LanePoll> {
        // SAFETY: takes a flag and gives a descriptor or -1.
        let queue = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if queue < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and is nobody else's.
        Ok(LanePoll { queue: unsafe { OwnedFd::from_raw_fd(queue) } })
    }

    fn control(
        &self,
        action: libc::c_int,
        lane: BorrowedFd<'_>,
        mut event: libc::epoll_event,
    ) -> io::Result<()> {
        // SAFETY: both descriptors are open, for they are borrowed; the event is read only.
        let result = unsafe {
            libc::epoll_ctl(self.queue.as_raw_fd(), action, lane.as_raw_fd(), &raw mut event)
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Adds a connection. It goes by itself when its last descriptor is closed.
    pub(crate) fn add(&self, lane: &impl AsFd, token: u64) -> io::Result<()> {
        let event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        self.control(libc::EPOLL_CTL_ADD, lane.as_fd(), event)
    }

    /// What is told of a connection from now on. Of one that nothing is wanted of not even its end
    /// is, which the system would else tell again and again.
    pub(crate) fn watch(&self, lane: &impl AsFd, token: u64, wanted: Wanted) -> io::Result<()> {
        let bytes = if wanted.bytes { libc::EPOLLIN } else { 0 };
        let room = if wanted.room { libc::EPOLLOUT } else { 0 };
        let event = libc::epoll_event { events: (bytes | room) as u32, u64: token };
        let action = if event.events == 0 { libc::EPOLL_CTL_DEL } else { libc::EPOLL_CTL_MOD };
        match self.control(action, lane.as_fd(), event) {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                if event.events == 0 {
                    return Ok(());
                }
                self.control(libc::EPOLL_CTL_ADD, lane.as_fd(), event)
            }
            result => result,
        }
    }

    /// Whether any connection has something at this moment.
    pub(crate) fn is_ready(&self) -> bool {
        let mut queue =
            libc::pollfd { fd: self.queue.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one descriptor, as counted; it is open.
        unsafe { libc::poll(&raw mut queue, 1, 0) > 0 }
    }

    /// Which connections have something at this moment; never waits.
    pub(crate) fn ready(&self, out: &mut Vec<Ready>) {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; READY_MAX];
        // SAFETY: the array has room for the events asked for.
        let count = unsafe {
            libc::epoll_wait(self.queue.as_raw_fd(), events.as_mut_ptr(), READY_MAX as i32, 0)
        };
        out.clear();
        // Less than 0 is an interruption: the next question finds the same.
        out.extend(events.iter().take(count.max(0) as usize).map(|event| Ready {
            token: event.u64,
            is_writable: event.events & libc::EPOLLOUT as u32 != 0,
            // An error or an end is found by reading.
            is_readable: event.events & !(libc::EPOLLOUT as u32) != 0,
        }));
    }
}

#[cfg(not(target_os = "linux"))]
impl LanePoll {
    pub(crate) fn new() -> io::Result<LanePoll> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn add(&self, _lane: &impl AsFd, _token: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn watch(&self, _lane: &impl AsFd, _token: u64, _: Wanted) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn is_ready(&self) -> bool {
        false
    }

    pub(crate) fn ready(&self, out: &mut Vec<Ready>) {
        out.clear();
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn bytes_are_told_until_they_are_read_and_room_only_when_wanted() -> io::Result<()> {
        let (mut near, mut far) = UnixStream::pair()?;
        let poll = LanePoll::new()?;
        let mut ready = Vec::new();
        poll.add(&near, 7)?;
        poll.ready(&mut ready);
        assert_eq!(ready, []);
        assert!(!poll.is_ready());
        far.write_all(&[1])?;
        assert!(poll.is_ready());
        let is_told = Ready { token: 7, is_readable: true, is_writable: false };
        for _ in 0..2 {
            poll.ready(&mut ready);
            assert_eq!(ready, [is_told]);
        }
        near.read_exact(&mut [0])?;
        poll.watch(&near, 8, Wanted { bytes: true, room: true })?;
        poll.ready(&mut ready);
        assert_eq!(ready, [Ready { token: 8, is_readable: false, is_writable: true }]);
        far.write_all(&[2])?;
        for _ in 0..2 {
            poll.watch(&near, 8, Wanted { bytes: false, room: false })?;
            poll.ready(&mut ready);
            assert_eq!(ready, []);
        }
        poll.watch(&near, 9, Wanted { bytes: true, room: false })?;
        poll.ready(&mut ready);
        assert_eq!(ready, [Ready { token: 9, ..is_told }]);
        drop(near);
        poll.ready(&mut ready);
        assert_eq!(ready, []);
        Ok(())
    }
}
