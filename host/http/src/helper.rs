//! Docker's credential helpers: programs named `docker-credential-NAME`.
//!
//! `docker-credential-NAME get` reads a server from stdin and answers `{"Username": …, "Secret": …}`.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use seed_process::{Launcher, Program};
use serde::Deserialize;

use crate::credentials::{Credential, CredentialError, Secret};

/// A helper may ask the user something, but not for ever.
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// The largest answer: 64 KiB.
const MAX_OUTPUT: u64 = 64 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: Secret,
}

/// Asks the helper `name` (the part behind `docker-credential-`) for the credential of `server`.
pub(crate) fn get(
    launcher: &Launcher,
    name: &str,
    server: &str,
) -> Result<Option<Credential>, CredentialError> {
    let program = format!("docker-credential-{name}");
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        let reason = "its name may contain only letters, digits, `-`, `_` and `.`".to_owned();
        return Err(CredentialError::Helper { helper: program, reason });
    }
    ask(&mut launcher.command(Program::CredentialHelper, &program), server, TIME_LIMIT)
        .map_err(|reason| CredentialError::Helper { helper: program, reason })
}

fn ask(program: &mut Command, server: &str, limit: Duration) -> Result<Option<Credential>, String> {
    let mut child = program
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("cannot start it: {e}"))?;
    let answer = converse(&mut child, server, limit);
    // Whatever happened, nothing is left running.
    let _ = child.kill();
    let status = child.wait().map_err(|e| e.to_string())?;
    let output = answer?;
    if !status.success() {
        // The one failure that the protocol names.
        if String::from_utf8_lossy(&output).contains("credentials not found") {
            return Ok(None);
        }
        return Err(status.to_string());
    }
    let answer: Answer = serde_json::from_slice(&output)
        .map_err(|_| "its answer is not the JSON object that the protocol requires".to_owned())?;
    Ok(Some(if answer.username == "<token>" {
        Credential::IdentityToken(answer.secret)
    } else {
        Credential::Password { username: answer.username, password: answer.secret }
    }))
}

/// Writes the server and reads the answer, then waits for the end, all within `limit`.
#[expect(clippy::arithmetic_side_effects, clippy::disallowed_methods, reason = "a deadline")]
fn converse(child: &mut Child, server: &str, limit: Duration) -> Result<Vec<u8>, String> {
    let deadline = Instant::now() + limit;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper may answer without reading; a server's name always fits into the pipe.
        let _ = writeln!(stdin, "{server}");
    }
    let stdout = child.stdout.take();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let read = stdout.map_or(Ok(0), |stdout| stdout.take(MAX_OUTPUT + 1).read_to_end(&mut output));
        let _ = sender.send(read.map(|_| output));
    });
    let output = match receiver.recv_timeout(limit) {
        Ok(Ok(output)) if output.len() as u64 > MAX_OUTPUT => {
            return Err(format!("its answer is larger than {MAX_OUTPUT} bytes"));
        }
        Ok(Ok(output)) => output,
        Ok(Err(e)) => return Err(format!("cannot read its answer: {e}")),
        Err(_) => return Err(format!("it did not answer within {limit:?}")),
    };
    while child.try_wait().map_err(|e| e.to_string())?.is_none() {
        if Instant::now() > deadline {
            return Err(format!("it did not exit within {limit:?}"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(output)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;

    /// Asks a real program, this shell text.
    fn outcome(script: &str, limit: Duration) -> Result<Option<Credential>, String> {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("docker-credential-test");
        fs::write(&program, script).unwrap();
        ask(Command::new("sh").arg(program), "ghcr.io", limit)
    }

    #[test]
    fn the_protocol_is_spoken_with_a_real_program() {
        let limit = Duration::from_secs(20);
        let script = r#"[ "$1" = get ] || exit 9; read server; printf '{"ServerURL":"%s","Username":"me","Secret":"for-%s"}' "$server" "$server""#;
        let expected =
            Credential::Password { username: "me".to_owned(), password: Secret::new("for-ghcr.io") };
        assert_eq!(outcome(script, limit), Ok(Some(expected)));
        let token = r#"printf '{"ServerURL":"x","Username":"<token>","Secret":"t"}'"#;
        assert_eq!(outcome(token, limit), Ok(Some(Credential::IdentityToken(Secret::new("t")))));
        assert_eq!(outcome("echo credentials not found in native keychain; exit 1", limit), Ok(None));
    }

    #[test]
    fn a_helper_that_misbehaves_is_an_error_within_the_limit() {
        let long = Duration::from_secs(20);
        insta::assert_snapshot!(outcome("echo no; exit 3", long).unwrap_err(), @"exit status: 3");
        insta::assert_snapshot!(outcome("echo no", long).unwrap_err(), @"its answer is not the JSON object that the protocol requires");
        // The largest answer, and one byte more.
        let answer = |size: u64| {
            let fixed = r#"{"Username":"u","Secret":""}"#.len() as u64;
            format!(
                r#"printf '{{"Username":"u","Secret":"'; head -c {} /dev/zero | tr '\0' x; printf '"}}'"#,
                size - fixed
            )
        };
        assert!(outcome(&answer(MAX_OUTPUT), long).unwrap().is_some());
        insta::assert_snapshot!(outcome(&answer(MAX_OUTPUT + 1), long).unwrap_err(), @"its answer is larger than 65536 bytes");
        insta::assert_snapshot!(outcome("exec sleep 60", Duration::from_millis(200)).unwrap_err(), @"it did not answer within 200ms");
        insta::assert_snapshot!(outcome("exec >&-; exec sleep 60", Duration::from_secs(2)).unwrap_err(), @"it did not exit within 2s");
        insta::assert_snapshot!(get(&Launcher::default(), "../evil", "ghcr.io").unwrap_err(), @"the credential helper `docker-credential-../evil` failed: its name may contain only letters, digits, `-`, `_` and `.`");
        insta::assert_snapshot!(get(&Launcher::default(), "surely-not-installed", "ghcr.io").unwrap_err(), @"the credential helper `docker-credential-surely-not-installed` failed: cannot start it: No such file or directory (os error 2)");
    }
}
