# What tests/compare prints, made of what it has kept: a line about all of it, then one per run.
include "cases";

# How much less time the second of a server's threads took than the first, in percent: on two
# processors these two do the work.
def unevenness:
    [.server.threads[]?.cpu_seconds] | sort
    | if length > 1 and .[-1] > 0 then (.[-1] - .[-2]) / .[-1] * 100 else null end;

# Of the result of a run, or of null for what does not depend on one.
def figure($name):
    {
        cpu:           {name: "CPU-s per Gbit",    digits: 3, value: .server.cpu_seconds_per_gbit},
        latency_p50:   {name: "latency p50, ms",   digits: 1, value: .latency_ms.p50},
        latency_p95:   {name: "latency p95, ms",   digits: 1, value: .latency_ms.p95},
        key_frame_p50: {name: "key frame p50, ms", digits: 1, value: .first_key_frame_ms.p50},
        key_frame_p95: {name: "key frame p95, ms", digits: 1, value: .first_key_frame_ms.p95},
        key_frame_max: {name: "key frame max, ms", digits: 1, value: .first_key_frame_ms.max},
        memory:        {name: "KB per player",     digits: 1, value: .server.kb_per_player},
        processors:    {name: "CPU in use, %",     digits: 0, value: .server.cpu_percent},
        unevenness:    {name: "unevenness, %",     digits: 0, value: unevenness}
    }[$name];

def fixed($digits):
    (. * pow(10; $digits) | round | tostring)
    | if $digits == 0 then .
      else "0" * ([$digits + 1 - length, 0] | max) + . | .[:-$digits] + "." + .[-$digits:] end;

# Of the rounds; null of none.
def median:
    if . == null then null
    else sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2 end;

# The middle of the rounds, and how far they are from it.
def summary($digits):
    (median | fixed($digits))
    + if length > 1 and median > 0 then " ±\((max - min) / 2 / median * 100 | fixed(0))%" else "" end;

# Why a run says nothing about its server, or null.
def trouble:
    .error as $error
    | .clients as $clients
    | .result
    | (if .command == "play" then .playing else .connected end) as $there
    | if . == null then $error
      elif .saturated and .tool.cpu_percent > 85 then "tool too slow"
      elif .saturated then "published late"
      elif $there < $clients then "\($clients - $there) not served"
      elif .starved > 0 then "\(.starved) starved"
      elif .delivered_ratio != null and .delivered_ratio < 0.97
      then "\(.delivered_ratio * 100 | fixed(0))% delivered"
      else $error end;

# {values} of all rounds, or the {trouble} of the first that has some; and whether they were
# {disturbed}.
def measured($runs; $figure):
    . as $run
    | [$runs[] | select(.server == $run.server and .load == $run.load.name)]
    | (map(trouble | values)[0]) as $trouble
    | (map(.result | figure($figure).value)) as $values
    | {disturbed: any(.[]; .others_percent >= 10)}
    + if length == 0 then {trouble: "not run"}
      elif $trouble then {trouble: $trouble}
      elif any($values[]; . == null) then {trouble: "not measured"}
      else {values: $values} end;

def verdict($value; $ratio):
    [(.most | values | [$value, .]), (.most_times | values | [$ratio, .])]
    | if length == 0 then ""
      elif any(.[]; .[0] != null and .[0] <= .[1]) then "ok"
      elif any(.[]; .[0] == null) then "unknown"
      else "MISSED" end;

def cells($runs):
    . as $row
    | (null | figure($row.figure)) as $figure
    | (.run | measured($runs; $row.figure)) as $ours
    | (.against | if . then measured($runs; $row.figure) else {} end) as $theirs
    | (if $ours.values and $theirs.values and all($theirs.values[]; . > 0)
       then [$ours.values, $theirs.values] | transpose | map(.[0] / .[1]) else null end) as $ratios
    | def show: if .values then .values | summary($figure.digits) else .trouble // "" end;
      [
        .case,
        .run.load.name,
        $figure.name,
        .run.server,
        ($ours | show),
        (.against | if . == null then ""
            elif .load == $row.run.load then .server else "\(.server), \(.load.name)" end),
        ($theirs | show),
        ($ratios | if . then summary(2) else "" end),
        ([(.most | values | "<= \(.)"), (.most_times | values | "<= \(.)x")] | join(" or ")),
        verdict($ours.values | median; $ratios | median),
        if $ours.disturbed or $theirs.disturbed then "disturbed" else "" end
      ];

def aligned:
    (transpose | map(map(length) | max)) as $widths
    | map([., $widths] | transpose | map(.[0] + " " * (.[1] - (.[0] | length))) | join("  ")
        | sub(" +$"; ""));

# Of everything in a slurped file.
def rows_of_all: .[1:] as $runs | .[0] | rows_asked_for | map(cells($runs));

def table:
    .[0] as $all
    | ([["case", "load", "figure", "of", "", "against", "", "ratio", "goal", "", ""]] + rows_of_all
        | aligned[]),
      "",
      "CPU-s per Gbit: the server's processor time for what goes to its players, or comes from its publishers.",
      "Disturbed: other programs used 10 % of the machine, or more, at the same time.",
      "",
      "\($all.machine) (\($all.cpus)), \($all.kernel); \($all.srs); \($all.nginx).",
      "\($all.rounds) rounds of \($all.seconds) s each; ± says how far they are from their median.";

def all_reached: rows_of_all | all(.[][-2]; . == "ok" or . == "");

# What is said about a run as soon as it is over.
def progress:
    (trouble
        // (.result
            | [("cpu", "latency_p50", "memory") as $name | figure($name) | select(.value)
                | "\(.name) \(.digits as $digits | .value | fixed($digits))"] | join("; ")))
    + if .others_percent < 5 then "" else " (others used \(.others_percent) % of the machine)" end;
