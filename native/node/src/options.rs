//! What a node is started with, as JavaScript hands it over: validated there, checked again here.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use foundation_link::{
    CHANNELS_MAX, ChannelSpec, DEFAULT_CHANNEL, DialOptions, Identity, Key, KeyRing, LANES_MAX,
    LinkOptions, Micros, NodeLife, plain_channel,
};
use foundation_transport::TransportOptions;
use serde::Deserialize;

use crate::cluster::ClusterSettings;
use crate::command::NodeError;
use crate::keys::{has_aes, is_loopback};

/// A channel as the options spell it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChannelOptions {
    name: String,
    priority: u8,
    weight: u16,
    lanes: u8,
    monotonic: bool,
}

/// A secret in hexadecimal digits. It is never printed.
#[derive(Clone, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// The key that is derived from the secret.
    ///
    /// # Errors
    /// `invalid_options` for a short secret, and for anything but hexadecimal digits.
    pub fn key(&self) -> Result<Key, NodeError> {
        Ok(Key::new(&self.bytes()?)?)
    }

    fn bytes(&self) -> Result<Vec<u8>, NodeError> {
        let digits = self.0.as_bytes();
        let byte = |pair: &[u8]| match pair {
            [high, low] => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16);
                Some((digit(high)? << 4 | digit(low)?) as u8)
            }
            _ => None,
        };
        digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>().ok_or_else(|| {
            NodeError::new("invalid_options", "a secret was handed over in another form")
        })
    }
}

