//! Images that are whole, and many that are not.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::location::testing::{Fixture, Registry, location};

/// What changes a document of the fixture's first image, or its index.
type Change<'a> = &'a dyn Fn(&mut Value);
const NOTHING: Change<'static> = &|_| {};

/// The fixture with its first image and its index made anew.
fn changed(config: Change<'_>, manifest: Change<'_>, index: Change<'_>) -> Fixture {
    let mut fixture = Fixture::new();
    let document = |fixture: &Fixture, descriptor: &Value| -> Value {
        let digest: Digest = descriptor["digest"].as_str().unwrap().parse().unwrap();
        serde_json::from_slice(&fixture.blobs[&digest]).unwrap()
    };
    let put = |fixture: &mut Fixture, place: &mut Value, document: &Value| {
        let media_type = place["mediaType"].as_str().unwrap().to_owned();
        let made = fixture.document(&media_type, document);
        place["digest"] = json!(made.digest);
        place["size"] = json!(made.size);
    };
    let root = serde_json::to_value(fixture.root()).unwrap();
    let mut index_document = document(&fixture, &root);
    let mut manifest_document = document(&fixture, &index_document["manifests"][0]);
    let mut config_document = document(&fixture, &manifest_document["config"]);
    config(&mut config_document);
    put(&mut fixture, &mut manifest_document["config"], &config_document);
    manifest(&mut manifest_document);
    put(&mut fixture, &mut index_document["manifests"][0], &manifest_document);
    index(&mut index_document);
    let root = fixture.document(crate::document::media_type::INDEX, &index_document);
    fixture.named = vec![(Some("v1".to_owned()), root)];
    fixture
}

fn check(fixture: &Fixture) -> Result<VerifiedImage, String> {
    let directory = tempfile::tempdir().unwrap();
    fixture.write_layout(directory.path());
    let path = directory.path().to_str().unwrap();
    let limits = ContentLimits { entries: 1000, unpacked: 1 << 20 };
    verify_image(location(path).as_ref(), &limits).map_err(|error| error.to_string().replace(path, "[dir]"))
}

fn error(config: Change<'_>, manifest: Change<'_>, index: Change<'_>) -> String {
    check(&changed(config, manifest, index)).unwrap_err()
}

