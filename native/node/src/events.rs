//! Control-plane news for isolates, as JSON: rare, so readable beats fast.

use serde_json::{Value, json};

use crate::names::Owner;
use crate::peer::Peer;

pub(crate) fn up(handle: u32, peer: &Peer) -> Value {
    json!({
        "type": "up", "peer": handle, "node": peer.name, "address": peer.address_text,
        "life": life_text(peer.life), "busyIsolates": peer.busy_isolates,
        "channels": peer.channel_names,
    })
}

pub(crate) fn down(handle: u32, name: &str, reason: &str) -> Value {
    json!({ "type": "down", "peer": handle, "node": name, "reason": reason })
}

/// A member has a handle, over which messages go to it; with a link, where there is one.
pub(crate) fn linked(number: u64, handle: u32, peer: &Peer, is_linked: bool) -> Value {
    json!({
        "type": "linked", "newsNo": number, "peer": handle, "node": peer.name,
        "life": life_text(peer.life), "isLinked": is_linked, "channels": peer.channel_names,
    })
}

/// A handle is worth nothing any more; the member may be there all the same.
pub(crate) fn unlinked(number: u64, handle: u32, name: &str, reason: &str) -> Value {
    json!({
        "type": "unlinked", "newsNo": number, "peer": handle, "node": name, "reason": reason,
    })
}

pub(crate) fn busy(name: &str, isolates: u16) -> Value {
    json!({ "type": "busy", "node": name, "isolates": isolates })
}

pub(crate) fn leaving(name: &str) -> Value {
    json!({ "type": "leaving", "node": name })
}

pub(crate) fn joined(address: &str, name: &str) -> Value {
    json!({ "type": "joined", "address": address, "node": name })
}

pub(crate) fn dial_failed(address: &str, code: &str, message: &str) -> Value {
    json!({ "type": "dialFailed", "address": address, "code": code, "message": message })
}

pub(crate) fn refused(code: &str, name: &str) -> Value {
    json!({ "type": "refused", "code": code, "node": name })
}

pub(crate) fn channels(names: &[String]) -> Value {
    json!({ "type": "channels", "names": names })
}

pub(crate) fn owner(id: u32, name: &str, owner: Option<Owner>) -> Value {
    match owner {
        Some(owner) => json!({
            "type": "owner", "id": id, "name": name,
            "slot": owner.slot, "generation": owner.generation,
        }),
        None => json!({ "type": "owner", "id": id, "name": name }),
    }
}

pub(crate) fn pair(offset: u32, capacity: u32, from: Owner) -> Value {
    json!({
        "type": "pair", "offset": offset, "capacity": capacity,
        "slot": from.slot, "generation": from.generation,
    })
}

pub(crate) fn pair_closed(offset: u32) -> Value {
    json!({ "type": "pairClosed", "offset": offset })
}

pub(crate) fn left(is_drained: bool) -> Value {
    json!({ "type": "left", "drained": is_drained })
}

pub(crate) fn life_text(life: foundation_link::NodeLife) -> String {
    format!("{:013}-{:016x}", life.start, life.random)
}
