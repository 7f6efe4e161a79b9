//! Runs the `console` blocks of the documentation.
//!
//! An HTML comment before each block says what happens to it:
//!
//! | comment | meaning |
//! |---|---|
//! | `run in DIRECTORY` | run it in that directory, in a fresh copy of the repository's `examples` |
//! | `run in DIRECTORY with PEER, PEER` | the same, in the end-to-end tests, with these programs of others |
//! | `continue` | run it where the block before it has ended |
//! | `not run: REASON` | leave it out |
//!
//! Each command must succeed. If a block shows output, it must be what the command prints (on standard error, if nothing
//! is on standard output), except for what changes from run to run (see `normal`). In a block, `…` stands for any
//! text, and alone on its line for any lines.

use std::env;
use std::fs;
use std::path::Path;

use crate::environment::TestEnvironment;
use crate::markdown::{CodeBlock, Page, pages};
use crate::repository::repository;
use crate::run::Run;

/// Begins the output of a command.
const MARK: &str = "\u{1}";

/// Blocks that run one after the other in one shell.
#[derive(Debug)]
pub struct Session {
    /// Where the first block is: file and line.
    pub place: String,
    /// The directory that its first block names.
    pub directory: String,
    /// The programs of others that it needs.
    pub peers: Vec<String>,
    commands: Vec<Command>,
}

#[derive(Debug)]
struct Command {
    place: String,
    text: String,
    /// The output that the page shows.
    output: String,
}

/// The sessions of some pages; blocks without a comment, or with an unknown one, are an error.
pub fn sessions(pages: &[Page]) -> Result<Vec<Session>, String> {
    let mut sessions = Vec::new();
    let mut problems = Vec::new();
    for page in pages {
        let mut current = None;
        for block in page.code_blocks().iter().filter(|block| block.language == "console") {
            let place = format!("{}:{}", page.path.display(), block.line);
            if let Err(problem) = add(block, &place, &mut current, &mut sessions) {
                problems.push(format!("{place}: {problem}"));
            }
        }
        sessions.extend(current);
    }
    if problems.is_empty() { Ok(sessions) } else { Err(problems.join("\n")) }
}

/// Adds a block to the current session, or begins another one.
fn add(
    block: &CodeBlock,
    place: &str,
    current: &mut Option<Session>,
    sessions: &mut Vec<Session>,
) -> Result<(), String> {
    let comment = block.comment.as_deref().unwrap_or_default();
    if comment.starts_with("not run: ") {
        return Ok(());
    }
    if let Some(scene) = comment.strip_prefix("run in ") {
        let (directory, peers) = scene.split_once(" with ").unwrap_or((scene, ""));
        let peers = peers.split(", ").filter(|peer| !peer.is_empty()).map(str::to_owned).collect();
        sessions.extend(current.take());
        let place = place.to_owned();
        *current = Some(Session { place, directory: directory.to_owned(), peers, commands: Vec::new() });
    } else if comment != "continue" {
        return Err(
            "a comment `run in`, `continue` or `not run: REASON` belongs before this block".to_owned()
        );
    }
    let session = current.as_mut().ok_or("`continue` has no block to continue")?;
    session.commands.extend(commands(block, place)?);
    Ok(())
}

/// The commands of a block with their output. A line that ends in `\` goes on in the next.
fn commands(block: &CodeBlock, place: &str) -> Result<Vec<Command>, String> {
    let mut commands: Vec<Command> = Vec::new();
    let mut goes_on = false;
    for line in block.text.lines() {
        if let Some(text) = line.strip_prefix("$ ") {
            commands.push(Command { place: place.to_owned(), text: text.to_owned(), output: String::new() });
            goes_on = text.ends_with('\\');
            continue;
        }
        let command = commands.last_mut().ok_or("the block does not begin with `$ `")?;
        let text = if goes_on { &mut command.text } else { &mut command.output };
        if goes_on {
            text.push('\n');
        }
        text.push_str(line);
        if !goes_on {
            text.push('\n');
        }
        goes_on = goes_on && line.ends_with('\\');
    }
    Ok(commands)
}

/// What differs from a page.
#[derive(Debug)]
struct Problem {
    message: String,
    /// The text of the page that is stale, and what belongs there.
    fix: Option<(String, String)>,
}

/// Runs a session in an environment that has what it needs; what differs from the page is an error.
pub fn run(session: &Session, environment: &TestEnvironment) -> Result<(), String> {
    let problems = problems(session, environment);
    if problems.is_empty() { Ok(()) } else { Err(messages(&problems)) }
}

fn messages(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("\n\n")
}

fn problems(session: &Session, environment: &TestEnvironment) -> Vec<Problem> {
    let mark = format!("printf '{MARK}'; printf '{MARK}' >&2");
    let commands = session.commands.iter().map(|command| format!("{mark}\n{}\n", command.text));
    let script =
        std::iter::once("set -euo pipefail\n".to_owned()).chain(commands).collect::<Vec<_>>().concat();
    let start = environment.work().join(&session.directory);
    let run = Run::of(environment.command("bash").current_dir(start).arg("-c").arg(script));
    // Nothing comes before the first mark.
    let outputs = run.stdout.split(MARK).zip(run.stderr.split(MARK)).skip(1);
    let mut problems = Vec::new();
    let mut last = None;
    for (command, (stdout, stderr)) in session.commands.iter().zip(outputs) {
        // Notes go to standard error.
        let output = if stdout.is_empty() { stderr } else { stdout };
        problems.extend(command.problem(output));
        last = Some((command, stdout, stderr));
    }
    if run.code != Some(0)
        && let Some((Command { place, text, .. }, stdout, stderr)) = last
    {
        let message = format!("{place}: $ {text}\nfails with {:?}\n{stdout}\n{stderr}", run.code);
        problems.push(Problem { message: message.trim_end().to_owned(), fix: None });
    }
    problems
}

