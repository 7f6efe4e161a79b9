//! Every name in every summary may be somebody else's.

use std::path::Path;

use seed_engine::events::{Step, StepTime};
use seed_engine::summary::inspect::{
    Artifact, Contents, InspectedImage, InspectedLayer, Inspection, Signatures, SizedPath,
};
use seed_engine::summary::verify::{
    ImageContent, LayerContent, NotCounted, VerifiedImage, VerifiedKey, VerifiedSignature, VerifySummary,
};
use seed_engine::summary::{
    ImageSummary, LayerSummary, LegalPath, LegalSummary, LockState, PlanSummary, PlannedImage, PlannedLayer,
    PlannedPath, PluginIdentity, PluginSummary, PublishedSummary, PullSummary, RecordedLayer, RunSummary,
    SCHEMA, SignatureSummary, WhyImage, WhyPath, WhySummary,
};
use seed_model::{Chain, Diagnostic, Digest, ImageConfig, PayloadFormat, Platform, Published, Severity};
use seed_report::style::Text;
use seed_report::visible::is_hidden;

use super::{inspection, plan, plugin, pull, run, verify, why_depends};
use crate::printer::Verbosity;

/// A window title, a screen that is cleared, a bell, C1, an override, an isolate, a zero width space, a tag, separators, our
/// own marks for bold and its end, and lines that look like ours or like a runner's command.
const HOSTILE: &str = "x\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}1m\u{202e}\u{2066}\u{200b}\u{e0041}\u{2028}\u{fdd0}\u{fddf}\r\n::error::y\nverified";

fn hostile() -> String {
    HOSTILE.to_owned()
}

fn digest() -> Digest {
    Digest::of(b"")
}

fn platform() -> Platform {
    Platform { os: hostile(), architecture: hostile(), variant: Some(hostile()) }
}

fn identity() -> PluginIdentity {
    PluginIdentity { reference: hostile(), name: hostile(), version: hostile(), digest: digest() }
}

fn notes() -> Vec<Diagnostic> {
    let note = |severity| Diagnostic {
        code: hostile(),
        severity,
        message: hostile(),
        help: Some(hostile()),
        config_path: Some(hostile()),
    };
    [Severity::Error, Severity::Warning, Severity::Note].map(note).into()
}

fn chain() -> Chain {
    Chain { layer: hostile(), paths: vec![hostile(), hostile()] }
}

fn legal() -> Vec<LegalSummary> {
    let path = LegalPath { store_path: hostile(), found: hostile(), chain: Some(chain()) };
    vec![LegalSummary { system: hostile(), rule: "apple-sdk", reason: hostile(), paths: vec![path] }]
}

fn run_summary() -> RunSummary {
    let layer = RecordedLayer {
        name: hostile(),
        digest: digest(),
        diff_id: digest(),
        size: 1,
        nar_size: 1,
        paths: 1,
        unverified: Some(hostile()),
    };
    let published = Published {
        reference: hostile(),
        digest: digest(),
        uploaded: 1,
        skipped: 1,
        bytes: 1,
        try_with: Some(hostile()),
    };
    RunSummary {
        schema: SCHEMA,
        name: hostile(),
        digest: digest(),
        images: vec![ImageSummary {
            system: hostile(),
            platform: platform(),
            digest: digest(),
            closure: digest(),
            layers: vec![LayerSummary { layer, cached: true }],
        }],
        signatures: vec![SignatureSummary { plugin: hostile(), key: hostile(), subject: digest() }],
        published: vec![PublishedSummary { plugin: hostile(), published }],
        verify_with: vec![hostile()],
        notes: notes(),
        legal: legal(),
        plugins: vec![identity()],
        steps: vec![StepTime { step: Step::Build, milliseconds: 1, cached: true }],
        lock: LockState::Created,
    }
}

fn plan_summary() -> PlanSummary {
    let layer = PlannedLayer {
        name: hostile(),
        key: Some(digest()),
        cached: false,
        reason: hostile(),
        nar_size: 1,
        paths: vec![PlannedPath { store_path: hostile(), nar_hash: digest(), nar_size: 1 }],
        entries: vec![hostile()],
    };
    let config = ImageConfig {
        entrypoint: vec![hostile()],
        cmd: vec![hostile()],
        user: Some(hostile()),
        working_dir: Some(hostile()),
        ..ImageConfig::default()
    };
    let image = PlannedImage {
        system: hostile(),
        platform: platform(),
        closure: digest(),
        config,
        annotations: [(hostile(), hostile())].into(),
        layers: vec![layer],
    };
    PlanSummary {
        schema: SCHEMA,
        name: hostile(),
        images: vec![image],
        targets: vec![hostile()],
        plugins: vec![identity()],
        notes: notes(),
        legal: legal(),
    }
}

