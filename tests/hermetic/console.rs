//! The commands in the documentation that need nothing but `seed`; `tests/e2e/console.rs` runs the others.

use seed_tests::markdown::Page;
use seed_tests::{console, seed_program};

#[test]
fn commands_in_the_documentation_do_what_it_shows() {
    let run =
        console::run_all(|session| session.peers.is_empty().then(|| console::environment(&seed_program())));
    match run {
        Ok(sessions) => assert!(sessions > 0, "no session was run"),
        Err(problems) => panic!("{problems}"),
    }
}

/// What is wrong with a page.
fn problems(text: &str) -> String {
    let result = console::sessions(&[Page::new("page.md", text)]).and_then(|sessions| {
        sessions.iter().try_for_each(|session| console::run(session, &console::environment(&seed_program())))
    });
    result.err().unwrap_or_default()
}

#[test]
fn a_stale_block_is_found() {
    let page = "<!-- run in . -->\n```console\n$ seed --version | cut -c1-4\nseed\n$ echo new\nold\n```\n";
    insta::assert_snapshot!(problems(page), @"
    page.md:2: $ echo new
    -- the page shows
    old
    -- the command prints
    new
    ");
}

#[test]
fn a_failing_command_is_found() {
    let page =
        "<!-- run in . -->\n```console\n$ cd examples\n```\n\n<!-- continue -->\n```console\n$ false\n```\n";
    insta::assert_snapshot!(problems(page), @"
    page.md:7: $ false
    fails with Some(1)
    ");
}

#[test]
fn a_block_that_says_nothing_is_found() {
    let page = "```console\n$ true\n```\n";
    insta::assert_snapshot!(problems(page), @"page.md:1: a comment `run in`, `continue` or `not run: REASON` belongs before this block");
}

#[test]
fn times_and_elided_text_may_differ() {
    let page = "<!-- run in . -->\n```console\n\
        $ printf 'a\\nb\\nc 3 ms, 0123456789ab\\n'\na\n…\nc 12.5 s, ba9876543210\n\
        $ echo sha256:0123 end\nsha256:… end\n```\n";
    assert_eq!(problems(page), "");
}
