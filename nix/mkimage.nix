# An image as a derivation. `seed` runs inside the build, on the reference graph that Nix writes there, and produces
# the same bytes as `seed run` for the same closure.
#
#   packages.x86_64-linux.seed = mkImage {
#     seed = mkSeed { system = "x86_64-linux"; apps = [ hello ]; };
#     program = seed.packages.x86_64-linux.default;
#     pipeline = ./pipeline.toml;
#   };
#
# Then run `nix build .#seed` and `docker load < result`. The image's attribute `seedLayers` is the argument
# `seed`: `seed run` takes the layers from there, so one attribute serves both.
#
# Signs and pushes nothing: a build has neither keys nor a network.
let
  # The layers that every selector knows.
  known = runtimeOnly ++ buildOnly;
  runtimeOnly = [
    "base"
    "library"
    "apps"
  ];
  buildOnly = [
    "nix"
    "inputs"
    "checks"
    "devShells"
    "overlays"
  ];

  quoted = names: builtins.concatStringsSep ", " (map (name: "`${name}`") names);

  # Reads a pipeline file as a set. Plugin files beside it and its layer lock are copied to the store.
  read =
    file:
    let
      pipeline = builtins.fromTOML (builtins.readFile file);
      beside = path: dirOf file + "/${path}";
      isRelative = plugin: builtins.match "\\.\\.?/.*" plugin != null;
      plugin = use: if use ? plugin && isRelative use.plugin then { plugin = "${beside use.plugin}"; } else { };
      # The layer lock does not exist before the first `seed run`.
      layer-lock =
        use:
        if use ? layer-lock then
          { layer-lock = if builtins.pathExists (beside use.layer-lock) then "${beside use.layer-lock}" else null; }
        else
          { };
      stored = use: use // plugin use // layer-lock use;
      stage = name: if pipeline ? ${name} then { ${name} = stored pipeline.${name}; } else { };
    in
    pipeline // stage "select" // stage "pack";

  mkImage =
    {
      # The result of `mkSeed`.
      seed,
      # The package with `bin/seed`.
      program,
      # A pipeline file, or an equivalent set. Its sections on source, keys and publishing are ignored.
      pipeline,
      # The flake itself, `self`: its commit becomes an annotation of the image, as in `seed run`.
      flake ? { },
      # The image's tag.
      tag ? "latest",
      # "docker-archive": one file for `docker load` and for OCI tools. "oci-layout": a directory.
      format ? "docker-archive",
      # The system that builds the image.
      system ? program.system,
    }@arguments:
    let
      given = if builtins.isAttrs pipeline then pipeline else read pipeline;

      name = given.seed.name or (throw "mkImage: `pipeline` has no `seed.name`");
      isRuntime = (given.seed.variant or "runtime") == "runtime";

      config = given.select.config or { };
      # A copy of the layer lock for this system only: a run adds what is missing.
      layer-lock = given.select.layer-lock or null;
      # The image's layers, bottom first.
      layers =
        config.layers or (
          if isRuntime then
            builtins.filter (layer: !builtins.elem layer buildOnly) seed.outputs
          else
            seed.outputs
        );
      unknown = builtins.filter (layer: !builtins.elem layer seed.outputs) layers;
      offered =
        if unknown != [ ] then
          throw "mkImage: the seed has no layer ${quoted unknown}; it has ${quoted seed.outputs}"
        else
          layers;
      # The selector wants layers that are not standard to be listed.
      listed = if builtins.all (layer: builtins.elem layer known) offered then { } else { layers = offered; };

      out = builtins.placeholder "out";
      place =
        {
          docker-archive.archive = out;
          oci-layout.path = out;
        }
        .${format} or (throw "mkImage: unknown format `${format}`; use `docker-archive` or `oci-layout`");

      text = import ./mkpipeline.nix (
        removeAttrs given [
          "keys"
          "layers"
          "secrets"
          "sign"
        ]
        // {
          source = {
            systems = [ seed.system ];
            closure = {
              graph = ".attrs.json";
              variables = {
                commit = flake.rev or null;
                last-modified = if flake ? lastModified then toString flake.lastModified else null;
              };
            };
          };
          # There is no flake to ask: everything must be in the closure.
          seed = removeAttrs given.seed [
            "builds"
            "nix"
          ];
          select = (given.select or { }) // {
            config = listed // config;
            layer-lock = if layer-lock == null then null else "layers.lock";
          };
          publish = [
            {
              plugin = "builtin:oci-layout";
              config = place // {
                tags = [ tag ];
              };
            }
          ];
        }
      );

      # Written by hand: sets in Nix are unordered, and the order of the layers matters.
      outputs = builtins.concatStringsSep "" (
        map (layer: "${layer} = ${builtins.toJSON "${seed.${layer}}"}\n") offered
      );

      image = derivation {
        name = if format == "docker-archive" then "${name}.tar" else name;
        inherit system;
        builder = "/bin/sh";
        args = [
          "-euc"
          ''
            printf '%s' "$1" > pipeline.toml
            if [ -n "$3" ]; then
              while IFS= read -r line; do printf '%s\n' "$line"; done < "$3" > layers.lock
            fi
            exec "$2" run --progress plain --cache-dir cache --no-aot-cache pipeline.toml
          ''
          "mkImage"
          "${text}\n[source.closure.outputs]\n${outputs}"
          "${program}/bin/seed"
          (if layer-lock == null then "" else "${layer-lock}")
        ];
        # `.attrs.json` holds the closure.
        __structuredAttrs = true;
        exportReferencesGraph.closure = map (layer: seed.${layer}) offered;
        # The image is complete: store paths named in its configuration are not references.
        unsafeDiscardReferences.out = true;
      };
    in
    image
    // {
      seedLayers = seed;
      override =
        change: mkImage (arguments // (if builtins.isFunction change then change arguments else change));
    };
in
mkImage
