//! Components from WebAssembly text.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::repository::repository;

/// A component of a world of the contract, from WebAssembly text. It describes itself as `hostile` 1.2.3; its other exports trap until they
/// get a body.
#[derive(Debug)]
pub struct Guest {
    world: &'static str,
    package: String,
    extra_imports: String,
    imports: String,
    items: String,
    data: String,
    bodies: Vec<(&'static str, String)>,
}

/// Where the data of a test begins in memory.
pub const DATA: usize = 1024;

/// Interface, function, and type of every export, by world.
const EXPORTS: [(&str, &str, &str, &str); 7] = [
    ("layer-selector", "layer-selection", "outputs", "(param i32)"),
    ("layer-selector", "layer-selection", "plan", "(param i32)"),
    ("packer", "packing", "pack", "(param i32)"),
    ("signer", "signing", "describe-key", "(param i32 i32 i32 i32)"),
    ("signer", "signing", "sign", "(param i32)"),
    ("publisher", "publishing", "targets", "(param i32 i32 i32 i32)"),
    ("publisher", "publishing", "publish", "(param i32)"),
];

impl Guest {
    /// A component of this world.
    pub fn new(world: &'static str) -> Self {
        Self {
            world,
            package: "0.1.0".to_owned(),
            extra_imports: String::new(),
            imports: String::new(),
            items: String::new(),
            data: String::new(),
            bodies: Vec::new(),
        }
    }

    /// Builds it against another version of the contract.
    pub fn contract(mut self, version: &str) -> Self {
        version.clone_into(&mut self.package);
        self
    }

    /// Adds an interface to the world's imports, such as `wasi:cli/stderr@0.2.3`.
    pub fn world_import(mut self, interface: &str) -> Self {
        writeln!(self.extra_imports, "import {interface};").unwrap();
        self
    }

    /// Imports a function as `$name`; `kind` is its core type.
    pub fn import(mut self, interface: &str, function: &str, name: &str, kind: &str) -> Self {
        writeln!(self.imports, r#"(import "{interface}" "{function}" (func ${name} {kind}))"#).unwrap();
        self
    }

    /// Adds anything to the core module.
    pub fn item(mut self, item: &str) -> Self {
        self.items.push_str(item);
        self
    }

    /// Puts bytes into memory.
    pub fn data(mut self, offset: usize, bytes: &[u8]) -> Self {
        let escaped = bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "\\{byte:02x}").unwrap();
            text
        });
        writeln!(self.data, r#"(data (i32.const {offset}) "{escaped}")"#).unwrap();
        self
    }

    /// The body of an exported function, or of `describe`.
    pub fn body(mut self, function: &'static str, body: &str) -> Self {
        self.bodies.push((function, body.to_owned()));
        self
    }

    /// The component's bytes.
    pub fn build(self) -> Vec<u8> {
        let module = wat::parse_str(self.module()).unwrap();
        component(module, &self.package, self.world, &self.extra_imports)
    }

    fn module(&self) -> String {
        let version = &self.package;
        let body = |function: &str| {
            let own = self.bodies.iter().find(|(name, _)| *name == function);
            own.map_or("unreachable", |(_, body)| body)
        };
        let mut exports = String::new();
        for (_, interface, function, kind) in EXPORTS.iter().filter(|export| export.0 == self.world) {
            let body = body(function);
            writeln!(
                exports,
                r#"(func (export "seed:pipeline/{interface}@{version}#{function}") {kind} (result i32) {body})"#
            )
            .unwrap();
        }
        let describe = match body("describe") {
            "unreachable" => "i32.const 16",
            body => body,
        };
        let (imports, items, data) = (&self.imports, &self.items, &self.data);
        format!(
            r#"(module
            {imports}
            (memory (export "memory") 2)
            (global $heap (mut i32) (i32.const 65536))
            ;; A bump allocator that grows memory.
            (func $alloc (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and
                    (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                    (i32.sub (i32.const 0) (local.get $align))))
                (global.set $heap (i32.add (local.get $at) (local.get $new)))
                (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
                    (then (drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $new) (i32.const 65536)))))))
                (local.get $at))
            (func (export "seed:pipeline/plugin@{version}#describe") (result i32) {describe})
            {exports}
            {items}
            (data (i32.const 16) "\40\00\00\00\07\00\00\00\47\00\00\00\05\00\00\00\4c\00\00\00\13\00\00\00\5f\00\00\00\02\00\00\00")
            (data (i32.const 64) "hostile1.2.3A hostile component{{}}")
            {data})"#
        )
    }
}

/// The directory of the contract.
pub fn contract() -> PathBuf {
    repository().join("wit")
}

/// A component of a core module that has the functions of a world of the contract, and of what `extra_imports` adds to the
/// world. The contract is this one, with `version` for its version.
pub fn component(mut module: Vec<u8>, version: &str, world: &str, extra_imports: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let directory = tempfile::tempdir().unwrap();
    for file in fs::read_dir(contract()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let package = format!("seed:pipeline@{version}");
            let text = fs::read_to_string(&path).unwrap().replace("seed:pipeline@0.1.0", &package);
            fs::write(directory.path().join(path.file_name().unwrap()), text).unwrap();
        }
    }
    resolve.push_dir(directory.path()).unwrap();
    for package in include_str!("wasi.wit").split("// ---\n") {
        resolve.push_str("wasi.wit", package).unwrap();
    }
    let own = format!(
        "package test:guest; world guest {{ include seed:pipeline/{world}@{version};\n{extra_imports} }}"
    );
    let own = resolve.push_str("guest.wit", &own).unwrap();
    let world = resolve.select_world(&[own], Some("guest")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// Little-endian words, for records in memory.
pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
