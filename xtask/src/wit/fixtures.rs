//! The fixture of each world: a component that imports and exports all that the world has. A host that changes the shape
//! of anything cannot load it any more.

use std::path::Path;

use miette::{Result, bail, miette};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{WorldId, WorldItem};

use crate::wit::contract::Contract;

/// The sources, below the contract: `WORLD.wat`, with `VERSION` where the contract's version belongs.
const SOURCES: &str = "fixtures";

/// The component of each world, by name.
pub(crate) fn build(directory: &Path, contract: &Contract) -> Result<Vec<(String, Vec<u8>)>> {
    let worlds = &contract.resolve.packages[contract.package].worlds;
    worlds
        .iter()
        .map(|(name, world)| {
            let path = directory.join(SOURCES).join(format!("{name}.wat"));
            let source = std::fs::read_to_string(&path)
                .map_err(|error| miette!("cannot read the fixture {}: {error}", path.display()))?;
            let source = source.replace("VERSION", &contract.version);
            let wrong = |error: String| miette!("the fixture {} is wrong: {error}", path.display());
            let missing = missing(contract, *world, &source);
            if !missing.is_empty() {
                bail!(
                    help = "add them to the fixture: later hosts are held to what it has",
                    "the fixture {} does not have all functions of its world; missing: {}",
                    path.display(),
                    missing.join(", ")
                );
            }
            let component = component(contract, *world, &source).map_err(wrong)?;
            Ok((name.clone(), component))
        })
        .collect()
}

/// The functions of a world that the source does not name, in the form in which a core module does.
fn missing(contract: &Contract, world: WorldId, source: &str) -> Vec<String> {
    let Contract { resolve, .. } = contract;
    let world = &resolve.worlds[world];
    let functions = |item: &WorldItem, separator: &str| match item {
        WorldItem::Interface { id, .. } => {
            let interface = resolve.id_of(*id).unwrap_or_default();
            let names = resolve.interfaces[*id].functions.keys();
            names.map(|name| format!("\"{interface}{separator}{name}\"")).collect()
        }
        _ => Vec::new(),
    };
    let imports = world.imports.values().flat_map(|item| functions(item, "\" \""));
    let exports = world.exports.values().flat_map(|item| functions(item, "#"));
    imports.chain(exports).filter(|name| !source.contains(name)).collect()
}

fn component(contract: &Contract, world: WorldId, source: &str) -> Result<Vec<u8>, String> {
    let mut module = wat::parse_str(source).map_err(|error| error.to_string())?;
    embed_component_metadata(&mut module, &contract.resolve, world, StringEncoding::UTF8)
        .and_then(|()| ComponentEncoder::default().validate(true).module(&module)?.encode())
        .map_err(|error| format!("{error:#}"))
}
