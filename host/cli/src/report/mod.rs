//! Errors as people and machines read them.

mod json;
mod place;
mod text;

use json::JsonReport;
use text::render;

use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Printer;

/// Tells of an error: on standard error, or with `--json` as the document on standard output. Gives the exit code.
pub(crate) fn report(error: &CliError, printer: &Printer) -> Exit {
    let exit = error.exit();
    printer.end_progress();
    let told = printer.is_json() && printer.json(&JsonReport::new(error, exit)).is_ok();
    if !told {
        printer.say(&render(error));
    }
    exit
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use miette::Diagnostic;
    use seed_engine::{Problem, Problems, SourceFile};

    use super::*;

    fn problems(count: usize) -> Problems {
        let text = "schema = 1\n\n[select]\nplugn = \"builtin:standard-layers\"\n";
        let file = SourceFile { path: PathBuf::from("pipeline.toml"), text: text.into() };
        let problem = Problem {
            code: "seed::pipeline::unknown-key".into(),
            message: "unknown key `plugn` in `[select]`".into(),
            label: "not a key of `[select]`".into(),
            span: Some(21..26),
            help: Some("did you mean `plugin`?".into()),
        };
        Problems::check(&file, vec![problem; count]).unwrap_err()
    }

    fn plain(error: &dyn Diagnostic) -> String {
        anstream::adapter::strip_str(&render(error)).to_string()
    }

    #[test]
    fn one_problem_quotes_its_line() {
        insta::assert_snapshot!(plain(&problems(1)), @r#"
        error[seed::pipeline::unknown-key]: pipeline.toml: unknown key `plugn` in `[select]`
         --> pipeline.toml:4:1
          |
        3 | [select]
        4 | plugn = "builtin:standard-layers"
          | ^^^^^ not a key of `[select]`
          help: did you mean `plugin`?
        "#);
    }

    #[test]
    fn several_problems_are_all_shown() {
        insta::assert_snapshot!(plain(&problems(2)), @r#"
        error[seed::pipeline::unknown-key]: unknown key `plugn` in `[select]`
         --> pipeline.toml:4:1
          |
        3 | [select]
        4 | plugn = "builtin:standard-layers"
          | ^^^^^ not a key of `[select]`
          help: did you mean `plugin`?

        error[seed::pipeline::unknown-key]: unknown key `plugn` in `[select]`
         --> pipeline.toml:4:1
          |
        3 | [select]
        4 | plugn = "builtin:standard-layers"
          | ^^^^^ not a key of `[select]`
          help: did you mean `plugin`?

        error: pipeline.toml has 2 problems
        "#);
    }

    #[test]
    fn json_has_line_and_column() {
        let json = serde_json::to_string_pretty(&JsonReport::new(&problems(1), Exit::Usage)).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "schema": 1,
          "error": {
            "exit-code": 2,
            "code": "seed::pipeline::unknown-key",
            "message": "pipeline.toml: unknown key `plugn` in `[select]`",
            "causes": [],
            "help": "did you mean `plugin`?",
            "places": [
              {
                "file": "pipeline.toml",
                "line": 4,
                "column": 1,
                "label": "not a key of `[select]`"
              }
            ],
            "related": []
          }
        }
        "#);
    }

    #[test]
    fn causes_are_shown_once_and_control_characters_never() {
        #[derive(Debug, thiserror::Error, Diagnostic)]
        #[error("registry answered: {answer}")]
        #[diagnostic(code("seed::test::answer"), help("first line\nsecond line"))]
        struct Answer {
            answer: &'static str,
            source: std::io::Error,
        }
        let full = std::io::Error::other("no space left");
        let error = Answer { answer: "\u{1b}[2Jgone\nmore", source: std::io::Error::other(full) };
        insta::assert_snapshot!(plain(&error), @r#"
        error[seed::test::answer]: registry answered: \u{1b}[2Jgone
          more
          cause: no space left
          help: first line
                second line
        "#);
    }

    #[test]
    fn a_long_line_is_cut_around_its_label() {
        let text = format!("key = \"{}\"\t# \u{1b}[31m{}\n", "ä".repeat(300), "c".repeat(300));
        let file = SourceFile { path: PathBuf::from("long.toml"), text: text.into() };
        let problem = Problem {
            code: "seed::test::long".into(),
            message: "too long".into(),
            label: "here".into(),
            span: Some(601..605),
            help: None,
        };
        let error = Problems::check(&file, vec![problem]).unwrap_err();
        insta::assert_snapshot!(plain(&error), @r#"
        error[seed::test::long]: long.toml: too long
         --> long.toml:1:305
          |
        1 | …äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää"    # \u{1b}[31mcccccccccccccccccccccc…
          |                                                                                  ^^ here
        "#);
    }
}
