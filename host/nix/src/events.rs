//! What Nix reports while it works: its `internal-json` log, one `@nix {…}` object per line.
//!
//! The log comes from Nix, but the texts inside it come from builders, evaluated code and remote machines. So
//! every text and every table is bounded, and a line that is not understood is kept as text, never an error.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::Value;

/// What happens while Nix works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// How many derivations are built in this run so far, sent when a number changes.
    Builds {
        /// Built.
        done: u64,
        /// Built, running and waiting.
        expected: u64,
        /// Running now.
        running: u64,
        /// Failed.
        failed: u64,
    },
    /// A derivation begins to build.
    BuildStarted {
        /// Its store path.
        derivation: String,
        /// Its name.
        name: String,
        /// The remote machine that builds it; none where it is this one.
        machine: Option<String>,
    },
    /// A build enters a phase, such as `unpackPhase`.
    BuildPhase {
        /// The derivation's name.
        name: String,
        /// The phase.
        phase: String,
    },
    /// A builder writes a line.
    BuildLog {
        /// The derivation's name.
        name: String,
        /// The line, without control sequences, at most 4096 characters.
        line: String,
    },
    /// A build ends, well or not.
    BuildStopped {
        /// The derivation's name.
        name: String,
    },
    /// A download or a copy between stores begins.
    TransferStarted {
        /// Names it in the following events.
        id: u64,
        /// What is transferred: an address or a store path.
        what: String,
    },
    /// A transfer goes on.
    TransferProgress {
        /// The transfer.
        id: u64,
        /// Bytes so far.
        done: u64,
        /// All bytes; zero where that is not known.
        expected: u64,
    },
    /// A transfer ends, well or not.
    TransferStopped {
        /// The transfer.
        id: u64,
    },
    /// A warning of Nix, or a trace of the flake.
    Warning(String),
}

/// Sees [`Event`]s, in order, on the thread that called.
pub trait Observer {
    /// One event.
    fn event(&self, event: &Event);
}

impl<F: Fn(&Event)> Observer for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}

/// How many of a builder's last lines an error quotes.
pub(crate) const QUOTED_LINES: usize = 20;
/// The longest line of a log that is kept, in characters.
const MAX_LINE: usize = 4096;
/// The longest message that is kept, in bytes: its end, where the cause stands.
const MAX_MESSAGE: usize = 16 * 1024;
/// How many error messages are kept: the first ones, which are the causes of the later ones.
const MAX_ERRORS: usize = 32;
/// How many activities may be open at once; Nix itself opens a few hundred at most.
const MAX_ACTIVITIES: usize = 10_000;
/// How many builds keep the end of their log after they stopped, until it is known which one failed.
const MAX_STOPPED: usize = 256;

/// A build of this run, and the end of its log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Build {
    pub(crate) derivation: String,
    pub(crate) log: VecDeque<String>,
}

enum Activity {
    Build(Build),
    Builds,
    Transfer,
}

/// Reads the log line by line.
#[derive(Default)]
pub(crate) struct LogReader {
    activities: BTreeMap<u64, Activity>,
    stopped: VecDeque<Build>,
    builds: [u64; 4],
    /// Error messages without control sequences, first to last.
    pub(crate) errors: Vec<String>,
    /// The last lines that are not part of the log.
    pub(crate) other: VecDeque<String>,
}

/// One line. The numbers of activities and results are those of Nix's `logging.hh`, the same since 2.0.
#[derive(Deserialize)]
struct Record {
    action: String,
    #[serde(default)]
    id: u64,
    #[serde(default)]
    level: u64,
    #[serde(default, rename = "type")]
    kind: u64,
    #[serde(default)]
    text: String,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    fields: Vec<Value>,
}

const ACTIVITY_COPY_PATH: u64 = 100;
const ACTIVITY_FILE_TRANSFER: u64 = 101;
const ACTIVITY_BUILDS: u64 = 104;
const ACTIVITY_BUILD: u64 = 105;
const RESULT_BUILD_LOG_LINE: u64 = 101;
const RESULT_SET_PHASE: u64 = 104;
const RESULT_PROGRESS: u64 = 105;
const RESULT_POST_BUILD_LOG_LINE: u64 = 107;

