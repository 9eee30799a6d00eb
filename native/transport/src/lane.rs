//! One TCP connection.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use foundation_link::Batch;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Slices given to one `writev`; Linux takes up to 1,024.
const SLICES_MAX: usize = 64;

/// Congestion control between processes of one machine, where nothing is ever lost. Algorithms that
/// pace (BBR) set a timer for each segment, which on a virtual machine costs more than the copy.
#[cfg(target_os = "linux")]
const LOOPBACK_CONGESTION: &[u8] = b"reno";

/// How sockets are set up.
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// Bytes in the system that are not sent yet, above which a socket is not writable
    /// (`TCP_NOTSENT_LOWAT`). Small keeps urgent frames near the wire; too small costs bulk rate.
    pub unsent_bytes: u32,
}

impl Default for TransportOptions {
    fn default() -> Self {
        // Two chunks of the default size and a half of a loopback window; calibrated by
        // bench/cluster.
        TransportOptions { unsent_bytes: 128 << 10 }
    }
}

/// What [`Lane::flush`] ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    /// The batch is empty.
    All,
    /// The system takes no more now: wait for [`Lane::writable`].
    Blocked,
}

/// A connection that reads and writes without blocking.
#[derive(Debug)]
pub struct Lane {
    stream: Stream,
}

#[derive(Debug)]
enum Stream {
    /// The runtime waits for it.
    Watched(TcpStream),
    /// Somebody else does.
    Bare(std::net::TcpStream),
}

impl Lane {
    pub(crate) fn new(stream: TcpStream, options: &TransportOptions) -> io::Result<Lane> {
        stream.set_nodelay(true)?; // frames are batched already; waiting for more only adds delay
        #[cfg(target_os = "linux")]
        {
            let socket = SockRef::from(&stream);
            socket.set_tcp_notsent_lowat(options.unsent_bytes)?;
            if stream.peer_addr()?.ip().is_loopback() {
                // Where the system has no such algorithm, its own one serves as well.
                let _ = socket.set_tcp_congestion(LOOPBACK_CONGESTION);
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (options, SockRef::from(&stream));
        Ok(Lane { stream: Stream::Watched(stream) })
    }

    /// Takes the connection away from the runtime: from here on the caller waits for it, by its
    /// descriptor.
    ///
    /// # Errors
    /// Those of the system; the connection is closed then.
    pub fn unwatch(self) -> io::Result<Lane> {
        match self.stream {
            Stream::Watched(stream) => Ok(Lane { stream: Stream::Bare(stream.into_std()?) }),
            Stream::Bare(_) => Ok(self),
        }
    }

    fn watched(&self) -> io::Result<&TcpStream> {
        match &self.stream {
            Stream::Watched(stream) => Ok(stream),
            Stream::Bare(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Connects, giving up after `limit`.
    ///
    /// # Errors
    /// Those of the system; `TimedOut` after the limit.
    pub async fn connect(
        address: SocketAddr,
        limit: Duration,
        options: &TransportOptions,
    ) -> io::Result<Lane> {
        match tokio::time::timeout(limit, TcpStream::connect(address)).await {
            Ok(stream) => Lane::new(stream?, options),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer to the dial")),
        }
    }

    /// Waits until bytes may have come. Cancel safe.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn readable(&self) -> io::Result<()> {
        self.watched()?.readable().await
    }

    /// Waits until the system takes bytes again. Cancel safe.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn writable(&self) -> io::Result<()> {
        self.watched()?.writable().await
    }

    /// Reads what has come, at most the buffer's length; 0 means that the peer closed.
    ///
    /// # Errors
    /// `WouldBlock` when nothing has come, else those of the system.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.try_read_both(buffer, &mut [])
    }

    /// The same into two places, the second once the first is full.
    ///
    /// # Errors
    /// Those of [`Lane::try_read`].
    pub fn try_read_both(&self, first: &mut [u8], second: &mut [u8]) -> io::Result<usize> {
        let room = first.len() + second.len();
        let places = &mut [IoSliceMut::new(first), IoSliceMut::new(second)];
        let stream = match &self.stream {
            Stream::Watched(stream) => stream,
            Stream::Bare(stream) => return (&*stream).read_vectored(places),
        };
        let mut short = None;
        let result = stream.try_io(Interest::READABLE, || {
            let count = (&*SockRef::from(stream)).read_vectored(places)?;
            if count == 0 || count == room {
                return Ok(count);
            }
            // Less than asked for: the system has no more, and tells of what comes next. Saying so
            // here spares the read that would find it out.
            short = Some(count);
            Err(io::ErrorKind::WouldBlock.into())
        });
        short.map_or(result, Ok)
    }

    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.stream {
            Stream::Watched(stream) => stream.try_write_vectored(slices),
            Stream::Bare(stream) => (&*stream).write_vectored(slices),
        }
    }

    /// Writes until the batch is empty or the system takes no more.
    ///
    /// # Errors
    /// Those of the system; the connection is of no further use then.
    pub fn flush(&self, batch: &mut Batch) -> io::Result<Flushed> {
        while !batch.is_empty() {
            batch.prepare().map_err(io::Error::other)?;
            let written = {
                let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(SLICES_MAX);
                batch.slices(SLICES_MAX, &mut slices);
                self.try_write(&slices)
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => batch.consume(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Flushed::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Flushed::All)
    }

    /// Writes a few bytes before a link exists, waiting as needed.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.writable().await?;
            match self.try_write(&[IoSlice::new(bytes)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl AsFd for Lane {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.stream {
            Stream::Watched(stream) => stream.as_fd(),
            Stream::Bare(stream) => stream.as_fd(),
        }
    }
}
