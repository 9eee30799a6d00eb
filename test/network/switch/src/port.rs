//! A raw socket on one network interface.

use std::ffi::CString;
use std::io::{Error, ErrorKind, Result};
use std::mem::{size_of, size_of_val, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// What the kernel may hold for us while we are busy elsewhere.
const BUFFER_BYTES: libc::c_int = 64 << 20;

/// One port of the switch.
pub struct Port {
    socket: OwnedFd,
}

/// Counters of the kernel for a socket, reset by each look.
#[repr(C)]
#[derive(Default)]
struct Statistics {
    packets: libc::c_uint,
    drops: libc::c_uint,
}

impl Port {
    /// Opens the interface of that name: takes all frames that reach it, whoever they are for.
    ///
    /// # Errors
    ///
    /// Where there is no such interface, or no right to open it.
    pub fn open(interface: &str) -> Result<Port> {
        let name = CString::new(interface)?;
        // SAFETY: the name is a string that ends in a zero and lives through the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        if index == 0 {
            return Err(Error::last_os_error());
        }
        let all = (libc::ETH_P_ALL as u16).to_be();
        let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // SAFETY: no pointers; a negative answer is checked.
        let raw = unsafe { libc::socket(libc::AF_PACKET, kind, libc::c_int::from(all)) };
        if raw < 0 {
            return Err(Error::last_os_error());
        }
        // SAFETY: a socket that was just opened and that nobody else owns.
        let port = Port { socket: unsafe { OwnedFd::from_raw_fd(raw) } };
        port.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1)?;
        port.set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &BUFFER_BYTES)?;
        port.set(libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, &BUFFER_BYTES)?;
        port.bind(index, all)?;
        port.listen_to_all(index)?;
        Ok(port)
    }

    fn bind(&self, index: libc::c_uint, protocol: u16) -> Result<()> {
        // SAFETY: an address of the link layer is valid as zeroes.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol;
        address.sll_ifindex = index as libc::c_int;
        let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: pointer and length describe the address above, which lives through the call.
        checked(unsafe { libc::bind(self.as_raw_fd(), (&raw const address).cast(), length) })
    }

    fn listen_to_all(&self, index: libc::c_uint) -> Result<()> {
        // SAFETY: a membership is valid as zeroes.
        let mut membership: libc::packet_mreq = unsafe { zeroed() };
        membership.mr_ifindex = index as libc::c_int;
        membership.mr_type = libc::PACKET_MR_PROMISC as u16;
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)
    }

    fn set<T>(&self, level: libc::c_int, name: libc::c_int, value: &T) -> Result<()> {
        let length = size_of_val(value) as libc::socklen_t;
        let value: *const T = value;
        // SAFETY: pointer and length describe one value that lives through the call.
        checked(unsafe { libc::setsockopt(self.as_raw_fd(), level, name, value.cast(), length) })
    }

    /// Takes the next frame; nothing where none waits.
    ///
    /// # Errors
    ///
    /// Those of the system, a vanished interface among them.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> Result<Option<&'a [u8]>> {
        let (start, length) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: start and length describe memory that is ours alone through the call.
        let read = unsafe { libc::recv(self.as_raw_fd(), start.cast(), length, 0) };
        match usize::try_from(read) {
            Ok(read) => Ok(Some(&buffer[..read.min(length)])),
            Err(_) => match Error::last_os_error() {
                error if error.kind() == ErrorKind::WouldBlock => Ok(None),
                error if error.kind() == ErrorKind::Interrupted => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Hands a frame to the interface; false where that takes none at present.
    #[must_use]
    pub fn send(&self, frame: &[u8]) -> bool {
        let (start, length) = (frame.as_ptr(), frame.len());
        // SAFETY: start and length describe memory that nobody changes through the call.
        let sent = unsafe { libc::send(self.as_raw_fd(), start.cast(), length, 0) };
        usize::try_from(sent).is_ok_and(|sent| sent == length)
    }

    /// Frames that the kernel dropped since the last look, because we did not keep up.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn take_missed(&self) -> Result<u64> {
        let mut statistics = Statistics::default();
        let mut length = size_of::<Statistics>() as libc::socklen_t;
        let place = (&raw mut statistics).cast();
        let (level, name) = (libc::SOL_PACKET, libc::PACKET_STATISTICS);
        // SAFETY: place and length describe the counters above, which live through the call.
        checked(unsafe { libc::getsockopt(self.as_raw_fd(), level, name, place, &mut length) })?;
        Ok(u64::from(statistics.drops))
    }
}

impl AsRawFd for Port {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

fn checked(answer: libc::c_int) -> Result<()> {
    if answer == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}
