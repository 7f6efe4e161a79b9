//! The last part of a run, which `seed index` shares: the index, the signatures, publication, and what the lock says of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use miette::Diagnostic;
use seed_model::{Descriptor, Digest};
use seed_oci::document::{DocumentError, make_index, stored_manifest};
use seed_oci::location::RegistryReference;
use seed_report::{Error, Kind, Report};

use crate::capabilities::RunKeyring;
use crate::events::{Level, Step};
use crate::lock::{LockedPublication, LockedSeed, LockedSeeds};
use crate::prepare::{Planned, Prepared};
use crate::secrets;
use crate::stages::{self, PackedImage, SignedArtifact, Subject};
use crate::summary::{ImageSummary, PublishedSummary, RunSummary, SCHEMA, SignatureSummary};
use crate::tag_drift::moved;

/// The index could not be made.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("cannot create the image index")]
#[diagnostic(code("seed::pack::index"))]
pub(crate) struct ComposeError(#[from] DocumentError);

impl Report for ComposeError {
    fn kind(&self) -> Kind {
        Kind::Failed
    }
}

/// What was signed and published.
#[derive(Debug)]
pub(crate) struct Release {
    /// The digest of the index, or of the only image's manifest.
    pub(crate) digest: Digest,
    pub(crate) signatures: Vec<SignatureSummary>,
    pub(crate) published: Vec<PublishedSummary>,
    pub(crate) verify_with: Vec<String>,
}

/// What a run did. `planned` are the plans of its images, where it made some.
pub(crate) fn summary(
    prepared: &Prepared<'_>,
    planned: &[Planned],
    images: Vec<ImageSummary>,
    release: Release,
) -> RunSummary {
    let Release { digest, signatures, published, verify_with } = release;
    RunSummary {
        schema: SCHEMA,
        name: prepared.context.pipeline.seed.name.clone(),
        digest,
        images,
        signatures,
        published,
        verify_with,
        notes: planned.iter().flat_map(|planned| planned.plan.notes.iter().cloned()).collect(),
        legal: planned.iter().filter_map(|planned| planned.legal.clone()).collect(),
        plugins: prepared.plugins.all().map(|plugin| plugin.identity.clone()).collect(),
        steps: prepared.context.events.times(),
        lock: prepared.lock.state(),
    }
}

/// The granted keys of each signing plugin.
pub(crate) fn keyrings(prepared: &Prepared<'_>) -> Result<Vec<Arc<RunKeyring>>, Error> {
    let context = &prepared.context;
    let open = |plugin: &crate::plugins::ResolvedPlugin| {
        let names = plugin.used.grants.keys.iter().map(|name| name.get_ref().as_str());
        let keys = secrets::keys(context.session, context.pipeline, names)?;
        Ok(Arc::new(RunKeyring::new(keys)))
    };
    prepared.plugins.sign.iter().map(open).collect()
}

/// Composes the index where there are several images, signs all, and publishes with every publisher. Where the images
/// are not `tagged`, registries get them by digest only.
pub(crate) fn release(
    prepared: &Prepared<'_>,
    keyrings: &[Arc<RunKeyring>],
    images: &[PackedImage],
    tagged: bool,
) -> Result<Release, Error> {
    let index = index(prepared, images)?;
    let references = targets(prepared)?;
    if tagged {
        warn_of_moved_tags(prepared, &references);
    }
    let signed = sign(prepared, keyrings, images, index.as_ref(), &references)?;
    let published = publish(prepared, images, index.as_ref(), &signed.artifacts, tagged)?;
    let digest = root(index.as_ref(), images);
    let name = &prepared.context.pipeline.seed.name;
    Ok(Release {
        digest,
        signatures: signed.signatures,
        published,
        verify_with: verify_with(&signed.commands, &references, name, digest),
    })
}

/// What would be published: the digest is known, and nothing else happened.
pub(crate) fn unpublished(prepared: &Prepared<'_>, images: &[PackedImage]) -> Result<Release, Error> {
    let digest = root(index(prepared, images)?.as_ref(), images);
    Ok(Release { digest, signatures: Vec::new(), published: Vec::new(), verify_with: Vec::new() })
}

/// The digest that stands for all images.
fn root(index: Option<&Descriptor>, images: &[PackedImage]) -> Digest {
    index.map_or(images[0].image.manifest.digest, |index| index.digest)
}

/// Makes the lock say what was published.
pub(crate) fn lock(
    prepared: &mut Prepared<'_>,
    images: &[PackedImage],
    release: &Release,
) -> Result<(), Error> {
    let files: BTreeSet<&String> =
        prepared.plugins.publish.iter().flat_map(|plugin| &plugin.output_paths).collect();
    let (paths, references): (BTreeSet<String>, BTreeSet<String>) = release
        .published
        .iter()
        .map(|one| one.published.reference.clone())
        .partition(|reference| files.contains(reference));
    let image = |image: &PackedImage| LockedSeed {
        system: image.target.system.clone(),
        digest: image.image.manifest.digest,
    };
    let mut images: Vec<_> = images.iter().map(image).collect();
    images.sort();
    let published = LockedPublication {
        digest: release.digest,
        references: references.into_iter().collect(),
        paths: paths.into_iter().collect(),
    };
    let seeds = LockedSeeds { images, published: Some(published) };
    let used = prepared.locked_plugins();
    Ok(prepared.lock.publish(used, &seeds)?)
}

/// The index over several images; none for one. It has the annotations that all images have.
fn index(prepared: &Prepared<'_>, images: &[PackedImage]) -> Result<Option<Descriptor>, ComposeError> {
    if images.len() < 2 {
        return Ok(None);
    }
    let blobs = &prepared.context.blobs;
    let annotations = |image: &PackedImage| {
        stored_manifest(blobs.store(), &image.image.manifest).map(|parts| parts.annotations)
    };
    let all = images.iter().map(annotations).collect::<Result<Vec<_>, _>>()?;
    let mut common = all[0].clone();
    common.retain(|name, value| all.iter().all(|annotations| annotations.get(name) == Some(value)));
    let manifests: Vec<_> =
        images.iter().map(|image| (image.target.platform.clone(), image.image.manifest.clone())).collect();
    let (bytes, descriptor) = make_index(&manifests, &common)?;
    blobs.admit(blobs.store().put(&bytes).map_err(DocumentError::from)?);
    Ok(Some(descriptor))
}

/// The repositories that will be written to, each once.
fn targets(prepared: &Prepared<'_>) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    for plugin in &prepared.plugins.publish {
        all.extend(stages::granted_targets(&prepared.context, plugin)?);
    }
    let mut seen = BTreeSet::new();
    all.retain(|target| seen.insert(target.clone()));
    Ok(all)
}

