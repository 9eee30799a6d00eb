//! Tests of detectors together with their rosters.

#[path = "cluster/detection.rs"]
mod detection;
#[cfg(feature = "planted")]
#[path = "cluster/planted.rs"]
mod planted;
#[path = "cluster/scene.rs"]
mod scene;
#[path = "cluster/starved.rs"]
mod starved;
