//! A scripted publisher.

use std::fmt::Write as _;

use seed_model::{File, FileContent, Published};

use crate::guest::{DATA, Guest, words};
use crate::scripted::memory::{Memory, RESULT, pass_on};

const FILES: &str = "seed:pipeline/files@0.1.0";
const HTTP: &str = "seed:pipeline/http@0.1.0";

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
