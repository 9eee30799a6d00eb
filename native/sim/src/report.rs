//! What a run shows: figures beside their bars, what happened, what was violated.

use serde::Serialize;

use crate::census::Census;
use crate::world::Violation;

/// What a figure has to keep to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Bar {
    /// It may be that much and no more.
    AtMost(f64),
    /// It has to be that much or more.
    AtLeast(f64),
    /// It has to be that.
    Exactly(f64),
}

impl Bar {
    /// Whether a value keeps to it.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        match self {
            Bar::AtMost(most) => value <= most,
            Bar::AtLeast(least) => value >= least,
            Bar::Exactly(wanted) => value == wanted,
        }
    }

    /// The bar in a report's words.
    pub(crate) fn text(self) -> String {
        match self {
            Bar::AtMost(most) => format!("<= {}", short(most)),
            Bar::AtLeast(least) => format!(">= {}", short(least)),
            Bar::Exactly(wanted) => format!("= {}", short(wanted)),
        }
    }
}

/// One figure of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// What was measured, with its unit.
    pub name: String,
    /// How much it was.
    pub value: f64,
    /// What it has to keep to, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bar: Option<Bar>,
    /// What others report or were measured at, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<&'static str>,
}

impl Figure {
    /// Whether it keeps to its bar.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.bar.is_none_or(|bar| bar.holds(self.value))
    }
}

/// How often something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// What.
    pub name: &'static str,
    /// How often.
    pub count: u64,
}

/// A violation, as a report says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was violated.
    pub what: String,
    /// When. Unit: µs of virtual time.
    pub at_us: u64,
    /// At which node; none for what concerns many.
    pub node: Option<u32>,
    /// The last lines of the trace.
    pub lines: Vec<String>,
}

impl From<Violation> for Finding {
    fn from(violation: Violation) -> Finding {
        let Violation { what, at, node, lines } = violation;
        Finding { what, at_us: at.0, node, lines }
    }
}

/// What a run shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Which scenario.
    pub scenario: String,
    /// Its seed: the same one again gives the same run.
    pub seed: u64,
    /// How many nodes it had.
    pub nodes: u32,
    /// What was measured.
    pub figures: Vec<Figure>,
    /// What was violated; the run ended there.
    pub violation: Option<Finding>,
    /// Faults and operations that were to happen and never did: the run proves nothing about them.
    pub blind_spots: Vec<&'static str>,
    /// What happened, how often.
    pub census: Vec<Count>,
    /// Messages by kind.
    pub messages: Vec<Count>,
    /// The hash of the whole run, in hexadecimal.
    pub trace_hash: String,
    /// Inputs handled by all nodes together.
    pub steps: u64,
    /// How much virtual time passed. Unit: ms.
    pub virtual_ms: u64,
    /// It was stopped before its end.
    pub is_stopped: bool,
    /// The overlay before and after, as an HTML page, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

impl Report {
    /// Whether nothing was violated, no bar missed and nothing left out.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violation.is_none()
            && self.blind_spots.is_empty()
            && !self.is_stopped
            && self.figures.iter().all(Figure::holds)
    }

    /// The report as JSON.
    ///
    /// # Errors
    /// A figure that is no number.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// The report as lines of text.
    #[must_use]
    pub fn text(&self) -> String {
        let Report { scenario, nodes, seed, steps, virtual_ms, trace_hash, .. } = self;
        let mut text = format!(
            "{scenario}: {nodes} nodes, seed {seed}, {} s of virtual time, {steps} steps, \
             trace {trace_hash}\n",
            virtual_ms / 1_000
        );
        for figure in &self.figures {
            let mark = if figure.holds() { ' ' } else { '!' };
            let bar = figure.bar.map_or_else(String::new, Bar::text);
            let beside = figure.beside.unwrap_or_default();
            let value = short(figure.value);
            text +=
                format!("{mark} {:<52} {value:>10}  {bar:<10} {beside}", figure.name).trim_end();
            text.push('\n');
        }
        if let Some(Finding { what, at_us, node, lines }) = &self.violation {
            let node = node.map_or_else(String::new, |node| format!(" node {node}"));
            text += &format!("! violated at {at_us} µs:{node} {what}\n");
            lines.iter().for_each(|line| text += &format!("    {line}\n"));
        }
        if !self.blind_spots.is_empty() {
            text += &format!("! never happened: {}\n", self.blind_spots.join(", "));
        }
        if self.is_stopped {
            text += "! stopped before its end\n";
        }
        text += &format!("  happened: {}\n", joined(&self.census));
        text += &format!("  messages: {}\n", joined(&self.messages));
        text
    }
}

fn joined(counts: &[Count]) -> String {
    let words: Vec<String> =
        counts.iter().map(|Count { name, count }| format!("{name} {count}")).collect();
    words.join(", ")
}

/// Whole numbers whole, others with four digits.
pub(crate) fn short(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e12 {
        format!("{value:.0}")
    } else if value.abs() >= 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.4}")
    }
}

/// A census in a report's words.
pub(crate) fn counts(census: &Census) -> Vec<Count> {
    census.entries().map(|(name, count)| Count { name, count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let figure = |name: &str, value, bar| Figure {
            name: name.to_owned(),
            value,
            bar,
            beside: Some("paper: 1"),
        };
        Report {
            scenario: "crash".to_owned(),
            seed: 7,
            nodes: 100,
            figures: vec![figure("largest component", 0.98, Some(Bar::AtLeast(0.985)))],
            violation: None,
            blind_spots: Vec::new(),
            census: vec![Count { name: "crash", count: 80 }],
            messages: Vec::new(),
            trace_hash: "00ff".to_owned(),
            steps: 1,
            virtual_ms: 2_000,
            is_stopped: false,
            picture: None,
        }
    }

    #[test]
    fn a_bar_that_is_missed_is_marked() {
        let mut report = report();
        assert!(!report.holds());
        assert!(report.text().contains("! largest component"), "{}", report.text());
        report.figures[0].value = 0.99;
        assert!(report.holds());
        assert!(report.text().contains("0.9900  >= 0.9850  paper: 1"), "{}", report.text());
        report.blind_spots.push("pause");
        assert!(!report.holds());
    }

    #[test]
    fn json_has_the_bar_and_the_names_of_javascript() {
        let json = report().json().expect("numbers only");
        assert!(json.contains("\"atLeast\": 0.985"), "{json}");
        assert!(json.contains("\"virtualMs\": 2000"), "{json}");
    }
}
