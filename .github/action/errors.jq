# The error document of seed as messages to the runner, at their places in the files of the change.
def data: gsub("%"; "%25") | gsub("\r"; "%0D") | gsub("\n"; "%0A");
def property: data | gsub(":"; "%3A") | gsub(","; "%2C");
def single: if (.related | length) > 0 then .related[] | single else . end;

.error | single
| ([.message] + .causes + (if .help then ["help: " + .help] else [] end) | join("\n")) as $text
| (.places[0] | if . then ",file=\(.file | property),line=\(.line),col=\(.column)" else "" end) as $place
| "::error title=\(.code // "seed" | property)\($place)::\($text | data)"
