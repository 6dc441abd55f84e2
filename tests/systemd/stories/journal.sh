# shellcheck shell=bash
# What the journal and systemctl tell, and whom the daemon lets operate it.

systemctl_status_says_how_it_goes() {
    eventually 15 'idle, it says so' matches 'Status: ".*0 streams, 0 clients' \
        inside systemctl status --no-pager srs.service
    publish encoder rtmp://127.0.0.1/live/show
    play player rtmp://127.0.0.1/live/show
    eventually 20 'streams, clients and kbps stand in its status' \
        matches 'Status: ".*1 stream, 2 clients.*[1-9][0-9]* kbps' \
        inside systemctl status --no-pager srs.service
    figure 'systemctl status' "$(property srs.service StatusText)"
}

the_journal_tells_the_story_of_a_client() {
    local publisher player
    check 'systemctl restart srs' inside systemctl restart srs
    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'an encoder publishes' prints /live/show stream_names
    publish other rtmp://127.0.0.1/live/other
    local other=$PID
    play player rtmp://127.0.0.1/live/show
    local playing=$PID
    eventually 10 'a player plays' prints 1 viewers show
    publisher=$(srsctl clients -o json | jq -r '.clients[] | select(.name == "show" and .publish) | .id')
    player=$(srsctl clients -o json | jq -r '.clients[] | select(.publish | not) | .id')
    kill -INT "$playing"
    kill -INT "$other"
    eventually 10 'and leaves' prints 0 viewers show
    eventually 10 'the journal says so' matches '(^|\] )stop' \
        journal --output=cat "SRS_CLIENT=$player"

    equal 'journalctl SRS_CLIENT= has lines of one client alone' "$player" \
        "$(entries "SRS_CLIENT=$player" | jq -rs 'map(.SRS_CLIENT | tostring) | unique | join(" ")')"
    equal 'SRS_STREAM=show has the encoder and the player' "$(printf '%s\n' "$publisher" "$player" | sort | paste -s -d ' ')" \
        "$(entries SRS_STREAM=show | jq -rs 'map(.SRS_CLIENT) | unique | join(" ")')"
    equal 'and no other stream' show \
        "$(entries SRS_STREAM=show | jq -rs 'map(.SRS_STREAM) | unique | join(" ")')"
    equal 'with application and vhost' 'live __defaultVhost__' \
        "$(entries SRS_STREAM=show SRS_APP=live | jq -rs 'map(.SRS_APP + " " + .SRS_VHOST) | unique | join(" ")')"
    equal 'every line of a client says where it is' '' \
        "$(entries | jq -r 'select(.SRS_CLIENT and (.SRS_PEER // "" | test("^127\\.0\\.0\\.1:[0-9]+$") | not)) | .MESSAGE')"
    equal 'every line of the daemon says where it was written' '' \
        "$(entries _COMM=srs | jq -r 'select((.CODE_FILE and .CODE_LINE) | not) | .MESSAGE')"
    equal 'what is usual has priority 6' '6' \
        "$(entries SRS_STREAM=show | jq -rs 'map(.PRIORITY) | unique | join(" ")')"
    equal 'all come from the unit' 'srs.service srs' \
        "$(entries _COMM=srs | jq -rs 'map(._SYSTEMD_UNIT + " " + .SYSLOG_IDENTIFIER) | unique | join(", ")')"

    # Somebody who may not: a stream that is published by another.
    printf '[vhost.__defaultVhost__.publish]\ntakeover = "reject"\n' |
        write /etc/srs/conf.d/50-reject.toml
    check 'systemctl reload srs' inside systemctl reload srs
    publish rival rtmp://127.0.0.1/live/show
    eventually 10 'a second encoder is refused' ended "$PID"
    eventually 5 'which is a warning' matches . \
        journal --output=cat --priority=4..4 SRS_STREAM=show
    catalog
}

entries() { journal --output=json --unit=srs.service "$@"; }

# The catalog explains what matters.
catalog() {
    local ids id explained
    ids=$(sed -n 's/^-- \([0-9a-f]\{32\}\)$/\1/p' "$ROOT/usr/lib/systemd/catalog/srs.catalog")
    less 'the catalog has entries' "$(wc -w <<<"$ids")" 6
    for id in $ids; do
        inside journalctl --list-catalog "$id" >/dev/null 2>&1 ||
            fail 'journalctl --list-catalog knows each' "$id" 'it does not'
    done
    passed 'journalctl --list-catalog knows each'

    equal 'messages of this story have ids' yes \
        "$(entries | jq -rs 'if map(select(.MESSAGE_ID)) | length >= 3 then "yes" else map(.MESSAGE) | join(", ") end')"
    equal 'all of them are in the catalog' '' \
        "$(entries _COMM=srs | jq -r '.MESSAGE_ID // empty' | sort -u |
            comm -23 - <(sort <<<"$ids"))"
    explained=$(journal --catalog --unit=srs.service _COMM=srs)
    like 'journalctl -x explains a stop' '^(--|░░) Subject: srs stops' "$explained"
    like 'its end' '^(--|░░) Subject: srs has stopped' "$explained"
    like 'a start' '^(--|░░) Subject: srs starts' "$explained"
    like 'a stream, by its name' '^(--|░░) Subject: live/show is published$' "$explained"
    like 'its end' '^(--|░░) Subject: live/other is published no more' "$explained"
    like 'a refusal' '^(--|░░) Subject: A client may not publish' "$explained"
    like 'a reload' '^(--|░░) Subject: A new configuration is in force' "$explained"
    like 'and says whose explanation it is' '^(--|░░) Defined-By: srs' "$explained"
    like 'and where to read on' '^(--|░░) Documentation: man:srs' "$explained"
    unlike 'with every value filled in' '^(--|░░) .*@[A-Z_]+@' "$explained"
}

operators_are_members_of_the_group() {
    check 'adduser alice, adduser alice srs' inside bash -c '
        useradd --create-home alice && useradd --create-home bob && adduser --quiet alice srs'
    check 'alice asks srsctl status' as alice srsctl status
    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'alice sees the streams' matches live/show as alice srsctl streams
    check 'alice reloads' as alice srsctl reload
    check_fails 'bob may not' as bob srsctl status
    like 'which has a status of its own' '^(3|5)$' "$WITH"
    like 'he is told which socket' '/run/srs/api\.sock' "$SAID"
    like 'and which group' 'group .?srs|srs.? group' "$SAID"
    printf '    bob reads:\n%s\n' "$SAID" | sed '2,$s/^/        /'
    check_fails 'bob may not reload' as bob srsctl reload
    check_fails 'nor read the configuration, which may hold a token' as bob cat /etc/srs/srs.toml
}

# as USER COMMAND…
as() { inside runuser --user "$1" -- "${@:2}"; }
