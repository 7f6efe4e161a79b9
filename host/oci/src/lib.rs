//! NAR view, tar, codecs, the blob store, image documents, layouts, archives and registries.
