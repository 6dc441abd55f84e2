# shellcheck shell=bash
# The life of the Debian packages: install, upgrade, purge.

# machine_for KIND: what a story needs stands ready, whatever the story before did to it.
machine_for() {
    case $1 in
        bare) [ "$BOOTED" = deb ] || boot deb || return ;;
        deb)
            [ "$BOOTED" = deb ] || boot deb || return
            if [ -d "$ROOT/srv/pristine" ]; then
                everything_as_it_was_installed
            else
                say 'installing the package first'
                install_quietly
            fi
            ;;
        new | rpm) boot "$1" || return ;;
        none) power_off ;;
    esac
}

# bring FOLDER NAME PATTERN…: packages, into the folder /srv/NAME of the machine.
bring() {
    local from=$1 to=$ROOT/srv/$2 pattern file
    shift 2
    mkdir -p "$to"
    for pattern in "$@"; do
        file=$(only_file "$from" "$pattern")
        [ -n "$file" ] || { say "no $pattern in $from"; return 1; }
        cp "$file" "$to/"
    done
}

# apt COMMAND ARGUMENT…: without the network, and without an answer to any question.
apt() {
    BOUND=120 inside apt-get --quiet --yes --no-install-recommends "$@"
}

# apt_install FOLDER NAME OPTION…: the packages of a folder here, by way of /srv/NAME there.
apt_install() {
    bring "$1" "$2" 'srs_*.deb' 'srsctl_*.deb' || return
    local files=("$ROOT/srv/$2"/*.deb)
    apt install "${@:3}" "${files[@]#"$ROOT"}"
}

# What there is in the folders that outlast a boot, and in the one that the daemon has in /run.
files_of_the_machine() {
    inside bash -c 'find /etc /usr /var /opt -xdev; ls -d /run/srs 2>/dev/null || true' |
        grep -v '^/var/log/journal/' | sort
}

install_quietly() {
    local said
    files_of_the_machine >"$RUN/files-before"
    said=$(apt_install "$PACKAGES" packages 2>&1) || { echo "$said"; return 1; }
    keep_a_copy_of_the_configuration
}

keep_a_copy_of_the_configuration() {
    mkdir -p "$ROOT/srv/pristine"
    cp -a "$ROOT/etc/srs" "$ROOT/srv/pristine/"
}

# Between stories: no drop-in, no mask, the configuration of the package, and a server that runs.
everything_as_it_was_installed() {
    inside bash -ec '
        systemctl stop srs.service srs.socket srs-api.socket 2>/dev/null
        rm -rf /etc/systemd/system/srs*.d /run/systemd/system/srs*.d
        systemctl --quiet unmask srs.socket srs-api.socket
        systemctl daemon-reload
        systemctl reset-failed
        rm -rf /etc/srs /var/lib/srs /var/log/srs
        cp -a /srv/pristine/srs /etc/
        systemctl start srs.socket srs-api.socket srs.service'
}

the_package_installs_and_serves_at_once() {
    files_of_the_machine >"$RUN/files-before"
    local begun ready pid
    begun=$(now)
    check 'apt install ./srs_*.deb ./srsctl_*.deb' apt_install "$PACKAGES" packages
    figure 'apt install took' "$(since "$begun") s"

    equal 'the service is active' 'active running' \
        "$(property srs.service ActiveState) $(property srs.service SubState)"
    equal 'and said so itself' notify "$(property srs.service Type)"
    ready=$(property srs.service ActiveEnterTimestampMonotonic)
    ready=$(awk -v ready="$ready" -v begun="$begun" 'BEGIN { printf "%.2f", ready / 1e6 - begun }')
    figure 'from apt install to READY' "$ready s"
    figure 'from start to READY' "$(awk -v ready="$(property srs.service ActiveEnterTimestampMonotonic)" \
        -v begun="$(property srs.service ExecMainStartTimestampMonotonic)" \
        'BEGIN { printf "%d ms", (ready - begun) / 1000 }')"

    equal 'no unit failed' '' "$(inside systemctl list-units --failed --plain --no-legend)"
    equal 'service and sockets come up with the host' 'enabled enabled enabled' \
        "$(inside systemctl is-enabled srs.service srs.socket srs-api.socket | paste -s -d ' ')"
    equal 'HTTP delivery does not, before there is any' disabled \
        "$(inside systemctl is-enabled srs-http.socket || true)"
    equal 'systemd holds the port, and so does the daemon' 'srs systemd' "$(listeners 1935)"
    equal 'the daemon listens at nothing else' 1 \
        "$(tcp_listeners --processes | grep -c '"srs"')"

    pid=$(property srs.service MainPID)
    equal 'the daemon is the user srs' srs "$(inside ps --no-headers -o user "$pid" | tr -d ' ')"
    equal 'and has no capability' '0000000000000000' \
        "$(awk '/^CapEff/ { print $2 }' "/proc/$(daemon_seen_from_here)/status")"
    like 'srs is a system user that cannot log in' '^srs:[^:]*:[0-9]{1,3}:.*:/var/lib/srs:.*nologin' \
        "$(inside getent passwd srs)"
    equal 'root and the group srs may operate it' 'socket 660 root srs' \
        "$(inside stat --format='%F %a %U %G' /run/srs/api.sock)"
    local file
    for file in /etc/srs/srs.toml /etc/srs/conf.d /usr/share/man/man8/srs.8.gz \
        /usr/share/man/man5/srs.toml.5.gz /usr/share/man/man1/srsctl.1.gz \
        /usr/share/bash-completion/completions/srsctl /usr/lib/systemd/catalog/srs.catalog \
        /etc/logrotate.d/srs /etc/init.d/srs; do
        [ -e "$ROOT$file" ] || fail "the package has $file" 'a file' 'none'
    done
    passed 'manual pages, completions and what else an operator looks for are there'
    equal 'the units are well formed' '' "$(what_systemd_says_of_the_units)"
    keep_a_copy_of_the_configuration
}

# An old one says what it does not know, and goes on without it.
what_systemd_says_of_the_units() {
    local said
    said=$(inside systemd-analyze verify --man=no srs.service srs.socket srs-api.socket \
        srs-http.socket 2>&1 | grep -i srs) || true
    [ "$(systemd_version)" -ge 249 ] || said=$(grep -v 'Unknown .*, ignoring' <<<"$said") || true
    printf '%s' "$said"
}

what_an_encoder_publishes_can_be_played() {
    publish encoder rtmp://127.0.0.1/live/show
    eventually 10 'srsctl streams shows it' matches 'live/show.*H264.*640x360@25.*AAC' srsctl streams
    check 'ffprobe finds picture and sound' plays rtmp://127.0.0.1/live/show
    start player ffmpeg -v error -i rtmp://127.0.0.1/live/show -t 3 -c copy -f flv "$STORY/played.flv"
    eventually 15 'ffmpeg plays three seconds of it' ended "$PID"
    equal 'and finds no fault' '' "$(cat "$STORY/player.log")"
    between 'of 75 pictures none is missing' 74 80 \
        "$(ffprobe -v error -count_packets -select_streams v -show_entries stream=nb_read_packets \
            -of csv=p=0 "$STORY/played.flv")"
}

an_upgrade_keeps_the_configuration_and_the_ports() {
    local before inode changed
    change_the_configuration
    changed=$(sha256sum <"$ROOT/etc/srs/srs.toml")
    check 'the operator changes the configuration' inside systemctl reload srs
    before=$(version_of srs)
    inode=$(socket_inode)

    knock
    bring "$UPGRADE" upgrade 'srs_*.deb' 'srsctl_*.deb'
    check "apt install of a higher version than $before" \
        apt_install "$UPGRADE" upgrade
    stop_knocking
    check 'dpkg takes it for an upgrade' inside dpkg --compare-versions \
        "$(version_of srs)" gt "$before"
    equal 'the changed configuration is kept' "$changed" "$(sha256sum <"$ROOT/etc/srs/srs.toml")"
    equal 'and in force' 1234 "$(srsctl status -o json | jq .summaries.data.srs.max_connections)"
    equal 'the service was restarted once' 1 "$(starts_of_the_service)"
    equal 'the socket is the same' "$inode" "$(socket_inode)"
    nobody_was_refused
    equal 'the service is active' active "$(property srs.service ActiveState)"
    equal 'no unit failed' '' "$(inside systemctl list-units --failed --plain --no-legend)"

    # The same again, with a configuration that the new daemon does not take.
    local pid
    pid=$(property srs.service MainPID)
    printf 'max_connection = 5\n' | write /etc/srs/conf.d/50-slip.toml
    check 'apt install, while the configuration is broken' \
        apt_install "$UPGRADE" upgrade --reinstall
    equal 'the daemon that ran is not stopped for it' "$pid active" \
        "$(property srs.service MainPID) $(property srs.service ActiveState)"
    rm "$ROOT/etc/srs/conf.d/50-slip.toml"

    # And with one that root can read, but not the daemon.
    printf 'max_connections = 5\n' | write /etc/srs/conf.d/50-secret.toml
    inside chmod 600 /etc/srs/conf.d/50-secret.toml
    check 'apt install, while the daemon may not read its configuration' \
        apt_install "$UPGRADE" upgrade --reinstall
    equal 'nor is it stopped for that' "$pid active" \
        "$(property srs.service MainPID) $(property srs.service ActiveState)"
    rm "$ROOT/etc/srs/conf.d/50-secret.toml"
    check 'mended, systemctl restart srs' inside systemctl restart srs

    inside systemctl stop --quiet srs.socket srs-api.socket srs.service
    check 'apt install, of a server that was stopped' apt_install "$UPGRADE" upgrade --reinstall
    equal 'leaves it so' 'inactive inactive inactive' \
        "$(inside systemctl is-active srs.service srs.socket srs-api.socket | paste -s -d ' ')"
    check 'systemctl start srs' inside systemctl start srs
}

# As an operator does, in the file of the package.
change_the_configuration() { sed -i '1i # Mine.\nmax_connections = 1234' "$ROOT/etc/srs/srs.toml"; }

# shellcheck disable=SC2016
version_of() { inside dpkg-query --show --showformat='${Version}' "$1"; }

socket_inode() {
    tcp_listeners --extended 'sport = :1935' |
        grep -o 'ino:[0-9]*'
}

a_purge_leaves_nothing_but_recordings() {
    inside install -D -o srs -g srs /etc/hostname /var/lib/srs/www/live/show.flv
    check 'apt remove' apt remove srs srsctl
    nothing_runs
    equal 'but the configuration is there' yes "$([ -f "$ROOT/etc/srs/srs.toml" ] && echo yes)"
    check 'installed again' apt_install "$PACKAGES" packages
    equal 'the service is active' active "$(property srs.service ActiveState)"
    equal 'root and the group srs alone read what is in conf.d' '750 root srs' \
        "$(inside stat --format='%a %U %G' /etc/srs/conf.d)"
    inside mount -t tmpfs logs /var/log/srs
    check 'apt purge, with a file system for the logs' apt purge srs srsctl
    equal 'which is left' /var/log/srs "$(inside find /var/log/srs)"
    inside umount /var/log/srs
    inside rmdir /var/log/srs
    equal 'the recording is left, alone' '/var/lib/srs /var/lib/srs/www /var/lib/srs/www/live /var/lib/srs/www/live/show.flv' \
        "$(inside find /var/lib/srs | sort | paste -s -d ' ')"
    check 'and the user that it belongs to' inside getent passwd srs
    no_file_is_left

    rm -rf "$ROOT/var/lib/srs"
    check 'installed again' apt_install "$PACKAGES" packages
    equal 'the service is active' active "$(property srs.service ActiveState)"
    check 'apt purge, of a server that is running and recorded nothing' apt purge srs srsctl
    nothing_runs
    no_file_is_left
    equal 'nothing is left in /var/lib' no "$([ -e "$ROOT/var/lib/srs" ] && echo yes || echo no)"
    rm -rf "$ROOT/srv/pristine"
}

nothing_runs() {
    equal 'nothing runs' '' "$(daemon_seen_from_here || true)"
    equal 'nothing listens' '' "$(tcp_listeners)"
    equal 'systemd knows no unit of srs' '' \
        "$(inside systemctl list-units --all --plain --no-legend 'srs*' |
            grep -v 'not-found inactive' || true)"
}

no_file_is_left() {
    local left
    files_of_the_machine >"$STORY/files-after"
    # What dpkg and the tools for users write for themselves, and recordings.
    left=$(comm -13 "$RUN/files-before" "$STORY/files-after" | grep -vE \
        '^/var/lib/srs(/www(/.*)?)?$|^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$|^/var/(cache|lib)/(apt|dpkg|man-db|logrotate)/|^/var/log/(apt|dpkg)|^/var/cache/man|^/var/cache/debconf/tmp' || true)
    equal 'no other file is' '' "$left"
}

a_port_that_is_taken_breaks_no_installation() {
    start squatter python3 -c '
import socket, time
taken = socket.create_server(("::", 1935), family=socket.AF_INET6, dualstack_ipv6=True)
print("here", flush=True)
time.sleep(600)'
    local squatter=$PID
    eventually 5 'another program holds the port' grep -q here "$STORY/squatter.log"
    check 'apt install ./srs_*.deb ./srsctl_*.deb' apt_install "$PACKAGES" packages
    # shellcheck disable=SC2016
    equal 'dpkg is content' 'install ok installed' \
        "$(inside dpkg-query --show --showformat='${Status}' srs)"
    equal 'the socket failed' failed "$(property srs.socket ActiveState)"
    like 'the journal says why' 'Address already in use' \
        "$(journal --unit=srs.socket --output=cat)"
    kill -KILL "$squatter"
    eventually 5 'the other program is gone' ended "$squatter"
    check 'systemctl restart srs' inside systemctl restart srs
    equal 'systemd holds the port, and so does the daemon' 'srs systemd' "$(listeners 1935)"
    equal 'no unit failed' '' "$(inside systemctl list-units --failed --plain --no-legend)"
}
