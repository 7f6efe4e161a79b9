//! Plans: every path once, none lost, nothing that could hide or replace a store path.

use std::collections::BTreeSet;

use seed_model::{Closure, ImagePlan};

use crate::check::error::{MAX_CONFIG, MAX_ENTRIES, MAX_LAYERS, PlanError};
use crate::check::{config, entries};

/// Checks `plan` against the closure that it was made for.
pub(crate) fn check_plan(plan: &ImagePlan, closure: &Closure) -> Result<(), PlanError> {
    if plan.layers.len() > MAX_LAYERS {
        return Err(PlanError::Layers(plan.layers.len()));
    }
    check_paths(plan, closure)?;
    let entries = plan.layers.iter().map(|layer| layer.entries.len()).fold(0, usize::saturating_add);
    if entries > MAX_ENTRIES {
        return Err(PlanError::Entries(entries));
    }
    entries::check(plan, closure)?;
    let size = config::check(plan)?;
    if size > MAX_CONFIG { Err(PlanError::ConfigSize(size)) } else { Ok(()) }
}

fn check_paths(plan: &ImagePlan, closure: &Closure) -> Result<(), PlanError> {
    let mut seen = BTreeSet::new();
    for (layer, content) in plan.layers.iter().enumerate() {
        for &index in &content.paths {
            let paths = closure.paths.len();
            let path = closure.paths.get(index as usize).ok_or(PlanError::Index { layer, index, paths })?;
            if !seen.insert(index) {
                return Err(PlanError::Twice { path: path.store_path.clone() });
            }
        }
    }
    let mut missing = (0_u32..).zip(&closure.paths).filter(|(index, _)| !seen.contains(index));
    match missing.next() {
        None => Ok(()),
        Some((_, first)) => {
            Err(PlanError::Missing { first: first.store_path.clone(), more: missing.count() })
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use seed_model::{Digest, Entry, EntryKind, Layer, StorePath};

    use super::*;

    fn closure() -> Closure {
        let path = |name: &str| StorePath {
            store_path: format!("/nix/store/{name}"),
            nar_hash: Digest::of(name.as_bytes()),
            nar_size: 1,
            references: Vec::new(),
        };
        Closure { paths: vec![path("a"), path("b"), path("c")], outputs: Vec::new() }
    }

    fn plan(layers: &[&[u32]]) -> ImagePlan {
        let layer =
            |paths: &&[u32]| Layer { name: "apps".to_owned(), paths: paths.to_vec(), entries: Vec::new() };
        ImagePlan { layers: layers.iter().map(layer).collect(), ..ImagePlan::default() }
    }

    fn error(plan: &ImagePlan) -> String {
        check_plan(plan, &closure()).unwrap_err().to_string()
    }

    fn entry(path: &str, kind: EntryKind) -> Entry {
        Entry { path: path.to_owned(), kind, mode: 0o755, uid: 0, gid: 0 }
    }

    /// The error for a plan with these entries, in two layers.
    fn entries(list: &[Entry]) -> String {
        let mut plan = plan(&[&[0, 1, 2], &[]]);
        plan.layers[0].entries.extend(list.first().cloned());
        plan.layers[1].entries.extend(list.iter().skip(1).cloned());
        check_plan(&plan, &closure()).map_or_else(|error| error.to_string(), |()| "taken".to_owned())
    }

    #[test]
    fn each_path_is_there_once() {
        assert_eq!(check_plan(&plan(&[&[2, 0], &[1], &[]]), &closure()), Ok(()));
        let errors = [
            error(&plan(&[&[0, 1]])),
            error(&plan(&[&[0]])),
            error(&plan(&[&[0, 1], &[1, 2]])),
            error(&plan(&[&[0, 1, 2, 3]])),
            error(&plan(&[&[u32::MAX]])),
            error(&plan(&[&[][..]; 128])),
        ];
        assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn entries_are_plain_and_hide_nothing() {
        let file = |path: &str| entry(path, EntryKind::File(Vec::new()));
        let directory = |path: &str| entry(path, EntryKind::Directory);
        let link = |path: &str, target: &str| entry(path, EntryKind::Symlink(target.to_owned()));
        assert_eq!(
            entries(&[directory("/tmp"), link("/bin/sh", "/nix/store/a/bin/sh"), file("/etc/passwd")]),
            "taken"
        );
        let bad = ["", "/", "tmp", "/tmp/", "/a//b", "/a/./b", "/a/../b", "/a\0b", "/a\nb", "/a/.wh.b"];
        let mut errors: Vec<_> = bad.iter().map(|path| entries(&[file(path)])).collect();
        errors.extend([
            entries(&[file(&format!("/{}", "x".repeat(256)))]),
            entries(&[file(&"/x".repeat(3000))]),
            entries(&[file("/nix/store/a/b")]),
            entries(&[directory("/nix/store/d")]),
            entries(&[directory("/nix/store")]),
            entries(&[link("/nix", "/tmp")]),
            entries(&[file("/a"), file("/a")]),
            entries(&[directory("/a/b"), link("/a", "/tmp")]),
            entries(&[file("/a"), file("/a/b/c")]),
            entries(&[link("/a", "")]),
            entries(&[Entry { mode: 0o10_000, ..directory("/a") }]),
            entries(&[entry("/a", EntryKind::File(vec![0; (4 << 20) + 1]))]),
            entries(&[entry("/a", EntryKind::Registration), entry("/b", EntryKind::Registration)]),
        ]);
        assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn configurations_are_well_formed() {
        let with = |change: fn(&mut ImagePlan)| {
            let mut plan = plan(&[&[0, 1, 2]]);
            change(&mut plan);
            check_plan(&plan, &closure()).map_or_else(|error| error.to_string(), |()| "taken".to_owned())
        };
        let good = with(|plan| {
            plan.config.env = vec!["PATH=/bin".to_owned(), "EMPTY=".to_owned()];
            plan.config.exposed_ports = vec!["80".to_owned(), "53/udp".to_owned()];
            plan.config.volumes = vec!["/data".to_owned()];
            plan.config.working_dir = Some("/".to_owned());
            plan.config.stop_signal = Some("SIGTERM".to_owned());
        });
        let errors = [
            good,
            with(|plan| plan.config.env = vec!["A=1".to_owned(), "B=1".to_owned(), "A=2".to_owned()]),
            with(|plan| plan.config.env = vec!["A".to_owned()]),
            with(|plan| plan.config.env = vec!["=1".to_owned()]),
            with(|plan| plan.config.cmd = vec!["a\0b".to_owned()]),
            with(|plan| plan.config.exposed_ports = vec!["0".to_owned()]),
            with(|plan| plan.config.exposed_ports = vec!["80/icmp".to_owned()]),
            with(|plan| plan.config.volumes = vec!["data".to_owned()]),
            with(|plan| plan.config.working_dir = Some("work".to_owned())),
            with(|plan| plan.config.stop_signal = Some("TERM NOW".to_owned())),
            with(|plan| drop(plan.config.labels.insert(String::new(), String::new()))),
            with(|plan| drop(plan.annotations.insert("a".to_owned(), "x".repeat(2 << 20)))),
        ];
        assert_snapshot!(errors.join("\n"));
    }
}
