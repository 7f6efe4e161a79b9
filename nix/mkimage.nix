# An image as a derivation: `seed` runs inside the build, over the reference graph that Nix writes there, and makes what
# `seed run` makes of the same closure, to the byte.
#
#   packages.x86_64-linux.seed = mkImage {
#     seed = mkSeed { system = "x86_64-linux"; apps = [ hello ]; };
#     program = seed.packages.x86_64-linux.default;
#     pipeline = ./pipeline.toml;
#   };
#
# then `nix build .#seed` and `docker load < result`. The result has the attribute `seedLayers`, which is `seed` again:
# `seed run` takes that where it is told to take the image, so one attribute serves both.
#
# Nothing is signed or pushed here: a build has neither keys nor a network.
let
  # Layers that a selector knows without being told.
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

  # A pipeline file as a set. A plugin that is a file beside it, and the layers that it locks, are put into the store.
  read =
    file:
    let
      pipeline = builtins.fromTOML (builtins.readFile file);
      beside = path: dirOf file + "/${path}";
      isRelative = plugin: builtins.match "\\.\\.?/.*" plugin != null;
      plugin = use: if use ? plugin && isRelative use.plugin then { plugin = "${beside use.plugin}"; } else { };
      # Where nothing is locked yet, only a run writes the file.
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
      # What `mkSeed` made.
      seed,
      # The package that has `bin/seed`.
      program,
      # A pipeline file, or a set like one. What it says of source, keys and publishing does not count here.
      pipeline,
      # The flake that this is part of, `self`: its commit is noted in the image, as `seed run` does.
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
      # A copy of the locked layers, since a run adds what it misses: another system's are none of this build.
      layer-lock = given.select.layer-lock or null;
      # The layers that the image takes, bottom first.
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
      # Layers that only this seed has must be listed, by the rules of the selector.
      listed = if builtins.all (layer: builtins.elem layer known) offered then { } else { layers = offered; };

      out = builtins.placeholder "out";
      place =
        {
          docker-archive.archive = out;
          oci-layout.path = out;
        }
        .${format} or (throw "mkImage: there is no format `${format}`; use `docker-archive` or `oci-layout`");

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
          # What a flake would be asked for is in the closure or is not.
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

      # By hand, since a set of Nix has no order, and that of the layers counts.
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
        # `.attrs.json`, with the closure in it.
        __structuredAttrs = true;
        exportReferencesGraph.closure = map (layer: seed.${layer}) offered;
        # The image has all that it needs; that its configuration names store paths keeps nothing alive.
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
