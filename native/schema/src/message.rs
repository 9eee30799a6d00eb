//! Control messages as plain values. `control.fbs` says what each one asks or tells.

use foundation_machine::NodeLife;

use crate::limits::{CONTROL_BYTES_MAX, MEMBERS_MAX, SECRET_BYTES};

/// One control message, owned: it outlives the buffer it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is named as the type it holds")]
pub enum Control {
    Hello(Hello),
    Auth(Auth),
    Reject(Reject),
    Ready(Ready),
    Bind(Bind),
    Bound(Bound),
    Credits(Credits),
    Reserve(Reserve),
    Ping(Ping),
    Pong(Pong),
    Status(Status),
    Members(Members),
    LaneWanted(LaneWanted),
    Leave(Leave),
    Undelivered(Undelivered),
    LinkUse(LinkUse),
    Machine(Machine),
}

impl Control {
    /// The message's name in the schema, for counters and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Control::Hello(_) => "Hello",
            Control::Auth(_) => "Auth",
            Control::Reject(_) => "Reject",
            Control::Ready(_) => "Ready",
            Control::Bind(_) => "Bind",
            Control::Bound(_) => "Bound",
            Control::Credits(_) => "Credits",
            Control::Reserve(_) => "Reserve",
            Control::Ping(_) => "Ping",
            Control::Pong(_) => "Pong",
            Control::Status(_) => "Status",
            Control::Members(_) => "Members",
            Control::LaneWanted(_) => "LaneWanted",
            Control::Leave(_) => "Leave",
            Control::Undelivered(_) => "Undelivered",
            Control::LinkUse(_) => "LinkUse",
            Control::Machine(_) => "Machine",
        }
    }

    /// Whether an unauthenticated peer may send it.
    pub const fn is_handshake(&self) -> bool {
        matches!(
            self,
            Control::Hello(_) | Control::Auth(_) | Control::Reject(_) | Control::Ready(_)
        )
    }
}

/// Which side of a connection speaks; part of the handshake's transcript against reflection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Opened the connection.
    Dialler = 0,
    /// Accepted the connection.
    Acceptor = 1,
}

/// A channel as one side of a link configures it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelSpec {
    /// Name that both sides match it by.
    pub name: String,
    /// Class of the scheduler; lower classes go first.
    pub priority: u8,
    /// Share among channels of one priority.
    pub weight: u16,
    /// Connections that the channel may spread over.
    pub lanes: u8,
    /// Whether only the latest value of a key is kept.
    pub monotonic: bool,
}

/// First message of both sides: who speaks, for which link, under which limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Lowest protocol version that the sender speaks.
    pub version_min: u16,
    /// Highest protocol version that the sender speaks.
    pub version_max: u16,
    /// Name of the cluster; links between different ones are refused.
    pub cluster: String,
    /// Name of the sending node.
    pub node: String,
    /// Life of the sending node.
    pub life: NodeLife,
    /// Fresh random bytes that the peer's proof must cover.
    pub nonce: [u8; SECRET_BYTES],
    /// Address under which others may dial the sender; empty if none.
    pub listen: String,
    /// Side of the connection that the sender is on.
    pub role: Role,
    /// Lane that the connection serves; 0 is the link's first.
    pub lane: u8,
    /// Epoch of the link that the sender proposes.
    pub epoch: u64,
    /// Credit that the sender grants the link at first. Unit: bytes.
    pub window_bytes: u64,
    /// Longest message that the sender takes. Unit: bytes.
    pub message_bytes_max: u64,
    /// Channels in the order that gives them their numbers.
    pub channels: Vec<ChannelSpec>,
    /// Which secret the sender uses; 0 if it has none.
    pub key_id: u32,
    /// The sender's half of a key exchange, where it offers one.
    pub key_share: Option<[u8; SECRET_BYTES]>,
    /// How the sender wants what follows to be sealed: [`Hello::WANTS_SEAL`],
    /// [`Hello::HAS_AES`]. Other bits are for later versions.
    pub seal: u8,
}

impl Hello {
    /// The sender goes on only over sealed records.
    pub const WANTS_SEAL: u8 = 1;
    /// The sender's processor has instructions for AES-GCM.
    pub const HAS_AES: u8 = 2;
}

/// Proof that the sender holds the cluster's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth {
    /// HMAC-SHA256 over the transcript.
    pub proof: [u8; SECRET_BYTES],
}

/// Refusal of the link, its last message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Reason; the link layer owns the numbers.
    pub code: u8,
    /// The reason in words, for logs only.
    pub detail: String,
}

