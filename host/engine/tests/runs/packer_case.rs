//! An honest packer, taken apart so that a test can change one thing.

use std::fs;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use seed_engine::RunOptions;
use seed_engine::summary::RunSummary;
use seed_model::{Codec, Descriptor, Digest, Image, PackedLayer};
use seed_oci::document::canonical_json;
use seed_report::Kind;
use seed_tests::scripted::ScriptedPacker;
use serde_json::{Value, json};

use crate::support::{Project, SITE};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The rest of the pipeline file follows the section of the packer.
pub(crate) fn pipeline(pack: &str) -> String {
    format!(
        r#"{SITE}[select.config]
entrypoint = ["/bin/site"]
env = {{ MODE = "safe" }}
user = "1000"
annotations = {{ "org.example.team" = "web" }}
[[publish]]
plugin = "builtin:oci-layout"
config = {{ path = "result" }}
[pack]
{pack}
"#
    )
}

/// What the builtin packer makes, taken apart so that a test can change it.
pub(crate) struct Case {
    pub(crate) jobs: Vec<(u32, Codec)>,
    pub(crate) readers: Vec<u32>,
    /// Layers of the packer's own.
    pub(crate) blobs: Vec<Vec<u8>>,
    pub(crate) layers: Vec<PackedLayer>,
    pub(crate) config: Value,
    /// Without `config` and `layers`, which follow from the fields above.
    pub(crate) manifest: Value,
    /// The members of each layer's descriptor besides those.
    pub(crate) descriptors: Vec<Value>,
    /// What is left to do once all digests are known.
    pub(crate) finish: fn(&mut Value),
    pub(crate) grants: String,
}

impl Case {
    pub(crate) fn new() -> Self {
        let project = Project::new(&pipeline("plugin = \"builtin:oci-packer\""));
        let run = project.run(&RunOptions::default()).unwrap();
        let document = |digest: Digest| -> Value {
            let path = project.path(&format!("result/blobs/sha256/{}", digest.hex()));
            serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
        };
        let mut manifest = document(run.digest);
        let config = document(manifest["config"]["digest"].as_str().unwrap().parse().unwrap());
        let members = manifest.as_object_mut().unwrap();
        let descriptors = members["layers"].as_array().unwrap().clone();
        members.remove("config");
        members.remove("layers");
        let layer = |layer: &seed_engine::summary::LayerSummary| PackedLayer {
            descriptor: Descriptor::new(GZIP, layer.layer.digest, layer.layer.size),
            diff_id: layer.layer.diff_id,
        };
        let layers: Vec<_> = run.images[0].layers.iter().map(layer).collect();
        assert_eq!(layers.len(), 2);
        Self {
            jobs: (0..2).map(|layer| (layer, Codec::Gzip(4))).collect(),
            readers: Vec::new(),
            blobs: Vec::new(),
            layers,
            config,
            manifest,
            descriptors,
            finish: |_| {},
            grants: String::new(),
        }
    }

    /// Puts a blob of its own in the place of a layer.
    pub(crate) fn own(&mut self, layer: usize, media_type: &str, blob: Vec<u8>, diff_id: Digest) {
        let descriptor = Descriptor::of(media_type, &blob);
        self.blobs.push(blob);
        self.layers[layer] = PackedLayer { descriptor, diff_id };
        self.config["rootfs"]["diff_ids"][layer] = json!(diff_id);
    }

    /// The tar of a layer that the host packs.
    pub(crate) fn tar(&self, layer: usize) -> Vec<u8> {
        let project = Project::new(&pipeline("plugin = \"builtin:oci-packer\""));
        project.run(&RunOptions::default()).unwrap();
        let digest = self.layers[layer].descriptor.digest;
        let blob = fs::read(project.path(&format!("result/blobs/sha256/{}", digest.hex()))).unwrap();
        let mut tar = Vec::new();
        MultiGzDecoder::new(&blob[..]).read_to_end(&mut tar).unwrap();
        tar
    }

    pub(crate) fn packer(&self) -> ScriptedPacker {
        let config = canonical_json(&self.config);
        let config_blob = Descriptor::of(CONFIG, &config);
        let descriptor = |layer: &PackedLayer, more: &Value| {
            let mut descriptor = more.clone();
            let blob = &layer.descriptor;
            descriptor["mediaType"] = json!(blob.media_type);
            descriptor["digest"] = json!(blob.digest);
            descriptor["size"] = json!(blob.size);
            descriptor
        };
        let mut manifest = self.manifest.clone();
        manifest["config"] = json!(config_blob);
        let none = json!({});
        let more = self.descriptors.iter().chain(std::iter::repeat(&none));
        let layers = self.layers.iter().zip(more).map(|(layer, more)| descriptor(layer, more));
        manifest["layers"] = layers.collect();
        (self.finish)(&mut manifest);
        let manifest = canonical_json(&manifest);
        let image = Image {
            manifest: Descriptor::of(MANIFEST, &manifest),
            config: config_blob,
            layers: self.layers.clone(),
        };
        let mut blobs = self.blobs.clone();
        blobs.extend([config, manifest]);
        ScriptedPacker { jobs: self.jobs.clone(), readers: self.readers.clone(), blobs, image }
    }

    pub(crate) fn project(&self) -> Project {
        let project = Project::new(&pipeline(&format!("plugin = \"./packer.wasm\"\n{}\n", self.grants)));
        project.write("packer.wasm", self.packer().build());
        project
    }

    /// Runs it; it must pass.
    pub(crate) fn passes(&self) -> (Project, RunSummary) {
        let project = self.project();
        let run = project.run(&RunOptions::default());
        let run = run.unwrap_or_else(|error| panic!("{}", project.rendered(&error).1));
        (project, run)
    }

    /// Runs it; it must be refused, and nothing published. Gives the message.
    pub(crate) fn refused(&self, name: &str) -> String {
        let project = self.project();
        let Err(error) = project.run(&RunOptions::default()) else { panic!("{name}: it was published") };
        let (kind, text) = project.rendered(&error);
        assert_eq!(kind, Kind::Plugin, "{name}: {text}");
        assert!(!project.path("result").exists(), "{name}");
        let message = text.lines().next().unwrap_or_default();
        let (_, reason) = message.split_once("): ").unwrap_or(("", message));
        let words: Vec<_> = reason.split(' ').map(shorten).collect();
        format!("{name}: {}", words.join(" "))
    }
}

/// Leaves out what changes with the tools that made a component, and most of a digest.
fn shorten(word: &str) -> String {
    match word.strip_prefix("sha256:") {
        Some(hex) => format!("sha256:{}…{}", &hex[..3], &hex[64.min(hex.len())..]),
        None if word.starts_with('(') && word.len() == 14 => "(DIGEST)".to_owned(),
        None => word.to_owned(),
    }
}
