# shellcheck shell=bash
# The machine: root file systems, booting, and being inside.

# A folder that only this run sees anything in: its mounts are in the namespace of this run.
RUN=''
# The groups of processes that were made for it.
CGROUPS=()
# The root file system and the first process of the machine that runs now.
ROOT='' LEADER='' BOOTED=''

# What is in the root file system beside a minimal Debian or Ubuntu, and why.
in_the_root=(
    systemd systemd-sysv dbus   # the init system
    libpam-systemd              # sessions of operators
    iproute2 procps curl        # what a look at a server needs
    adduser logrotate rpm       # what packages and their rules use
)

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_what_is_missing() {
    local missing=() package
    command -v apt-get >/dev/null || { say "no apt-get here; needed: $*"; exit 1; }
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing with apt-get: ${missing[*]}"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# The one file in a folder that a pattern names; nothing if there is none.
only_file() {
    find "$1" -maxdepth 1 -name "$2" 2>/dev/null | sort | tail -n 1
}

# skip REASON: for what no mending here would mend, and for nothing else.
skip() {
    printf '\n#### SKIPPED tests/systemd: no container can be booted here: %s ####\n' "$1"
    [ "$MUST_BOOT" = no ] || exit 1
    exit 0
}

# prepare_machines: a folder in memory for this run, and the root file system in the cache.
prepare_machines() {
    local cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/srs-ci/roots reason
    RUN=$cache/run
    mkdir -p "$RUN"
    mount -t tmpfs -o mode=0755,size=3g srs-systemd "$RUN"
    have_a_cgroup
    if reason=$(what_the_kernel_withholds); then skip "$reason"; fi
    exec 9>"$cache/lock"
    flock 9
    make_the_root "$cache"
    exec 9>&-
    local status=0
    reason=$(why_no_container_starts) || status=$?
    case $status in
        0) skip "$reason" ;;
        2) exit 1 ;;
    esac
}

# make_the_root CACHE: with debootstrap, of the release that is asked for.
make_the_root() {
    local own name mirror components=main options=() script=()
    # shellcheck source=/dev/null
    own=$(. /etc/os-release && echo "$VERSION_CODENAME")
    SYSTEM=${SYSTEM:-$own}
    name=$SYSTEM-$(printf '%s\n' "${in_the_root[@]}" | sha256sum | cut -c 1-8)
    BASE=$1/$name
    [ ! -d "$BASE" ] || return 0

    if [ "$SYSTEM" = "$own" ]; then
        mirror=$(mirror_of "$SYSTEM")
        [ -n "$mirror" ] || { apt-get update -q; mirror=$(mirror_of "$SYSTEM"); }
        [ -n "$mirror" ] || { say "apt knows no mirror of $SYSTEM"; exit 1; }
    elif [[ " ${ubuntus[*]} " == *" $SYSTEM "* ]]; then
        mirror=$ubuntu
        # They are all made alike, and debootstrap may not know of the newer ones.
        script=(/usr/share/debootstrap/scripts/gutsy)
    else
        mirror=$debian
    fi
    [[ $mirror != *ubuntu* ]] || components=main,universe
    local http_proxy=${http_proxy:-$(apt-config dump --format '%v%n' Acquire::http::Proxy)}
    export http_proxy
    # What this machine itself was made of is there, or something is wrong.
    [ "$SYSTEM" = "$own" ] || skip_what_no_mirror_has "$mirror/dists/$SYSTEM/Release"
    say "making the root file system $BASE from $mirror, once"
    if [ "$mirror" = "$ubuntu" ]; then
        have_the_keys_of_ubuntu "$1"
        options=(--keyring="$UBUNTU_KEYS")
    fi
    options+=(--variant=minbase --components="$components"
        --include="$(IFS=,; echo "${in_the_root[*]}")")
    fetch_the_root "${options[@]}" "$SYSTEM" "$BASE.new" "$mirror" "${script[@]}"
    chroot "$BASE.new" apt-get clean
    # There is no network to look for updates or names in.
    local unit
    for unit in apt-daily.timer apt-daily-upgrade.timer systemd-resolved.service; do
        [ ! -e "$BASE.new/lib/systemd/system/$unit" ] ||
            chroot "$BASE.new" systemctl --quiet disable "$unit"
    done
    mv "$BASE.new" "$BASE"
}

# skip_what_no_mirror_has FILE: with --or-skip, ends the run here if the mirror cannot be reached, or
# has no such release.
skip_what_no_mirror_has() {
    local said
    said=$(curl -fsS --max-time 20 --head "$1" 2>&1 >/dev/null) || skip_if_allowed "$1: $said"
}

