//! Bytes to values: identifier, size, verification, then every length before it is copied.

use flatbuffers::{ForwardsUOffset, Vector};
use foundation_machine::NodeLife;

use crate::encode::check_length;
use crate::error::SchemaError;
use crate::generated::foundation::control as wire;
use crate::limits::{
    ADDRESS_BYTES_MAX, CARRIED_BYTES_MAX, CHANNELS_MAX, CONTROL_BYTES_MAX, CREDIT_ENTRIES_MAX,
    DETAIL_BYTES_MAX, HANDSHAKE_BYTES_MAX, MACHINE_NUMBERS_MAX, MEMBERS_MAX, NAME_BYTES_MAX,
    SECRET_BYTES, verifier_options,
};
use crate::message::{
    Auth, Bind, Bound, ChannelSpec, Control, CreditEntry, Credits, Hello, LaneWanted, Leave,
    LinkUse, Machine, Member, Members, Ping, Pong, Ready, Reject, Reserve, Role, Status,
    Undelivered,
};

impl Control {
    /// Reads a control message from an authenticated peer. Total: any bytes give a value or an
    /// error, and the memory taken is bounded by the limits of this crate.
    pub fn decode(bytes: &[u8]) -> Result<Control, SchemaError> {
        read_body(verify(bytes, CONTROL_BYTES_MAX)?)
    }

    /// Reads one that travelled as a payload, of up to [`CARRIED_BYTES_MAX`].
    pub fn decode_carried(bytes: &[u8]) -> Result<Control, SchemaError> {
        read_body(verify(bytes, CARRIED_BYTES_MAX)?)
    }
}

/// Reads a message from a peer that has not proved who it is: at most 2 KiB, and nothing but
/// Hello, Auth, Reject or Ready.
pub fn decode_handshake(bytes: &[u8]) -> Result<Control, SchemaError> {
    let control = verify(bytes, HANDSHAKE_BYTES_MAX)?;
    match control.body_type() {
        wire::Body::Hello | wire::Body::Auth | wire::Body::Reject | wire::Body::Ready => {
            read_body(control)
        }
        other => match other.variant_name() {
            Some(name) => Err(SchemaError::NotHandshake { name }),
            None => Err(SchemaError::UnknownBody { body: other.0 }),
        },
    }
}

fn verify(bytes: &[u8], message_bytes_max: usize) -> Result<wire::Control<'_>, SchemaError> {
    let message_bytes = bytes.len();
    if message_bytes > message_bytes_max {
        return Err(SchemaError::TooLarge { message_bytes, message_bytes_max });
    }
    // The generated check of the identifier asserts a length, so it is not for strangers.
    if bytes.get(4..8) != Some(wire::CONTROL_IDENTIFIER.as_bytes()) {
        return Err(SchemaError::BadIdentifier);
    }
    wire::root_as_control_with_opts(&verifier_options(message_bytes), bytes)
        .map_err(|_| SchemaError::Malformed)
}

fn read_body(control: wire::Control<'_>) -> Result<Control, SchemaError> {
    // The verifier saw to it that a known type has a table of that type.
    let absent = SchemaError::MissingField { field: "Control.body" };
    Ok(match control.body_type() {
        wire::Body::Hello => Control::Hello(Hello::read(control.body_as_hello().ok_or(absent)?)?),
        wire::Body::Auth => Control::Auth(Auth::read(control.body_as_auth().ok_or(absent)?)?),
        wire::Body::Reject => {
            Control::Reject(Reject::read(control.body_as_reject().ok_or(absent)?)?)
        }
        wire::Body::Ready => Control::Ready(Ready),
        wire::Body::Bind => Control::Bind(Bind::read(control.body_as_bind().ok_or(absent)?)?),
        wire::Body::Bound => Control::Bound(Bound::read(control.body_as_bound().ok_or(absent)?)),
        wire::Body::Credits => {
            Control::Credits(Credits::read(control.body_as_credits().ok_or(absent)?)?)
        }
        wire::Body::Reserve => {
            Control::Reserve(Reserve::read(control.body_as_reserve().ok_or(absent)?))
        }
        wire::Body::Ping => Control::Ping(Ping::read(control.body_as_ping().ok_or(absent)?)),
        wire::Body::Pong => Control::Pong(Pong::read(control.body_as_pong().ok_or(absent)?)),
        wire::Body::Status => {
            Control::Status(Status::read(control.body_as_status().ok_or(absent)?))
        }
        wire::Body::Members => {
            Control::Members(Members::read(control.body_as_members().ok_or(absent)?)?)
        }
        wire::Body::LaneWanted => {
            Control::LaneWanted(LaneWanted::read(control.body_as_lane_wanted().ok_or(absent)?))
        }
        wire::Body::Leave => Control::Leave(Leave::read(control.body_as_leave().ok_or(absent)?)?),
        wire::Body::Undelivered => {
            Control::Undelivered(Undelivered::read(control.body_as_undelivered().ok_or(absent)?))
        }
        wire::Body::LinkUse => {
            let body = control.body_as_link_use().ok_or(absent)?;
            Control::LinkUse(LinkUse { wanted: body.wanted() })
        }
        wire::Body::Machine => {
            Control::Machine(Machine::read(control.body_as_machine().ok_or(absent)?)?)
        }
        wire::Body::NONE => return Err(absent),
        unknown => return Err(SchemaError::UnknownBody { body: unknown.0 }),
    })
}