/// End of the handshake: data may follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready;

/// A name and the id that stands for it in frames flagged `NAMED`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Id, chosen by the sender of the Bind.
    pub id: u32,
    /// Name of a handler on the receiving node.
    pub name: String,
}

/// Answer to a Bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Id of the Bind.
    pub id: u32,
    /// Credit account that frames to the name draw on.
    pub account: u16,
}

/// Credit of one account on one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreditEntry {
    /// Channel.
    pub channel: u16,
    /// Account.
    pub account: u16,
    /// Bytes that may have been sent since the link began; it never falls.
    pub limit: u64,
}

/// New credit limits, several in one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credits {
    /// At most [`crate::CREDIT_ENTRIES_MAX`].
    pub entries: Vec<CreditEntry>,
}

/// Request for credit that one waiting message lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// Channel.
    pub channel: u16,
    /// Account.
    pub account: u16,
    /// The limit that the waiting message needs, see [`CreditEntry::limit`]. Unit: bytes.
    pub bytes: u64,
}

/// Sign of life that wants an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// Number that the Pong repeats.
    pub sequence: u32,
    /// Isolates of the sender whose loops are blocked now.
    pub busy_isolates: u16,
    /// The sender misses an answer of somebody else: the receiver looks after its own peers.
    pub alarm: bool,
}

/// Answer to a Ping, given by the kernel thread even while every isolate is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pong {
    /// Number of the Ping.
    pub sequence: u32,
    /// Isolates of the sender whose loops are blocked now.
    pub busy_isolates: u16,
}

/// Unasked news of the sender's busy isolates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Isolates of the sender whose loops are blocked now.
    pub busy_isolates: u16,
}

/// A node that the sender knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its listen address. A hint: who answers there proves itself.
    pub address: String,
    /// Its life as last seen.
    pub life: NodeLife,
}

/// Nodes that the sender knows, or one page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// At most [`MEMBERS_MAX`], and 64 KiB encoded.
    pub members: Vec<Member>,
}

impl Members {
    /// Cuts a list of any length into messages that each fit a control frame, in order. An empty
    /// list gives one empty message: the receiver learns that the sender knows nobody.
    pub fn pages(members: Vec<Member>) -> Vec<Members> {
        let mut pages = Vec::new();
        let mut page = Members::default();
        let mut page_bytes = 0;
        for member in members {
            let member_bytes = member.wire_bytes_max();
            let is_full = page.members.len() == MEMBERS_MAX
                || page_bytes + member_bytes > PAGE_BYTES_MAX && !page.members.is_empty();
            if is_full {
                pages.push(std::mem::take(&mut page));
                page_bytes = 0;
            }
            page_bytes += member_bytes;
            page.members.push(member);
        }
        pages.push(page);
        pages
    }
}

/// Room for members in one message: the rest covers the envelope, vtables and alignment.
const PAGE_BYTES_MAX: usize = CONTROL_BYTES_MAX - 256;

impl Member {
    /// Upper bound of the encoded size: 40 bytes of table and offsets, and for each string its
    /// length, terminator and padding.
    fn wire_bytes_max(&self) -> usize {
        40 + 2 * 8 + self.name.len() + self.address.len()
    }
}

/// News that a data frame did not reach its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Reason; the node layer owns the numbers.
    pub reason: u8,
    /// Channel of the frame.
    pub channel: u16,
    /// Scheduler slot that sent it.
    pub source_slot: u16,
    /// Its call id; 0 = it belonged to no call.
    pub correlation: u32,
}

/// Whether the sender has use for the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkUse {
    /// Without use on both sides it is closed in good order.
    pub wanted: bool,
}

/// A message between the cluster machines of two nodes, in the one shape that all of theirs have.
/// What the lists hold depends on family and kind; the node layer owns the numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Which machine.
    pub family: u8,
    /// Which of its messages.
    pub kind: u8,
    /// Which overlay, where the machine is one of an overlay.
    pub overlay: u8,
    /// Which of the overlay's strategies.
    pub epoch: u64,
    /// Nodes that the message speaks of. At most [`MEMBERS_MAX`].
    pub nodes: Vec<Member>,
    /// At most [`crate::MACHINE_NUMBERS_MAX`].
    pub numbers: Vec<u64>,
    /// A topic or a name; mostly empty.
    pub text: String,
}

/// Request that the dialling side open one more connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneWanted {
    /// Lane that it should serve.
    pub lane: u8,
}

/// Departure on purpose: the sender is down now, not suspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// The reason in words, for logs and events.
    pub reason: String,
}
