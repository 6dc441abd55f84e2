# shellcheck shell=bash
# What the daemon may and what it must be able to do all the same.

the_sandbox_is_tight_and_everything_works_in_it() {
    local said score
    said=$(inside systemd-analyze security --no-pager srs.service | tail -n 1)
    like 'systemd-analyze security knows the unit' 'exposure level for srs.service: [0-9.]+' "$said"
    score=$(grep -oE '[0-9]+\.[0-9]+' <<<"$said")
    figure 'systemd-analyze security srs' "$score"
    # What one does not know it cannot do: of the settings, 245 lacks two.
    if [ "$(systemd_version)" -ge 247 ]; then
        between 'and scores it 1.3 at most' 0 1.3 "$score"
    else
        between 'and an old one scores it 2.1 at most' 0 2.1 "$score"
    fi

    local place
    for place in /etc /etc/srs /usr /boot; do
        check_fails "the daemon cannot write to $place" where_the_daemon_is touch "$place/x"
        like 'since that is not for writing' 'Read-only file system' "$SAID"
    done
    check 'but to its own folders' as_the_daemon \
        touch /var/lib/srs/www/x /var/log/srs/x /run/srs/x
    equal 'it sees no home' '' "$(where_the_daemon_is bash -c 'ls -A /home /root 2>/dev/null | grep -v :')"

    # It measures itself and its host, first 10 s after the start at the latest.
    eventually 20 'it reads what the kernel says of process and host' \
        prints '' figures_that_are_missing
    like 'processors, memory and disks among it' 'true' \
        "$(srsctl status -o json | jq '.summaries.data | .self.mem_kbyte > 0 and .system.cpus > 0
            and .system.mem_ram_kbyte > 0 and .system.load_1m >= 0')"

    check 'a heartbeat of another server is taken' inside curl --silent --fail --show-error \
        --unix-socket /run/srs/api.sock --data '{"device_id": "cam-7", "ip": "192.0.2.7"}' \
        http://srs/api/v1/servers
    check 'systemctl restart srs' inside systemctl restart srs
    eventually 5 'and kept over a restart' matches cam-7 srsctl fleet
    like 'in a file of the daemon' '^srs 6[04]0$' \
        "$(inside stat --format='%U %a' /var/lib/srs/fleet.json)"

    # The collector is itself, by TCP.
    write /etc/srs/conf.d/50-heartbeat.toml <<'END'
[http_api]
listen = ["unix:/run/srs/api.sock", "127.0.0.1:8085"]
[heartbeat]
enabled = true
interval = "1s"
url = "http://127.0.0.1:8085/api/v1/servers"
device_id = "itself"
summaries = true
END
    check 'systemctl reload srs' inside systemctl reload srs
    eventually 10 'its own heartbeats reach a collector' matches itself srsctl fleet

    equal 'it has nothing to complain of' '' \
        "$(journal --unit=srs.service --priority=warning --output=cat)"
}

# In the daemon's mount namespace, as root: what is refused there is refused to everybody.
where_the_daemon_is() {
    timeout 30 nsenter --target "$(daemon_seen_from_here)" --mount -- "$@" 2>&1
}

# The same as its user, by number: setpriv of Ubuntu 22.04 finds no /proc/sys there.
as_the_daemon() {
    local user group
    user=$(inside id --user srs)
    group=$(inside id --group srs)
    timeout 30 nsenter --target "$(daemon_seen_from_here)" --mount \
        --setuid "$user" --setgid "$group" -- "$@" 2>&1
}

figures_that_are_missing() {
    srsctl status -o json | jq -r '.summaries.data | to_entries[] |
        select((.key | test("(^|_)ok$")) and .value != true) | .key'
}

a_log_file_is_written_and_rotated() {
    write /etc/srs/conf.d/50-log.toml <<'END'
[log]
target = "file"
END
    check 'systemctl reload srs' inside systemctl reload srs
    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'the file has lines' log_has srs.log 'publish.*stream=show'
    equal 'it is the daemon'"'"'s, and no others read it' 'srs 640 srs' \
        "$(inside stat --format='%U %a %G' /var/log/srs/srs.log)"
    check 'logrotate finds no fault' inside logrotate --debug /etc/logrotate.d/srs
    check 'logrotate rotates' inside logrotate --force /etc/logrotate.d/srs
    check 'what there was is kept' log_has srs.log.1 'publish.*stream=show'
    publish another rtmp://127.0.0.1/live/another
    eventually 10 'what comes is in a new file' log_has srs.log 'publish.*stream=another'
    unlike 'and nothing of it in the old one' 'stream=another' "$(cat "$ROOT/var/log/srs/srs.log.1")"
    equal 'nobody was disconnected' '/live/another /live/show' "$(stream_names)"
    check 'systemctl restart srs' inside systemctl restart srs
    eventually 10 'a new daemon goes on in the file' log_has srs.log 'stopped'
}

log_has() { grep -qE -- "$2" "$ROOT/var/log/srs/$1"; }

# ffmpeg as the daemon's child will run it one day: the unit of the daemon, with another program.
# The program and its libraries are this machine's, which is of the same release.
ffmpeg_transcodes_in_the_same_sandbox() {
    local libraries=/usr/lib/x86_64-linux-gnu
    [ -d "$libraries" ] || libraries=/usr/lib/$(uname -m)-linux-gnu
    sed -e 's|^ExecStart=.*|ExecStart=/host/usr/bin/ffmpeg -v error -y -i rtmp://127.0.0.1/live/show -t 4 -c:v libx264 -preset ultrafast -threads 2 -s 320x180 -c:a aac -f flv /var/lib/srs/www/small.flv -t 4 -c:v libx264 -preset ultrafast -c:a aac -f hls -hls_time 2 /var/lib/srs/www/small.m3u8|' \
        -e 's/^Type=.*/Type=oneshot/' -e '/^Restart=/d; /^ExecReload=/d; /^Sockets=/d; /^Watchdog/d; /^Also=/d' \
        -e 's/^TimeoutStartSec=.*/TimeoutStartSec=60s/' \
        "$ROOT/usr/lib/systemd/system/srs.service" |
        write /run/systemd/system/srs-ffmpeg-try.service
    # The linker's name leads to a file among the libraries.
    printf '[Service]\nBindReadOnlyPaths=/host%s:%s %s %s\n' \
        "$libraries" "$libraries" -/host/usr/lib64:/usr/lib64 \
        /host/etc/alternatives:/etc/alternatives |
        write /run/systemd/system/srs-ffmpeg-try.service.d/libraries.conf
    check 'systemctl daemon-reload' inside systemctl daemon-reload
    equal 'the sandbox is the same' "$(score srs.service)" "$(score srs-ffmpeg-try.service)"
    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'an encoder publishes' prints /live/show stream_names
    BOUND=90 check 'ffmpeg transcodes' inside systemctl start srs-ffmpeg-try.service
    equal 'to FLV' 'aac h264,320,180' "$(what_is_in "$ROOT/var/lib/srs/www/small.flv")"
    equal 'and to HLS' 'aac h264,640,360' "$(what_is_in "$ROOT/var/lib/srs/www/small.m3u8")"
}

score() { inside systemd-analyze security --no-pager "$1" | tail -n 1 | grep -oE '[0-9]+\.[0-9]+'; }

what_is_in() {
    ffprobe -v error -show_entries stream=codec_name,width,height -of csv=p=0 "$1" 2>&1 |
        grep . | sort -u | paste -s -d ' '
}