impl Command {
    /// How an output differs from the one that the page shows, if it shows one.
    fn problem(&self, output: &str) -> Option<Problem> {
        let (place, text) = (&self.place, &self.text);
        let (shown, printed) = (normal(&self.output), normal(output));
        if shown.is_empty() || matches(&shown, &printed) {
            return None;
        }
        let message =
            format!("{place}: $ {text}\n-- the page shows\n{shown}\n-- the command prints\n{printed}");
        let fix =
            (format!("$ {text}\n{}", self.output), format!("$ {text}\n{}\n", elided(&self.output, output)));
        Some(Problem { message, fix: Some(fix) })
    }
}

/// An output for a page, shortened where the page has shortened the one before it: between the lines around its `…`.
fn elided(shown: &str, output: &str) -> String {
    let shown: Vec<_> = shown.lines().collect();
    let mut output: Vec<_> = output.trim_matches('\n').lines().map(str::trim_end).collect();
    if let Some(dots) = shown.iter().position(|line| *line == "…") {
        let before =
            dots.checked_sub(1).and_then(|before| output.iter().position(|line| *line == shown[before]));
        let start = before.map_or(0, |before| before + 1);
        let end = match shown.get(dots + 1) {
            Some(after) => output[start..].iter().position(|line| line == after).map(|end| start + end),
            None => Some(output.len()),
        };
        if let Some(end) = end {
            output.splice(start..end, ["…"]);
        }
    }
    output.join("\n")
}

/// Runs those sessions of the documentation that `prepare` has an environment for; all that differs is one error. With
/// `INSTA_UPDATE=always`, stale outputs are replaced in their pages instead, like snapshots. Returns the number of
/// sessions.
pub fn run_all(prepare: impl Fn(&Session) -> Option<TestEnvironment>) -> Result<usize, String> {
    let updates = env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always");
    let mut remaining = Vec::new();
    let mut count = 0;
    for session in sessions(&pages())? {
        let Some(environment) = prepare(&session) else { continue };
        count += 1;
        for problem in problems(&session, &environment) {
            match &problem.fix {
                Some((stale, right)) if updates => replace(&session, stale, right),
                _ => remaining.push(problem),
            }
        }
    }
    if remaining.is_empty() { Ok(count) } else { Err(messages(&remaining)) }
}

/// Replaces a text in the page of a session.
fn replace(session: &Session, stale: &str, right: &str) {
    let page = repository().join(session.place.split(':').next().unwrap_or_default());
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, text.replacen(stale, right, 1)).unwrap();
}

/// An environment with a copy of `examples`, without what people have made in it, and with `seed` on its `PATH`.
pub fn environment(seed: &Path) -> TestEnvironment {
    let mut environment = TestEnvironment::with_examples();
    let programs = environment.root().join("bin");
    fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(seed, programs.join("seed")).unwrap();
    let path = format!("{}:{}", programs.display(), environment.variable("PATH"));
    environment.set("PATH", path);
    environment
}

/// A text without what changes from run to run (times, and short digests: a plugin's changes with each build of it),
/// without spaces at the end of lines, and without empty lines at its beginning and end.
fn normal(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(normal_line).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

fn normal_line(line: &str) -> String {
    let is_number =
        |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.parse::<f64>().is_ok();
    let mut words: Vec<String> = Vec::new();
    for word in line.trim_end().split(' ') {
        let bare = word.trim_end_matches([',', ')']);
        if matches!(bare, "ms" | "s" | "min") && words.last().is_some_and(|last| is_number(last)) {
            words.pop();
            words.push(format!("TIME{}", &word[bare.len()..]));
            continue;
        }
        let digest = bare.strip_prefix("sha256:").unwrap_or(bare).trim_end_matches('…');
        let is_short = digest.len() == 12 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        words.push(if is_short { word.replace(digest, "DIGEST") } else { word.to_owned() });
    }
    words.join(" ")
}

/// Whether an output is what a page shows: `…` stands for any text, and alone on its line for any lines.
fn matches(expected: &str, found: &str) -> bool {
    lines_match(&expected.lines().collect::<Vec<_>>(), &found.lines().collect::<Vec<_>>())
}

fn lines_match(expected: &[&str], found: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((&"…", rest)) => (0..=found.len()).any(|skipped| lines_match(rest, &found[skipped..])),
        Some((line, rest)) => found
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && lines_match(rest, others)),
    }
}

fn line_matches(expected: &str, found: &str) -> bool {
    match expected.split_once('…') {
        None => expected == found,
        Some((before, after)) => found.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(place, _)| place)
                .chain([rest.len()])
                .any(|place| line_matches(after, &rest[place..]))
        }),
    }
}
