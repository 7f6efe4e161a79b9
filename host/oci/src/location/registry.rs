//! Registries (OCI distribution specification), read through `seed-http`.

use std::io::Write;

use seed_http::{Client, DownloadError, Request, Response, registry_url};
use seed_model::{Descriptor, Digest};
use seed_report::visible;
use serde::Deserialize;

use crate::document::media_type::{DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST};
use crate::document::{MAX_DOCUMENT, identify, read_listing};
use crate::location::access::{Checked, Document, Location};
use crate::location::error::LocationError;
use crate::location::reference::RegistryReference;

/// All that may be at a tag.
const MANIFEST_TYPES: [&str; 4] = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX];
/// The most descriptors of a referrers listing, on all of its pages.
const MAX_DESCRIPTORS: usize = 10_000;
/// The most bytes of a referrers listing, on all of its pages.
const MAX_LISTING: u64 = 4 * MAX_DOCUMENT;
/// Pages of a referrers listing.
const MAX_PAGES: usize = 100;

/// One repository of a registry, and the image of it that was asked for.
#[derive(Debug)]
pub struct RegistryLocation {
    client: Client,
    reference: RegistryReference,
}

/// The error document of the distribution specification.
#[derive(Debug, Default, Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<RegistryError>,
}

#[derive(Debug, Deserialize)]
struct RegistryError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl RegistryLocation {
    /// Reads from the registry of `reference` through `client`, whose grants must cover it.
    pub fn new(client: Client, reference: RegistryReference) -> Self {
        Self { client, reference }
    }

    fn url(&self, rest: &str) -> String {
        format!("{}/v2/{}/{rest}", registry_url(&self.reference.registry), self.reference.repository)
    }

    fn request(&self, url: String, accept: &str) -> Request {
        Request {
            headers: vec![("accept".to_owned(), accept.to_owned())],
            credentials: Some(self.reference.registry.clone()),
            ..Request::get(url)
        }
    }

    fn get(&self, url: String, accept: &str) -> Result<Response, LocationError> {
        Ok(self.client.send(self.request(url, accept))?)
    }

    /// The manifest at a tag or digest, if there is one.
    fn find(&self, name: &str) -> Result<Option<Document>, LocationError> {
        let response = self.get(self.url(&format!("manifests/{name}")), &MANIFEST_TYPES.join(", "))?;
        match response.status {
            200 => self.document(name, response).map(Some),
            404 => Ok(None),
            _ => Err(unexpected(&response)),
        }
    }

    fn document(&self, name: &str, response: Response) -> Result<Document, LocationError> {
        let error = |reason: String| self.unusable(&format!("the manifest `{name}`"), reason);
        let digest = Digest::of(&response.body);
        if let Some(claimed) = response.header("docker-content-digest")
            && claimed != digest.to_string()
        {
            return Err(error(format!(
                "the registry states the digest {claimed}, but the content has {digest}"
            )));
        }
        let content_type = response.header("content-type").unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_owned();
        let descriptor = identify(&response.body, &content_type).map_err(error)?;
        Ok(Document { descriptor, bytes: response.body })
    }

    /// Refuses a document that is not what was asked for.
    fn expect(&self, document: Document, digest: Digest, size: u64) -> Result<Document, LocationError> {
        let actual = &document.descriptor;
        if (actual.digest, actual.size) == (digest, size) {
            return Ok(document);
        }
        Err(LocationError::Digest {
            place: self.place(),
            expected: digest,
            expected_size: size,
            actual: actual.digest,
            actual_size: actual.size,
        })
    }

    fn not_found(&self, name: String) -> LocationError {
        LocationError::NotFound { place: self.place(), name, known: Vec::new() }
    }

    fn unusable(&self, what: &str, reason: String) -> LocationError {
        LocationError::Document { what: what.to_owned(), place: self.place(), reason }
    }

    /// Adds one page of a listing; gives the URL of the next.
    fn page(
        &self,
        response: &Response,
        found: &mut Vec<Descriptor>,
    ) -> Result<Option<String>, LocationError> {
        let error = |reason: String| self.unusable("the list of referrers", reason);
        found.extend(read_listing(&response.body).map_err(error)?);
        if found.len() > MAX_DESCRIPTORS {
            return Err(error(format!("it has more than {MAX_DESCRIPTORS} entries")));
        }
        let Some(link) = response.header("link").and_then(next_link) else { return Ok(None) };
        // Links are usually relative: to the host, or to the URL that gave them.
        let next = if link.starts_with('/') {
            format!("{}{link}", registry_url(&self.reference.registry))
        } else if link.contains("://") {
            link.to_owned()
        } else {
            let base = response.url.split('?').next().unwrap_or_default();
            format!("{}/{link}", base.rsplit_once('/').map_or(base, |(parent, _)| parent))
        };
        Ok(Some(next))
    }
}

