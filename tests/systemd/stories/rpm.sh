# shellcheck shell=bash
# The life of the RPM packages, and of hosts that have no systemd.

the_rpm_installs_upgrades_and_goes() {
    local before changed
    bring "$PACKAGES" packages 'srs-[0-9]*.rpm' 'srsctl-[0-9]*.rpm'
    bring "$UPGRADE" upgrade 'srs-[0-9]*.rpm' 'srsctl-[0-9]*.rpm'

    # The database of rpm is empty here, so that no dependency is found in it.
    check 'rpm -i' rpm_does --install packages
    equal 'says nothing' '' "$SAID"
    check 'the user is there' inside getent passwd srs
    equal 'the units are there' 4 \
        "$(inside systemctl list-unit-files --plain --no-legend 'srs*' | wc -l)"
    check 'systemctl enable srs' inside systemctl enable --quiet srs.service
    check 'systemctl start srs' inside systemctl start srs.service
    equal 'the service is active' active "$(property srs.service ActiveState)"
    equal 'service and sockets come up with the host' 'enabled enabled enabled' \
        "$(inside systemctl is-enabled srs.service srs.socket srs-api.socket | paste -s -d ' ')"
    equal 'systemd holds the port, and so does the daemon' 'srs systemd' "$(listeners 1935)"
    equal 'root and the group srs may operate it' 'socket 660 root srs' \
        "$(inside stat --format='%F %a %U %G' /run/srs/api.sock)"
    publish_for_ever encoder rtmp://127.0.0.1/live/show
    eventually 10 'an encoder publishes' prints /live/show stream_names
    check 'and it plays' plays rtmp://127.0.0.1/live/show
    like 'the journal knows whose lines they are' 'publish style' \
        "$(inside journalctl --quiet --output=cat SRS_STREAM=show)"

    change_the_configuration
    changed=$(sha256sum <"$ROOT/etc/srs/srs.toml")
    check 'systemctl reload srs' inside systemctl reload srs
    before=$(inside rpm --query --queryformat '%{VERSION}-%{RELEASE}' srs)
    read_the_journal_from_here
    local inode
    inode=$(socket_inode)
    knock
    check 'rpm -U' rpm_does --upgrade upgrade
    unlike 'finds no fault' 'error|fail|NOT' "$SAID"
    stop_knocking
    unlike 'the version is another' "^$before$" \
        "$(inside rpm --query --queryformat '%{VERSION}-%{RELEASE}' srs)"
    equal 'the changed configuration is kept' "$changed" "$(sha256sum <"$ROOT/etc/srs/srs.toml")"
    equal 'and in force' 1234 "$(srsctl status -o json | jq .summaries.data.srs.max_connections)"
    equal 'the service was restarted once' 1 "$(starts_of_the_service)"
    equal 'the socket is the same' "$inode" "$(socket_inode)"
    nobody_was_refused
    eventually 10 'the encoder is back' prints /live/show stream_names

    check 'rpm -e' inside rpm --erase --nodeps srs srsctl
    unlike 'finds no fault' 'error|fail' "$SAID"
    nothing_runs
    equal 'no unit is left' '' \
        "$(inside systemctl list-unit-files --plain --no-legend 'srs*'; inside find /etc/systemd /usr/lib/systemd -name 'srs*')"
    equal 'what the operator wrote is kept' "$changed" \
        "$(sha256sum <"$ROOT/etc/srs/srs.toml.rpmsave")"
}

# rpm_does HOW FOLDER: what rpm says, and whether it succeeds.
# shellcheck disable=SC2016
rpm_does() {
    local said status=0
    said=$(inside bash -c 'rpm --nodeps "$1" /srv/"$2"/*.rpm 2>&1' _ "$1" "$2") || status=$?
    # Debian's rpm says first that it is not how Debian installs.
    grep -vE '^rpm: (RPM should not be used directly|However assuming you know)' <<<"$said" || true
    return "$status"
}

# For `eventually`: the first process of a container is another one at first.
leads_a_machine() { lead_by "$1" && inside ss --listening; }

# The same root file system, where nothing boots: the first process only waits.
a_host_without_systemd_has_an_init_script() {
    local pid again
    have_a_copy sysv
    # shellcheck disable=SC2154  # of machine.sh
    "${nspawn[@]}" --directory="$ROOT" --as-pid2 --machine=srs-sysv sleep infinity \
        >"$STORY/container.log" 2>&1 &
    eventually 20 'a host without systemd' leads_a_machine $!
    # Services are started in runlevels, which an init system's own tool tells; here it is systemd's,
    # which tells nothing where it does not run.
    rm "$ROOT/usr/sbin/runlevel" "$ROOT/sbin/runlevel" 2>/dev/null || true
    printf '#!/bin/sh\necho N 2\n' | write /sbin/runlevel
    chmod 0755 "$ROOT/sbin/runlevel"
    check 'apt install ./srs_*.deb ./srsctl_*.deb' apt_install "$PACKAGES" packages
    equal 'the init script started it' srs "$(listeners 1935)"
    check 'service srs status' inside service srs status
    publish_for_ever encoder rtmp://127.0.0.1/live/show
    eventually 10 'an encoder publishes' prints /live/show stream_names
    check 'and it plays' plays rtmp://127.0.0.1/live/show
    pid=$(daemon_seen_from_here)
    equal 'the daemon is the user srs' srs "$(inside ps --no-headers -o user -C srs | tr -d ' ')"
    like 'root and the group srs may operate it' '^socket 660 (srs|root) srs$' \
        "$(inside stat --format='%F %a %U %G' /run/srs/api.sock)"

    printf 'listen = ["1935", "1936"]\n' | write /etc/srs/conf.d/50-more.toml
    check 'service srs reload' inside service srs reload
    equal 'applies what changed' srs "$(listeners 1936)"
    printf 'max_connection = 5\n' | write /etc/srs/conf.d/50-more.toml
    check_fails 'service srs reload fails with a broken configuration' inside service srs reload
    like 'and says where' '50-more\.toml:1:1' "$SAID"
    check_fails 'so does service srs restart' inside service srs restart
    equal 'which leaves the old one running' "$pid" "$(daemon_seen_from_here)"
    rm "$ROOT/etc/srs/conf.d/50-more.toml"
    check 'mended, service srs restart' inside service srs restart
    again=$(daemon_seen_from_here)
    unlike 'another daemon runs' "^$pid$" "$again"
    eventually 10 'the encoder is back' prints /live/show stream_names

    check 'service srs stop' inside service srs stop
    equal 'nothing runs' '' "$(daemon_seen_from_here || true)"
    check_fails 'service srs status says so' inside service srs status
    equal 'with the status for it' 3 "$WITH"

    # What a daemon that was taken over could leave behind for root to follow.
    inside mkdir -m 0700 /opt/victim
    check 'the user srs makes a link of its folder' inside setpriv --reuid srs --regid srs \
        --clear-groups sh -c 'rmdir /var/lib/srs/www && ln -s /opt/victim /var/lib/srs/www'
    # shellcheck disable=SC2016
    check 'service srs start, by somebody with few open files' \
        inside bash -c 'ulimit -S -n 1000 && service srs start'
    equal 'root gave nothing away' 'root root 700' "$(inside stat --format='%U %G %a' /opt/victim)"
    equal 'the daemon may have as many files as the host allows' \
        "$(inside bash -c 'ulimit -H -n')" \
        "$(awk '/^Max open files/ { print $4 }' "/proc/$(daemon_seen_from_here)/limits")"
    check 'apt purge' apt purge srs srsctl
    equal 'nothing runs any more' '' "$(daemon_seen_from_here || true)"
}
