//! Cutting a node off from others on purpose.

use foundation_node::{Cut, CutChange};
use napi_derive::napi;

use crate::error::Result;
use crate::process;

/// A node that another one is cut off from.
#[napi(object)]
pub struct NodeCut {
    pub node: String,
    pub is_deaf: bool,
    pub is_mute: bool,
}

fn changed(node: u32, change: CutChange) -> Result<Vec<NodeCut>> {
    let cuts = process::change_cuts(node, change)?;
    let told = |(node, Cut { is_deaf, is_mute })| NodeCut { node, is_deaf, is_mute };
    Ok(cuts.into_iter().map(told).collect())
}

/// The nodes that a node is cut off from.
#[napi(catch_unwind)]
pub fn node_cuts(node: u32) -> Result<Vec<NodeCut>> {
    changed(node, CutChange::List)
}

/// Cuts a node off from others: deaf, it reads nothing of them; mute, it says nothing to them.
#[napi(catch_unwind)]
pub fn cut_off(node: u32, names: Vec<String>, is_deaf: bool, is_mute: bool) -> Result<()> {
    changed(node, CutChange::Set(names, Cut { is_deaf, is_mute })).map(drop)
}

/// Takes back what `cut_off` did, of these nodes or of all.
#[napi(catch_unwind)]
pub fn heal_cuts(node: u32, names: Option<Vec<String>>) -> Result<()> {
    changed(node, names.map_or(CutChange::HealAll, CutChange::Heal)).map(drop)
}