impl LogReader {
    /// Takes one line and reports what it says.
    pub(crate) fn line(&mut self, line: &[u8], observer: &dyn Observer) {
        let text = String::from_utf8_lossy(line);
        match text.strip_prefix("@nix ").and_then(|json| serde_json::from_str::<Record>(json).ok()) {
            Some(record) => self.record(&record, observer),
            None => push_bounded(&mut self.other, QUOTED_LINES, plain(text.trim_end(), MAX_LINE)),
        }
    }

    /// The builds of this run, running ones and the last that stopped.
    pub(crate) fn builds(&self) -> impl Iterator<Item = &Build> {
        let running = self.activities.values().filter_map(|activity| match activity {
            Activity::Build(build) => Some(build),
            _ => None,
        });
        self.stopped.iter().chain(running)
    }

    fn record(&mut self, record: &Record, observer: &dyn Observer) {
        match record.action.as_str() {
            "start" => self.start(record, observer),
            "result" => self.result(record, observer),
            "stop" => self.stop(record.id, observer),
            "msg" => self.message(record, observer),
            _ => {}
        }
    }

    fn start(&mut self, record: &Record, observer: &dyn Observer) {
        if self.activities.len() >= MAX_ACTIVITIES {
            return;
        }
        let activity = match record.kind {
            ACTIVITY_BUILD => {
                let derivation = plain(text_field(&record.fields, 0), MAX_LINE);
                let machine = Some(plain(text_field(&record.fields, 1), MAX_LINE)).filter(|m| !m.is_empty());
                let name = derivation_name(&derivation).to_owned();
                observer.event(&Event::BuildStarted { derivation: derivation.clone(), name, machine });
                Activity::Build(Build { derivation, log: VecDeque::new() })
            }
            ACTIVITY_BUILDS => Activity::Builds,
            ACTIVITY_COPY_PATH | ACTIVITY_FILE_TRANSFER => {
                let what = match text_field(&record.fields, 0) {
                    "" => record.text.as_str(),
                    field => field,
                };
                observer.event(&Event::TransferStarted { id: record.id, what: plain(what, MAX_LINE) });
                Activity::Transfer
            }
            _ => return,
        };
        self.activities.insert(record.id, activity);
    }

    fn result(&mut self, record: &Record, observer: &dyn Observer) {
        let Some(activity) = self.activities.get_mut(&record.id) else { return };
        match (activity, record.kind) {
            (Activity::Build(build), RESULT_BUILD_LOG_LINE | RESULT_POST_BUILD_LOG_LINE) => {
                let line = plain(text_field(&record.fields, 0), MAX_LINE);
                let name = derivation_name(&build.derivation).to_owned();
                push_bounded(&mut build.log, QUOTED_LINES, line.clone());
                observer.event(&Event::BuildLog { name, line });
            }
            (Activity::Build(build), RESULT_SET_PHASE) => {
                let name = derivation_name(&build.derivation).to_owned();
                let phase = plain(text_field(&record.fields, 0), MAX_LINE);
                observer.event(&Event::BuildPhase { name, phase });
            }
            (Activity::Builds, RESULT_PROGRESS) => {
                let numbers = [0, 1, 2, 3].map(|index| number_field(&record.fields, index));
                if numbers != self.builds {
                    self.builds = numbers;
                    let [done, expected, running, failed] = numbers;
                    observer.event(&Event::Builds { done, expected, running, failed });
                }
            }
            (Activity::Transfer, RESULT_PROGRESS) => observer.event(&Event::TransferProgress {
                id: record.id,
                done: number_field(&record.fields, 0),
                expected: number_field(&record.fields, 1),
            }),
            _ => {}
        }
    }

    fn stop(&mut self, id: u64, observer: &dyn Observer) {
        match self.activities.remove(&id) {
            Some(Activity::Build(build)) => {
                observer.event(&Event::BuildStopped { name: derivation_name(&build.derivation).to_owned() });
                push_bounded(&mut self.stopped, MAX_STOPPED, build);
            }
            Some(Activity::Transfer) => observer.event(&Event::TransferStopped { id }),
            Some(Activity::Builds) | None => {}
        }
    }

