# shellcheck shell=bash
# Who holds the ports.

systemd_holds_the_ports_and_starts_the_daemon() {
    check 'systemctl stop srs.service' inside systemctl stop srs.service
    equal 'the service is stopped, the sockets are not' 'inactive active active' \
        "$(inside systemctl is-active srs.service srs.socket srs-api.socket | paste -s -d ' ')"
    equal 'systemd alone holds the port' systemd "$(listeners 1935)"

    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'an encoder that connects starts the daemon' \
        prints active property srs.service ActiveState
    eventually 10 'and publishes' prints /live/show stream_names
    check 'its stream plays' plays rtmp://127.0.0.1/live/show

    check 'systemctl stop srs.service, again' inside systemctl stop srs.service
    eventually 10 'the encoder is gone' ended "$PID"
    check 'srsctl status starts it, too' srsctl status
    equal 'the service is active' active "$(property srs.service ActiveState)"

    check 'systemctl stop srs.socket srs-api.socket' \
        inside systemctl stop srs.socket srs-api.socket
    eventually 10 'the service goes with them' prints inactive property srs.service ActiveState
    equal 'nothing listens' '' "$(tcp_listeners)"
    check 'systemctl start srs-http.socket' inside systemctl start srs-http.socket
    check 'systemctl start srs' inside systemctl start srs
    equal 'brings all of them' 'srs systemd, srs systemd' "$(listeners 1935), $(listeners 8080)"
    like 'srsctl status tells of all three' \
        'listens at +\S*:1935, unix:/run/srs/api\.sock \(API\), \S*:8080 \(HTTP\)' \
        "$(srsctl status)"
    equal 'HTTP says that there is nothing yet' 404 "$(in_its_network curl --silent \
        --max-time 10 --output /dev/null --write-out '%{http_code}' http://127.0.0.1:8080/live/show.flv)"
    check 'systemctl stop srs-http.socket' inside systemctl stop srs.service srs-http.socket
    equal 'no unit failed' '' "$(inside systemctl list-units --failed --plain --no-legend)"
}

another_port_needs_a_drop_in_and_no_capability() {
    printf '[Socket]\nListenStream=\nListenStream=443\n' |
        write /etc/systemd/system/srs.socket.d/override.conf
    check 'systemctl edit srs.socket' inside systemctl daemon-reload
    check 'systemctl restart srs.socket' inside systemctl restart srs.socket
    eventually 10 'the service comes back with it' \
        prints active property srs.service ActiveState
    equal 'port 443 is held by systemd and the daemon' 'srs systemd' "$(listeners 443)"
    equal 'the daemon has no capability' '0000000000000000' \
        "$(awk '/^CapEff/ { print $2 }' "/proc/$(daemon_seen_from_here)/status")"
    equal 'and opens no other port' '' "$(listeners 1935)"
    publish encoder rtmp://127.0.0.1:443/live/show
    eventually 10 'an encoder publishes there' prints /live/show stream_names
    check 'and it plays there' plays rtmp://127.0.0.1:443/live/show

    printf '[Socket]\nListenStream=192.0.2.10:443\n' |
        write /etc/systemd/system/srs.socket.d/override.conf
    check 'systemctl edit srs.socket, for two ports' inside systemctl daemon-reload
    check 'systemctl restart srs.socket' inside systemctl restart srs.socket
    publish encoder-2 rtmp://192.0.2.10:443/live/show
    eventually 10 'an encoder publishes at one' prints /live/show stream_names
    check 'and it plays at the other' plays rtmp://127.0.0.1:1935/live/show
}

without_sockets_or_systemd_the_daemon_binds_by_itself() {
    check 'systemctl mask --now srs.socket srs-api.socket' \
        inside systemctl mask --now srs.socket srs-api.socket
    check 'systemctl start srs' inside systemctl start srs
    equal 'the daemon alone holds the port' srs "$(listeners 1935)"
    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'it publishes' prints /live/show stream_names
    equal 'the group srs may operate it' 'socket 660 srs srs' \
        "$(inside stat --format='%F %a %U %G' /run/srs/api.sock)"
    check 'systemctl restart srs' inside systemctl restart srs
    check 'srsctl status' srsctl status
    equal 'the daemon alone holds the port' srs "$(listeners 1935)"

    write /srv/alone.toml <<'END'
listen = ["127.0.0.1:19350"]
pid = "/run/alone/srs.pid"
[http_api]
listen = ["unix:/run/alone/api.sock"]
END
    check 'without systemd, beside it' inside bash -ec '
        mkdir -p /run/alone
        setsid /usr/sbin/srs -c /srv/alone.toml </dev/null >/run/alone/log 2>&1 &'
    eventually 10 'it answers' srsctl --server unix:/run/alone/api.sock status
    publish alone rtmp://127.0.0.1:19350/live/alone
    eventually 10 'and serves' plays rtmp://127.0.0.1:19350/live/alone
    equal 'root is not asked for more than a port' 19350 \
        "$(inside ss --no-header --listening --tcp --numeric --processes |
            grep "pid=$(inside cat /run/alone/srs.pid)," |
            grep -o ':[0-9]* ' | tr -d ': ' | paste -s -d ' ')"
    check 'kill' inside kill "$(inside cat /run/alone/srs.pid)"
    eventually 10 'it ends' prints '' listeners 19350
}
