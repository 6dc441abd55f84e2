# What tests/compare measures: its cases, the servers and loads that they need, and their goals.

# `settings` are those of [vhost.__defaultVhost__.play].
def servers: {
    "floor 350ms":     {kind: "floor", arguments: "--interval 350ms"},
    "floor 40ms":      {kind: "floor", arguments: "--interval 40ms"},
    "floor 0s":        {kind: "floor", arguments: "--interval 0s"},
    "floor read":      {kind: "floor", arguments: "--read"},
    "nginx-rtmp":      {kind: "nginx"},
    "srs":             {kind: "srs"},
    "srs merge 350ms": {kind: "srs", settings: "merge = \"350ms\""},
    "srs merge 40ms":  {kind: "srs", settings: "merge = \"40ms\""},
    "srs min_latency": {kind: "srs", settings: "min_latency = true"},
    "srs, two cores":  {kind: "srs", settings: "min_latency = true", cores: 2}
};

# A load belongs to a group, whose runs are made one after the other, whatever cases they are for.
def load($command; $count; $name; $arguments):
    {$command, clients: $count, name: "\($count) \($name)", $arguments, group: "\($count)"};

def players($count): load("play"; $count; "players"; "");

def of_cores($count): players($count) | .group = "cores";

# Streams of half the usual size: the tool has to publish a thousand of them.
def players_of($streams; $count):
    load("play"; $count; "of \($streams) small";
        "--streams \($streams) --bitrate 250 --fps 15 --audio-fps 22");

def publishers_of($streams):
    load("publish"; $streams; "small in"; "--bitrate 250 --fps 15 --audio-fps 22");

# Faster than anybody could look at them one by one.
def storm($count): load("play"; $count; "in 2 s"; "--ramp \($count / 2)");

def publishers($count): load("publish"; $count; "of 2 Mbit/s in"; "--bitrate 2000");

def run($server; $load): {$server, $load};

# The rows of the table. `most` is the goal of the figure, `most_times` the goal of its ratio to
# that of `against`; where a row has both, reaching one of them is enough.
def rows($quick):
    (if $quick then [900] else [900, 2700, 5000] end) as $sizes
    | $sizes[0] as $few
    | $sizes[-1] as $many
    | [
        ($sizes[] | players(.) | {case: "merged", figure: "cpu",
            run: run("srs merge 350ms"; .), against: run("floor 350ms"; .), most_times: 1.25}),

        # 2700 are about as many as nginx-rtmp can serve on one processor.
        ($sizes[] | players(.) | {case: "default", figure: "cpu", run: run("srs"; .), most: 0.20}
            + if .clients <= 2700 then {against: run("nginx-rtmp"; .), most_times: 0.3} else {} end),
        ($sizes[] | players(.) | {case: "default", figure: "latency_p50",
            run: run("srs"; .), most: 60}),

        (players($few) | {case: "merge40", figure: "cpu", run: run("srs merge 40ms"; .)}
            + ({against: run("nginx-rtmp"; .), most_times: 0.6}, {against: run("floor 40ms"; .)})),

        (players($few) | {case: "unmerged", figure: "cpu", run: run("srs min_latency"; .)}
            + ({against: run("nginx-rtmp"; .), most_times: 1.0},
               {against: run("floor 0s"; .), most_times: 1.15})),
        (players($few) | {case: "unmerged", run: run("srs min_latency"; .)}
            + ({against: run("nginx-rtmp"; .)}, {against: run("floor 0s"; .)})
            + ({figure: "latency_p50", most: 0.5}, {figure: "latency_p95", most: 5})),

        (players($few) | {case: "start", run: run("srs"; .), against: run("nginx-rtmp"; .)}
            + ({figure: "key_frame_p50", most: 5}, {figure: "key_frame_p95", most: 20})),

        # What the server needs without players counts, too, so the goal is for many.
        (players(if $quick then 900 else 2700 end) | {case: "memory", figure: "memory",
            run: run("srs"; .), against: run("nginx-rtmp"; .)}
            + if $quick then {} else {most: 8} end),

        # So many that one core would be too slow for a write per message, and would merge them,
        # which is cheaper: what it needs for half of them is what can be compared.
        {case: "cores", run: run("srs, two cores"; of_cores(3000))}
            + ({figure: "cpu", against: run("srs min_latency"; of_cores(1500)), most_times: 1.2},
               {figure: "processors"}, {figure: "unevenness", most: 20}),

        {case: "streams", figure: "cpu", run: run("srs"; players_of($many / 5; $many)),
            against: run("srs"; players_of(1; $many)), most_times: 1.3},
        # Most of that is what a thousand publishers cost without any player: what remains of the
        # first figure without the second is what serving costs.
        {case: "streams", figure: "processors", run: run("srs"; players_of($many / 5; $many)),
            against: run("srs"; publishers_of($many / 5))},
        {case: "streams", figure: "processors", run: run("srs"; players_of(1; $many))},

        (storm($many) | {case: "storm", run: run("srs"; .)}
            + ({figure: "key_frame_p95"}, {figure: "key_frame_max"})),

        (publishers(500) | {case: "publish", figure: "cpu", run: run("srs"; .)}
            + ({against: run("floor read"; .), most_times: 2}, {against: run("nginx-rtmp"; .)}))
    ];

def unique_in_order: reduce .[] as $item ([]; if index([$item]) then . else . + [$item] end);

def case_names: [rows(false)[].case] | unique_in_order;

# What follows `srsctl bench`, but for the window and the processors.
def arguments:
    servers[.server] as $server
    | if $server.kind == "floor" then "floor --players \(.load.clients) \($server.arguments)"
      elif .load.command == "publish" then "publish --publishers \(.load.clients)"
      else "play --players \(.load.clients)" end
    | . + " ";

# The rows of what was asked for, {cases, quick}.
def rows_asked_for: .cases as $cases | rows(.quick) | map(select(.case | IN($cases[])));

# All runs of {cases, quick, rounds} in the order in which they are made, a line each. The order
# turns around from round to round, so that whatever else happens on the machine hits all alike.
def plan:
    .rounds as $rounds
    | ([rows_asked_for[] | .run, .against // empty] | unique_in_order) as $runs
    | ([$runs[].load.group] | unique_in_order)[] as $group
    | ([$runs[] | select(.load.group == $group)]
        | sort_by({floor: 0, nginx: 1, srs: 2}[servers[.server].kind])) as $forth
    | range($rounds) as $round
    | (if $round % 2 == 0 then $forth else $forth | reverse end)[]
    | servers[.server] as $server
    | [$round + 1, .server, .load.name, .load.clients, $server.kind, $server.settings // "",
       $server.cores // 1, arguments + .load.arguments]
    | join("|");
