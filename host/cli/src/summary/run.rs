//! What `seed run` did.

use std::path::Path;
use std::time::Duration;

use seed_engine::summary::{
    ImageSummary, LayerSummary, LockState, PublishedSummary, RunSummary, SignatureSummary,
};
use seed_model::total;
use seed_report::style::{self, Text};
use seed_report::styled;

use crate::human;
use crate::printer::Verbosity;
use crate::summary::parts;
use crate::table::{Align, Table};

/// The summary, or with `--quiet` what a script wants: a line for each place. `lock` is where the lock file is.
pub(crate) fn run(summary: &RunSummary, lock: &Path, verbosity: Verbosity) -> Text {
    if verbosity == Verbosity::Quiet { shortest(summary) } else { whole(summary, lock) }
}

fn whole(summary: &RunSummary, lock: &Path) -> Text {
    let mut text = styled!("\n{}  {}\n", style::bold(&summary.name), summary.digest);
    text.extend(summary.images.iter().map(|built| image(built, summary.images.len() > 1)));
    text.push(&styled!("\n  {}\n", times(summary)));
    text.push(&parts::table_section("Published", &published(&summary.published)));
    // One line per key and plugin, in the order of the file, however many images and formats were signed.
    let mut signed: Vec<Text> = Vec::new();
    for line in summary.signatures.iter().map(signature) {
        if !signed.contains(&line) {
            signed.push(line);
        }
    }
    text.push(&parts::section("Signed", signed));
    text.push(&parts::section("Verify", summary.verify_with.iter().map(style::code)));
    let try_next = summary.published.iter().filter_map(|place| place.published.try_with.as_deref());
    text.push(&parts::section("Try", try_next.map(style::code)));
    text.push(&parts::unverified(&summary.images));
    text.push(&parts::legal(&summary.legal));
    text.push(&parts::notes(&summary.notes));
    let lock = lock.display();
    match summary.lock {
        LockState::Unchanged => {}
        LockState::Created => {
            text.push(&styled!("\nWrote {}: commit it, and use `--locked` in CI.\n", lock));
        }
        LockState::Updated => {
            text.push(&styled!("\nUpdated {}: review the change and commit it.\n", lock));
        }
    }
    text
}

fn shortest(summary: &RunSummary) -> Text {
    let place =
        |place: &PublishedSummary| styled!("{}@{}\n", place.published.reference, place.published.digest);
    summary.published.iter().map(place).collect()
}

/// One image; its digest only where that is not the one of the whole.
fn image(image: &ImageSummary, of_several: bool) -> Text {
    let mut table = Table::new(&[
        ("LAYER", Align::Left),
        ("SIZE", Align::Right),
        ("PATHS", Align::Right),
        ("DIGEST", Align::Left),
        ("", Align::Left),
    ]);
    for LayerSummary { layer, cached } in &image.layers {
        table.row([
            layer.name.as_str().into(),
            human::size(layer.size).into(),
            layer.paths.to_string().into(),
            styled!("sha256:{}…", layer.digest.short()),
            if *cached { style::good("cached") } else { "packed".into() },
        ]);
    }
    let size = total(image.layers.iter().map(|layer| layer.layer.size));
    let layers = human::count(image.layers.len() as u64, "layer");
    let platform = format!("{}/{}", image.platform.os, image.platform.architecture);
    let digest = if of_several { style::dim(image.digest) } else { Text::default() };
    let heading = styled!("{}  {}, {}  {}", platform, layers, human::size(size), digest).trimmed();
    styled!("\n  {}\n{}", heading, table.render())
}

fn times(summary: &RunSummary) -> String {
    let step = |step: &seed_engine::events::StepTime| {
        let spent = human::duration(Duration::from_millis(step.milliseconds));
        if step.cached { format!("{} {spent} (cached)", step.step) } else { format!("{} {spent}", step.step) }
    };
    let steps: Vec<String> = summary.steps.iter().map(step).collect();
    steps.join(", ")
}

fn published(places: &[PublishedSummary]) -> Table {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    for PublishedSummary { published: place, .. } in places {
        let new = match place.uploaded {
            0 => "nothing new".to_owned(),
            new => format!("{new} new ({})", human::size(place.bytes)),
        };
        let there = match place.skipped {
            0 => String::new(),
            skipped => format!(", {skipped} already there"),
        };
        table.row([place.reference.as_str().into(), style::dim(format!("{new}{there}"))]);
    }
    table
}

