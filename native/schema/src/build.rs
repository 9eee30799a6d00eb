//! One table of the schema per message, built from a value whose lengths have been checked.

use flatbuffers::{FlatBufferBuilder, UnionWIPOffset, WIPOffset};

use crate::generated::foundation::control as wire;
use crate::message::{
    Auth, Bind, Bound, ChannelSpec, Control, Credits, Hello, LaneWanted, Leave, LinkUse, Machine,
    Member, Members, Ping, Pong, Reject, Reserve, Status, Undelivered,
};

pub(crate) type Builder = FlatBufferBuilder<'static>;
type BodyOffset = WIPOffset<UnionWIPOffset>;

/// Appends the table of the message and names it as the union needs it.
pub(crate) fn build_body(builder: &mut Builder, message: &Control) -> (wire::Body, BodyOffset) {
    match message {
        Control::Hello(body) => (wire::Body::Hello, body.build(builder)),
        Control::Auth(body) => (wire::Body::Auth, body.build(builder)),
        Control::Reject(body) => (wire::Body::Reject, body.build(builder)),
        Control::Ready(_) => (wire::Body::Ready, build_ready(builder)),
        Control::Bind(body) => (wire::Body::Bind, body.build(builder)),
        Control::Bound(body) => (wire::Body::Bound, body.build(builder)),
        Control::Credits(body) => (wire::Body::Credits, body.build(builder)),
        Control::Reserve(body) => (wire::Body::Reserve, body.build(builder)),
        Control::Ping(body) => (wire::Body::Ping, body.build(builder)),
        Control::Pong(body) => (wire::Body::Pong, body.build(builder)),
        Control::Status(body) => (wire::Body::Status, body.build(builder)),
        Control::Members(body) => (wire::Body::Members, body.build(builder)),
        Control::LaneWanted(body) => (wire::Body::LaneWanted, body.build(builder)),
        Control::Leave(body) => (wire::Body::Leave, body.build(builder)),
        Control::Undelivered(body) => (wire::Body::Undelivered, body.build(builder)),
        Control::LinkUse(body) => (wire::Body::LinkUse, body.build(builder)),
        Control::Machine(body) => (wire::Body::Machine, body.build(builder)),
    }
}

fn build_ready(builder: &mut Builder) -> BodyOffset {
    wire::Ready::create(builder, &wire::ReadyArgs {}).as_union_value()
}

impl Hello {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let channels: Vec<_> = self.channels.iter().map(|channel| channel.build(builder)).collect();
        let arguments = wire::HelloArgs {
            version_min: self.version_min,
            version_max: self.version_max,
            cluster: Some(builder.create_string(&self.cluster)),
            node: Some(builder.create_string(&self.node)),
            life_start: self.life.start,
            life_random: self.life.random,
            nonce: Some(builder.create_vector(&self.nonce)),
            listen: Some(builder.create_string(&self.listen)),
            role: self.role as u8,
            lane: self.lane,
            epoch: self.epoch,
            window_bytes: self.window_bytes,
            message_bytes_max: self.message_bytes_max,
            channels: Some(builder.create_vector(&channels)),
            key_id: self.key_id,
            key_share: self.key_share.map(|share| builder.create_vector(&share)),
            seal: self.seal,
        };
        wire::Hello::create(builder, &arguments).as_union_value()
    }
}

impl ChannelSpec {
    fn build(&self, builder: &mut Builder) -> WIPOffset<wire::ChannelSpec<'static>> {
        let arguments = wire::ChannelSpecArgs {
            name: Some(builder.create_string(&self.name)),
            priority: self.priority,
            weight: self.weight,
            lanes: self.lanes,
            monotonic: self.monotonic,
        };
        wire::ChannelSpec::create(builder, &arguments)
    }
}

impl Members {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let members: Vec<_> = self.members.iter().map(|member| member.build(builder)).collect();
        let members = Some(builder.create_vector(&members));
        wire::Members::create(builder, &wire::MembersArgs { members }).as_union_value()
    }
}

