//! Whether the documents of an image say what was planned, and nothing else: whoever signs the image signs that.

use seed_model::{Image, ImageConfig, ImagePlan, PackedLayer, Platform, json};
use serde_json::{Map, Value, json};

use crate::document::error::DocumentError;
use crate::document::image::{check_agreement, document};
use crate::document::media_type::MANIFEST;
use crate::store::BlobStore;

/// The annotation of a layer's descriptor: the planned layer that it is.
const LAYER_ANNOTATION: &str = "io.github.seed-oci.layer";

/// How the history names a planned layer.
const LAYER_STEP: &str = "seed layer ";

/// What an image has to say.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    pub plan: &'a ImagePlan,
    pub platform: &'a Platform,
    /// The time in every `created` field.
    pub created: &'a str,
}

/// Checks the documents of an image that a packer made: they agree with each other, and say what `planned` says. What
/// is in the layers is not read.
///
/// `free` says of a layer, by its index, whether its descriptor may have annotations of its own: those by which readers
/// of the packer's own format find their way in it.
pub fn check_image(
    store: &BlobStore,
    image: &Image,
    planned: &Planned<'_>,
    free: &dyn Fn(usize) -> bool,
) -> Result<(), DocumentError> {
    let manifest = |reason| DocumentError::wrong("image manifest", image.manifest.digest, reason);
    let (layers, wanted) = (image.layers.len(), planned.plan.layers.len());
    if layers != wanted {
        return Err(manifest(format!("it has {layers} layers, but the plan has {wanted}")));
    }
    check_agreement(store, image, planned.platform)?;
    for layer in &image.layers {
        let descriptor = &layer.descriptor;
        let reason = match store.size(descriptor.digest)? {
            Some(found) if found == descriptor.size => continue,
            Some(found) => format!("has {found} bytes, expected {}", descriptor.size),
            None => "is not in the blob store".to_owned(),
        };
        return Err(manifest(format!("layer {} {reason}", descriptor.digest)));
    }
    let value = |bytes: Vec<u8>| json::parse::<Value>(&bytes).map_err(|error| error.to_string());
    value(document(store, &image.manifest)?)
        .and_then(|found| check_manifest(found, image, planned.plan, free))
        .map_err(manifest)?;
    value(document(store, &image.config)?)
        .and_then(|found| check_configuration(found, image, planned))
        .map_err(|reason| DocumentError::wrong("image configuration", image.config.digest, reason))
}

fn check_manifest(
    mut found: Value,
    image: &Image,
    plan: &ImagePlan,
    free: &dyn Fn(usize) -> bool,
) -> Result<(), String> {
    for (index, (layer, planned)) in layers_of(&mut found).iter_mut().zip(&plan.layers).enumerate() {
        let annotations = layer.as_object_mut().and_then(|layer| layer.remove("annotations"));
        for (name, value) in annotations.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let problem = match name.as_str() {
                LAYER_ANNOTATION if *value != planned.name => "names another layer",
                LAYER_ANNOTATION => continue,
                _ if free(index) => continue,
                _ => "is not planned",
            };
            return Err(format!("the annotation `{}` of its layer {index} {problem}", name.escape_debug()));
        }
    }
    strip(&mut found, &["annotations"]);
    let blob = |blob: &seed_model::Descriptor| json!({"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size});
    let layers: Vec<_> = image.layers.iter().map(|layer| blob(&layer.descriptor)).collect();
    let mut wanted = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob(&image.config),
        "layers": layers,
        "annotations": plan.annotations,
    });
    strip(&mut wanted, &["annotations"]);
    compare("", &wanted, &found)
}

fn layers_of(manifest: &mut Value) -> &mut [Value] {
    manifest.get_mut("layers").and_then(Value::as_array_mut).map_or(&mut [], Vec::as_mut_slice)
}

fn check_configuration(mut found: Value, image: &Image, planned: &Planned<'_>) -> Result<(), String> {
    let history = found.as_object_mut().and_then(|found| found.remove("history"));
    check_history(&history.unwrap_or_default(), planned)?;
    strip(&mut found, &CONFIGURATION);
    found.get_mut("config").into_iter().for_each(|config| strip(config, &EXECUTION));
    let Planned { plan, platform, created } = planned;
    let mut wanted = json!({
        "os": platform.os,
        "architecture": platform.architecture,
        "variant": platform.variant,
        "created": found.get("created").map(|_| created),
        "config": execution(&plan.config),
        "rootfs": {"type": "layers", "diff_ids": diff_ids(&image.layers)},
    });
    strip(&mut wanted, &CONFIGURATION);
    compare("", &wanted, &found)
}

