# shellcheck shell=bash
# What a story says of what it sees: checks, and the evidence when one fails.
#
# A failed check ends its story (`exit 1`), which runs in a shell of its own.

say() { printf 'tests/systemd: %s\n' "$*"; }

# How many checks were made, and the figures worth keeping; in files, since stories are subshells.
checks_made() { if [ -f "$RUN/checks" ]; then wc -l <"$RUN/checks"; else echo 0; fi; }
figure() { printf '    %-44s %s\n' "$1" "$2" | tee -a "$RUN/figures"; }
figures() { if [ -f "$RUN/figures" ]; then say 'figures:'; cat "$RUN/figures"; fi; }

passed() {
    printf '%s\n' "$1" >>"$RUN/checks"
    printf '  ok  %s\n' "$1"
}

# fail WHAT EXPECTED SEEN
fail() {
    printf '\n  FAILED  %s\n' "$1"
    printf '    expected: %s\n' "$2"
    printf '    seen:     %s\n' "${3//$'\n'/$'\n'              }"
    show_evidence
    exit 1
}

# check WHAT COMMAND…: it succeeds. SAID keeps what it wrote, for more checks.
check() {
    local what=$1 status=0
    shift
    SAID=$("$@" 2>&1) || status=$?
    [ "$status" = 0 ] || fail "$what" "success of: $*" "status $status; $SAID"
    passed "$what"
}

# check_fails WHAT COMMAND…: it does not. SAID keeps what it wrote and WITH its status, for more
# checks.
check_fails() {
    local what=$1 status=0
    shift
    SAID=$("$@" 2>&1) || status=$?
    [ "$status" != 0 ] || fail "$what" "failure of: $*" "status 0; $SAID"
    [ "$status" != 124 ] || fail "$what" "failure in time of: $*" "no end; $SAID"
    # shellcheck disable=SC2034  # for the stories
    WITH=$status
    passed "$what"
}

# equal WHAT EXPECTED SEEN
equal() {
    [ "$2" = "$3" ] || fail "$1" "$2" "$3"
    passed "$1"
}

# like WHAT PATTERN SEEN: an extended regular expression, found anywhere in a line.
like() {
    grep -qE -- "$2" <<<"$3" || fail "$1" "something like $2" "$3"
    passed "$1"
}

# unlike WHAT PATTERN SEEN
unlike() {
    ! grep -qE -- "$2" <<<"$3" || fail "$1" "nothing like $2" "$3"
    passed "$1"
}

# less WHAT BOUND SEEN: numbers.
less() {
    awk -v seen="$3" -v bound="$2" 'BEGIN { exit !(seen ~ /^[0-9.]+$/ && seen + 0 < bound) }' ||
        fail "$1" "less than $2" "$3"
    passed "$1 ($3)"
}

# between WHAT LEAST MOST SEEN: numbers.
between() {
    awk -v seen="$4" -v least="$2" -v most="$3" \
        'BEGIN { exit !(seen ~ /^[0-9.]+$/ && seen + 0 >= least && seen + 0 <= most) }' ||
        fail "$1" "$2 to $3" "$4"
    passed "$1 ($4)"
}

# eventually SECONDS WHAT COMMAND…: it succeeds before so long.
eventually() {
    local until=$((SECONDS + $1)) what=$2 said
    shift 2
    said=$STORY/eventually
    until "$@" >"$said" 2>&1; do
        [ "$SECONDS" -lt "$until" ] || fail "$what" "success in time of: $*" "$(cat "$said")"
        sleep 0.1
    done
    passed "$what"
}

# Commands for `eventually`: prints EXPECTED, or matches PATTERN.
prints() {
    local expected=$1 seen
    shift
    seen=$("$@")
    [ "$seen" = "$expected" ] || { echo "$seen"; return 1; }
}
matches() {
    local pattern=$1 seen
    shift
    seen=$("$@")
    grep -qE -- "$pattern" <<<"$seen" || { echo "$seen"; return 1; }
}

# What one wants to see when something went wrong.
show_evidence() {
    local log
    printf '    --- what ran beside it\n'
    for log in "$STORY"/*.log; do
        [ -s "$log" ] || continue
        printf '    %s:\n' "${log##*/}"
        tail -n 8 "$log" | cut -c 1-300 | sed 's/^/        /'
    done
    machine_is_up || return 0
    printf '    --- units and journal\n'
    {
        inside systemctl status --no-pager --full --lines=0 srs.service srs.socket srs-api.socket
        inside journalctl --no-pager --quiet --output=short-precise --lines=60 \
            --since="$JOURNAL"
    } 2>&1 | sed 's/^/        /' || true
}
