# Writes a Nix value as TOML. Sets become sections, lists of sets become arrays of sections, and values inside these
# are inline. Keys are sorted, `null` is omitted, and paths and derivations become their store paths.
#
# Uses builtins only. `builtins.toJSON` writes strings: every JSON escape is a TOML escape.
let
  inherit (builtins)
    attrNames
    concatMap
    concatStringsSep
    filter
    isAttrs
    isList
    match
    toJSON
    typeOf
    ;

  dotted = path: concatStringsSep "." (map key path);

  key = name: if match "[A-Za-z0-9_-]+" name != null then name else toJSON name;

  isSection = value: isAttrs value && !(value ? outPath);
  isSections = value: isList value && value != [ ] && builtins.all isSection value;

  present = set: filter (name: set.${name} != null) (attrNames set);

  inline =
    at: value:
    if isSection value then
      "{ ${concatStringsSep ", " (map (entry at value) (present value))} }"
    else if isList value then
      "[${concatStringsSep ", " (map (inline at) value)}]"
    else if isAttrs value || builtins.isPath value then
      toJSON "${value}"
    else if builtins.elem (typeOf value) [ "string" "int" "float" "bool" ] then
      toJSON value
    else
      throw "toTOML: `${at}` is a ${typeOf value}, which TOML cannot hold";

  entry = at: set: name: "${key name} = ${inline "${at}.${name}" set.${name}}";

  # The sections of `set` at `path`: its own lines first, then its sections. `header` is omitted if it would be empty.
  sections =
    path: header: isArray: set:
    let
      isDeep = name: isSection set.${name} || isSections set.${name};
      names = present set;
      lines = map (name: "${key name} = ${inline (dotted (path ++ [ name ])) set.${name}}\n") (
        filter (name: !isDeep name) names
      );
      below =
        name:
        let
          at = path ++ [ name ];
        in
        if isSections set.${name} then
          concatMap (sections at "[[${dotted at}]]\n" true) set.${name}
        else
          sections at "[${dotted at}]\n" false set.${name};
      own = if isArray || lines != [ ] || names == [ ] then [ (header + concatStringsSep "" lines) ] else [ ];
    in
    own ++ concatMap below (filter isDeep names);
in
set: concatStringsSep "\n" (sections [ ] "" false set)