# skip_if_allowed REASON: with --or-skip, ends the run here: for what another's mirror withholds, and
# for nothing else that keeps a root file system from being made.
skip_if_allowed() {
    [ "$OR_SKIP" = yes ] || return 0
    printf '\n#### SKIPPED tests/systemd on %s: %s ####\n' "$SYSTEM" "$1"
    exit 0
}

# fetch_the_root ARGUMENT…: by debootstrap with these, into $BASE.new. A second time if need be: a
# mirror may fail, or be changed, in the midst of a hundred packages.
fetch_the_root() {
    local try
    for try in first second; do
        forget_the_unfinished_root
        ! debootstrap "$@" >"$BASE.log" 2>&1 || return 0
        say "debootstrap failed the $try time:"
        tail -n 20 "$BASE.log"
    done
    forget_the_unfinished_root
    ! grep -qE "^E: (Couldn't download|Failed getting)" "$BASE.log" ||
        skip_if_allowed 'its mirror fails in the midst of it'
    exit 1
}

forget_the_unfinished_root() {
    # Nothing is mounted in it by now, unless debootstrap was killed.
    ! mountpoint --quiet "$BASE.new/proc" || umount "$BASE.new/proc"
    rm -rf --one-file-system "$BASE.new"
}

# The releases of Ubuntu that can be asked for; whatever is none of them is one of Debian.
ubuntus=(xenial bionic focal jammy noble)
ubuntu=http://archive.ubuntu.com/ubuntu
debian=http://deb.debian.org/debian

# have_the_keys_of_ubuntu CACHE: UBUNTU_KEYS is a file of them. Debian has none in its packages, so
# they are Ubuntu's own, known by their checksum.
have_the_keys_of_ubuntu() {
    local package=ubuntu-keyring_2023.11.28.1_all.deb
    local checksum=36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8
    UBUNTU_KEYS=$1/ubuntu-keyring/usr/share/keyrings/ubuntu-archive-keyring.gpg
    [ ! -f "$UBUNTU_KEYS" ] || return 0
    curl -fsS --max-time 60 --retry 1 -o "$RUN/$package" \
        "$ubuntu/pool/main/u/ubuntu-keyring/$package" ||
        { skip_if_allowed 'cannot get the keys of Ubuntu'; say "cannot get the keys from $ubuntu"; exit 1; }
    sha256sum --quiet --check - <<<"$checksum  $RUN/$package" || exit 1
    dpkg-deb --extract "$RUN/$package" "$1/ubuntu-keyring"
}

mirror_of() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$1" '$2 == release && $3 == "main" { print $1; exit }'
}