fn why_summary() -> WhySummary {
    let path = WhyPath {
        store_path: hostile(),
        nar_size: 1,
        chain: chain(),
        referrers: vec![format!("{HOSTILE}2")],
    };
    let image = WhyImage { system: hostile(), platform: platform(), paths: vec![path] };
    WhySummary { schema: SCHEMA, name: hostile(), images: vec![image] }
}

fn inspected() -> Inspection {
    let annotations = ["io.github.seed-oci.layer", "io.github.seed-oci.legal.\u{1b}[2Jrule"];
    let annotations: std::collections::BTreeMap<_, _> =
        annotations.map(|name| (name.to_owned(), hostile())).into();
    let layer = InspectedLayer {
        media_type: format!("application/x.tar+{HOSTILE}"),
        digest: digest(),
        size: 1,
        diff_id: Some(digest()),
        created_by: Some(hostile()),
        annotations: annotations.clone(),
    };
    let path = || SizedPath { size: 1, path: hostile() };
    let image = InspectedImage {
        digest: Digest::of(b"image"),
        size: 1,
        platform: Some(platform()),
        created: Some(hostile()),
        entrypoint: vec![hostile()],
        cmd: vec![hostile()],
        annotations,
        layers: vec![layer],
        contents: Some(Contents {
            entries: 1,
            file_bytes: 1,
            files: vec![path()],
            store_paths: vec![path()],
        }),
    };
    let signatures = Signatures {
        subject: digest(),
        cosign_signatures: 1,
        cosign_attestations: 1,
        bundles: 1,
        others: vec![Artifact { digest: digest(), artifact_type: hostile() }],
    };
    Inspection {
        place: hostile(),
        digest: digest(),
        media_type: hostile(),
        images: vec![image],
        signatures: vec![signatures],
    }
}

fn verified() -> VerifySummary {
    let layer = LayerContent { media_type: hostile(), digest: digest(), size: 1, diff_id: digest() };
    let image = ImageContent { digest: digest(), platform: platform(), layers: vec![layer] };
    let signature = VerifiedSignature { format: PayloadFormat::Dsse, document: digest() };
    let key = VerifiedKey { file: HOSTILE.into(), fingerprint: digest(), signatures: vec![signature] };
    VerifySummary {
        schema: SCHEMA,
        image: VerifiedImage {
            place: hostile(),
            media_type: hostile(),
            digest: digest(),
            size: 1,
            images: vec![image],
        },
        keys: vec![key],
        not_counted: vec![NotCounted { document: Some(digest()), reason: hostile() }],
    }
}

fn inspected_plugin() -> PluginSummary {
    PluginSummary {
        schema: SCHEMA,
        plugin: identity(),
        summary: hostile(),
        world: hostile(),
        contract: hostile(),
        imports: vec![hostile()],
        exports: vec![hostile()],
        size: 1,
        config_schema: serde_json::json!({ HOSTILE: HOSTILE }),
    }
}

fn pulled(added: usize) -> PullSummary {
    PullSummary {
        schema: SCHEMA,
        reference: hostile(),
        system: hostile(),
        digest: digest(),
        paths: 1,
        skipped: 1,
        added,
        nar_size: 1,
        layers: 1,
        size: 1,
    }
}

/// Each summary as its command shows it.
fn summaries() -> [(&'static str, Text); 9] {
    let lock = Path::new(HOSTILE);
    [
        ("run", run::run(&run_summary(), lock, Verbosity::Normal)),
        ("run --quiet", run::run(&run_summary(), lock, Verbosity::Quiet)),
        ("plan --paths", plan::plan(&plan_summary(), true)),
        ("plan --why", why_depends::why(&why_summary())),
        ("inspect", inspection::inspection(&inspected())),
        ("verify", verify::verified(&verified())),
        ("plugin inspect", plugin::plugin(&inspected_plugin())),
        ("cache pull", pull::pull(&pulled(1))),
        ("cache pull of nothing", pull::pull(&pulled(0))),
    ]
}

#[test]
fn no_name_gets_past_its_line_or_brings_a_style() {
    for (command, text) in summaries() {
        let plain = text.plain();
        assert!(plain.contains(r"x\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}1m\u{202e}\u{2066}"), "{command}: {plain}");
        for line in plain.lines() {
            assert!(!line.chars().any(is_hidden), "{command}: {line:?}");
            assert!(!line.starts_with("::") && !line.starts_with("verified"), "{command}: {line:?}");
        }
        // The only sequences are those of our styles.
        let ansi = text.ansi();
        let sequences = ansi.split('\u{1b}').skip(1);
        for sequence in sequences {
            let style = sequence.strip_prefix('[').and_then(|rest| rest.split_once('m'));
            let style = style.map(|(style, _)| style).unwrap_or_default();
            assert!(["0", "1", "2", "31", "32", "33", "36"].contains(&style), "{command}: {sequence:?}");
        }
    }
}