/// A string that every version sends, copied once its length is known to be within the limit.
fn read_string(
    field: &'static str,
    text: Option<&str>,
    bytes_max: usize,
) -> Result<String, SchemaError> {
    let text = text.ok_or(SchemaError::MissingField { field })?;
    check_length(field, text.len(), bytes_max)?;
    Ok(text.to_owned())
}

fn read_secret(
    field: &'static str,
    secret: Option<Vector<'_, u8>>,
) -> Result<[u8; SECRET_BYTES], SchemaError> {
    read_bytes(field, secret.ok_or(SchemaError::MissingField { field })?)
}

fn read_bytes(
    field: &'static str,
    bytes: Vector<'_, u8>,
) -> Result<[u8; SECRET_BYTES], SchemaError> {
    let bytes = bytes.bytes();
    bytes.try_into().map_err(|_| SchemaError::WrongLength { field, length: bytes.len() })
}

/// A list of tables; an absent one is empty. It grows while entries prove good: were it sized by
/// its stated length, many offsets to one bad table would buy memory for nothing.
fn read_list<'a, T, Read>(
    field: &'static str,
    list: Option<Vector<'a, ForwardsUOffset<T>>>,
    length_max: usize,
    read: impl Fn(T) -> Result<Read, SchemaError>,
) -> Result<Vec<Read>, SchemaError>
where
    ForwardsUOffset<T>: flatbuffers::Follow<'a, Inner = T>,
    T: 'a,
{
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    check_length(field, list.len(), length_max)?;
    list.iter().map(read).collect()
}

impl Hello {
    fn read(hello: wire::Hello<'_>) -> Result<Hello, SchemaError> {
        Ok(Hello {
            version_min: hello.version_min(),
            version_max: hello.version_max(),
            cluster: read_string("Hello.cluster", hello.cluster(), NAME_BYTES_MAX)?,
            node: read_string("Hello.node", hello.node(), NAME_BYTES_MAX)?,
            life: NodeLife { start: hello.life_start(), random: hello.life_random() },
            nonce: read_secret("Hello.nonce", hello.nonce())?,
            listen: read_string("Hello.listen", hello.listen(), ADDRESS_BYTES_MAX)?,
            role: Role::read(hello.role())?,
            lane: hello.lane(),
            epoch: hello.epoch(),
            window_bytes: hello.window_bytes(),
            message_bytes_max: hello.message_bytes_max(),
            channels: read_list(
                "Hello.channels",
                hello.channels(),
                CHANNELS_MAX,
                ChannelSpec::read,
            )?,
            key_id: hello.key_id(),
            key_share: hello
                .key_share()
                .map(|share| read_bytes("Hello.key_share", share))
                .transpose()?,
            seal: hello.seal(),
        })
    }
}

impl Role {
    fn read(role: u8) -> Result<Role, SchemaError> {
        match role {
            0 => Ok(Role::Dialler),
            1 => Ok(Role::Acceptor),
            value => Err(SchemaError::UnknownValue { field: "Hello.role", value }),
        }
    }
}

impl ChannelSpec {
    fn read(channel: wire::ChannelSpec<'_>) -> Result<ChannelSpec, SchemaError> {
        Ok(ChannelSpec {
            name: read_string("ChannelSpec.name", channel.name(), NAME_BYTES_MAX)?,
            priority: channel.priority(),
            weight: channel.weight(),
            lanes: channel.lanes(),
            monotonic: channel.monotonic(),
        })
    }
}

