# shellcheck shell=bash
# Configuration: changed, and broken.

a_reload_applies_what_changed_and_keeps_everybody() {
    local before pid fifty stage
    pid=$(property srs.service MainPID)
    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'an encoder publishes' prints /live/show stream_names
    players fifty 50 12 rtmp://127.0.0.1/live/show
    fifty=$PID
    eventually 15 'fifty players play' prints 50 viewers show
    before=$(client_ids)

    write /etc/srs/conf.d/50-more.toml <<'END'
listen = ["1935", "1936"]
[vhost."stage.example.com"]
gop_cache = false
END
    local begun
    begun=$(now)
    check 'systemctl reload srs' inside systemctl reload srs
    figure 'systemctl reload took' "$(since "$begun") s"
    equal 'it is the same process' "$pid" "$(property srs.service MainPID)"
    like 'the journal says it' 'reloaded the configuration' "$(lines_of_the_service)"
    like 'the vhost is there' 'stage\.example\.com' "$(srsctl vhosts)"
    equal 'the listener is there' srs "$(listeners 1936)"
    check 'and plays' plays rtmp://127.0.0.1:1936/live/show
    publish stage 'rtmp://127.0.0.1:1936/live?vhost=stage.example.com/stage'
    stage=$PID
    eventually 10 'an encoder publishes to the new vhost' matches '"stage.example.com"' \
        srsctl streams -o json
    equal 'everybody who was there is there' '' "$(missing_of "$before")"

    rm "$ROOT/etc/srs/conf.d/50-more.toml"
    check 'systemctl reload srs, back to what was' inside systemctl reload srs
    equal 'the listener is gone' '' "$(listeners 1936)"
    equal 'the port of systemd is not' 'srs systemd' "$(listeners 1935)"
    eventually 5 'whoever was on the vhost that is gone has to go' ended "$stage"
    equal 'everybody else is there still' '' "$(missing_of "$before")"
    eventually 30 'the players end in their own time' ended "$fifty"
    equal 'none was cut off' '50 50 0' \
        "$(jq -r '"\(.connected) \(.playing) \(.refused + .failed)"' "$STORY/fifty.log")"
}

# missing_of IDS: those of these clients that are there no more.
missing_of() {
    comm -23 <(tr ' ' '\n' <<<"$1" | sort) <(client_ids | tr ' ' '\n' | sort) | paste -s -d ' '
}

a_broken_configuration_stops_nobody() {
    local pid said refused encoder
    pid=$(property srs.service MainPID)
    publish encoder rtmp://127.0.0.1/live/show
    encoder=$PID
    eventually 10 'an encoder publishes' prints /live/show stream_names
    play player rtmp://127.0.0.1/live/show
    eventually 10 'a player plays' prints 1 viewers show
    local player=$PID clients
    clients=$(client_ids)

    printf '# A slip.\n  max_connection = 5\n' | write /etc/srs/conf.d/50-slip.toml
    check_fails 'systemctl reload srs fails' inside systemctl reload srs
    said=$(lines_of_the_service)
    like 'the journal names file, line and column' '/etc/srs/conf\.d/50-slip\.toml:2:3' "$said"
    like 'and what would have been right' 'max_connections' "$said"
    like 'journalctl -x explains it' '^(--|░░) Subject: A new configuration was refused' \
        "$(journal --catalog _COMM=srs)"
    like 'systemctl status names them, too' 'Status: .*/etc/srs/conf\.d/50-slip\.toml:2:3' \
        "$(inside systemctl status --no-pager --full srs.service)"
    equal 'it is the same process, and active' "$pid active" \
        "$(property srs.service MainPID) $(property srs.service ActiveState)"
    equal 'nobody was disconnected' "$clients" "$(client_ids)"
    check 'the stream plays' plays rtmp://127.0.0.1/live/show
    equal 'the player plays on' no "$(ended "$player" && echo yes || echo no)"

    rm "$ROOT/etc/srs/conf.d/50-slip.toml"
    check 'mended, systemctl reload srs' inside systemctl reload srs
    unlike 'systemctl status has forgotten it' '50-slip' "$(property srs.service StatusText)"

    check 'root writes what only root may read' inside bash -c \
        'umask 077; echo "max_connections = 100" >/etc/srs/conf.d/50-hidden.toml'
    like 'srs -t by root says so' \
        'the user srs, .* may not read it: chgrp srs /etc/srs/conf\.d/50-hidden\.toml' \
        "$(inside srs -t 2>&1)"
    check_fails 'and a reload' inside systemctl reload srs
    rm "$ROOT/etc/srs/conf.d/50-hidden.toml"
    unlike 'what it may read is no news' 'may not read' "$(inside srs -t 2>&1)"
    check 'systemctl reload srs' inside systemctl reload srs

    printf '# Two slips.\n  max_connection = 5\nlisen = 1\n' | write /etc/srs/conf.d/50-slip.toml
    read_the_journal_from_here
    # Nobody connects meanwhile: that would start it again.
    check_fails 'systemctl restart srs fails' inside systemctl restart srs
    equal 'with the status that says why' 'failed exit-code 78' \
        "$(property srs.service ActiveState) $(property srs.service Result) $(property srs.service ExecMainStatus)"
    refused=$(lines_of_the_service)
    like 'the journal names file, line and column, and what would have been right' \
        '/etc/srs/conf\.d/50-slip\.toml:2:3: .*max_connections' "$refused"
    equal 'and has each mistake once' '1 1' \
        "$(grep -c '50-slip\.toml:2:3' <<<"$refused") $(grep -c '50-slip\.toml:3:1' <<<"$refused")"
    equal 'an alarm rings once for each, and for nothing else' 2 \
        "$(journal _COMM=srs --priority=err --output=cat | wc -l)"
    like 'journalctl -x explains it' '^(--|░░) Subject: The configuration of srs is not valid' \
        "$(journal --catalog _COMM=srs)"
    equal 'systemd did not try again' 0 "$(property srs.service NRestarts)"
    eventually 10 'the encoder is gone' ended "$encoder"

    # Encoders come again and again, and each starts the daemon, up to the limit.
    publish_for_ever stubborn rtmp://127.0.0.1/live/again
    eventually 30 'systemd gives up' matches 'start-limit-hit|repeated too quickly' \
        lines_of_the_service
    rm "$ROOT/etc/srs/conf.d/50-slip.toml"
    eventually 25 'mended, systemctl start srs works, at the latest when the limit is over' \
        inside systemctl start srs
    equal 'the port is held by systemd again' 'srs systemd' "$(listeners 1935)"
    eventually 15 'and the encoder is back' prints /live/again stream_names
}
