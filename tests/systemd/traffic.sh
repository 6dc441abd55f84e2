# shellcheck shell=bash
# Encoders, players and clients of other kinds, in the machine's network.

begin_story() {
    STORY=$RUN/story-$1
    mkdir -p "$STORY"
    read_the_journal_from_here
}

end_story() {
    local started
    mapfile -t started < <(jobs -p)
    [ ${#started[@]} = 0 ] || kill -KILL "${started[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    exit "$1"
}

# start NAME COMMAND…: in the background, in the machine's network; ends with the story at the
# latest. PID is its process, NAME.log what it says.
start() {
    local name=$1
    shift
    nsenter --target "$LEADER" --net -- "$@" >"$STORY/$name.log" 2>&1 &
    # shellcheck disable=SC2034  # for the stories
    PID=$!
}

# ended PID: for `eventually`.
ended() { ! kill -0 "$1" 2>/dev/null; }

# publish NAME URL
publish() {
    start "$1" ffmpeg -v error -re -stream_loop -1 -i "$CHECKOUT/tests/media/demo.flv" \
        -c copy -f flv "$2"
}

# play NAME URL: until the stream ends.
play() {
    start "$1" ffmpeg -v error -i "$2" -c copy -f null -
}

# players NAME N SECONDS URL: so many play what somebody else publishes.
players() {
    start "$1" "$ROOT/usr/bin/srsctl" bench play --no-publish --players "$2" --ramp 500 \
        --duration "$3s" --timeout 30s --output json "$4"
}

# plays URL: a player gets a picture of the clip and its sound.
plays() {
    local seen
    seen=$(in_its_network timeout 20 ffprobe -v error -show_entries stream=codec_name,width,height \
        -of csv=p=0 "$1" 2>&1) || { echo "$seen"; return 1; }
    [ "$(sort <<<"$seen" | paste -s -d ' ')" = 'aac h264,640,360' ] || { echo "$seen"; return 1; }
}

# Answers of the server.
srsctl() { inside srsctl "$@"; }
viewers() { srsctl streams -o json | jq -r --arg name "$1" '[.streams[] | select(.name == $name) | .viewers] | add'; }
stream_names() { srsctl streams -o json | jq -r '[.streams[].url] | sort | join(" ")'; }
client_ids() { srsctl clients -o json | jq -r '[.clients[].id] | sort | join(" ")'; }

# By time: with --after-cursor and a filter, journalctl of systemd 252 leaves out the first entry.
read_the_journal_from_here() { JOURNAL=$(date +@%s.%6N); }

# The journal of this story; arguments are those of journalctl.
journal() {
    inside journalctl --sync
    inside journalctl --quiet --no-pager --since="$JOURNAL" "$@"
}
lines_of_the_service() { journal --unit=srs.service --output=cat; }

# tcp_listeners ARGUMENT…: what listens, as ss shows it. Where ss fails that is not nothing, but looks
# like something that has all ports.
tcp_listeners() {
    in_its_network timeout 30 ss --no-header --listening --tcp --numeric "$@" ||
        echo "users:((\"ss, which fails with $?\"))"
}

# listeners PORT: the names of the processes that hold it.
listeners() {
    tcp_listeners --processes "sport = :$1" |
        grep -o '("[^"]*"' | tr -d '("' | sort -u | paste -s -d ' '
}

# How often systemd started the service in this story (its own message for that).
starts_of_the_service() {
    journal MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=srs.service --output=cat | wc -l
}
