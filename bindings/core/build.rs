//! Linker settings of a Node addon.

fn main() {
    napi_build::setup();
    // The library is never unloaded: its threads and cleanup hooks may outlive one environment.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
