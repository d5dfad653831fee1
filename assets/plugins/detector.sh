#!/bin/sh
# A detector of sh and jq: flags texts that hold links.
exec jq --unbuffered -nc '
  def links: [scan("https?://[^ ]+")];
  label $out | inputs
  | if .casework then {plugin: "links", version: "1.0", casework: 1, deterministic: true}
    elif .end then break $out
    else (.row.text | if type == "string" then links else [] end) as $found
      | {n, flags: [if ($found | length) > 0
          then {flag: "link", score: ($found | length), why: "\($found | length) links"}
          else empty end]}
    end'