/// Tells of tags that somebody else moved since the lock was written. Where the lock is not written by every run, it is not
/// expected to know.
fn warn_of_moved_tags(prepared: &Prepared<'_>, repositories: &[String]) {
    let Some(published) = prepared.lock.seeds().published.filter(|_| !prepared.lock.is_kept()) else {
        return;
    };
    for reference in published.references.iter().filter_map(|text| text.parse::<RegistryReference>().ok()) {
        let repository = format!("{}/{}", reference.registry, reference.repository);
        let again = repositories.contains(&repository);
        if let Some(moved) =
            again.then(|| moved(prepared.context.session, &reference, published.digest)).flatten()
        {
            let text = format!("{moved}: someone else has published there since the lock file was written");
            prepared.context.events.message(Level::Warning, text);
        }
    }
}

/// What all signing plugins made.
#[derive(Default)]
struct AllSigned {
    artifacts: Vec<SignedArtifact>,
    signatures: Vec<SignatureSummary>,
    commands: Vec<String>,
}

/// Signs what people pull: the index and each image in it, or the only image.
fn sign(
    prepared: &Prepared<'_>,
    keyrings: &[Arc<RunKeyring>],
    images: &[PackedImage],
    index: Option<&Descriptor>,
    references: &[String],
) -> Result<AllSigned, Error> {
    let context = &prepared.context;
    let mut all = AllSigned::default();
    if prepared.plugins.sign.is_empty() {
        context.events.message(Level::Info, "the image is not signed: the pipeline has no [[sign]]");
        return Ok(all);
    }
    let index = index.map(|descriptor| Subject { descriptor, system: None, references });
    let images = images.iter().map(|image| Subject {
        descriptor: &image.image.manifest,
        system: Some(&image.target.system),
        references,
    });
    let subjects: Vec<_> = index.into_iter().chain(images).collect();
    context.events.step(Step::Sign, None, || {
        for (plugin, keyring) in prepared.plugins.sign.iter().zip(keyrings) {
            for subject in &subjects {
                let signed = stages::sign(context, plugin, keyring, *subject)?;
                all.artifacts.extend(signed.artifacts);
                all.signatures.extend(signed.signatures);
                all.commands.extend(signed.verify_with);
            }
        }
        let mut seen = BTreeSet::new();
        all.commands.retain(|command| seen.insert(command.clone()));
        Ok((all, false))
    })
}

fn publish(
    prepared: &Prepared<'_>,
    images: &[PackedImage],
    index: Option<&Descriptor>,
    artifacts: &[SignedArtifact],
    tagged: bool,
) -> Result<Vec<PublishedSummary>, Error> {
    let context = &prepared.context;
    let what = stages::ToPublish { images, index, artifacts, tagged };
    context.events.step(Step::Publish, None, || {
        let mut all = Vec::new();
        for plugin in &prepared.plugins.publish {
            for published in stages::publish(context, plugin, what)? {
                all.push(PublishedSummary { plugin: plugin.identity.name.clone(), published });
            }
        }
        let cached = all.iter().all(|one| one.published.uploaded == 0);
        Ok((all, cached))
    })
}

/// The plugins' commands for each place. What was published to no registry can be verified once it is in one.
fn verify_with(commands: &[String], references: &[String], name: &str, digest: Digest) -> Vec<String> {
    let elsewhere = [format!("REGISTRY/{name}")];
    let places = if references.is_empty() { &elsewhere } else { references };
    let command = |place: &String| {
        let reference = format!("{place}@{digest}");
        commands.iter().map(move |command| command.replace("{reference}", &reference))
    };
    places.iter().flat_map(command).collect()
}
