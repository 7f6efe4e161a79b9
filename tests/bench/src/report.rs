//! The table of results, in Markdown.

use miette::Result;
use seed_model::Closure;

use crate::history::History;
use crate::image::{IMAGES, Model};
use crate::replay::{Sent, Way, replay};
use crate::selector::Selector;

/// What a user follows, and from which day to which (counted from 1970-01-01).
pub(crate) const PERIODS: [(&str, u32, u32); 2] = [
    // 2021-09-01 to 2023-06-01: what became Debian 12, as it was uploaded.
    ("rolling", 18_871, 19_509),
    // 2023-07-01 to 2026-06-01: what was updated in Debian 12 after its release.
    ("stable", 19_539, 20_605),
];

/// Replays everything and prints what was sent, as means over the updates of a history.
pub(crate) fn print(history: &History, selector: &Selector, budget: usize) -> Result<()> {
    println!("MiB sent and layers changed per update; {budget} layers at most.\n");
    println!(
        "| image | follows | updates | one layer | popularity | size first | seed | locked once | locked | each path |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (period, from, to) in PERIODS {
        let mut means = [0.0; Way::ALL.len()];
        for image in &IMAGES {
            let model = Model::new(image, history);
            let updates = model.updates(history, from, to);
            let closures: Vec<Closure> =
                model.closures(&updates).into_iter().map(|(closure, _)| closure).collect();
            let paths = closures[0].paths.len();
            print!("| {}, {paths} paths | {period} | {} |", image.name, updates.len());
            for (way, mean) in Way::ALL.into_iter().zip(&mut means) {
                let sent = replay(way, &closures, selector, budget)?;
                let (mib, layers) = per_update(sent, updates.len());
                *mean += mib;
                print!(" {mib:.1} / {layers:.1} |");
            }
            println!();
        }
        print!("| **all** | {period} | |");
        for mean in means {
            print!(" **{mean:.1}** |");
        }
        println!();
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn per_update(sent: Sent, updates: usize) -> (f64, f64) {
    let updates = updates.max(1) as f64;
    (sent.bytes as f64 / f64::from(1 << 20) / updates, sent.layers as f64 / updates)
}
