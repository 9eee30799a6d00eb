//! What nodes of up to ten do together, in virtual time.

mod composition;
mod detection;
mod net;
mod parted;
mod routes;
mod stories;
mod strategies;
mod switching;