impl From<String> for Secret {
    fn from(digits: String) -> Self {
        Secret(digits)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Who waits for the connections of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IoMode {
    /// The kernel thread.
    Thread,
    /// The event loop of the isolate that started the node.
    Isolate,
}

/// How it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PollMode {
    /// Asleep.
    Block,
    /// By looking again and again.
    Spin,
}

/// Options of a node. The TypeScript interface `FoundationOptions` documents units and defaults;
/// every field here is set by it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "documented once, beside the public TypeScript options")]
pub struct NodeOptions {
    pub name: String,
    pub cluster: String,
    pub listen: SocketAddr,
    pub advertise: Option<String>,
    pub seeds: Vec<SocketAddr>,
    pub secrets: Vec<Secret>,
    pub encrypt: bool,
    pub insecure: bool,
    pub(crate) channels: Vec<ChannelOptions>,
    pub ring_bytes: u32,
    pub busy_after_ms: u64,
    pub heartbeat_ms: u64,
    pub silent_after_ms: u64,
    pub reassembly_timeout_ms: u64,
    pub high_water_bytes: u64,
    pub low_water_bytes: u64,
    pub window_bytes: u64,
    pub window_bytes_max: u64,
    pub message_bytes_max: u64,
    pub receive_bytes_max: u64,
    pub chunk_bytes: usize,
    pub unsent_bytes: u32,
    pub io: IoMode,
    pub poll: PollMode,
    pub life_start: Option<u64>,
    /// Without any the node keeps a full mesh of its own.
    pub overlays: Option<ClusterSettings>,
    /// Lowest and highest protocol version offered; only tests of mismatch set it.
    pub versions: Option<(u16, u16)>,
}

impl NodeOptions {
    /// Reads options from their JSON form.
    ///
    /// # Errors
    /// `invalid_options` with what is wrong.
    pub fn from_json(json: &str) -> Result<NodeOptions, NodeError> {
        let options: NodeOptions = serde_json::from_str(json)
            .map_err(|error| NodeError::new("invalid_options", error.to_string()))?;
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<(), NodeError> {
        let invalid = |text: String| Err(NodeError::new("invalid_options", text));
        if self.channels.len() > CHANNELS_MAX - 1 {
            return invalid(format!("at most {} channels can be declared", CHANNELS_MAX - 1));
        }
        if self
            .channels
            .iter()
            .any(|c| c.weight == 0 || c.lanes == 0 || c.lanes as usize > LANES_MAX)
        {
            return invalid(format!("a channel has weight >= 1 and 1 to {LANES_MAX} lanes"));
        }
        if !self.ring_bytes.is_power_of_two() || self.ring_bytes < 16 << 10 {
            return invalid("ringBytes must be a power of two of at least 16 KiB".to_owned());
        }
        if self.low_water_bytes >= self.high_water_bytes {
            return invalid("lowWaterBytes must be below highWaterBytes".to_owned());
        }
        if self.heartbeat_ms.saturating_mul(2) >= self.silent_after_ms {
            return invalid("silentAfterMs must exceed twice heartbeatMs".to_owned());
        }
        if self.encrypt && (self.insecure || self.secrets.is_empty()) {
            return invalid("encrypt needs a secret, and contradicts insecure".to_owned());
        }
        if self.is_exposed() && self.secrets.is_empty() && !self.insecure {
            return Err(NodeError::new(
                "insecure_bind",
                format!("{} is open to the network and there is no secret", self.listen),
            ));
        }
        self.overlays.as_ref().map_or(Ok(()), ClusterSettings::check)?;
        self.key_ring().map(drop)
    }

    /// Whether others than this machine are meant to reach the node.
    fn is_exposed(&self) -> bool {
        let advertised = self.advertise.as_ref().and_then(|text| text.parse::<SocketAddr>().ok());
        !is_loopback(self.listen.ip()) || advertised.is_some_and(|at| !is_loopback(at.ip()))
    }

    /// Whether a connection with that address has to be sealed, provided that there is a secret.
    pub(crate) fn wants_seal(&self, address: IpAddr) -> bool {
        self.encrypt || (!self.insecure && (self.is_exposed() || !is_loopback(address)))
    }

    fn key_ring(&self) -> Result<KeyRing, NodeError> {
        let secrets: Vec<Vec<u8>> =
            self.secrets.iter().map(Secret::bytes).collect::<Result<_, _>>()?;
        Ok(KeyRing::new(secrets)?)
    }

    pub(crate) fn channel_specs(&self) -> Vec<ChannelSpec> {
        let mut specs = vec![plain_channel(DEFAULT_CHANNEL)];
        for channel in &self.channels {
            let spec = ChannelSpec {
                name: channel.name.clone(),
                priority: channel.priority,
                weight: channel.weight,
                lanes: channel.lanes,
                monotonic: channel.monotonic,
            };
            if spec.name == DEFAULT_CHANNEL {
                specs[0] = spec;
            } else {
                specs.push(spec);
            }
        }
        specs
    }

    pub(crate) fn identity(
        &self,
        listen: SocketAddr,
        life: NodeLife,
    ) -> Result<Identity, NodeError> {
        Ok(Identity {
            node: self.name.clone(),
            cluster: self.cluster.clone(),
            life,
            listen: self.advertise.clone().unwrap_or_else(|| listen.to_string()),
            channels: self.channel_specs(),
            keys: Arc::new(self.key_ring()?),
            wants_seal: false,
            has_aes: has_aes(),
            versions: self.versions.unwrap_or(Identity::VERSIONS),
        })
    }

    pub(crate) fn link_options(&self) -> LinkOptions {
        LinkOptions {
            unsettled_bytes_max: self.receive_bytes_max,
            chunk_bytes: self.chunk_bytes,
            message_bytes_max: self.message_bytes_max,
            high_water_bytes: self.high_water_bytes,
            low_water_bytes: self.low_water_bytes,
            window_bytes: self.window_bytes,
            window_bytes_max: self.window_bytes_max,
            reassembly_timeout: Micros::from_millis(self.reassembly_timeout_ms),
            heartbeat: Micros::from_millis(self.heartbeat_ms),
            silent: Micros::from_millis(self.silent_after_ms),
            ..LinkOptions::default()
        }
    }

    pub(crate) fn transport_options(&self) -> TransportOptions {
        TransportOptions { unsent_bytes: self.unsent_bytes }
    }

    pub(crate) fn dial_options(&self) -> DialOptions {
        DialOptions::default()
    }
}
