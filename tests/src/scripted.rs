//! Plugins that do what a list says, whatever they are asked: for tests of what the host makes of a hostile one.
//!
//! Everything in them is made beforehand. A test runs an honest pipeline first, whose digests are the same each time.

use std::fmt::Write as _;

use seed_model::{
    Artifact, Attachment, Codec, Descriptor, File, FileContent, Image, PackedLayer, PayloadFormat, PublicKey,
    Published, Signature, Signed,
};

use crate::guest::{DATA, Guest, words};

const BLOBS: &str = "seed:pipeline/blobs@0.1.0";
const ARCHIVE: &str = "seed:pipeline/archive@0.1.0";
const FILES: &str = "seed:pipeline/files@0.1.0";
const HTTP: &str = "seed:pipeline/http@0.1.0";

/// Where the host's answers are put, above all data and below the heap.
const RESULT: usize = 60_000;

/// Hands back what the host said, if that is an error. `from` is where its payload begins.
fn pass_on(from: usize) -> String {
    format!(
        "(if (i32.load8_u (i32.const {RESULT})) (then
            (memory.copy (i32.const {to}) (i32.const {from}) (i32.const 12))
            (return (i32.const {RESULT}))))\n",
        to = RESULT + 4,
        from = RESULT + from,
    )
}

/// What a component has in its memory when it begins.
#[derive(Debug, Default)]
struct Memory(Vec<u8>);

impl Memory {
    /// Puts bytes where numbers of eight bytes may lie; gives their place.
    fn put(&mut self, bytes: &[u8]) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        let place = DATA + self.0.len();
        self.0.extend_from_slice(bytes);
        assert!(DATA + self.0.len() <= RESULT, "too much data");
        u32::try_from(place).unwrap()
    }

    /// A list or string: place and length.
    fn list(&mut self, length: usize, bytes: &[u8]) -> [u32; 2] {
        [self.put(bytes), u32::try_from(length).unwrap()]
    }

    fn bytes(&mut self, bytes: &[u8]) -> [u32; 2] {
        self.list(bytes.len(), bytes)
    }

    fn option(&mut self, text: Option<&String>) -> [u32; 3] {
        let [place, length] = text.map_or([0, 0], |text| self.bytes(text.as_bytes()));
        [u32::from(text.is_some()), place, length]
    }

    /// A list of records of these bytes each.
    fn records(&mut self, records: &[Vec<u8>]) -> [u32; 2] {
        self.list(records.len(), &records.concat())
    }

    fn pairs<'a>(&mut self, pairs: impl Iterator<Item = (&'a String, &'a String)>) -> [u32; 2] {
        let records: Vec<_> = pairs
            .map(|(name, value)| words(&[self.bytes(name.as_bytes()), self.bytes(value.as_bytes())].concat()))
            .collect();
        self.records(&records)
    }

    /// 80 bytes.
    fn descriptor(&mut self, descriptor: &Descriptor) -> Vec<u8> {
        let digest = descriptor.digest.to_string();
        let mut record =
            words(&[self.bytes(descriptor.media_type.as_bytes()), self.bytes(digest.as_bytes())].concat());
        record.extend(descriptor.size.to_le_bytes());
        record.extend(words(&self.option(descriptor.artifact_type.as_ref())));
        let platform = match &descriptor.platform {
            None => vec![0; 8],
            Some(platform) => [
                &[1][..],
                &self.bytes(platform.os.as_bytes()),
                &self.bytes(platform.architecture.as_bytes()),
                &self.option(platform.variant.as_ref()),
            ]
            .concat(),
        };
        record.extend(words(&platform));
        record.extend(words(&self.pairs(descriptor.annotations.iter())));
        record.extend([0; 4]);
        record
    }

    /// 88 bytes.
    fn packed_layer(&mut self, layer: &PackedLayer) -> Vec<u8> {
        let diff_id = layer.diff_id.to_string();
        [self.descriptor(&layer.descriptor), words(&self.bytes(diff_id.as_bytes()))].concat()
    }

    /// 20 bytes.
    fn public_key(&mut self, key: &PublicKey) -> Vec<u8> {
        let algorithm = match key.algorithm {
            seed_model::Algorithm::EcdsaP256Sha256 => 0,
            seed_model::Algorithm::Ed25519 => 1,
        };
        let ([name, length], [spki, size]) = (self.bytes(key.name.as_bytes()), self.bytes(&key.spki));
        words(&[name, length, algorithm, spki, size])
    }
}

/// Calls of `blobs.put`, one for each document.
fn put_all(memory: &mut Memory, blobs: &[Vec<u8>]) -> String {
    let mut body = String::new();
    for blob in blobs {
        let [place, length] = memory.bytes(blob);
        writeln!(body, "(call $put (i32.const {place}) (i32.const {length}) (i32.const {RESULT}))").unwrap();
        body.push_str(&pass_on(4));
    }
    body
}