fn diff_ids(layers: &[PackedLayer]) -> Vec<String> {
    layers.iter().map(|layer| layer.diff_id.to_string()).collect()
}

/// A plan's configuration as an image has it, without what is empty.
fn execution(config: &ImageConfig) -> Value {
    let set = |names: &[String]| -> Map<String, Value> {
        names.iter().map(|name| (name.clone(), json!({}))).collect()
    };
    let mut wanted = json!({
        "Entrypoint": config.entrypoint,
        "Cmd": config.cmd,
        "Env": config.env,
        "User": config.user,
        "WorkingDir": config.working_dir,
        "Labels": config.labels,
        "ExposedPorts": set(&config.exposed_ports),
        "Volumes": set(&config.volumes),
        "StopSignal": config.stop_signal,
    });
    strip(&mut wanted, &EXECUTION);
    wanted
}

/// A history has one step for each layer, in their order. Its words are the packer's, but one that names a layer of the
/// plan as the builtin packer does has to name the right one: readers show it.
fn check_history(history: &Value, planned: &Planned<'_>) -> Result<(), String> {
    let steps = match history {
        Value::Null => return Ok(()),
        Value::Array(steps) if steps.is_empty() => return Ok(()),
        Value::Array(steps) => steps,
        _ => return Err("its history is not a list".to_owned()),
    };
    let layers = &planned.plan.layers;
    if steps.len() != layers.len() {
        return Err(format!("its history has {} steps for {} layers", steps.len(), layers.len()));
    }
    for (index, (step, layer)) in steps.iter().zip(layers).enumerate() {
        for (key, value) in step.as_object().into_iter().flatten() {
            let is_right = match (key.as_str(), value) {
                ("created", value) => *value == planned.created,
                ("created_by", Value::String(text)) => {
                    text.strip_prefix(LAYER_STEP).is_none_or(|name| name == layer.name)
                }
                ("empty_layer", value) => *value == false,
                _ => false,
            };
            if !is_right {
                let key = key.escape_debug();
                return Err(format!("`{key}` in step {index} of its history is not what was planned"));
            }
        }
    }
    Ok(())
}

/// Members of a configuration that say nothing where they are empty.
const CONFIGURATION: [&str; 2] = ["variant", "created"];

/// The same of its member `config`.
const EXECUTION: [&str; 9] =
    ["Entrypoint", "Cmd", "Env", "User", "WorkingDir", "Labels", "ExposedPorts", "Volumes", "StopSignal"];

/// Removes those of the `names` from an object that say nothing: `null`, and what is empty. All others stay: Go takes
/// `entrypoint` for `Entrypoint`, and an empty one for the last word.
fn strip(value: &mut Value, names: &[&str]) {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, member| !names.contains(&name.as_str()) || !is_empty(member));
    }
}

/// Says where a document differs from what was planned.
fn compare(place: &str, wanted: &Value, found: &Value) -> Result<(), String> {
    let at = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            if let Some(name) = found.keys().find(|name| !wanted.contains_key(*name)) {
                return Err(format!("its `{}` is not planned", shown(&at(name))));
            }
            wanted.iter().try_for_each(|(name, wanted)| match found.get(name) {
                Some(found) => compare(&at(name), wanted, found),
                None => Err(format!("it lacks `{}`", shown(&at(name)))),
            })
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            let places = (0..wanted.len()).map(|index| format!("{place}[{index}]"));
            places
                .zip(wanted.iter().zip(found))
                .try_for_each(|(place, (wanted, found))| compare(&place, wanted, found))
        }
        (wanted, found) if wanted == found => Ok(()),
        (wanted, found) => Err(format!(
            "its `{}` is {}, planned: {}",
            shown(place),
            shown(&found.to_string()),
            shown(&wanted.to_string())
        )),
    }
}

/// A text in a message, without control characters and not too long.
fn shown(text: &str) -> String {
    text.chars().take(200).collect::<String>().escape_debug().to_string().replace("\\\"", "\"")
}
