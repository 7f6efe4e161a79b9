//! What `wit-bindgen` makes of the contract: one module of imports that all stages share, and one per exported
//! interface. Authors see it through the stage modules; the export macros need it to be public.
//!
//! The worlds of the contract are not used as such, for each of them exports `plugin`, and the macros of two worlds
//! with the same export would collide in this crate. Here each exported interface has a world of its own; a component
//! is the union of two (`plugin` and its stage), and its imports are what it calls: the same component in the end.
#![allow(missing_docs, reason = "generated; the documentation of the WIT files is carried over")]
#![allow(clippy::pedantic, reason = "generated")]

/// Every interface that some world imports.
pub mod imports {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package seed:sdk;
            world imports {
                import seed:pipeline/types@0.1.0;
                import seed:pipeline/graph@0.1.0;
                import seed:pipeline/plan@0.1.0;
                import seed:pipeline/log@0.1.0;
                import seed:pipeline/progress@0.1.0;
                import seed:pipeline/archive@0.1.0;
                import seed:pipeline/blobs@0.1.0;
                import seed:pipeline/keyring@0.1.0;
                import seed:pipeline/http@0.1.0;
                import seed:pipeline/files@0.1.0;
            }
        ",
        generate_all,
        additional_derives: [PartialEq],
        runtime_path: "::seed_plugin::__private::wit_bindgen::rt",
    });
}

/// The description that every component exports.
pub mod description {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package seed:sdk;
            world description {
                export seed:pipeline/plugin@0.1.0;
            }
        ",
        generate_all,
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_description_world",
        runtime_path: "::seed_plugin::__private::wit_bindgen::rt",
    });
}

/// The exports of world `layer-selector`.
pub mod layer_selector {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package seed:sdk;
            world layer-selector {
                export seed:pipeline/layer-selection@0.1.0;
            }
        ",
        with: {
            "seed:pipeline/types@0.1.0": super::imports::seed::pipeline::types,
            "seed:pipeline/graph@0.1.0": super::imports::seed::pipeline::graph,
            "seed:pipeline/plan@0.1.0": super::imports::seed::pipeline::plan,
        },
        generate_all,
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_layer_selector_world",
        runtime_path: "::seed_plugin::__private::wit_bindgen::rt",
    });
}

/// The exports of world `packer`.
pub mod packer {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package seed:sdk;
            world packer {
                export seed:pipeline/packing@0.1.0;
            }
        ",
        with: {
            "seed:pipeline/types@0.1.0": super::imports::seed::pipeline::types,
            "seed:pipeline/plan@0.1.0": super::imports::seed::pipeline::plan,
            "seed:pipeline/archive@0.1.0": super::imports::seed::pipeline::archive,
        },
        generate_all,
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_packer_world",
        runtime_path: "::seed_plugin::__private::wit_bindgen::rt",
    });
}

/// The exports of world `signer`.
pub mod signer {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package seed:sdk;
            world signer {
                export seed:pipeline/signing@0.1.0;
            }
        ",
        with: {
            "seed:pipeline/types@0.1.0": super::imports::seed::pipeline::types,
            "seed:pipeline/keyring@0.1.0": super::imports::seed::pipeline::keyring,
        },
        generate_all,
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_signer_world",
        runtime_path: "::seed_plugin::__private::wit_bindgen::rt",
    });
}

/// The exports of world `publisher`.
pub mod publisher {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package seed:sdk;
            world publisher {
                export seed:pipeline/publishing@0.1.0;
            }
        ",
        with: {
            "seed:pipeline/types@0.1.0": super::imports::seed::pipeline::types,
        },
        generate_all,
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_publisher_world",
        runtime_path: "::seed_plugin::__private::wit_bindgen::rt",
    });
}