/// A packer.
#[derive(Clone, Debug)]
pub struct ScriptedPacker {
    /// Layers of the plan that it has the host pack.
    pub jobs: Vec<(u32, Codec)>,
    /// Layers of the plan that it opens as tars and does not read.
    pub readers: Vec<u32>,
    /// Documents and layers of its own that it puts into the store.
    pub blobs: Vec<Vec<u8>>,
    /// What it returns.
    pub image: Image,
}

impl ScriptedPacker {
    /// The component.
    pub fn build(&self) -> Vec<u8> {
        let mut memory = Memory::default();
        let job = |(layer, codec): &(u32, Codec)| {
            let codec = match codec {
                Codec::None => [0, 0],
                Codec::Gzip(level) => [1, *level],
                Codec::Zstd(level) => [2, *level],
            };
            [&layer.to_le_bytes()[..], &codec, &[0; 2]].concat()
        };
        let jobs: Vec<_> = self.jobs.iter().map(job).collect();
        let [jobs, count] = memory.records(&jobs);
        let mut body = format!(
            "(call $pack (i32.const {jobs}) (i32.const {count}) (i32.const {RESULT}))\n{}",
            pass_on(4)
        );
        for reader in &self.readers {
            writeln!(body, "(drop (call $open (i32.const {reader})))").unwrap();
        }
        body.push_str(&put_all(&mut memory, &self.blobs));
        let layers: Vec<_> = self.image.layers.iter().map(|layer| memory.packed_layer(layer)).collect();
        let image = [
            vec![0; 8],
            memory.descriptor(&self.image.manifest),
            memory.descriptor(&self.image.config),
            words(&memory.records(&layers)),
        ];
        let image = memory.put(&image.concat());
        writeln!(body, "(i32.const {image})").unwrap();
        Guest::new("packer")
            .import(ARCHIVE, "pack-layers", "pack", "(param i32 i32 i32)")
            .import(ARCHIVE, "[constructor]layer-reader", "open", "(param i32) (result i32)")
            .import(BLOBS, "put", "put", "(param i32 i32 i32)")
            .data(DATA, &memory.0)
            .body("pack", &body)
            .build()
    }
}

/// A signer.
#[derive(Clone, Debug)]
pub struct ScriptedSigner {
    /// Documents that it puts into the store.
    pub blobs: Vec<Vec<u8>>,
    /// What it says of every key that it is asked for.
    pub key: PublicKey,
    /// What it returns.
    pub signed: Signed,
}

impl ScriptedSigner {
    /// The component.
    pub fn build(&self) -> Vec<u8> {
        let mut memory = Memory::default();
        let mut body = put_all(&mut memory, &self.blobs);
        let Signed { artifacts, signatures, verify_with } = &self.signed;
        let artifacts: Vec<_> =
            artifacts.iter().map(|artifact| signed_artifact(&mut memory, artifact)).collect();
        let signatures: Vec<_> =
            signatures.iter().map(|signature| signature_record(&mut memory, signature)).collect();
        let (artifacts, signatures) = (memory.records(&artifacts), memory.records(&signatures));
        let verify_with = memory.option(verify_with.as_ref());
        let signed = memory.put(&words(&[&[0][..], &artifacts, &signatures, &verify_with].concat()));
        writeln!(body, "(i32.const {signed})").unwrap();
        let key = memory.public_key(&self.key);
        let key = memory.put(&[words(&[0]), key].concat());
        Guest::new("signer")
            .import(BLOBS, "put", "put", "(param i32 i32 i32)")
            .data(DATA, &memory.0)
            .body("sign", &body)
            .body("describe-key", &format!("(i32.const {key})"))
            .build()
    }
}

/// 96 bytes.
fn signed_artifact(memory: &mut Memory, artifact: &Artifact) -> Vec<u8> {
    let attachment = match &artifact.attachment {
        Attachment::AppendingTag(tag) => [&[0][..], &memory.bytes(tag.as_bytes())].concat(),
        Attachment::Referrer => vec![1, 0, 0],
    };
    [memory.descriptor(&artifact.manifest), words(&attachment), vec![0; 4]].concat()
}

/// 40 bytes.
fn signature_record(memory: &mut Memory, signature: &Signature) -> Vec<u8> {
    let format = match signature.format {
        PayloadFormat::SimpleSigning => 0,
        PayloadFormat::Dsse => 1,
        PayloadFormat::SubjectDigest => 2,
        PayloadFormat::SubjectBytes => 3,
    };
    let key = memory.public_key(&signature.key);
    let (payload, made) = (memory.bytes(&signature.payload), memory.bytes(&signature.signature));
    [key, words(&[&[format][..], &payload, &made].concat())].concat()
}