fn signature(signature: &SignatureSummary) -> Text {
    styled!("with the key `{}` by {}, verified with its public key", signature.key, signature.plugin)
}

#[cfg(test)]
mod tests {
    use seed_engine::events::{Step, StepTime};
    use seed_engine::summary::{RecordedLayer, SCHEMA};
    use seed_model::{Diagnostic, Digest, Platform, Published, Severity};

    use super::*;

    fn summary() -> RunSummary {
        let digest = |text: &str| Digest::of(text.as_bytes());
        let layer = |name: &str, size, cached| {
            let (digest, diff_id) = (digest(name), digest("diff"));
            let layer = RecordedLayer {
                name: name.into(),
                digest,
                diff_id,
                size,
                nar_size: size * 3,
                paths: 12,
                unverified: None,
            };
            LayerSummary { layer, cached }
        };
        RunSummary {
            schema: SCHEMA,
            name: "hello".into(),
            digest: digest("index"),
            images: vec![ImageSummary {
                system: "x86_64-linux".into(),
                platform: Platform::of_system("x86_64-linux").unwrap(),
                digest: digest("manifest"),
                closure: digest("closure"),
                layers: vec![layer("base", 12 << 20, true), layer("apps", 900, false)],
            }],
            signatures: ["release", "backup", "release"]
                .map(|key| SignatureSummary {
                    plugin: "cosign-signer".into(),
                    key: key.into(),
                    subject: digest("index"),
                })
                .to_vec(),
            published: vec![PublishedSummary {
                plugin: "oci-layout".into(),
                published: Published {
                    reference: "hello.tar".into(),
                    digest: digest("index"),
                    uploaded: 3,
                    skipped: 2,
                    bytes: 5000,
                    try_with: Some("docker load < hello.tar".into()),
                },
            }],
            verify_with: vec!["cosign verify --key cosign.pub hello".into()],
            notes: vec![Diagnostic {
                code: "standard-layers::empty".into(),
                severity: Severity::Note,
                message: "the layer `library` is empty".into(),
                help: None,
                config_path: None,
            }],
            legal: Vec::new(),
            plugins: Vec::new(),
            steps: vec![
                StepTime { step: Step::Build, milliseconds: 1234, cached: false },
                StepTime { step: Step::Select, milliseconds: 0, cached: true },
            ],
            lock: LockState::Created,
        }
    }

    #[test]
    fn a_run_is_summed_up() {
        insta::assert_snapshot!(whole(&summary(), Path::new("seed.lock")).plain(), @"
        hello  sha256:1bc04b5291c26a46d918139138b992d2de976d6851d0893b0476b85bfbdfc6e6

          linux/amd64  2 layers, 12.0 MiB
          LAYER      SIZE  PATHS  DIGEST
          base   12.0 MiB     12  sha256:cae662172fd4…  cached
          apps      900 B     12  sha256:d56f6359d240…  packed

          build 1.2 s, select 0 ms (cached)

        Published
          hello.tar  3 new (4.9 KiB), 2 already there

        Signed
          with the key `release` by cosign-signer, verified with its public key
          with the key `backup` by cosign-signer, verified with its public key

        Verify
          cosign verify --key cosign.pub hello

        Try
          docker load < hello.tar

        Notes
          note: the layer `library` is empty (standard-layers::empty)

        Wrote seed.lock: commit it, and use `--locked` in CI.
        ");
    }

    #[test]
    fn layers_that_cannot_be_read_are_named() {
        let mut summary = summary();
        assert!(parts::unverified(&summary.images).is_empty());
        summary.images[0].layers[1].layer.unverified = Some("application/vnd.acme\n".into());
        let text = whole(&summary, Path::new("seed.lock")).plain();
        let named = "layer `apps` for x86_64-linux (application/vnd.acme\\n)";
        assert!(text.contains(named), "{text}");
    }

    #[test]
    fn the_shortest_form_is_one_reference_per_place() {
        insta::assert_snapshot!(shortest(&summary()).plain(), @"hello.tar@sha256:1bc04b5291c26a46d918139138b992d2de976d6851d0893b0476b85bfbdfc6e6");
    }
}
