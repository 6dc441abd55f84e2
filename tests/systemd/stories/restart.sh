# shellcheck shell=bash
# Going down and coming back: by an order, by the watchdog, for good.

# knock: clients that connect and shake hands again and again, until `stop_knocking`.
knock() {
    start knock python3 "$HERE/knock" 127.0.0.1 1935
    KNOCKING=$PID
    eventually 10 'clients connect all the time' test -s "$STORY/knock.log"
}

stop_knocking() {
    kill -TERM "$KNOCKING"
    eventually 20 'the last of them has its answer' ended "$KNOCKING"
}

knocked() { jq -s --arg key "$1" 'last | .[$key]' "$STORY/knock.log"; }

nobody_was_refused() {
    equal 'nobody was refused' 0 "$(knocked refused)"
    equal 'nobody waited in vain' 0 "$(knocked timed_out)"
    less 'clients that the old daemon had accepted and then cut off' 16 "$(knocked cut_off)"
    less 'clients were not served' "$(knocked served)" 50
    figure "clients served, cut off; longest wait (${STORY##*story-})" \
        "$(knocked served), $(knocked cut_off); $(knocked longest_ms) ms"
}

a_restart_refuses_no_connection() {
    local before inode round begun
    publish_for_ever encoder rtmp://127.0.0.1/live/show
    eventually 10 'an encoder publishes' prints /live/show stream_names
    players fifty 50 5 rtmp://127.0.0.1/live/show
    eventually 15 'fifty players play' prints 50 viewers show
    before=$(property srs.service InvocationID)
    inode=$(socket_inode)

    knock
    begun=$(now)
    check 'systemctl restart srs' inside systemctl restart srs
    figure 'systemctl restart under load took' "$(since "$begun") s"
    for round in 2 3; do
        check "and again, $round" inside systemctl restart srs
    done
    eventually 10 'the encoder publishes again' prints /live/show stream_names
    stop_knocking
    unlike 'another daemon runs' "^$before$" "$(property srs.service InvocationID)"
    equal 'the socket is the same' "$inode" "$(socket_inode)"
    nobody_was_refused
    check 'the stream plays' plays rtmp://127.0.0.1/live/show
}

# publish_for_ever NAME URL: an encoder that comes back when it is cut off.
publish_for_ever() {
    # shellcheck disable=SC2016
    start "$1" bash -c 'while true; do
            setpriv --pdeathsig KILL ffmpeg -v error -re -stream_loop -1 -i "$1" -c copy -f flv "$2"
        done' _ "$CHECKOUT/tests/media/demo.flv" "$2"
}

a_wedged_daemon_is_restarted_and_a_busy_one_is_not() {
    local restarts beats
    write /etc/systemd/system/srs.service.d/watchdog.conf <<'END'
[Service]
WatchdogSec=3s
END
    check 'systemctl daemon-reload' inside systemctl daemon-reload
    check 'systemctl restart srs' inside systemctl restart srs
    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'an encoder publishes' prints /live/show stream_names
    local encoder=$PID
    players busy 200 12 rtmp://127.0.0.1/live/show
    eventually 20 'two hundred players play' prints 200 viewers show
    restarts=$(property srs.service NRestarts)
    beats=$(beats_seen 8)
    figure 'eight beats of a watchdog of 3 s took' "$beats"
    equal 'under load it beats, and is left alone' "$restarts" "$(property srs.service NRestarts)"

    start wedge python3 "$HERE/wedge" "$(daemon_seen_from_here)" tokio-rt-worker
    local begun
    begun=$(now)
    eventually 5 'its worker threads are held' grep -q held "$STORY/wedge.log"
    eventually 25 'wedged, it is restarted' prints $((restarts + 1)) property srs.service NRestarts
    figure 'from wedged to restarted' "$(since "$begun") s"
    like 'systemd says why' 'Watchdog timeout' "$(lines_of_the_service)"
    like 'and before that the daemon itself, of which a thread was left to tell' \
        'the server is stuck, .*runtime' "$(lines_of_the_service)"
    eventually 10 'it is active' prints active property srs.service ActiveState
    eventually 10 'the encoder is gone' ended "$encoder"
    publish again rtmp://127.0.0.1/live/show
    eventually 10 'and serves' plays rtmp://127.0.0.1/live/show
}

