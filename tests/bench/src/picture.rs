//! A picture of the layers that each way makes of one image: as wide as they are large, as dark as they change often.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use miette::{IntoDiagnostic, Result};
use seed_model::Closure;

use crate::history::History;
use crate::image::{IMAGES, Model};
use crate::peers;
use crate::report::PERIODS;
use crate::selector::Selector;

const WIDTH: f64 = 900.0;
const BAR: f64 = 46.0;
const ROW: f64 = 92.0;
const TOP: f64 = 64.0;

/// One layer: its size, and the part of the updates that changed it.
struct Block {
    size: f64,
    changed: f64,
}

/// Draws the last image of the report, as it follows the last period.
pub(crate) fn draw(path: &Path, history: &History, selector: &Selector, budget: usize) -> Result<()> {
    let (image, (_, from, to)) = (&IMAGES[IMAGES.len() - 1], PERIODS[PERIODS.len() - 1]);
    let model = Model::new(image, history);
    let updates = model.updates(history, from, to);
    let closures = model.closures(&updates);
    let changes = changes(&closures);
    let (first, _) = &closures[0];
    let plan = selector.plan(first, None)?.layers.into_iter().map(|layer| layer.paths).collect();
    let rows = [
        ("popularity", peers::popularity(first, budget)),
        ("size first", peers::size_first(first, budget)),
        ("seed", plan),
    ];
    let height = TOP + ROW * 3.0 + 34.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" font-family=\"sans-serif\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"20\" y=\"28\" font-size=\"17\">{} paths in at most {budget} layers: how often is each layer sent again?</text>\n\
         <text x=\"20\" y=\"48\" fill=\"#555\">Width: bytes. Colour: the part of {} updates that change something in the layer.</text>\n",
        WIDTH + 40.0,
        first.paths.len(),
        updates.len(),
    );
    for (number, (name, layers)) in (0_u32..).zip(rows) {
        row(&mut svg, TOP + ROW * f64::from(number), name, blocks(&layers, first, &changes, updates.len()));
    }
    for step in 0..=10_u32 {
        let x = 20.0 + f64::from(step) * 30.0;
        let part = f64::from(step) / 10.0;
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"30\" height=\"12\" fill=\"{}\"/>",
            height - 28.0,
            colour(part)
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"360\" y=\"{}\" fill=\"#555\">never … with every update</text>\n</svg>",
        height - 17.0
    );
    fs::write(path, svg).into_diagnostic()
}

/// In which updates each path of the first closure changed.
fn changes(closures: &[(Closure, Vec<usize>)]) -> Vec<Vec<bool>> {
    let paths_of = |(closure, order): &(Closure, Vec<usize>)| {
        let mut paths = vec![String::new(); order.len()];
        for (path, place) in closure.paths.iter().zip(order) {
            paths[*place].clone_from(&path.store_path);
        }
        paths
    };
    let versions: Vec<Vec<String>> = closures.iter().map(paths_of).collect();
    let changed =
        |place: &usize| versions.windows(2).map(|pair| pair[0][*place] != pair[1][*place]).collect();
    closures[0].1.iter().map(changed).collect()
}

fn blocks(layers: &[Vec<u32>], closure: &Closure, changes: &[Vec<bool>], updates: usize) -> Vec<Block> {
    let block = |layer: &Vec<u32>| {
        let size = layer.iter().map(|index| closure.paths[*index as usize].nar_size).sum();
        let hit = |update: &usize| layer.iter().any(|index| changes[*index as usize][*update]);
        Block {
            size: float(size),
            changed: float((0..updates).filter(hit).count() as u64) / float(updates as u64),
        }
    };
    let mut blocks: Vec<Block> = layers.iter().map(block).collect();
    blocks.sort_by(|a, b| a.changed.total_cmp(&b.changed).then(b.size.total_cmp(&a.size)));
    blocks
}

fn row(svg: &mut String, y: f64, name: &str, blocks: Vec<Block>) {
    let all: f64 = blocks.iter().map(|block| block.size).sum();
    let sent: f64 = blocks.iter().map(|block| block.size * block.changed).sum();
    let mib = f64::from(1 << 20);
    let _ = writeln!(
        svg,
        "<text x=\"20\" y=\"{}\"><tspan font-weight=\"bold\">{name}</tspan>: {} layers, {:.0} of {:.0} MiB with each update</text>",
        y + 22.0,
        blocks.len(),
        sent / mib,
        all / mib
    );
    let mut x = 20.0;
    for block in blocks {
        let width = block.size / all * WIDTH;
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.2}\" y=\"{}\" width=\"{width:.2}\" height=\"{BAR}\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"0.6\"/>",
            y + 30.0,
            colour(block.changed)
        );
        x += width;
    }
}

/// From pale green over yellow to dark red.
fn colour(part: f64) -> String {
    format!("hsl({:.0},70%,{:.0}%)", 130.0 - 130.0 * part, 78.0 - 38.0 * part)
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn float(number: u64) -> f64 {
    number as f64
}
