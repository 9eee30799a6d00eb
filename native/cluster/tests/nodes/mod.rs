//! What nodes of up to ten do together, in virtual time.

mod composition;
mod net;
mod routes;