#[test]
fn an_image_is_read_to_its_end_wherever_it_is() {
    let fixture = Fixture::new();
    let in_layout = check(&fixture).unwrap();
    assert_eq!(in_layout.digest, fixture.root().digest);
    let platforms: Vec<_> = in_layout.images.iter().map(|image| image.platform.to_string()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    assert!(in_layout.images.iter().all(|image| image.layers.len() == 3));

    let directory = tempfile::tempdir().unwrap();
    let tar = directory.path().join("image.tar");
    fixture.write_tar(&tar);
    let registry = Registry::start(fixture, |_| None);
    for reference in [tar.to_str().unwrap().to_owned(), format!("{}/org/app:v1", registry.host)] {
        let whole = verify_image(location(&reference).as_ref(), &ContentLimits::default()).unwrap();
        assert_eq!((whole.digest, &whole.images), (in_layout.digest, &in_layout.images), "{reference}");
    }
    let blobs = registry.requests().into_iter().filter(|path| path.contains("/blobs/")).count();
    assert_eq!(blobs, 2 + 3, "configurations, and layers that both images share");
}

#[test]
fn layers_must_be_what_the_documents_say() {
    let mut fixture = Fixture::new();
    let layer = check(&fixture).unwrap().images[0].layers[2].digest;
    let bytes = fixture.blobs.get_mut(&layer).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    assert_snapshot!(check(&fixture).unwrap_err(), @"[dir] returned the wrong content: expected sha256:71a3c9568a3230f943c7fcaf248bc70dd6f341bb4ec654d42b2c3cbb29c30024 (10752 bytes), got sha256:c650cf258f4cc22244bab8bf9c6c180119154beaaaefd9a486763f73fcecfb1d (10752 bytes)");
    fixture.blobs.remove(&layer);
    assert_snapshot!(check(&fixture).unwrap_err(), @"[dir] has no image `sha256:71a3c9568a3230f943c7fcaf248bc70dd6f341bb4ec654d42b2c3cbb29c30024`");
    assert_snapshot!(error(&|config| config["rootfs"]["diff_ids"][1] = config["rootfs"]["diff_ids"][0].clone(), NOTHING, NOTHING), @"layer sha256:54c5cf2601c079f5ee19f4af4a5b3837d8c64b4f5b25cf6422f0e6e527d36b81 of [dir] has the diff ID sha256:6ef05a4af72f7775d53219b98b1070ea0c3970ea007e01824ca52d64cc3d09b9, but the config says sha256:24ee6af7f5cc356f1deb4807f696838395763e91da809f888ccd5c13946a9918");
    assert_snapshot!(error(NOTHING, &|manifest| manifest["layers"][0]["size"] = json!(17), NOTHING), @"cannot copy sha256:0a0976f924702efc3f19dc0d2899ca3790b9b44dbf8cfedca2af930266f85193 from [dir]: it is larger than its descriptor says");
    assert_snapshot!(error(NOTHING, &|manifest| manifest["layers"][0]["mediaType"] = json!("application/x-squashfs"), NOTHING), @"invalid image manifest sha256:42ae7227119caf5952e5c37b6c41ec88515623713d7e897d52691f53be61456a: its layer sha256:0a0976f924702efc3f19dc0d2899ca3790b9b44dbf8cfedca2af930266f85193 is of the unknown type `application/x-squashfs`");
    let zeros = "application/vnd.oci.image.layer.v1.tar+zstd";
    let bomb = zstd::encode_all(&vec![0; 2 << 20][..], 3).unwrap();
    let mut fixture =
        changed(NOTHING, &|manifest| manifest["layers"][1] = json!(Descriptor::of(zeros, &bomb)), NOTHING);
    fixture.blob(zeros, &bomb);
    assert_snapshot!(check(&fixture).unwrap_err(), @"cannot read layer sha256:49e6e0e59aabfe41e3a8d2306dd21e1f38cf4aca47dc3ee992669d7aa8ad646e of [dir]: its uncompressed size exceeds the limit");
}

#[test]
fn configurations_must_be_those_of_their_images() {
    assert_snapshot!(error(&|config| config["architecture"] = json!("arm64"), NOTHING, NOTHING), @"invalid image configuration sha256:d445ab4ac445d477503c348346a394fee9100e4c0136401c26e9bfe81d68a8b8: its platform is `linux/arm64`, but the index says linux/amd64");
    assert_snapshot!(error(&|config| config["rootfs"]["diff_ids"] = json!([]), NOTHING, NOTHING), @"invalid image configuration sha256:4bbc189212b9313684b532646144660a608955c8ca85ee03e1192deee7b6147f: it has 0 diff IDs for 3 layers");
    assert_snapshot!(error(&|config| config["rootfs"]["diff_ids"][0] = json!("md5:00"), NOTHING, NOTHING), @"invalid image configuration sha256:a2aaf327c86aadd88116ef0ef3e20e6dbfed1051911ae7de833b471697ed67f4: invalid diff ID: `md5:00` is not a digest: expected `sha256:` and 64 lower-case hexadecimal digits");
    assert_snapshot!(error(&|config| config["rootfs"]["type"] = json!("snapshots"), NOTHING, NOTHING), @"invalid image configuration sha256:717dd12e689f77fc6b93b492f11680e641bfe8b43e4978d930e9ec4971eaec6d: its rootfs.type is `snapshots`, expected `layers`");
    assert_snapshot!(error(&|config| config["history"] = json!([{"created_by": "one"}]), NOTHING, NOTHING), @"invalid image configuration sha256:2d47dbbbf9e8c46190c66614922d55819fff6f73c8180e8213c2847c99f2da5c: its history has 1 steps with a layer, expected 3");
    assert_snapshot!(error(NOTHING, &|manifest| manifest["config"]["mediaType"] = json!("application/vnd.docker.container.image.v1+json"), NOTHING), @"invalid image configuration sha256:fc8b9e8cb79d20aefc38143a0aa0caf62dc63bb421160854fc1cdd7e090d745d: its media type is `application/vnd.docker.container.image.v1+json`, expected `application/vnd.oci.image.config.v1+json`");
    assert_snapshot!(error(NOTHING, &|manifest| manifest["config"]["size"] = json!(5 << 20), NOTHING), @"cannot use sha256:fc8b9e8cb79d20aefc38143a0aa0caf62dc63bb421160854fc1cdd7e090d745d of [dir]: it is larger than 4194304 bytes");
}

#[test]
fn manifests_and_indexes_must_have_their_form() {
    assert_snapshot!(error(NOTHING, &|manifest| manifest["schemaVersion"] = json!(1), NOTHING), @"invalid image manifest sha256:ab7ff8d67702fe4ecbc6bb74ecd1b0707ab627af203d75de75fa7dc9c18da0d8: its schemaVersion is 1, expected 2");
    assert_snapshot!(error(NOTHING, &|manifest| manifest["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json"), NOTHING), @"invalid image manifest sha256:b7a1edf4270374cd5bac7519c78f5c4c0ec354722bd5710486bf772cac77f515: its mediaType is `application/vnd.docker.distribution.manifest.v2+json`, expected `application/vnd.oci.image.manifest.v1+json`");
    assert_snapshot!(error(NOTHING, &|manifest| manifest["manifests"] = json!([]), NOTHING), @"invalid image manifest sha256:f11de973da86d38b07b599cc7a7824f31f7a89288c7e4922967ae578c6494255: it has both `layers` and `manifests`");
    assert_snapshot!(error(NOTHING, NOTHING, &|index| index["manifests"] = json!([])), @"invalid image index sha256:dff9de10919148711140d349bf03f1a99eb06f94b03e51715ccebfa7cdc518e2: it has 0 images, expected 1 to 256");
    assert_snapshot!(error(NOTHING, NOTHING, &|index| index["manifests"][1]["platform"]["architecture"] = json!("amd64")), @"invalid image index sha256:d273823f840433ceb3bac2e3403898f39f092ff1eecfe5b3323f6968eecdf490: two of its images are for linux/amd64");
    assert_snapshot!(error(NOTHING, NOTHING, &|index| drop(index["manifests"][0].as_object_mut().unwrap().remove("platform"))), @"invalid image index sha256:0b8c83218e58d2d2c0b766f9d5f864fee19a4fd9ebd7dd9ae36e733b849d0aac: it has no platform for sha256:c3533d6276d6834acd0e6a09b31f6cdd035fc03615ade68c39037498c7e94671");
    assert_snapshot!(error(NOTHING, NOTHING, &|index| index["manifests"][0]["mediaType"] = json!(crate::document::media_type::INDEX)), @"invalid image index sha256:8d383c513206431d74d327d90e65fe84fd69f822c431a960213a234abf75b1f8: the media type of sha256:c3533d6276d6834acd0e6a09b31f6cdd035fc03615ade68c39037498c7e94671 is `application/vnd.oci.image.index.v1+json`, expected `application/vnd.oci.image.manifest.v1+json`");
    assert_snapshot!(error(NOTHING, NOTHING, &|index| index["mediaType"] = json!("application/json")), @"cannot use an image of [dir]: invalid image index sha256:ca147625dd0301011dbcee5a6a4bc6bf13c84b9e4b75f2e8b12239f51e9f32be: its mediaType is `application/json`, expected `application/vnd.oci.image.index.v1+json`");
}

#[test]
fn documents_that_may_be_signatures_come_one_by_one() {
    let mut fixture = Fixture::new();
    let root = fixture.root().digest;
    let count = |fixture: &Fixture| {
        let directory = tempfile::tempdir().unwrap();
        fixture.write_layout(directory.path());
        let location = location(&format!("{}:v1", directory.path().display()));
        signature_documents(location.as_ref(), root)
            .map(|documents| documents.collect::<Result<Vec<_>, _>>().unwrap().len())
    };
    assert_eq!(count(&fixture).unwrap(), 3, "a signature, a bundle, another referrer");
    let referrer = fixture.referrers()[0].digest;
    *fixture.blobs.get_mut(&referrer).unwrap() = b"{}".to_vec();
    assert!(
        matches!(count(&fixture), Err(LocationError::Digest { .. })),
        "what is damaged is not passed over"
    );
}