impl Member {
    fn build(&self, builder: &mut Builder) -> WIPOffset<wire::Member<'static>> {
        let arguments = wire::MemberArgs {
            name: Some(builder.create_string(&self.name)),
            address: Some(builder.create_string(&self.address)),
            life_start: self.life.start,
            life_random: self.life.random,
        };
        wire::Member::create(builder, &arguments)
    }
}

impl Machine {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let nodes: Vec<_> = self.nodes.iter().map(|node| node.build(builder)).collect();
        // What is absent costs nothing: most messages of machines are short.
        let arguments = wire::MachineArgs {
            family: self.family,
            kind: self.kind,
            overlay: self.overlay,
            epoch: self.epoch,
            nodes: (!nodes.is_empty()).then(|| builder.create_vector(&nodes)),
            numbers: (!self.numbers.is_empty()).then(|| builder.create_vector(&self.numbers)),
            text: (!self.text.is_empty()).then(|| builder.create_string(&self.text)),
        };
        wire::Machine::create(builder, &arguments).as_union_value()
    }
}

impl LinkUse {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        wire::LinkUse::create(builder, &wire::LinkUseArgs { wanted: self.wanted }).as_union_value()
    }
}

impl Credits {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let entries = self
            .entries
            .iter()
            .map(|entry| wire::CreditEntry::new(entry.channel, entry.account, entry.limit));
        let entries = Some(builder.create_vector_from_iter(entries));
        wire::Credits::create(builder, &wire::CreditsArgs { entries }).as_union_value()
    }
}

impl Auth {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let proof = Some(builder.create_vector(&self.proof));
        wire::Auth::create(builder, &wire::AuthArgs { proof }).as_union_value()
    }
}

impl Reject {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let detail = Some(builder.create_string(&self.detail));
        let arguments = wire::RejectArgs { code: self.code, detail };
        wire::Reject::create(builder, &arguments).as_union_value()
    }
}

impl Bind {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let name = Some(builder.create_string(&self.name));
        wire::Bind::create(builder, &wire::BindArgs { id: self.id, name }).as_union_value()
    }
}

impl Leave {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let reason = Some(builder.create_string(&self.reason));
        wire::Leave::create(builder, &wire::LeaveArgs { reason }).as_union_value()
    }
}

impl Bound {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let arguments = wire::BoundArgs { id: self.id, account: self.account };
        wire::Bound::create(builder, &arguments).as_union_value()
    }
}

impl Reserve {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let arguments =
            wire::ReserveArgs { channel: self.channel, account: self.account, bytes: self.bytes };
        wire::Reserve::create(builder, &arguments).as_union_value()
    }
}

impl Ping {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let arguments = wire::PingArgs {
            sequence: self.sequence,
            busy_isolates: self.busy_isolates,
            alarm: self.alarm,
        };
        wire::Ping::create(builder, &arguments).as_union_value()
    }
}

impl Pong {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let arguments =
            wire::PongArgs { sequence: self.sequence, busy_isolates: self.busy_isolates };
        wire::Pong::create(builder, &arguments).as_union_value()
    }
}

impl Status {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let arguments = wire::StatusArgs { busy_isolates: self.busy_isolates };
        wire::Status::create(builder, &arguments).as_union_value()
    }
}

impl LaneWanted {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let arguments = wire::LaneWantedArgs { lane: self.lane };
        wire::LaneWanted::create(builder, &arguments).as_union_value()
    }
}

impl Undelivered {
    fn build(&self, builder: &mut Builder) -> BodyOffset {
        let arguments = wire::UndeliveredArgs {
            reason: self.reason,
            channel: self.channel,
            source_slot: self.source_slot,
            correlation: self.correlation,
        };
        wire::Undelivered::create(builder, &arguments).as_union_value()
    }
}
