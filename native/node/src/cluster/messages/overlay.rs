//! Messages of overlays.

use foundation_membership::{
    ClientServerMessage, HyParViewMessage as Said, OverlayMessage, Priority, Role,
    SERVERS_TOLD_MAX, SHUFFLE_PATH_MAX, SHUFFLE_PEERS_MAX, StaticMessage,
};

use crate::cluster::codec::{Reader, Writer};

pub(super) fn write(message: &OverlayMessage, out: &mut Writer<'_>) {
    match message {
        OverlayMessage::HyParView(said) => write_views(said, out),
        OverlayMessage::ClientServer(said) => write_roles(said, out),
        OverlayMessage::Static(StaticMessage::Configured) => {
            out.kind(48);
        }
    }
}

/// Kinds below 32 are of partial views, below 48 of clients and servers.
pub(super) fn read(kind: u8, from: &mut Reader<'_>) -> Option<OverlayMessage> {
    Some(match kind {
        0..32 => OverlayMessage::HyParView(read_views(kind, from)?),
        32..48 => OverlayMessage::ClientServer(read_roles(kind, from)?),
        48 => OverlayMessage::Static(StaticMessage::Configured),
        _ => return None,
    })
}

fn write_views(message: &Said, out: &mut Writer<'_>) {
    match message {
        Said::Join { token } => out.kind(1).number(*token),
        Said::ForwardJoin { joiner, ttl } => out.kind(2).node(*joiner).number(*ttl),
        Said::Neighbour { token, priority } => {
            out.kind(3).number(*token).number(u64::from(*priority == Priority::High))
        }
        Said::Accept { token } => out.kind(4).number(*token),
        Said::Reject { token } => out.kind(5).number(*token),
        Said::Disconnect { alive } => out.kind(6).number(u64::from(*alive)),
        Said::Shuffle { path, peers, ttl } => {
            // Who began may have come a moment ago; the others are linked to each other.
            let (began, since) = path.split_at(path.len().min(1));
            out.kind(20).nodes(began).references(since).known(peers).number(*ttl)
        }
        Said::ShuffleReply { path, peers } => out.kind(21).references(path).known(peers),
        Said::Pulse { root, count } => out.kind(9).node(*root).number(*count),
        Said::Compare { token, count } => out.kind(10).number(*token).number(*count),
        Said::Measure { token } => out.kind(11).number(*token),
        Said::Measured { token } => out.kind(12).number(*token),
        Said::Optimise { token, old } => out.kind(13).number(*token).node(*old),
        Said::Optimised { token, is_done } => done(out.kind(14), *token, *is_done),
        Said::Replace { token, initiator, old } => {
            out.kind(15).number(*token).node(*initiator).node(*old)
        }
        Said::Replaced { token, is_done } => done(out.kind(16), *token, *is_done),
        Said::Switch { token, initiator } => out.kind(17).number(*token).node(*initiator),
        Said::Switched { token, is_done } => done(out.kind(18), *token, *is_done),
        Said::DisconnectWait => out.kind(19),
    };
}

fn read_views(kind: u8, from: &mut Reader<'_>) -> Option<Said> {
    Some(match kind {
        1 => Said::Join { token: from.narrow()? },
        2 => Said::ForwardJoin { joiner: from.node()?, ttl: from.narrow()? },
        3 => {
            let token = from.narrow()?;
            let priority = if from.flag()? { Priority::High } else { Priority::Low };
            Said::Neighbour { token, priority }
        }
        4 => Said::Accept { token: from.narrow()? },
        5 => Said::Reject { token: from.narrow()? },
        6 => Said::Disconnect { alive: from.flag()? },
        9 => Said::Pulse { root: from.node()?, count: from.narrow()? },
        10 => Said::Compare { token: from.narrow()?, count: from.narrow()? },
        11 => Said::Measure { token: from.narrow()? },
        12 => Said::Measured { token: from.narrow()? },
        13 => Said::Optimise { token: from.narrow()?, old: from.node()? },
        14 => Said::Optimised { token: from.narrow()?, is_done: from.flag()? },
        15 => {
            let token = from.narrow()?;
            Said::Replace { token, initiator: from.node()?, old: from.node()? }
        }
        16 => Said::Replaced { token: from.narrow()?, is_done: from.flag()? },
        17 => Said::Switch { token: from.narrow()?, initiator: from.node()? },
        18 => Said::Switched { token: from.narrow()?, is_done: from.flag()? },
        19 => Said::DisconnectWait,
        20 => {
            let mut path = from.nodes(1)?;
            path.extend(from.list(SHUFFLE_PATH_MAX, Reader::reference)?);
            Said::Shuffle { path, peers: from.known(SHUFFLE_PEERS_MAX)?, ttl: from.narrow()? }
        }
        21 => Said::ShuffleReply {
            path: from.list(SHUFFLE_PATH_MAX, Reader::reference)?,
            peers: from.known(SHUFFLE_PEERS_MAX)?,
        },
        _ => return None,
    })
}

fn done<'a, 'b>(out: &'a mut Writer<'b>, token: u32, is_done: bool) -> &'a mut Writer<'b> {
    out.number(token).number(u64::from(is_done))
}

fn write_roles(message: &ClientServerMessage, out: &mut Writer<'_>) {
    let (kind, role, servers) = match message {
        ClientServerMessage::Hello { role, servers } => (32, *role, servers),
        ClientServerMessage::Welcome { role, servers } => (33, *role, servers),
        ClientServerMessage::Refuse { role, servers } => (34, *role, servers),
        ClientServerMessage::Servers { servers } => (35, Role::Server, servers),
        ClientServerMessage::Bye => {
            out.kind(36);
            return;
        }
    };
    out.kind(kind).number(u64::from(role == Role::Server)).nodes(servers);
}

fn read_roles(kind: u8, from: &mut Reader<'_>) -> Option<ClientServerMessage> {
    if kind == 36 {
        return Some(ClientServerMessage::Bye);
    }
    let role = if from.flag()? { Role::Server } else { Role::Client };
    let servers = from.nodes(SERVERS_TOLD_MAX)?;
    Some(match kind {
        32 => ClientServerMessage::Hello { role, servers },
        33 => ClientServerMessage::Welcome { role, servers },
        34 => ClientServerMessage::Refuse { role, servers },
        35 => ClientServerMessage::Servers { servers },
        _ => return None,
    })
}
