//! Conversations of one upload with a registry.

use super::*;

fn repository() -> Repository {
    Repository::parse("localhost:5000/app", false).unwrap()
}

#[allow(clippy::unnecessary_wraps, reason = "in the form in which an upload takes it")]
fn answer(status: u16, headers: &[(&str, &str)]) -> Result<Response, Error> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, body: vec![], url: String::new() })
}

fn reset() -> Result<Response, Error> {
    Err(Error::Connection("connection reset".to_owned()))
}

/// What an upload asks for next, in short: method, path and the bytes it sends.
fn next(upload: &Upload) -> String {
    let Some(request) = upload.request(&repository()) else { return "done".to_owned() };
    let path = request.url.replace("http://localhost:5000/v2/app/blobs/uploads/", "");
    match request.body {
        Body::Blob(range) => format!("{} {path} {}+{}", request.method, range.offset, range.length),
        _ => format!("{} {path}", request.method),
    }
}

/// Feeds answers one after the other; gives all that was asked, the request after the last answer included.
fn talk(upload: &mut Upload, answers: Vec<Result<Response, Error>>) -> Result<Vec<String>, StageError> {
    let mut asked = vec![next(upload)];
    for answer in answers {
        upload.advance(&repository(), answer)?;
        asked.push(next(upload));
    }
    Ok(asked)
}

const HERE: (&str, &str) = ("location", "/v2/app/blobs/uploads/u1?state=s");

#[test]
fn sends_a_blob_in_one_request() {
    let mut upload = Upload::new("sha256:aa", 10, None, None);
    let asked = talk(&mut upload, vec![answer(202, &[HERE]), answer(201, &[])]).unwrap();
    assert_eq!(asked, ["POST ", "PUT u1?state=s&digest=sha256:aa 0+10", "done"]);
    assert_eq!(upload.sent(), Some(10));
}

#[test]
fn links_a_blob_of_another_repository() {
    let mut upload = Upload::new("sha256:aa", 10, None, Some("org/base".to_owned()));
    let asked = talk(&mut upload, vec![answer(201, &[])]).unwrap();
    assert_eq!(asked, ["POST ?mount=sha256:aa&from=org/base", "done"]);
    assert_eq!(upload.sent(), None);
}

#[test]
fn sends_what_cannot_be_linked() {
    let mut upload = Upload::new("sha256:aa", 10, None, Some("org/base".to_owned()));
    let asked = talk(&mut upload, vec![answer(202, &[HERE]), answer(201, &[])]).unwrap();
    assert_eq!(asked[1..], ["PUT u1?state=s&digest=sha256:aa 0+10", "done"]);
}

#[test]
fn sends_chunks_and_follows_the_location() {
    let mut upload = Upload::new("sha256:aa", 10, Some(4), None);
    let there = ("location", "/v2/app/blobs/uploads/u2");
    let answers = vec![
        answer(202, &[HERE]),
        answer(202, &[there, ("range", "0-3")]),
        answer(202, &[there, ("range", "0-7")]),
        answer(202, &[there]),
        answer(201, &[]),
    ];
    let asked = talk(&mut upload, answers).unwrap();
    assert_eq!(
        asked,
        ["POST ", "PATCH u1?state=s 0+4", "PATCH u2 4+4", "PATCH u2 8+2", "PUT u2?digest=sha256:aa", "done"]
    );
}

#[test]
fn sends_no_chunk_smaller_than_the_registry_takes() {
    let mut upload = Upload::new("sha256:aa", 10, Some(4), None);
    let asked = talk(&mut upload, vec![answer(202, &[HERE, ("oci-chunk-min-length", "6")])]).unwrap();
    assert_eq!(asked[1], "PATCH u1?state=s 0+6");
}

