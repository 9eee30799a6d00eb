//! The options of a node's overlays, as JavaScript hands them over: validated there, bounded again
//! here.

use foundation_cluster::{ClusterOptions, NamedOverlay, Relay, RouterOptions};
use foundation_link::Micros;
use foundation_membership::{Role, Strategy, XBotOptions};
use serde::Deserialize;

use crate::command::NodeError;

/// How an overlay chooses its links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum StrategyOption {
    #[serde(rename = "fullMesh")]
    FullMesh,
    #[serde(rename = "hyparview")]
    HyParView,
    #[serde(rename = "clientServer")]
    ClientServer,
    #[serde(rename = "static")]
    Static,
}

/// What a node is in an overlay of clients and servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RoleOption {
    Client,
    Server,
}

/// One overlay, with the options of every strategy that it may be switched to.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OverlaySettings {
    pub(crate) name: String,
    /// Channels whose broadcasts go over it.
    pub(crate) channels: Vec<String>,
    strategy: StrategyOption,
    active_max: u16,
    passive_max: u16,
    shuffle_ms: u64,
    optimize: bool,
    role: RoleOption,
    servers_max: u16,
}

/// How messages reach a node that there is no link to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RelayOption {
    Auto,
    Never,
    Dial,
}

/// What the options of a node say of its overlays.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSettings {
    pub(crate) overlays: Vec<OverlaySettings>,
    relay: RelayOption,
    link_idle_ms: u64,
}

impl ClusterSettings {
    /// The bounds that JavaScript has checked.
    pub(crate) fn check(&self) -> Result<(), NodeError> {
        let invalid = |text: &str| Err(NodeError::new("invalid_options", text));
        if !(1..=ClusterOptions::OVERLAYS_MAX).contains(&self.overlays.len()) {
            return invalid("overlays must be 1 to 8 of them");
        }
        if self.link_idle_ms < 100 {
            return invalid("linkIdleMs must be at least 100");
        }
        Ok(())
    }

    pub(crate) fn may_relay(&self) -> bool {
        self.relay == RelayOption::Auto
    }

    pub(crate) fn may_dial(&self) -> bool {
        self.relay != RelayOption::Never
    }

    /// How long nothing has to go over a link that no overlay holds before it is let go.
    pub(crate) fn link_idle(&self) -> Micros {
        Micros::from_millis(self.link_idle_ms)
    }

    /// Which overlay broadcasts on a channel take, by number.
    pub(crate) fn overlay_of(&self, channel: &str) -> u8 {
        let has_it = |overlay: &OverlaySettings| overlay.channels.iter().any(|one| one == channel);
        self.overlays.iter().position(has_it).unwrap_or(0) as u8
    }

    pub(crate) fn named(&self, overlay: &str) -> Option<u8> {
        self.overlays.iter().position(|one| one.name == overlay).map(|at| at as u8)
    }

    /// What the cluster machine is set up with.
    pub(crate) fn machine(&self) -> ClusterOptions {
        let relay = match self.relay {
            RelayOption::Auto => Relay::Auto,
            RelayOption::Never => Relay::Never,
            RelayOption::Dial => Relay::Dial,
        };
        ClusterOptions {
            overlays: self.overlays.iter().map(OverlaySettings::machine).collect(),
            router: RouterOptions { relay, idle_hold: self.link_idle(), ..Default::default() },
            ..ClusterOptions::default()
        }
    }
}

impl OverlaySettings {
    fn machine(&self) -> NamedOverlay {
        let mut named = NamedOverlay::new(&self.name, self.strategy.kind());
        let views = &mut named.strategies.hyparview;
        views.active_size = self.active_max;
        views.passive_size = self.passive_max;
        views.shuffle_period = Micros::from_millis(self.shuffle_ms);
        views.xbot = self.optimize.then(XBotOptions::default);
        let roles = &mut named.strategies.client_server;
        roles.homes = self.servers_max;
        roles.role = match self.role {
            RoleOption::Client => Role::Client,
            RoleOption::Server => Role::Server,
        };
        named
    }
}

impl StrategyOption {
    fn kind(self) -> Strategy {
        match self {
            StrategyOption::FullMesh => Strategy::FullMesh,
            StrategyOption::HyParView => Strategy::HyParView,
            StrategyOption::ClientServer => Strategy::ClientServer,
            StrategyOption::Static => Strategy::Static,
        }
    }
}

/// The strategy that JavaScript spells so.
pub(crate) fn strategy_of(text: &str) -> Option<Strategy> {
    use Strategy::{ClientServer, FullMesh, HyParView, Static};
    let all = [FullMesh, HyParView, ClientServer, Static];
    all.into_iter().find(|strategy| strategy_text(*strategy) == text)
}

/// The strategy as JavaScript spells it.
pub(crate) fn strategy_text(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::FullMesh => "fullMesh",
        Strategy::HyParView => "hyparview",
        Strategy::ClientServer => "clientServer",
        Strategy::Static => "static",
    }
}
