//! Reads what Nix reports while it works: its `internal-json` log, one `@nix {…}` object per line.
//!
//! The log comes from Nix, but the texts inside it come from builders, evaluated code and remote machines. So
//! every text and every table is bounded, and a line that is not understood is kept as text, never an error.

use std::collections::{BTreeMap, VecDeque};

use seed_store_path::derivation_name;

use crate::events::{Event, Observer};
use crate::log_record::{self, Record};
use crate::text::{dedent, end_of, plain, without_escapes};

/// How many of a builder's last lines an error quotes.
pub(crate) const QUOTED_LINES: usize = 20;
/// The longest line of a log that is kept, in characters.
const MAX_LINE: usize = 4096;
/// The longest message that is kept, in bytes: its end, which has the cause.
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
            log_record::ACTIVITY_BUILD => {
                let derivation = plain(record.text_field(0), MAX_LINE);
                let machine = Some(plain(record.text_field(1), MAX_LINE)).filter(|m| !m.is_empty());
                let name = derivation_name(&derivation).to_owned();
                observer.event(&Event::BuildStarted { derivation: derivation.clone(), name, machine });
                Activity::Build(Build { derivation, log: VecDeque::new() })
            }
            log_record::ACTIVITY_BUILDS => Activity::Builds,
            log_record::ACTIVITY_COPY_PATH | log_record::ACTIVITY_FILE_TRANSFER => {
                let what = match record.text_field(0) {
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
            (
                Activity::Build(build),
                log_record::RESULT_BUILD_LOG_LINE | log_record::RESULT_POST_BUILD_LOG_LINE,
            ) => {
                let line = plain(record.text_field(0), MAX_LINE);
                let name = derivation_name(&build.derivation).to_owned();
                push_bounded(&mut build.log, QUOTED_LINES, line.clone());
                observer.event(&Event::BuildLog { name, line });
            }
            (Activity::Build(build), log_record::RESULT_SET_PHASE) => {
                let name = derivation_name(&build.derivation).to_owned();
                let phase = plain(record.text_field(0), MAX_LINE);
                observer.event(&Event::BuildPhase { name, phase });
            }
            (Activity::Builds, log_record::RESULT_PROGRESS) => {
                let numbers = [0, 1, 2, 3].map(|index| record.number_field(index));
                if numbers != self.builds {
                    self.builds = numbers;
                    let [done, expected, running, failed] = numbers;
                    observer.event(&Event::Builds { done, expected, running, failed });
                }
            }
            (Activity::Transfer, log_record::RESULT_PROGRESS) => observer.event(&Event::TransferProgress {
                id: record.id,
                done: record.number_field(0),
                expected: record.number_field(1),
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

fn push_bounded<T>(queue: &mut VecDeque<T>, limit: usize, item: T) {
    if queue.len() == limit {
        queue.pop_front();
    }
    queue.push_back(item);
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
}