/// A request that a publisher sends.
#[derive(Clone, Debug)]
pub struct ScriptedRequest {
    pub method: String,
    pub url: String,
    /// Its `content-type`.
    pub content_type: String,
    pub body: Vec<u8>,
}

/// A directory that a publisher writes.
#[derive(Clone, Debug)]
pub struct ScriptedDirectory {
    pub path: String,
    pub marker: String,
    pub files: Vec<File>,
}

/// A publisher.
#[derive(Clone, Debug, Default)]
pub struct ScriptedPublisher {
    /// The repositories that it names.
    pub targets: Vec<String>,
    pub directories: Vec<ScriptedDirectory>,
    /// Tar files, by their path.
    pub tars: Vec<(String, Vec<File>)>,
    pub requests: Vec<ScriptedRequest>,
    /// What it returns.
    pub published: Vec<Published>,
}

impl ScriptedPublisher {
    /// The component.
    pub fn build(&self) -> Vec<u8> {
        let mut memory = Memory::default();
        let mut body = String::new();
        for ScriptedDirectory { path, marker, files } in &self.directories {
            let arguments = [
                memory.bytes(path.as_bytes()),
                memory.bytes(marker.as_bytes()),
                files_of(&mut memory, files),
            ];
            body.push_str(&call("write-directory", &arguments.concat()));
            body.push_str(&pass_on(8));
        }
        for (path, files) in &self.tars {
            let arguments = [memory.bytes(path.as_bytes()), files_of(&mut memory, files)];
            body.push_str(&call("write-tar", &arguments.concat()));
            body.push_str(&pass_on(8));
        }
        for request in &self.requests {
            let request = http_request(&mut memory, request);
            let request = memory.put(&request);
            body.push_str(&call("send", &[request]));
            // An `error` is laid out as a `stage-error`; which kind it is does not matter.
            body.push_str(&pass_on(4));
        }
        let published: Vec<_> = self.published.iter().map(|place| place_record(&mut memory, place)).collect();
        let published = memory.records(&published);
        let published = memory.put(&words(&[&[0][..], &published].concat()));
        writeln!(body, "(i32.const {published})").unwrap();
        let targets: Vec<_> =
            self.targets.iter().map(|target| words(&memory.bytes(target.as_bytes()))).collect();
        let targets = memory.records(&targets);
        let targets = memory.put(&words(&[&[0][..], &targets].concat()));
        Guest::new("publisher")
            .import(FILES, "write-directory", "write-directory", "(param i32 i32 i32 i32 i32 i32 i32)")
            .import(FILES, "write-tar", "write-tar", "(param i32 i32 i32 i32 i32)")
            .import(HTTP, "send", "send", "(param i32 i32)")
            .data(DATA, &memory.0)
            .body("publish", &body)
            .body("targets", &format!("(i32.const {targets})"))
            .build()
    }
}

/// A call that puts its answer at [`RESULT`].
fn call(function: &str, arguments: &[u32]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| format!("(i32.const {argument})")).collect();
    format!("(call ${function} {} (i32.const {RESULT}))\n", arguments.join(" "))
}

fn files_of(memory: &mut Memory, files: &[File]) -> [u32; 2] {
    let file = |file: &File| {
        let path = memory.bytes(file.path.as_bytes());
        let (kind, content) = match &file.content {
            FileContent::Bytes(bytes) => (0, memory.bytes(bytes)),
            FileContent::Blob(digest) => (1, memory.bytes(digest.to_string().as_bytes())),
        };
        words(&[&path[..], &[kind], &content].concat())
    };
    let records: Vec<_> = files.iter().map(file).collect();
    memory.records(&records)
}

/// 48 bytes.
fn place_record(memory: &mut Memory, place: &Published) -> Vec<u8> {
    let digest = place.digest.to_string();
    let (reference, digest) = (memory.bytes(place.reference.as_bytes()), memory.bytes(digest.as_bytes()));
    let try_with = memory.option(place.try_with.as_ref());
    let mut record = words(&[&reference[..], &digest, &[place.uploaded, place.skipped]].concat());
    record.extend(place.bytes.to_le_bytes());
    record.extend(words(&try_with));
    record.extend([0; 4]);
    record
}

/// 88 bytes.
fn http_request(memory: &mut Memory, request: &ScriptedRequest) -> Vec<u8> {
    let (method, url) = (memory.bytes(request.method.as_bytes()), memory.bytes(request.url.as_bytes()));
    let header = ("content-type".to_owned(), request.content_type.clone());
    let headers = memory.pairs(std::iter::once((&header.0, &header.1)));
    let body = memory.bytes(&request.body);
    let fields = [&method[..], &url, &headers, &[0, 0], &[1, 0], &body, &[0; 4], &[0; 3], &[0; 3]];
    words(&fields.concat())
}