# systemd-nspawn --keep-unit makes its groups of processes below the one that it is in. Each run has
# one of its own, or two machines at a time would take each other's services for theirs.
have_a_cgroup() {
    local mounted which parent group name
    # The same in each hierarchy, since systemd-nspawn makes them alike.
    name=srs-systemd-$(tr -dc a-z0-9 </dev/urandom | head -c 8) || true
    while read -r mounted which; do
        parent=$mounted$(awk -F : -v which="$which" '$2 == which { print $3 }' /proc/self/cgroup)
        for group in "$parent"/srs-systemd-*; do
            [ ! -d "$group" ] || remove_cgroup "$group"
        done
        group=${parent%/}/$name
        mkdir "$group" 2>/dev/null || continue
        echo $$ >"$group/cgroup.procs"
        CGROUPS+=("$group")
    done < <(awk '$3 == "cgroup2" { print $2, "" }
                  $3 == "cgroup" && $4 ~ /name=systemd/ { print $2, "name=systemd" }' \
        /proc/self/mounts)
}

# remove_cgroup GROUP: if nothing runs in it.
remove_cgroup() {
    [ -z "$(find "$1" -name cgroup.procs -exec cat {} +)" ] || return 0
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
}

put_everything_away() {
    local group left
    power_off
    for group in "${CGROUPS[@]}"; do
        echo $$ >"${group%/*}/cgroup.procs" || true
        mapfile -t left < <(find "$group" -name cgroup.procs -exec cat {} +)
        [ ${#left[@]} = 0 ] || kill -KILL "${left[@]}" 2>/dev/null || true
        remove_cgroup "$group"
    done
}

# what_the_kernel_withholds: fails if nothing that a container needs.
what_the_kernel_withholds() {
    local said
    said=$(unshare --mount --pid --ipc --uts --net --cgroup --fork --mount-proc \
        ip link add eth0 type veth peer name cable 2>&1) ||
        { echo "no namespaces, or no network in one: $said"; return 0; }
    mkdir -p "$RUN/try/lower" "$RUN/try/upper" "$RUN/try/work" "$RUN/try/root"
    said=$(mount -t overlay \
        -o "lowerdir=$RUN/try/lower,upperdir=$RUN/try/upper,workdir=$RUN/try/work" \
        overlay "$RUN/try/root" 2>&1 && umount "$RUN/try/root") ||
        { echo "no overlay file system: $said"; return 0; }
    [ ${#CGROUPS[@]} = 0 ] || return 1
    echo 'no groups of processes can be made'
}

# why_no_container_starts: fails if one does, and ends the run if it does not for a reason that is not
# the kernel's.
why_no_container_starts() {
    local said
    said=$(timeout 60 "${nspawn[@]}" --directory="$BASE" --volatile=overlay --machine=srs-try \
        true 2>&1) && return 1
    grep -qE 'Operation not permitted|Function not implemented|Permission denied' <<<"$said" ||
        { say "systemd-nspawn does not start $BASE: $said" >&2; return 2; }
    echo "systemd-nspawn: $said"
}

# A container that nobody but this run knows of.
nspawn=(systemd-nspawn --quiet --register=no --keep-unit --private-network --resolv-conf=off
        --link-journal=no)

# boot NAME: a machine with a copy of the root file system; ROOT is where it is seen from here.
boot() {
    power_off
    have_a_copy "$1"
    # /host: programs of this machine, for what they would weigh in the root file system.
    "${nspawn[@]}" --directory="$ROOT" --boot --machine="srs-$1" --bind-ro=/usr:/host/usr \
        --bind-ro=/etc/alternatives:/host/etc/alternatives >"$RUN/$1/boot.log" 2>&1 &
    CONTAINER=$!
    local until=$((SECONDS + 60)) state=''
    until lead_by "$CONTAINER" && state=$(inside systemctl is-system-running 2>&1) ||
        [ "$state" = degraded ]; do
        if [ "$SECONDS" -ge "$until" ] || ! kill -0 "$CONTAINER" 2>/dev/null; then
            say "the machine does not boot: $state"
            tail -n 30 "$RUN/$1/boot.log"
            return 1
        fi
        sleep 0.05
    done
    BOOTED=$1
    connect_it
}

# An interface beside the loopback, with an address: both ends of the cable are in the machine.
connect_it() {
    inside ip link add eth0 type veth peer name cable &&
        inside ip address add 192.0.2.10/24 dev eth0 &&
        inside ip link set cable up &&
        inside ip link set eth0 up
}

# have_a_copy NAME: ROOT is a throw-away copy of the root file system, the same for the same name.
have_a_copy() {
    ROOT=$RUN/$1/root
    [ ! -d "$ROOT" ] || return 0
    mkdir -p "$RUN/$1/upper" "$RUN/$1/work" "$ROOT"
    mount -t overlay -o "lowerdir=$BASE,upperdir=$RUN/$1/upper,workdir=$RUN/$1/work" \
        overlay "$ROOT"
}

power_off() {
    [ -n "$BOOTED" ] || return 0
    inside systemctl poweroff >/dev/null 2>&1 || true
    local until=$((SECONDS + 30))
    while kill -0 "$CONTAINER" 2>/dev/null && [ "$SECONDS" -lt "$until" ]; do sleep 0.05; done
    kill -KILL "$LEADER" "$CONTAINER" 2>/dev/null || true
    wait "$CONTAINER" 2>/dev/null || true
    BOOTED='' LEADER='' CONTAINER=''
}

machine_is_up() { [ -n "$BOOTED" ] && [ -d "/proc/$LEADER" ]; }

# inside COMMAND…: in the machine, as root, for no longer than $BOUND seconds (30).
inside() {
    timeout --kill-after=5 "${BOUND:-30}" nsenter --target "$LEADER" --mount --uts --ipc --net --pid \
        -- /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# lead_by PROCESS: what runs inside of that systemd-nspawn is the machine.
lead_by() { LEADER=$(pgrep -P "$1"); }

# in_its_network COMMAND…: a program of this machine, in the machine's network.
in_its_network() { nsenter --target "$LEADER" --net -- "$@"; }

# write FILE: in the machine; its content is the standard input.
write() {
    # shellcheck disable=SC2016
    inside bash -c 'mkdir -p "${1%/*}" && cat >"$1"' _ "$1"
}

# The daemon's process, as seen from here.
daemon_seen_from_here() { pgrep --ns "$LEADER" --nslist pid -x srs; }

systemd_version() { inside systemctl --version | awk 'NR == 1 { print $2 }'; }

# (--value is newer than 229.)
property() { inside systemctl show --property="$2" "$1" | cut -d = -f 2-; }

now() { cut -d ' ' -f 1 /proc/uptime; }
since() { awk -v begun="$1" '{ printf "%.2f", $1 - begun }' /proc/uptime; }