/// The target of `<…>; rel="next"` (RFC 8288).
fn next_link(header: &str) -> Option<&str> {
    let (target, parameters) = header.trim().strip_prefix('<')?.split_once('>')?;
    parameters.split(';').any(|p| matches!(p.trim(), "rel=\"next\"" | "rel=next")).then_some(target)
}

fn unexpected(response: &Response) -> LocationError {
    let errors: Errors = serde_json::from_slice(&response.body).unwrap_or_default();
    let message = errors.errors.first();
    let message =
        message.map(|e| format!("{} {}", visible::clip(&e.code, 200), visible::clip(&e.message, 200)));
    let url = response.url.split('?').next().unwrap_or_default().to_owned();
    LocationError::Status { url, status: response.status, message }
}

impl Location for RegistryLocation {
    fn place(&self) -> String {
        format!("{}/{}", self.reference.registry, self.reference.repository)
    }

    fn resolve(&self) -> Result<Document, LocationError> {
        let Some(digest) = self.reference.digest else {
            let tag = self.reference.tag.as_deref().unwrap_or("latest");
            return self.find(tag)?.ok_or_else(|| self.not_found(tag.to_owned()));
        };
        let document = self.find(&digest.to_string())?.ok_or_else(|| self.not_found(digest.to_string()))?;
        let size = document.descriptor.size;
        self.expect(document, digest, size)
    }

    fn tagged(&self, tag: &str) -> Result<Option<Document>, LocationError> {
        self.find(tag)
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LocationError> {
        let name = descriptor.digest.to_string();
        if descriptor.size > MAX_DOCUMENT {
            return Err(self.unusable(&name, format!("it is larger than {MAX_DOCUMENT} bytes")));
        }
        let document = self.find(&name)?.ok_or_else(|| self.not_found(name))?;
        Ok(self.expect(document, descriptor.digest, descriptor.size)?.bytes)
    }

    fn copy(&self, blob: &Descriptor, out: &mut dyn Write) -> Result<(), LocationError> {
        let mut checked = Checked::new(blob, out);
        let request = self.request(self.url(&format!("blobs/{}", blob.digest)), "*/*");
        let response = self.client.download(request, &mut checked, blob.size).map_err(|e| match e {
            DownloadError::Request(e) => LocationError::Http(e),
            DownloadError::Write(source) => {
                LocationError::Copy { place: self.place(), digest: blob.digest, source }
            }
        })?;
        match response.status {
            // A download that broke off ends with a partial answer.
            200 | 206 => checked.finish(&self.place()),
            404 => Err(self.not_found(blob.digest.to_string())),
            _ => Err(unexpected(&response)),
        }
    }

    fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, LocationError> {
        let mut found = Vec::new();
        let mut size = 0_u64;
        let mut next = Some(self.url(&format!("referrers/{subject}")));
        for page in 0..=MAX_PAGES {
            let Some(url) = next else { return Ok(found) };
            if page == MAX_PAGES {
                break;
            }
            let response = self.get(url, INDEX)?;
            size = size.saturating_add(response.body.len() as u64);
            if size > MAX_LISTING {
                let reason = format!("it is larger than {MAX_LISTING} bytes");
                return Err(self.unusable("the list of referrers", reason));
            }
            next = match (response.status, page) {
                (200, _) => self.page(&response, &mut found)?,
                (404, 0) => return self.fallback_referrers(subject),
                _ => return Err(unexpected(&response)),
            };
        }
        Err(self.unusable("the list of referrers", format!("it has more than {MAX_PAGES} pages")))
    }
}

impl RegistryLocation {
    /// The index that clients keep where a registry has no referrers API ("referrers tag schema").
    fn fallback_referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, LocationError> {
        let tag = subject.tag();
        let Some(document) = self.find(&tag)? else { return Ok(Vec::new()) };
        let error = |reason: String| self.unusable(&format!("the referrers index `{tag}`"), reason);
        read_listing(&document.bytes).map_err(error)
    }
}
