//! The listening socket of a node.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::lane::{Lane, TransportOptions};

/// Connections that may wait in the system until they are taken.
const BACKLOG: i32 = 1024;

/// Takes connections.
#[derive(Debug)]
pub struct Listener {
    inner: TcpListener,
}

impl Listener {
    /// Listens on an address; port 0 lets the system choose. Needs a tokio runtime.
    ///
    /// # Errors
    /// Those of the system, e.g. `AddrInUse`.
    pub fn bind(address: SocketAddr) -> io::Result<Listener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?; // a restarted node takes its port back at once
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Listener { inner: TcpListener::from_std(socket.into())? })
    }

    /// Where it listens, with the port that the system chose.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Waits for the next connection. Cancel safe.
    ///
    /// # Errors
    /// Those of the system, e.g. when file descriptors run out; the listener stays usable.
    pub async fn accept(&self, options: &TransportOptions) -> io::Result<(Lane, SocketAddr)> {
        let (stream, peer) = self.inner.accept().await?;
        Ok((Lane::new(stream, options)?, peer))
    }
}