impl Auth {
    fn read(auth: wire::Auth<'_>) -> Result<Auth, SchemaError> {
        Ok(Auth { proof: read_secret("Auth.proof", auth.proof())? })
    }
}

impl Reject {
    fn read(reject: wire::Reject<'_>) -> Result<Reject, SchemaError> {
        let detail = read_string("Reject.detail", reject.detail(), DETAIL_BYTES_MAX)?;
        Ok(Reject { code: reject.code(), detail })
    }
}

impl Bind {
    fn read(bind: wire::Bind<'_>) -> Result<Bind, SchemaError> {
        let name = read_string("Bind.name", bind.name(), NAME_BYTES_MAX)?;
        Ok(Bind { id: bind.id(), name })
    }
}

impl Credits {
    fn read(credits: wire::Credits<'_>) -> Result<Credits, SchemaError> {
        let Some(entries) = credits.entries() else {
            return Ok(Credits::default());
        };
        check_length("Credits.entries", entries.len(), CREDIT_ENTRIES_MAX)?;
        let read = |entry: &wire::CreditEntry| CreditEntry {
            channel: entry.channel(),
            account: entry.account(),
            limit: entry.limit(),
        };
        Ok(Credits { entries: entries.iter().map(read).collect() })
    }
}

impl Members {
    fn read(members: wire::Members<'_>) -> Result<Members, SchemaError> {
        let members = read_list("Members.members", members.members(), MEMBERS_MAX, Member::read)?;
        Ok(Members { members })
    }
}

impl Member {
    fn read(member: wire::Member<'_>) -> Result<Member, SchemaError> {
        Ok(Member {
            name: read_string("Member.name", member.name(), NAME_BYTES_MAX)?,
            address: read_string("Member.address", member.address(), ADDRESS_BYTES_MAX)?,
            life: NodeLife { start: member.life_start(), random: member.life_random() },
        })
    }
}

impl Machine {
    fn read(machine: wire::Machine<'_>) -> Result<Machine, SchemaError> {
        let numbers = machine.numbers();
        let count = numbers.map_or(0, |numbers| numbers.len());
        check_length("Machine.numbers", count, MACHINE_NUMBERS_MAX)?;
        let text = machine.text().unwrap_or_default();
        check_length("Machine.text", text.len(), NAME_BYTES_MAX)?;
        let nodes = machine.nodes();
        let nodes = match nodes {
            Some(_) => read_list("Machine.nodes", nodes, MEMBERS_MAX, Member::read)?,
            None => Vec::new(),
        };
        Ok(Machine {
            family: machine.family(),
            kind: machine.kind(),
            overlay: machine.overlay(),
            epoch: machine.epoch(),
            nodes,
            numbers: numbers.map(|numbers| numbers.iter().collect()).unwrap_or_default(),
            text: text.to_owned(),
        })
    }
}

impl Leave {
    fn read(leave: wire::Leave<'_>) -> Result<Leave, SchemaError> {
        Ok(Leave { reason: read_string("Leave.reason", leave.reason(), DETAIL_BYTES_MAX)? })
    }
}

impl Bound {
    fn read(bound: wire::Bound<'_>) -> Bound {
        Bound { id: bound.id(), account: bound.account() }
    }
}

impl Reserve {
    fn read(reserve: wire::Reserve<'_>) -> Reserve {
        Reserve { channel: reserve.channel(), account: reserve.account(), bytes: reserve.bytes() }
    }
}

impl Ping {
    fn read(ping: wire::Ping<'_>) -> Ping {
        let (sequence, busy_isolates) = (ping.sequence(), ping.busy_isolates());
        Ping { sequence, busy_isolates, alarm: ping.alarm() }
    }
}

impl Pong {
    fn read(pong: wire::Pong<'_>) -> Pong {
        Pong { sequence: pong.sequence(), busy_isolates: pong.busy_isolates() }
    }
}

impl Status {
    fn read(status: wire::Status<'_>) -> Status {
        Status { busy_isolates: status.busy_isolates() }
    }
}

impl LaneWanted {
    fn read(wanted: wire::LaneWanted<'_>) -> LaneWanted {
        LaneWanted { lane: wanted.lane() }
    }
}

impl Undelivered {
    fn read(undelivered: wire::Undelivered<'_>) -> Undelivered {
        Undelivered {
            reason: undelivered.reason(),
            channel: undelivered.channel(),
            source_slot: undelivered.source_slot(),
            correlation: undelivered.correlation(),
        }
    }
}
