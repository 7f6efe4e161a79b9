//! Why a path is in a closure.

use seed_plugin::selector::Closure;
use seed_store_path::{Chains, chain_text};

/// The shortest way from what a layer asked for to a path, by names: `apps → hello-2.12 → glibc-2.40`. Of equally short
/// ones, that of the first layer, then over the paths that sort first; none if no layer reaches it.
pub fn chain(closure: &Closure, path: u32) -> Option<String> {
    let roots = closure.outputs().iter().map(|output| output.roots.as_slice());
    let chain = Chains::new(closure.len() as usize, roots, |path| closure.references(path)).to(path)?;
    let paths = chain.paths.iter().map(|path| closure.store_path(*path));
    Some(chain_text(&closure.outputs()[chain.layer].layer, paths))
}