a_journald_that_does_not_read_stops_nobody() {
    local begun
    # Otherwise five have a line each, and the others are counted.
    write /etc/srs/conf.d/50-debug.toml <<'END'
log.level = "debug"
END
    check 'systemctl reload srs, to log each client' inside systemctl reload srs
    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'an encoder publishes' prints /live/show stream_names
    hold_journald_with_more_lines_than_wait
    check 'the stream plays' plays rtmp://127.0.0.1/live/show
    check 'journald goes on' inside systemctl kill --signal=CONT systemd-journald.service
    eventually 20 'what had no room is counted in its place' \
        matches '[0-9]+ log lines are missing here: journald did not read in time$' \
        lines_of_the_service

    hold_journald_with_more_lines_than_wait
    begun=$(now)
    check 'the daemon stops' inside systemctl stop srs.service
    less 'in its time' 5 "$(since "$begun")"
    check 'journald goes on again' inside systemctl kill --signal=CONT systemd-journald.service
    check 'systemctl start srs' inside systemctl start srs.service
    equal 'systemd did not have to start it again' 0 "$(property srs.service NRestarts)"
}

# Each of the clients makes a line, and is not answered, since it does not speak RTMP. In the daemon
# 4,096 lines wait, and in the socket of journald no more than 512, as systemd has it.
hold_journald_with_more_lines_than_wait() {
    check 'journald is held' inside systemctl kill --signal=STOP systemd-journald.service
    check 'six thousand clients talk nonsense' nonsense 6000
}

# nonsense N: so many clients, one after the other.
# shellcheck disable=SC2016
nonsense() {
    in_its_network timeout 60 bash -c 'for ((i = 0; i < $1; i++)); do
            echo "GET / HTTP/1.1" >/dev/tcp/127.0.0.1/1935 || exit
        done' _ "$1"
}

# beats_seen N: waits for so many beats of the watchdog.
beats_seen() {
    local last='' stamp beats=0 begun until=$((SECONDS + 60))
    begun=$(now)
    while [ "$beats" -lt "$1" ] && [ "$SECONDS" -lt "$until" ]; do
        stamp=$(property srs.service WatchdogTimestampMonotonic)
        [ "$stamp" = "$last" ] || beats=$((beats + 1))
        last=$stamp
        sleep 0.1
    done
    [ "$beats" -ge "$1" ] || { echo "only $beats beats in $(since "$begun") s"; return 1; }
    echo "$(since "$begun") s"
}

a_stop_is_orderly_and_short() {
    local begun took
    publish one rtmp://127.0.0.1/live/one
    publish two rtmp://127.0.0.1/live/two
    eventually 10 'two encoders publish' prints '/live/one /live/two' stream_names
    play player rtmp://127.0.0.1/live/one
    local player=$PID
    players twenty 20 30 rtmp://127.0.0.1/live/two
    eventually 15 'twenty players play' prints 20 viewers two
    eventually 15 'and one of another make' prints 1 viewers one

    begun=$(now)
    check 'systemctl stop srs' inside systemctl stop srs
    took=$(since "$begun")
    figure 'systemctl stop with 2 encoders, 21 players took' "$took s"
    less 'it is short' 5 "$took"
    equal 'it is stopped, and did not fail' 'inactive success' \
        "$(property srs.service ActiveState) $(property srs.service Result)"
    like 'the journal says so' '(^|\] )stopped$' "$(lines_of_the_service)"
    eventually 5 'ffmpeg ends' ended "$player"
    equal 'as at the end of a stream' 0 "$(wait "$player" && echo 0 || echo $?)"
    equal 'and finds no fault' '' "$(cat "$STORY/player.log")"
}
