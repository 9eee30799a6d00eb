//! An overlay drawn: a circle of nodes and their links, before and after.

use std::fmt::Write;

use crate::graph::Graph;

/// An overlay at one point of a run.
#[derive(Clone, Debug)]
pub struct View {
    /// What is said above it.
    pub title: String,
    /// The overlay.
    pub graph: Graph,
}

/// Links drawn of one overlay; of more an even choice is drawn, and the page says so.
const LINKS_MAX: usize = 12_000;
const SIDE: f64 = 900.0;
const RADIUS: f64 = 430.0;

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<title>Overlay</title><style>\
body{font:14px system-ui,sans-serif;margin:1rem;background:#fff;color:#222}\
main{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}svg{width:min(900px,95vw);height:auto}\
.l{stroke:#3566a8;fill:none}.u{fill:#1d7a46}.d{fill:#c9c9c9}.i{fill:#c22f2f}\
@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}\
.l{stroke:#7aa7e6}.d{fill:#444}}\
</style>";

/// A page with the overlays side by side. Stays under 5 MB for 10,000 nodes.
#[must_use]
pub(crate) fn page(title: &str, views: &[View]) -> String {
    let mut page = format!("{HEAD}<h1>{}</h1><main>", escaped(title));
    for view in views {
        figure(&mut page, view);
    }
    page += "</main></html>\n";
    page
}

fn figure(page: &mut String, View { title, graph }: &View) {
    let count = graph.edges.len().max(1);
    let place = |node: usize| {
        let turn = node as f64 / count as f64 * std::f64::consts::TAU;
        (SIDE / 2.0 + RADIUS * turn.sin(), SIDE / 2.0 - RADIUS * turn.cos())
    };
    let links: Vec<(usize, usize)> = (0..graph.edges.len())
        .flat_map(|from| graph.edges[from].iter().map(move |&to| (from, to as usize)))
        .filter(|&(from, to)| from < to || !graph.edges[to].contains(&(from as u32)))
        .collect();
    let stride = links.len().div_ceil(LINKS_MAX).max(1);
    let width = (60.0 / (links.len() / stride).max(1) as f64).sqrt().clamp(0.15, 1.5);
    let _ = write!(
        page,
        "<figure><svg viewBox=\"0 0 {SIDE} {SIDE}\"><path class=\"l\" stroke-width=\"{width:.2}\" \
         stroke-opacity=\"0.5\" d=\""
    );
    for &(from, to) in links.iter().step_by(stride) {
        let ((x, y), (to_x, to_y)) = (place(from), place(to));
        // Bent towards the middle, so that near links do not hide in the circle.
        let (mid_x, mid_y) = ((x + to_x + SIDE) / 4.0, (y + to_y + SIDE) / 4.0);
        let _ = write!(page, "M{x:.1} {y:.1}Q{mid_x:.0} {mid_y:.0} {to_x:.1} {to_y:.1}");
    }
    page.push_str("\"/>");
    let dot = (900.0 / count as f64).clamp(0.9, 5.0);
    for node in 0..graph.edges.len() {
        let (x, y) = place(node);
        let class = match (graph.is_up[node], graph.edges[node].is_empty()) {
            (false, _) => 'd',
            (true, true) => 'i',
            (true, false) => 'u',
        };
        let _ =
            write!(page, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{dot:.1}\"/>");
    }
    let components = graph.components();
    let drawn = links.len().div_ceil(stride);
    let note = if stride > 1 { format!(", {drawn} of them drawn") } else { String::new() };
    let _ = write!(
        page,
        "</svg><figcaption>{}: {} of {} nodes up, {} links{note}, {} component{}</figcaption>\
         </figure>",
        escaped(title),
        graph.up(),
        graph.edges.len(),
        links.len(),
        components.len(),
        if components.len() == 1 { "" } else { "s" },
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_nodes_stay_under_the_limit() {
        let count = 10_000u32;
        let edges = |node: u32| (1..=5).map(|step| (node + step * 1_237) % count).collect();
        let graph = Graph {
            is_up: (0..count).map(|node| node % 10 != 0).collect(),
            edges: (0..count).map(edges).collect(),
        };
        let view = |title: &str| View { title: title.to_owned(), graph: graph.clone() };
        let page = page("a <b>", &[view("before"), view("after")]);
        assert!(page.len() < 5_000_000, "{}", page.len());
        assert!(page.contains("a &lt;b&gt;") && page.contains("9000 of 10000 nodes up"));
        assert_eq!(page.matches("<circle").count(), 20_000);
    }
}
