//! Values to bytes. What a peer would refuse is refused here, with the same error.

use crate::build::{Builder, build_body};
use crate::error::SchemaError;
use crate::generated::foundation::control as wire;
use crate::limits::{
    ADDRESS_BYTES_MAX, CARRIED_BYTES_MAX, CHANNELS_MAX, CONTROL_BYTES_MAX, CREDIT_ENTRIES_MAX,
    DETAIL_BYTES_MAX, HANDSHAKE_BYTES_MAX, MACHINE_NUMBERS_MAX, MEMBERS_MAX, NAME_BYTES_MAX,
};
use crate::message::{Control, Members};

/// Encodes message after message into one buffer, so that a link's steady traffic of pings and
/// credits allocates nothing.
#[derive(Default)]
pub struct Encoder {
    builder: Builder,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder whose buffer grows on first use.
    pub fn new() -> Self {
        Self::default()
    }

    /// The encoded message, valid until the next call. Refuses strings and lists beyond their
    /// limits, messages above 64 KiB, and messages of the handshake above 2 KiB.
    pub fn encode(&mut self, message: &Control) -> Result<&[u8], SchemaError> {
        self.encode_within(message, CONTROL_BYTES_MAX)
    }

    fn encode_within(&mut self, message: &Control, bytes_max: usize) -> Result<&[u8], SchemaError> {
        check_lengths(message)?;
        self.builder.reset();
        let (body_type, body) = build_body(&mut self.builder, message);
        let root = wire::Control::create(
            &mut self.builder,
            &wire::ControlArgs { body_type, body: Some(body) },
        );
        wire::finish_control_buffer(&mut self.builder, root);

        let message_bytes = self.builder.finished_data().len();
        let message_bytes_max =
            if message.is_handshake() { HANDSHAKE_BYTES_MAX } else { bytes_max };
        if message_bytes > message_bytes_max {
            // The buffer has grown beyond any message that can be sent; let it go.
            self.builder = Builder::new();
            return Err(SchemaError::TooLarge { message_bytes, message_bytes_max });
        }
        Ok(self.builder.finished_data())
    }
}

impl Control {
    /// The encoded message in a buffer of its own, under the limits of [`Encoder::encode`].
    pub fn encode(&self) -> Result<Vec<u8>, SchemaError> {
        Encoder::new().encode(self).map(<[u8]>::to_vec)
    }

    /// The same for a message that travels as a payload, of up to [`CARRIED_BYTES_MAX`].
    pub fn encode_carried(&self) -> Result<Vec<u8>, SchemaError> {
        Encoder::new().encode_within(self, CARRIED_BYTES_MAX).map(<[u8]>::to_vec)
    }
}

pub(crate) fn check_length(
    field: &'static str,
    length: usize,
    length_max: usize,
) -> Result<(), SchemaError> {
    if length > length_max {
        return Err(SchemaError::FieldTooLong { field, length, length_max });
    }
    Ok(())
}

fn check_lengths(message: &Control) -> Result<(), SchemaError> {
    match message {
        Control::Hello(hello) => {
            check_length("Hello.cluster", hello.cluster.len(), NAME_BYTES_MAX)?;
            check_length("Hello.node", hello.node.len(), NAME_BYTES_MAX)?;
            check_length("Hello.listen", hello.listen.len(), ADDRESS_BYTES_MAX)?;
            check_length("Hello.channels", hello.channels.len(), CHANNELS_MAX)?;
            hello.channels.iter().try_for_each(|channel| {
                check_length("ChannelSpec.name", channel.name.len(), NAME_BYTES_MAX)
            })
        }
        Control::Reject(reject) => {
            check_length("Reject.detail", reject.detail.len(), DETAIL_BYTES_MAX)
        }
        Control::Bind(bind) => check_length("Bind.name", bind.name.len(), NAME_BYTES_MAX),
        Control::Credits(credits) => {
            check_length("Credits.entries", credits.entries.len(), CREDIT_ENTRIES_MAX)
        }
        Control::Members(Members { members }) => {
            check_length("Members.members", members.len(), MEMBERS_MAX)?;
            members.iter().try_for_each(|member| {
                check_length("Member.name", member.name.len(), NAME_BYTES_MAX)?;
                check_length("Member.address", member.address.len(), ADDRESS_BYTES_MAX)
            })
        }
        Control::Leave(leave) => check_length("Leave.reason", leave.reason.len(), DETAIL_BYTES_MAX),
        Control::Machine(machine) => {
            check_length("Machine.nodes", machine.nodes.len(), MEMBERS_MAX)?;
            check_length("Machine.numbers", machine.numbers.len(), MACHINE_NUMBERS_MAX)?;
            check_length("Machine.text", machine.text.len(), NAME_BYTES_MAX)?;
            machine.nodes.iter().try_for_each(|node| {
                check_length("Member.name", node.name.len(), NAME_BYTES_MAX)?;
                check_length("Member.address", node.address.len(), ADDRESS_BYTES_MAX)
            })
        }
        Control::Auth(_)
        | Control::Ready(_)
        | Control::Bound(_)
        | Control::Reserve(_)
        | Control::Ping(_)
        | Control::Pong(_)
        | Control::Status(_)
        | Control::LaneWanted(_)
        | Control::LinkUse(_)
        | Control::Undelivered(_) => Ok(()),
    }
}
