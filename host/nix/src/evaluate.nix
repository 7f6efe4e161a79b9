# What host/nix asks of a set of packages: paths -> set -> what stands at each path.
paths: set:
let
  select =
    path:
    builtins.foldl' (
      value: name: if builtins.isAttrs value && value ? ${name} then value.${name} else null
    ) set path;

  describe =
    value:
    if value == null then
      null
    else if !builtins.isAttrs value || (value.type or null) != "derivation" then
      { kind = builtins.typeOf value; }
    else
      {
        inherit (value) drvPath;
        output = value.outputName or "out";
        outputs = map (name: {
          inherit name;
          path = builtins.unsafeDiscardStringContext value.${name}.outPath;
        }) (value.outputs or [ "out" ]);
      };
in
map (path: describe (select path)) paths
