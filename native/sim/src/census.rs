//! What happened in a run, counted: a run that was to have a fault and had none proves nothing.

use std::fmt;

macro_rules! marks {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// A kind of fault, of operation or of turn that a run can have.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mark { $($(#[doc = $doc])+ $name,)+ }

        impl Mark {
            /// All of them.
            pub const ALL: &'static [Mark] = &[$(Mark::$name,)+];

            /// Its name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Mark::$name => $text,)+ }
            }
        }
    };
}

marks! {
    /// A node started for the first time.
    Start = "start",
    /// A node came back as a new life.
    Restart = "restart",
    /// A process ended: peers see a reset, dials are refused.
    Crash = "crash",
    /// A machine fell silent: peers find out by themselves, dials time out.
    PowerLoss = "power-loss",
    /// A node left with a goodbye.
    Leave = "leave",
    /// A node stood still.
    Pause = "pause",
    /// A node that stood still went on.
    Resume = "resume",
    /// A node's clock changed its rate.
    Drift = "clock-drift",
    /// A node began to take its time for every input.
    Slow = "slow-node",
    /// The network fell into parts.
    Partition = "partition",
    /// Parts that some nodes still reach both of.
    Bridge = "bridge-partition",
    /// One direction between nodes was cut.
    OneWay = "asymmetric-cut",
    /// Everything that was cut was joined again.
    Heal = "heal",
    /// A link was reset while both ends lived.
    Reset = "link-reset",
    /// A link went and came several times.
    Flap = "flapping-link",
    /// A message was lost and sent again by the transport.
    Loss = "loss",
    /// A link had so many losses in a row that it was given up.
    LossBreak = "loss-broke-link",
    /// A message was handed over twice.
    Duplicate = "duplicate",
    /// A message overtook an earlier one of another link to the same node.
    Overtaken = "reordered-across-links",
    /// Messages waited for a cut to heal and were handed over then.
    Held = "held-by-cut",
    /// A link was given up because nothing came.
    Silence = "silence",
    /// Two nodes dialled each other at once.
    Crossing = "crossing-dials",
    /// A dial found the node in a later life.
    LaterLife = "dial-found-later-life",
    /// A dial was refused.
    Refused = "dial-refused",
    /// A dial timed out.
    TimedOut = "dial-timed-out",
    /// A link came up in place of one that one end still held.
    Replaced = "link-replaced",
    /// A seed answered.
    SeedAnswered = "seed-answered",
    /// A seed did not.
    SeedFailed = "seed-failed",
    /// A link was closed because nobody had use for it.
    HangUp = "hang-up",
    /// The application broadcast.
    Broadcast = "broadcast",
    /// The application routed a message.
    Route = "route",
    /// An overlay's switch was asked for.
    Switch = "overlay-switch",
    /// A node's isolates were reported blocked.
    Busy = "busy",
}

/// How often each kind happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Census {
    counts: Vec<u64>,
}

impl Default for Census {
    fn default() -> Self {
        Census { counts: vec![0; Mark::ALL.len()] }
    }
}

impl Census {
    /// One more.
    pub fn add(&mut self, mark: Mark) {
        self.counts[mark as usize] += 1;
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, mark: Mark) -> u64 {
        self.counts[mark as usize]
    }

    /// Adds what happened in another run.
    pub fn merge(&mut self, other: &Census) {
        for (own, more) in self.counts.iter_mut().zip(&other.counts) {
            *own += more;
        }
    }

    /// Those of the list that never happened: blind spots.
    #[must_use]
    pub fn missing(&self, wanted: &[Mark]) -> Vec<&'static str> {
        wanted.iter().filter(|&&mark| self.of(mark) == 0).map(|mark| mark.name()).collect()
    }

    /// Names and counts of all that happened.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let all = Mark::ALL.iter().map(|&mark| (mark.name(), self.of(mark)));
        all.filter(|&(_, count)| count > 0)
    }
}

impl fmt::Display for Census {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, count)) in self.entries().enumerate() {
            write!(into, "{}{name} {count}", if place > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happened_is_named() {
        let mut census = Census::default();
        census.add(Mark::Pause);
        let mut other = Census::default();
        other.add(Mark::Pause);
        other.add(Mark::Heal);
        census.merge(&other);
        assert_eq!(census.of(Mark::Pause), 2);
        assert_eq!(census.missing(&[Mark::Pause, Mark::Drift, Mark::Heal]), ["clock-drift"]);
        assert_eq!(census.to_string(), "pause 2, heal 1");
    }
}