    fn message(&mut self, record: &Record, observer: &dyn Observer) {
        const ERROR: u64 = 0;
        const WARNING: u64 = 1;
        let text = without_escapes(&record.msg);
        if let Some(error) = text.strip_prefix("error:") {
            if self.errors.len() < MAX_ERRORS {
                self.errors.push(end_of(&dedent(error.trim()), MAX_MESSAGE).to_owned());
            }
        } else if matches!(record.level, ERROR | WARNING) && !text.starts_with("(use '--show-trace'") {
            let warning = text.strip_prefix("warning:").unwrap_or(&text).trim();
            observer.event(&Event::Warning(end_of(warning, MAX_MESSAGE).to_owned()));
        }
    }
}

/// `hello-2.12` of `/nix/store/<hash>-hello-2.12.drv`.
pub(crate) fn derivation_name(path: &str) -> &str {
    let base = path.rsplit('/').next().unwrap_or(path);
    let base = base.strip_suffix(".drv").unwrap_or(base);
    base.split_once('-').map_or(base, |(_, name)| name)
}

fn text_field(fields: &[Value], index: usize) -> &str {
    fields.get(index).and_then(Value::as_str).unwrap_or_default()
}

fn number_field(fields: &[Value], index: usize) -> u64 {
    fields.get(index).and_then(Value::as_u64).unwrap_or_default()
}

fn push_bounded<T>(queue: &mut VecDeque<T>, limit: usize, item: T) {
    if queue.len() == limit {
        queue.pop_front();
    }
    queue.push_back(item);
}

/// A text of one line that is safe to print.
fn plain(text: &str, limit: usize) -> String {
    without_escapes(text).chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect()
}

/// Removes terminal control sequences (ECMA-48 CSI and OSC), and control characters except line breaks and tabs.
pub(crate) fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {}
            }
            '\u{1b}' if chars.next_if_eq(&']').is_some() => {
                while chars.next().is_some_and(|c| c != '\u{7}' && c != '\u{1b}') {}
                chars.next_if_eq(&'\\');
            }
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Removes the seven columns by which Nix 2.20 and later indent what follows `error:`.
fn dedent(text: &str) -> String {
    text.lines()
        .map(|line| line.strip_prefix("       ").unwrap_or(line).trim_end())
        .collect::<Vec<_>>()
        .join("\n")
}

