//! `[environment]`: variables that programs see besides those on their lists.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use seed_process::{ACTION_SECRETS, Program};
use seed_report::Problem;
use toml::Spanned;

use crate::pipeline::model::{KeySource, SecretSource, secret_variables};
use crate::pipeline::reader::{Section, invalid, strings};

pub(super) fn read(
    root: &mut Section<'_>,
    keys: &BTreeMap<String, KeySource>,
    secrets: &BTreeMap<String, SecretSource>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Program, BTreeSet<OsString>> {
    let mut added = BTreeMap::new();
    let Some(mut section) = root.table("environment", "[environment]", problems) else { return added };
    for program in Program::ALL {
        let what = format!("`{}`", program.key());
        let names = section.value(program.key()).and_then(|value| strings(&what, value, problems));
        for name in names.iter().flatten() {
            problems.extend(problem(name, program, keys, secrets));
        }
        let names = names.into_iter().flatten().map(|name| name.into_inner().into());
        added.insert(program, names.collect());
    }
    section.finish(problems);
    added
}

/// What is wrong with passing `name` on.
fn problem(
    name: &Spanned<String>,
    program: Program,
    keys: &BTreeMap<String, KeySource>,
    secrets: &BTreeMap<String, SecretSource>,
) -> Option<Problem> {
    let text = name.get_ref();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if text.is_empty() || !text.bytes().all(is_name) || text.as_bytes()[0].is_ascii_digit() {
        return Some(invalid(
            format!("invalid variable name `{}`", text.escape_debug()),
            name.span(),
            "write the whole name of one variable: letters, digits and `_`",
        ));
    }
    let secret = secret_variables(keys, secrets).find(|(variable, _)| variable == text).map(|(_, what)| what);
    let secret = secret.or_else(|| {
        ACTION_SECRETS.contains(&text.as_str()).then(|| "a secret of the GitHub action".to_owned())
    });
    secret.map(|what| {
        invalid(
            format!("cannot pass `{text}` to other programs: it holds {what}"),
            name.span(),
            match program {
                Program::Nix => "builds can read it and have the network: give Nix a variable of its own",
                _ => "give the program a variable of its own",
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use insta::assert_snapshot;
    use seed_process::Program;

    use crate::testing::{parse, rendered};

    const HEAD: &str = "schema = 1\n[source]\nflake = \".\"\n[seed]\nname = \"a\"\n[[publish]]\nplugin = \"builtin:oci-layout\"\n";

    #[test]
    fn variables_are_added_by_kind_of_program() {
        let text = "[environment]\nnix = [\"AWS_PROFILE\"]\ncredential-helper = [\"GH_TOKEN\"]\n";
        let pipeline = parse(&format!("{HEAD}{text}")).unwrap();
        assert!(pipeline.environment[&Program::Nix].contains(&OsString::from("AWS_PROFILE")));
        assert!(pipeline.environment[&Program::CredentialHelper].contains(&OsString::from("GH_TOKEN")));
        assert!(pipeline.environment[&Program::ContainerEngine].is_empty());
    }

    #[test]
    fn secrets_and_patterns_are_refused() {
        let text = "[keys.k]\ncosign = { file = \"k\", password = { env = \"PASS\" } }\n\
                    [secrets.t]\nenv = \"TOKEN\"\n\
                    [environment]\nnix = [\"PASS\", \"AWS_*\", \"\"]\n\
                    container-engine = [\"TOKEN\", \"COSIGN_PRIVATE_KEY\"]\ngit = []\n";
        assert_snapshot!(rendered(&parse(&format!("{HEAD}{text}")).unwrap_err()));
    }
}
