//! Requests to one repository, with the host's credentials if the pipeline grants them.

use seed_plugin::http::{self, BlobRange, Body, Error, Request, Response};
use seed_plugin::{Descriptor, StageError};

use crate::answer::{check_digest, header, is_transient, refusal};
use crate::config::Config;
use crate::repository::Repository;

/// Manifests, indexes, and Docker's words for both: what may stand at a tag.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json, \
                      application/vnd.docker.distribution.manifest.v2+json";

/// How many requests go to the host in one call, which takes 1024.
const BATCH: usize = 512;

/// A repository that answers.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) repository: Repository,
    /// Whether requests carry credentials.
    authenticated: bool,
}

impl Registry {
    /// Finds out whether the registry can be reached, and whether with credentials: a pipeline that grants none means a
    /// registry that asks for none. `root` is the manifest that will be published.
    pub(crate) fn open(config: &Config, root: &Descriptor) -> Result<Self, StageError> {
        let repository = Repository::parse(&config.repository, config.plain_http)?;
        let mut registry = Self { repository, authenticated: true };
        let probe = registry.manifest("HEAD", &root.digest);
        match http::send(&registry.with_credentials(probe.clone())) {
            Ok(_) => Ok(registry),
            Err(Error::Denied(missing)) => {
                registry.authenticated = false;
                match http::send(&probe)?.status {
                    401 | 403 => Err(StageError::Denied(missing)),
                    _ => Ok(registry),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A request for a manifest of this repository, by tag or digest.
    fn manifest(&self, method: &str, at: &str) -> Request {
        let mut request = request(method, self.repository.url(&format!("manifests/{at}")));
        request.headers.push(("accept".to_owned(), ACCEPT.to_owned()));
        request
    }

    fn with_credentials(&self, mut request: Request) -> Request {
        request.credentials = self.authenticated.then(|| self.repository.registry.clone());
        request
    }

    /// Sends one request.
    pub(crate) fn send(&self, request: Request) -> Result<Response, Error> {
        http::send(&self.with_credentials(request))
    }

    /// Sends many at once; answers in their order.
    pub(crate) fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, Error>> {
        let requests: Vec<Request> =
            requests.into_iter().map(|request| self.with_credentials(request)).collect();
        requests.chunks(BATCH).flat_map(http::send_all).collect()
    }

    /// Which of these blobs a repository of this registry has, asked at once.
    pub(crate) fn blobs_exist<'a>(
        &self,
        name: &str,
        digests: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<bool>, StageError> {
        let url = |digest| format!("{}/v2/{name}/blobs/{digest}", self.repository.origin);
        self.exist(digests.map(|digest| (digest, request("HEAD", url(digest)))).collect())
    }

    /// Which of these manifests the repository has, asked at once.
    pub(crate) fn manifests_exist<'a>(
        &self,
        digests: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<bool>, StageError> {
        self.exist(digests.map(|digest| (digest, self.manifest("HEAD", digest))).collect())
    }

    fn exist(&self, requests: Vec<(&str, Request)>) -> Result<Vec<bool>, StageError> {
        let (digests, requests): (Vec<&str>, Vec<Request>) = requests.into_iter().unzip();
        let found = |(digest, answer): (&str, Result<Response, Error>)| {
            let answer = answer?;
            match answer.status {
                200 => check_digest(digest, &answer).map(|()| true),
                404 => Ok(false),
                _ => Err(refusal(&format!("check whether {digest} exists"), &answer)),
            }
        };
        digests.into_iter().zip(self.send_all(requests)).map(found).collect()
    }

    /// The digest at a tag; nothing if there is no such tag or the registry does not say.
    pub(crate) fn digest_at(&self, tag: &str) -> Result<Option<String>, StageError> {
        let answer = self.send(self.manifest("HEAD", tag))?;
        match answer.status {
            200 => Ok(header(&answer, "docker-content-digest").map(str::to_owned)),
            404 => Ok(None),
            _ => Err(refusal(&format!("look up tag `{tag}`"), &answer)),
        }
    }

    /// The manifest or index at a tag, if there is one.
    pub(crate) fn get(&self, tag: &str) -> Result<Option<Vec<u8>>, StageError> {
        let answer = self.send(self.manifest("GET", tag))?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            _ => Err(refusal(&format!("fetch the manifest at tag `{tag}`"), &answer)),
        }
    }

    /// Whether the registry has the referrers API (distribution-spec, "Listing Referrers").
    pub(crate) fn lists_referrers(&self, subject: &str) -> Result<bool, StageError> {
        let answer = self.send(request("GET", self.repository.url(&format!("referrers/{subject}"))))?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(refusal(&format!("list the referrers of {subject}"), &answer)),
        }
    }

    /// Puts a manifest or index at a tag or at its digest, and gives the answer.
    pub(crate) fn put(&self, manifest: &Descriptor, at: &str) -> Result<Response, StageError> {
        let mut request = self.manifest("PUT", at);
        request.headers.push(("content-type".to_owned(), manifest.media_type.clone()));
        request.body =
            Body::Blob(BlobRange { digest: manifest.digest.clone(), offset: 0, length: manifest.size });
        let answer = self.put_patiently(&request, at)?;
        if !matches!(answer.status, 200..=202) {
            return Err(refusal(&format!("push manifest {}", manifest.digest), &answer));
        }
        check_digest(&manifest.digest, &answer)?;
        Ok(answer)
    }

    /// Putting the same manifest twice is the same as once, so what may pass is tried again. In between the host waits:
    /// it repeats the `HEAD` for as long as the registry has the same trouble.
    fn put_patiently(&self, request: &Request, at: &str) -> Result<Response, StageError> {
        /// How often one manifest is sent before the failure counts.
        const ATTEMPTS: u32 = 4;
        for _ in 1..ATTEMPTS {
            match self.send(request.clone()) {
                Ok(answer) if !is_transient(answer.status) => return Ok(answer),
                Ok(_) | Err(Error::Connection(_) | Error::Timeout(_)) => {
                    self.digest_at(at)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.send(request.clone())?)
    }
}

/// A request without body or credentials.
pub(crate) fn request(method: &str, url: String) -> Request {
    Request {
        method: method.to_owned(),
        url,
        headers: Vec::new(),
        secret_headers: Vec::new(),
        body: Body::Empty,
        credentials: None,
        progress: None,
    }
}