/// At most `limit` bytes from the end.
fn end_of(text: &str, limit: usize) -> &str {
    let mut start = text.len().saturating_sub(limit);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    #[test]
    fn a_build_is_told_alike_by_all_versions() {
        let derivation = "/nix/store/lina7n473lai2vgds92gc4nc5dphlw27-seed.drv".to_owned();
        let name = || "seed".to_owned();
        for version in recorded::VERSIONS {
            let events = recorded::events(version, "build-seed.log");
            let build: Vec<Event> = events
                .iter()
                .filter(|event| !matches!(event, Event::Builds { .. } | Event::Warning(_)))
                .cloned()
                .collect();
            let expected = [
                Event::BuildStarted { derivation: derivation.clone(), name: name(), machine: None },
                Event::BuildPhase { name: name(), phase: "installPhase".to_owned() },
                Event::BuildLog { name: name(), line: "making".to_owned() },
                Event::BuildStopped { name: name() },
            ];
            assert_eq!(build, expected, "{version}");
            assert!(events.iter().any(|e| matches!(e, Event::Builds { running: 1, .. })), "{version}");
            let warnings: Vec<_> = events.iter().filter(|e| matches!(e, Event::Warning(_))).collect();
            assert!(
                matches!(warnings[..], [Event::Warning(text)] if text.starts_with("you did not specify")),
                "{version}"
            );
        }
    }

    fn read(lines: &[&str]) -> (LogReader, Vec<Event>) {
        let events = std::cell::RefCell::new(Vec::new());
        let mut reader = LogReader::default();
        for line in lines {
            reader.line(line.as_bytes(), &|event: &Event| events.borrow_mut().push(event.clone()));
        }
        (reader, events.into_inner())
    }

    #[test]
    fn transfers_are_followed() {
        let (_, events) = read(&[
            r#"@nix {"action":"start","id":7,"level":4,"text":"downloading 'https://example.com/a'","type":101,"fields":["https://example.com/a"]}"#,
            r#"@nix {"action":"result","id":7,"type":105,"fields":[10,100,0,0]}"#,
            r#"@nix {"action":"stop","id":7}"#,
            r#"@nix {"action":"stop","id":7}"#,
        ]);
        assert_eq!(
            events,
            [
                Event::TransferStarted { id: 7, what: "https://example.com/a".to_owned() },
                Event::TransferProgress { id: 7, done: 10, expected: 100 },
                Event::TransferStopped { id: 7 },
            ]
        );
    }

    #[test]
    fn garbled_lines_are_kept_as_text() {
        let deep = format!("@nix {}", "[".repeat(10_000));
        let (reader, events) = read(&[
            "",
            "terminate called",
            "@nix",
            "@nix {",
            r#"@nix {"action":"start"}"#,
            r#"@nix {"action":"start","id":1,"type":105,"fields":[1,{}]}"#,
            r#"@nix {"action":"result","id":1,"type":101,"fields":[]}"#,
            r#"@nix {"action":"result","id":99,"type":101,"fields":["nobody's"]}"#,
            r#"@nix {"action":"dance","id":-1}"#,
            &deep,
        ]);
        assert!(reader.other.contains(&"terminate called".to_owned()));
        assert_eq!(events.len(), 2, "{events:?}");
    }

    #[test]
    fn tables_and_texts_are_bounded() {
        let start = |id: usize| {
            format!(r#"@nix {{"action":"start","id":{id},"type":105,"fields":["/nix/store/x-{id}.drv"]}}"#)
        };
        let lines: Vec<String> = (0..MAX_ACTIVITIES + 5).map(start).collect();
        let (mut reader, events) = read(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((reader.activities.len(), events.len()), (MAX_ACTIVITIES, MAX_ACTIVITIES));

        let long = "x".repeat(10_000);
        for _ in 0..100 {
            reader.line(
                format!(r#"@nix {{"action":"result","id":0,"type":101,"fields":["{long}"]}}"#).as_bytes(),
                &|_: &Event| {},
            );
            reader.line(
                format!(r#"@nix {{"action":"msg","level":0,"msg":"error: {long}"}}"#).as_bytes(),
                &|_: &Event| {},
            );
            reader.line(long.as_bytes(), &|_: &Event| {});
        }
        let build = reader.builds().find(|build| build.derivation.ends_with("x-0.drv")).unwrap();
        assert_eq!((build.log.len(), build.log[0].len()), (QUOTED_LINES, MAX_LINE));
        assert_eq!((reader.errors.len(), reader.other.len()), (MAX_ERRORS, QUOTED_LINES));

        for id in 0..MAX_ACTIVITIES {
            reader.line(format!(r#"@nix {{"action":"stop","id":{id}}}"#).as_bytes(), &|_: &Event| {});
        }
        assert_eq!((reader.activities.len(), reader.stopped.len()), (0, MAX_STOPPED));
    }

    #[test]
    fn control_sequences_do_not_reach_the_terminal() {
        assert_eq!(without_escapes("a\u{1b}[31;1mb\u{1b}[0m\tc\r\u{7}"), "ab\tc");
        assert_eq!(without_escapes("\u{1b}]8;;http://x\u{7}link\u{1b}]0;t\u{1b}\\end\u{1b}["), "linkend");
        assert_eq!(plain("two\nlines", 100), "two lines");
    }

    #[test]
    fn messages_keep_their_end() {
        assert_eq!(end_of("abc…", 4), "c…");
        assert_eq!(end_of("abc…", 2), "");
        assert_eq!(end_of("abc", 10), "abc");
    }

    #[test]
    fn names_come_without_hash_and_suffix() {
        assert_eq!(
            derivation_name("/nix/store/lina7n473lai2vgds92gc4nc5dphlw27-hello-2.12.drv"),
            "hello-2.12"
        );
        assert_eq!(derivation_name("odd"), "odd");
    }
}
