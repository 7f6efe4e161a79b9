//! Which standard layer each path belongs to.

use seed_plugin::selector::Closure;

/// The paths of one standard layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) name: String,
    /// Indices into the closure, ascending.
    pub(crate) paths: Vec<u32>,
}

/// Gives each path to the first output that reaches it. Outputs that are left with nothing are left out.
pub(crate) fn assign(closure: &Closure) -> Vec<Role> {
    let mut taken = vec![false; closure.len() as usize];
    let mut roles = Vec::new();
    for output in closure.outputs() {
        let mut paths = Vec::new();
        let mut pending = output.roots.clone();
        while let Some(index) = pending.pop() {
            if std::mem::replace(&mut taken[index as usize], true) {
                continue;
            }
            paths.push(index);
            pending.extend_from_slice(closure.references(index));
        }
        if !paths.is_empty() {
            paths.sort_unstable();
            roles.push(Role { name: output.layer.clone(), paths });
        }
    }
    roles
}