#[test]
fn resumes_after_a_broken_connection() {
    let mut upload = Upload::new("sha256:aa", 10, None, None);
    let there = ("location", "/v2/app/blobs/uploads/u2");
    let answers = vec![
        answer(202, &[HERE]),
        reset(),
        answer(204, &[there, ("range", "0-6")]),
        answer(202, &[there, ("range", "0-9")]),
        answer(201, &[]),
    ];
    let asked = talk(&mut upload, answers).unwrap();
    assert_eq!(
        asked,
        [
            "POST ",
            "PUT u1?state=s&digest=sha256:aa 0+10",
            "GET u1?state=s",
            "PATCH u2 7+3",
            "PUT u2?digest=sha256:aa",
            "done"
        ]
    );
}

#[test]
fn begins_again_when_the_upload_is_forgotten() {
    let mut upload = Upload::new("sha256:aa", 10, None, None);
    let answers = vec![answer(202, &[HERE]), answer(503, &[]), answer(404, &[]), answer(202, &[HERE])];
    let asked = talk(&mut upload, answers).unwrap();
    assert_eq!(asked[2..], ["GET u1?state=s", "POST ", "PUT u1?state=s&digest=sha256:aa 0+10"]);
}

#[test]
fn begins_again_when_a_part_is_not_kept() {
    let mut upload = Upload::new("sha256:aa", 10, Some(4), None);
    let kept = answer(202, &[HERE, ("range", "0-3")]);
    let lost = answer(202, &[HERE, ("range", "0-3")]);
    let asked = talk(&mut upload, vec![answer(202, &[HERE]), kept, lost]).unwrap();
    assert_eq!(asked[2..], ["PATCH u1?state=s 4+4", "GET u1?state=s"]);
}

#[test]
fn gives_up_in_the_end() {
    let mut upload = Upload::new("sha256:aa", 10, None, None);
    let mut count = 0;
    let error = loop {
        count += 1;
        if let Err(error) = upload.advance(&repository(), answer(503, &[])) {
            break error;
        }
    };
    assert_eq!(count, MAX_FAILURES + 1);
    assert!(matches!(error, StageError::Transient(_)));
}

#[test]
fn does_not_repeat_what_cannot_pass() {
    for (status, kind) in [(401, "Auth"), (403, "Auth"), (404, "Remote"), (405, "Remote")] {
        let mut upload = Upload::new("sha256:aa", 10, None, None);
        let error = talk(&mut upload, vec![answer(status, &[])]).unwrap_err();
        assert!(format!("{error:?}").contains(kind), "{error:?}");
    }
    let mut upload = Upload::new("sha256:aa", 10, None, None);
    let error = talk(&mut upload, vec![answer(202, &[HERE]), answer(413, &[])]).unwrap_err();
    assert!(format!("{error:?}").contains("chunk-size"), "{error:?}");
    let mut upload = Upload::new("sha256:aa", 10, None, None);
    assert!(matches!(
        talk(&mut upload, vec![Err(Error::Denied("no".to_owned()))]),
        Err(StageError::Denied(_))
    ));
}

#[test]
fn notices_a_registry_that_lies() {
    let lie = ("docker-content-digest", "sha256:bb");
    let mut upload = Upload::new("sha256:aa", 10, None, None);
    let error = talk(&mut upload, vec![answer(202, &[HERE]), answer(201, &[lie])]).unwrap_err();
    assert!(format!("{error:?}").contains("the registry answered sha256:bb"), "{error:?}");

    let mut upload = Upload::new("sha256:aa", 10, Some(4), None);
    let error =
        talk(&mut upload, vec![answer(202, &[HERE]), answer(202, &[HERE, ("range", "0-99")])]).unwrap_err();
    assert!(format!("{error:?}").contains("100 bytes of blob sha256:aa, which has only 10"), "{error:?}");

    for bad in [&[][..], &[("location", "file:///etc/passwd")][..]] {
        let mut upload = Upload::new("sha256:aa", 10, None, None);
        assert!(matches!(talk(&mut upload, vec![answer(202, bad)]), Err(StageError::Remote(_))));
    }
}
