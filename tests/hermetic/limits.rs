//! Little input that wants much: memory, threads, time. Each ends, and takes no more than is promised.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use seed_model::{Descriptor, Digest, Hasher};
use seed_tests::{Peak, TestEnvironment};
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What one command may take of the machine, whatever it is given: see "Limits" in the security model.
const MEMORY: u64 = 768 << 20;

/// A layout in the directory `layout`.
struct Layout<'a>(&'a TestEnvironment);

impl Layout<'_> {
    fn blob(&self, media_type: &str, content: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(media_type, content);
        self.0.write(&format!("layout/blobs/sha256/{}", descriptor.digest.hex()), content);
        descriptor
    }

    fn document(&self, media_type: &str, content: &Value) -> Descriptor {
        self.blob(media_type, content.to_string().as_bytes())
    }

    fn list(&self, manifests: &[Value]) {
        self.0.write("layout/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.0.write("layout/index.json", index.to_string());
    }

    /// An image of one layer, which is in it so many times.
    fn image(&self, layer: &Layer, times: usize, annotations: &BTreeMap<String, String>) -> Descriptor {
        let config = self.document(
            CONFIG,
            &json!({
                "os": "linux", "architecture": "amd64", "config": {},
                "rootfs": {"type": "layers", "diff_ids": vec![layer.diff_id; times]},
            }),
        );
        let blob = self.blob(GZIP, &layer.gzip);
        self.document(
            MANIFEST,
            &json!({
                "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": vec![blob; times],
                "annotations": annotations,
            }),
        )
    }

    /// All bytes on the disk.
    fn size(&self) -> u64 {
        let blobs = fs::read_dir(self.0.path("layout/blobs/sha256")).unwrap();
        let index = fs::metadata(self.0.path("layout/index.json")).unwrap().len();
        blobs.map(|blob| blob.unwrap().metadata().unwrap().len()).sum::<u64>() + index
    }
}

/// A gzipped tar that is made piece by piece, each a member of its own, so that equal ones are compressed once.
struct Layer {
    gzip: Vec<u8>,
    diff_id: Digest,
}

impl Layer {
    fn of(pieces: &[(&[u8], usize)]) -> Self {
        let (mut gzip, mut diff_id) = (Vec::new(), Hasher::new());
        for (piece, times) in pieces {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(piece).unwrap();
            gzip.extend(encoder.finish().unwrap().repeat(*times));
            (0..*times).for_each(|_| diff_id.update(piece));
        }
        Self { gzip, diff_id: diff_id.finish() }
    }
}

/// The header of a file in a tar.
fn header(path: &str, size: usize) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, path.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// Inspects the layout, which must be small and may not take much.
fn inspect(environment: &TestEnvironment, code: i32) -> String {
    let size = Layout(environment).size();
    assert!(size < 4 << 20, "{size}");
    let peak = Peak::of(&mut environment.seed_command(&["inspect", "--quiet", "./layout"]));
    assert!(peak.memory < MEMORY, "{} MiB", peak.memory >> 20);
    assert!(peak.threads < 64, "{}", peak.threads);
    environment.redact(&peak.run.failed(code).stderr)
}

