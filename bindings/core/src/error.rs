//! Errors on their way to JavaScript: the stable code becomes the error's `code` property.

use foundation_node::NodeError;
use napi::Error;

/// A result whose error carries one of the codes of docs/errors.md.
pub(crate) type Result<T> = std::result::Result<T, Error<String>>;

/// An error with a code.
pub(crate) fn coded(code: &str, message: impl Into<String>) -> Error<String> {
    Error::new(code.to_owned(), message.into())
}

/// Converts the core's error.
pub(crate) fn from_core(error: NodeError) -> Error<String> {
    coded(error.code, error.message)
}

/// Turns a failed Node-API status into an error.
pub(crate) fn check(status: napi::sys::napi_status, what: &str) -> Result<()> {
    if status == napi::sys::Status::napi_ok {
        return Ok(());
    }
    Err(coded("node_api_failed", format!("{what} failed with status {status}")))
}
