//! By which references paths are in an image.

use seed_engine::summary::{WhyPath, WhySummary};
use seed_report::style::{self, Text};
use seed_report::styled;

use crate::human;

/// How many referrers are named; more would bury the chain.
const SHOWN: usize = 10;

/// A block for each path: its size, then the layer and the store paths that lead to it, one below the other, then what
/// refers to it besides.
pub(crate) fn why(summary: &WhySummary) -> Text {
    let mut text = styled!("{}\n", style::bold(&summary.name));
    for image in &summary.images {
        let platform = format!("{}/{}", image.platform.os, image.platform.architecture);
        let count = human::count(image.paths.len() as u64, "path");
        text.push(&styled!("\n  {}  {}\n", platform, count));
        for path in &image.paths {
            let size = human::size(path.nar_size);
            let layer = style::dim(&path.chain.layer);
            text.push(&styled!("\n  {}  {}\n    {}\n", path.store_path, size, layer));
            for (depth, step) in path.chain.paths.iter().enumerate() {
                text.push(&styled!("    {}└─ {}\n", "   ".repeat(depth), step));
            }
            text.push(&others(path));
        }
    }
    text
}

/// The referrers that are not in the chain.
fn others(path: &WhyPath) -> Text {
    let others: Vec<&str> = path
        .referrers
        .iter()
        .filter(|referrer| !path.chain.paths.contains(referrer))
        .map(|referrer| seed_store_path::name(referrer))
        .collect();
    let more = others.len().saturating_sub(SHOWN);
    let named = others[..others.len() - more].join(", ");
    match (others.is_empty(), more) {
        (true, _) => Text::default(),
        (false, 0) => styled!("    also referred to by {}\n", named),
        (false, more) => styled!("    also referred to by {} and {} more\n", named, more),
    }
}

#[cfg(test)]
mod tests {
    use seed_engine::summary::{SCHEMA, WhyImage};
    use seed_model::{Chain, Platform};

    use super::*;

    #[test]
    fn a_chain_is_read_from_the_layer_down() {
        let paths = ["a-seed-apps", "b-hello-2.12", "c-glibc-2.40"].map(|name| format!("/nix/store/{name}"));
        let chain = Chain { layer: "apps".into(), paths: paths.to_vec() };
        let referrers =
            [paths[1].clone(), "/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-zlib-1.3".into()].to_vec();
        let path = WhyPath { store_path: paths[2].clone(), nar_size: 30 << 20, chain, referrers };
        let platform = Platform::of_system("x86_64-linux").unwrap();
        let image = WhyImage { system: "x86_64-linux".into(), platform, paths: vec![path] };
        let summary = WhySummary { schema: SCHEMA, name: "hello".into(), images: vec![image] };
        insta::assert_snapshot!(why(&summary).plain(), @"
        hello

          linux/amd64  1 path

          /nix/store/c-glibc-2.40  30.0 MiB
            apps
            └─ /nix/store/a-seed-apps
               └─ /nix/store/b-hello-2.12
                  └─ /nix/store/c-glibc-2.40
            also referred to by zlib-1.3
        ");
    }
}