#[test]
fn a_manifest_that_an_index_lists_hundreds_of_times() {
    let environment = TestEnvironment::new();
    let layout = Layout(&environment);
    let annotations = (0..60_000).map(|number| (format!("{number}"), String::new())).collect();
    let manifest = layout.image(&Layer::of(&[(&[0; 1024], 1)]), 1, &annotations);
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": vec![manifest; 256]});
    layout.list(&[json!(layout.document(INDEX, &index))]);
    insta::assert_snapshot!(inspect(&environment, 1), @"
    error[seed::inspect::failed]: cannot inspect `./layout`
      cause: cannot use the documents of ./layout: they take more than 128 MiB of memory
    ");
}

#[test]
fn an_index_of_referrers_that_a_layout_lists_thousands_of_times() {
    let environment = TestEnvironment::new();
    let layout = Layout(&environment);
    let image = layout.image(&Layer::of(&[(&[0; 1024], 1)]), 1, &BTreeMap::new());
    let artifacts: Vec<_> =
        (0..9_000).map(|number| Descriptor::of(MANIFEST, format!("{number}").as_bytes())).collect();
    let index =
        layout.document(INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": artifacts}));
    let mut named = json!(index);
    named["annotations"] =
        json!({"org.opencontainers.image.ref.name": format!("sha256-{}", image.digest.hex())});
    let mut manifests = vec![named; 4_000];
    manifests.push(json!(image));
    layout.list(&manifests);
    insta::assert_snapshot!(inspect(&environment, 1), @"
    error[seed::inspect::failed]: cannot inspect `./layout`
      cause: invalid list of referrers of sha256:[HASH]: it has more than 1000 entries
    ");
}

#[test]
fn a_layer_that_an_image_lists_hundreds_of_times() {
    let environment = TestEnvironment::new();
    let layout = Layout(&environment);
    let names: Vec<u8> =
        (0..100_000).flat_map(|number| header(&format!("nix/store/{number}/f"), 0)).collect();
    let image = layout.image(&Layer::of(&[(&names, 1), (&[0; 1024], 1)]), 1_000, &BTreeMap::new());
    layout.list(&[json!(image)]);
    inspect(&environment, 0);
}

/// Pulls a build seed in which `file` has so many line feeds.
fn pull(file: &str, mebibytes: usize) -> String {
    let environment = TestEnvironment::new();
    let layout = Layout(&environment);
    let feeds = vec![b'\n'; 1 << 20];
    let mut line = [0; 512];
    line[0] = b'\n';
    let hostile = header(&format!("nix/seed/{file}"), mebibytes << 20);
    let (registration, layers) = (header("nix/seed/registration", 0), header("nix/seed/layers", 1));
    let end: (&[u8], usize) = (&[0; 1024], 1);
    let layer = match file {
        "layers" => Layer::of(&[(&registration, 1), (&hostile, 1), (&feeds, mebibytes), end]),
        _ => Layer::of(&[(&hostile, 1), (&feeds, mebibytes), (&layers, 1), (&line, 1), end]),
    };
    let variant = BTreeMap::from([("io.github.seed-oci.variant".to_owned(), "build".to_owned())]);
    layout.list(&[json!(layout.image(&layer, 1, &variant))]);
    assert!(layout.size() < 4 << 20, "{}", layout.size());
    for program in ["nix", "nix-store"] {
        environment.write_program(&format!("bin/{program}"), "#!/bin/sh\necho 'nix (Nix) 2.30.0'\n");
    }
    let mut pull =
        environment.seed_command(&["cache", "pull", "--quiet", "--system", "x86_64-linux", "./layout"]);
    let peak = Peak::of(pull.env("SEED_NIX", environment.path("bin")));
    assert!(peak.memory < MEMORY, "{} MiB", peak.memory >> 20);
    environment.redact(&peak.run.failed(1).stderr)
}

#[test]
fn half_a_gigabyte_of_line_feeds_in_a_build_seed() {
    insta::assert_snapshot!(pull("layers", 500), @"
    error[seed::pull::failed]: cannot pull `./layout`
      cause: cannot read layer sha256:[HASH] of ./layout: `/nix/seed/layers` is not a file or is larger than 64 MiB
    ");
    insta::assert_snapshot!(pull("layers", 64), @"
    error[seed::pull::failed]: cannot pull `./layout`
      cause: invalid `/nix/seed/layers` in ./layout: it lists 67108864 layers of 1
    ");
    insta::assert_snapshot!(pull("registration", 64), @"
    error[seed::pull::registration]: invalid registration in `./layout`: expected a store path instead of ``
      help: nothing was added to the store
    ");
}

/// A component whose one function takes the compiler gigabytes: so many variables live through so many loops.
fn bomb() -> Vec<u8> {
    let (variables, loops) = (5_000, 5_000);
    let each = |code: fn(usize) -> String| (0..variables).map(code).collect::<Vec<_>>().concat();
    let set = each(|n| format!("(local.set {n} (i64.load (i32.const {n})))"));
    let loops = "(loop (br_if 0 (i32.load (i32.const 0))))".repeat(loops);
    let get = each(|n| format!("(i64.store (i32.const 0) (local.get {n}))"));
    let locals = "i64 ".repeat(variables);
    wat::parse_str(format!(
        r#"(component
            (core module $m (memory 1) (func (export "f") (local {locals}) {set} {loops} {get}))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $plugin (export "describe" (func $f)))
            (instance $selection (export "outputs" (func $f)) (export "plan" (func $f)))
            (export "seed:pipeline/plugin@0.1.0" (instance $plugin))
            (export "seed:pipeline/layer-selection@0.1.0" (instance $selection)))"#
    ))
    .unwrap()
}

#[test]
fn a_component_that_takes_gigabytes_to_compile() {
    let environment = TestEnvironment::with_example("directories");
    environment.write("bomb.wasm", bomb());
    environment.replace("pipeline.toml", "builtin:standard-layers", "./bomb.wasm");
    environment.append("pipeline.toml", "\n[limits]\ncompile-memory = 268435456\n");
    let peak = Peak::of(&mut environment.seed_command(&["run", "--quiet"]));
    assert!(peak.memory < MEMORY, "{} MiB", peak.memory >> 20);
    insta::assert_snapshot!(environment.redact(&peak.run.failed(4).stderr), @r#"
    error[seed::plugin::refused]: cannot use the plugin `./bomb.wasm`: cannot load component [HASH]: compiling the component took more than 256 MiB of memory
      --> pipeline.toml:14:10
       |
    13 | [select]
    14 | plugin = "./bomb.wasm"
       |          ^^^^^^^^^^^^^ named here
      help: if you trust the plugin and it needs more, set `compile-memory = N` in `[limits]` in the pipeline file (now 268435456)
    "#);
}

/// A registry that says that a manifest is huge, and sends some bytes of it in each second, for ever.
fn dripping_registry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let drip = |mut stream: TcpStream| {
            let _ = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
            let mut sent = stream.write_all(head.as_bytes());
            while sent.is_ok() {
                thread::sleep(Duration::from_millis(100));
                sent = stream.write_all(b" ");
            }
        };
        listener.incoming().flatten().for_each(|stream| drop(thread::spawn(move || drip(stream))));
    });
    address
}

#[test]
fn a_registry_that_keeps_a_command_waiting() {
    let environment = TestEnvironment::new();
    let address = dripping_registry();
    let start = Instant::now();
    let reference = format!("{address}/org/app:v1");
    let error = environment.error(1, &["inspect", "--quiet", "--network-timeout", "1", &reference]);
    insta::assert_snapshot!(error.replace(&address, "[REGISTRY]"), @"
    error[seed::inspect::failed]: cannot inspect `[REGISTRY]/org/app:v1`
      cause: GET http://[REGISTRY]/v2/org/app/manifests/v1 timed out: all requests of the command together were not done within 1s
    ");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}
