//! `max-size` and `[seed.forbid]`: what an image may hold.

use seed_model::ByteSize;
use seed_report::Problem;
use toml::Spanned;
use toml::de::DeValue;

use crate::pipeline::model::{Forbid, Group};
use crate::pipeline::reader::{Section, invalid, strings, wrong_type};
use crate::suggest::did_you_mean;

/// The longest name of a store path, as Nix takes it.
const MAX_NAME: usize = 211;

/// A string with a unit, or an integer of bytes.
pub(super) fn max_size(section: &mut Section<'_>, problems: &mut Vec<Problem>) -> Option<Spanned<ByteSize>> {
    let value = section.value("max-size")?;
    let size = match value.get_ref() {
        DeValue::String(text) => text.parse().ok(),
        DeValue::Integer(integer) => {
            u64::from_str_radix(integer.as_str(), integer.radix()).ok().map(ByteSize)
        }
        _ => {
            problems.push(wrong_type("`max-size`", "a size such as \"50 MiB\"", value));
            return None;
        }
    };
    match size {
        Some(size) if size.0 > 0 => Some(Spanned::new(value.span(), size)),
        _ => {
            problems.push(invalid(
                "invalid size for `max-size`",
                value.span(),
                "write a whole number with a unit, such as \"50 MiB\" or \"100 MB\", or a number of bytes",
            ));
            None
        }
    }
}

pub(super) fn forbid(section: &mut Section<'_>, problems: &mut Vec<Problem>) -> Forbid {
    let mut forbid = Forbid::default();
    let Some(mut table) = section.table("forbid", "[seed.forbid]", problems) else { return forbid };
    if let Some(names) = table.value("groups").and_then(|value| strings("`groups`", value, problems)) {
        forbid.groups = names.into_iter().filter_map(|name| group(&name, problems)).collect();
    }
    if let Some(names) = table.value("names").and_then(|value| strings("`names`", value, problems)) {
        forbid.names = names;
        forbid.names.iter().filter(|name| !is_pattern(name.get_ref())).for_each(|name| {
            problems.push(invalid(
                format!("invalid package name `{}`", name.get_ref().escape_debug()),
                name.span(),
                "write the name of a store path without its hash, such as `openssl` (any version), \
                 `openssl-1.1.1w` or `openssl-1.*`",
            ));
        });
    }
    table.finish(problems);
    forbid
}

fn group(name: &Spanned<String>, problems: &mut Vec<Problem>) -> Option<Spanned<Group>> {
    let found = Group::ALL.into_iter().find(|group| group.name() == name.get_ref());
    if found.is_none() {
        let known = Group::ALL.map(Group::name);
        problems.push(invalid(
            format!("unknown group `{}`", name.get_ref().escape_debug()),
            name.span(),
            did_you_mean(name.get_ref(), known).unwrap_or_else(|| {
                let known = known.map(|name| format!("`{name}`")).join(" and ");
                format!("the groups are {known}; use `names` for packages")
            }),
        ));
    }
    found.map(|group| Spanned::new(name.span(), group))
}

/// Whether a store path could have a name like this. `*` alone would forbid everything.
fn is_pattern(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-._?=*".contains(c);
    text.len() <= MAX_NAME && text.chars().all(plain) && text.chars().any(|c| c != '*')
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use crate::pipeline::{Group, Pipeline};
    use crate::testing::{parse, rendered};

    const HEAD: &str = "schema = 1\n[source]\nflake = \".\"\n[[publish]]\nplugin = \"builtin:oci-layout\"\n[seed]\nname = \"a\"\n";

    fn read(seed: &str) -> Result<Pipeline, seed_report::Problems> {
        parse(&format!("{HEAD}{seed}"))
    }

    #[test]
    fn the_rules_of_an_image_are_read() {
        let forbid = "[seed.forbid]\ngroups = [\"headers\"]\nnames = [\"openssl-1.*\"]\n";
        let pipeline = read(&format!("max-size = \"50 MiB\"\n{forbid}")).unwrap();
        assert_eq!(pipeline.seed.max_size.unwrap().get_ref().0, 50 << 20);
        assert_eq!(*pipeline.seed.forbid.groups[0].get_ref(), Group::Headers);
        assert_eq!(pipeline.seed.forbid.names[0].get_ref(), "openssl-1.*");
        assert_eq!(read("max-size = 1_000\n").unwrap().seed.max_size.unwrap().get_ref().0, 1000);
        let granted = read("[legal]\napple-sdk = \" stays in our house \"\n").unwrap();
        assert_eq!(granted.legal.apple_sdk.unwrap(), "stays in our house");
    }

    #[test]
    fn rules_that_cannot_be_are_told() {
        let error = |seed| rendered(&read(seed).unwrap_err());
        assert_snapshot!(
            "sizes",
            [
                error("max-size = \"50 M\"\n"),
                error("max-size = 0\n"),
                error("max-size = -1\n"),
                error("max-size = true\n"),
            ]
            .join("\n")
        );
        assert_snapshot!(
            "forbid",
            error(
                "[seed.forbid]\ngroups = [\"compiler\", \"games\"]\nnames = [\"*\", \"a/b\", \"\"]\nname = [\"x\"]\n",
            )
        );
        assert_snapshot!(
            "legal",
            [error("[legal]\napple-sdk = \"yes\"\n"), error("[legal]\napple-sdk = true\napple = 1\n"),]
                .join("\n")
        );
    }
}
