//! What happens to the frames of one direction, and how often it has.

use foundation_machine::Micros;

/// Bytes that wait where a rule limits the rate, unless it says otherwise: a router's deep buffer.
const BACKLOG_BYTES: u64 = 1 << 20;
/// How long a frame is held that others shall overtake, unless the rule says otherwise.
const HOLD: Micros = Micros(5_000);
/// Longest delay, jitter and hold.
const LONGEST: Micros = Micros(60_000_000);

/// The fate of frames from one port to another. The default is a wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Nothing passes.
    pub is_cut: bool,
    /// Probability that a frame is dropped.
    pub loss: f64,
    /// Probability that a frame arrives twice.
    pub duplicate: f64,
    /// Probability that a frame is held, so that those behind it overtake it.
    pub reorder: f64,
    /// How long such a frame is held.
    pub hold: Micros,
    /// How long every frame takes.
    pub delay: Micros,
    /// How far the delay strays to either side, each amount equally likely; order is kept.
    pub jitter: Micros,
    /// Bytes a second; 0 is as fast as it goes.
    pub rate: u64,
    /// Bytes that wait for the rate; what comes beyond is dropped.
    pub backlog: u64,
}

impl Default for Rule {
    fn default() -> Rule {
        Rule {
            is_cut: false,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            hold: HOLD,
            delay: Micros(0),
            jitter: Micros(0),
            rate: 0,
            backlog: BACKLOG_BYTES,
        }
    }
}

impl Rule {
    /// Reads `cut`, `loss=0.05`, `delay=10000` and so on. Units: probability, µs, bytes a second.
    ///
    /// # Errors
    ///
    /// In words, for a name that is none and for a number out of range.
    pub fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Result<Rule, String> {
        let mut rule = Rule::default();
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            match name {
                "cut" if value.is_empty() => rule.is_cut = true,
                "loss" => rule.loss = probability(name, value)?,
                "duplicate" => rule.duplicate = probability(name, value)?,
                "reorder" => rule.reorder = probability(name, value)?,
                "hold" => rule.hold = duration(name, value)?,
                "delay" => rule.delay = duration(name, value)?,
                "jitter" => rule.jitter = duration(name, value)?,
                "rate" => rule.rate = number(name, value)?,
                "backlog" => rule.backlog = number(name, value)?,
                _ => return Err(format!("no rule is called {word}")),
            }
        }
        if rule.jitter > rule.delay {
            return Err("jitter exceeds delay".to_owned());
        }
        Ok(rule)
    }
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{name} is no whole number: {value}"))
}

fn duration(name: &str, value: &str) -> Result<Micros, String> {
    let micros = Micros(number(name, value)?);
    if micros > LONGEST { Err(format!("{name} is more than a minute")) } else { Ok(micros) }
}

fn probability(name: &str, value: &str) -> Result<f64, String> {
    let chance: Option<f64> = value.parse().ok().filter(|chance| (0.0..=1.0).contains(chance));
    chance.ok_or_else(|| format!("{name} is no probability: {value}"))
}

/// What became of the frames of one direction so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Frames that came.
    pub frames: u64,
    /// Their bytes, Ethernet headers included.
    pub bytes: u64,
    /// Dropped by a cut.
    pub cut: u64,
    /// Dropped by chance.
    pub lost: u64,
    /// Doubled.
    pub duplicated: u64,
    /// Held so that others overtake.
    pub reordered: u64,
    /// That had to wait, for whatever reason.
    pub delayed: u64,
    /// Dropped because too many bytes waited.
    pub overflowed: u64,
    /// Handed to the other side's interface, doubles included.
    pub sent: u64,
}

impl Census {
    /// As the fields of a JSON object.
    #[must_use]
    pub fn json_fields(&self) -> String {
        format!(
            "\"frames\":{},\"bytes\":{},\"cut\":{},\"lost\":{},\"duplicated\":{},\
             \"reordered\":{},\"delayed\":{},\"overflowed\":{},\"sent\":{}",
            self.frames,
            self.bytes,
            self.cut,
            self.lost,
            self.duplicated,
            self.reordered,
            self.delayed,
            self.overflowed,
            self.sent,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_from_words_and_nonsense_is_refused() {
        let words = "loss=0.05 delay=10000 jitter=2000 rate=125000 cut";
        let expected = Rule {
            loss: 0.05,
            delay: Micros(10_000),
            jitter: Micros(2_000),
            rate: 125_000,
            is_cut: true,
            ..Rule::default()
        };
        assert_eq!(Rule::parse(words.split(' ')), Ok(expected));
        for wrong in ["loss=1.5", "loss", "delay=-1", "delay=60000001", "jitter=1", "cut=1", "x=1"]
        {
            assert!(Rule::parse([wrong].into_iter()).is_err(), "{wrong}");
        }
    }
}
