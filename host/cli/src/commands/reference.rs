//! How a command describes a reference to an image. The grammar is in `seed_oci::location`, and in `docs/references.md`.

pub(crate) const HELP: &str = "The image: `HOST/REPOSITORY` with `:TAG` or `@sha256:…`, or a path";

pub(crate) const LONG_HELP: &str = "\
The image: `HOST/REPOSITORY` with `:TAG` or `@sha256:…`, or a path

A name without `/` (`result`, `hello.tar`) is a path, and so is everything that begins with `./`, `../` or `/`: an OCI \
layout directory, or a tar archive. `oci:DIR`, `oci-archive:FILE` and `docker-archive:FILE` say which. After a path, \
`:NAME` chooses an image by its whole name. Everything else is in a registry, whatever files there are. If a \
reference ends with `@sha256:…`, the image must have this digest.";
