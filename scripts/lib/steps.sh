# Sourced by .ci/run: named steps with their times, the first failure ends the run, nothing is left running.

# Every process started from here inherits this mark, and so can be found again whoever its parent is by then.
mark="run-$$-$RANDOM$RANDOM"
export CI_RUN_MARK="$mark"
running=

# step TITLE COMMAND...
step() {
    local title=$1 started=$SECONDS status=0
    shift
    printf '\n==> %s\n    $ %s\n' "$title" "$*"
    # Waited for rather than called, so that a signal to this script is heard at once.
    "$@" &
    running=$!
    wait "$running" || status=$?
    running=
    end_leftovers
    if [ "$status" -ne 0 ]; then
        printf '\n==> FAILED: %s (exit %d after %d s)\n' "$title" "$status" "$((SECONDS - started))"
        exit "$status"
    fi
    printf '==> ok: %s (%d s)\n' "$title" "$((SECONDS - started))"
}

marked_processes() {
    # Unset, so that the search does not find itself.
    (unset CI_RUN_MARK && grep -slzxF "CI_RUN_MARK=$mark" /proc/[0-9]*/environ | cut -d/ -f3) || true
}

end_leftovers() {
    local pid leftovers
    # A browser's children take a moment to follow it.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        leftovers=$(marked_processes)
        if [ -z "$leftovers" ]; then return 0; fi
        sleep 0.2
    done
    for pid in $leftovers; do
        printf 'still running, ended: %s %s\n' "$pid" "$({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | head -c 200)"
        kill -TERM "$pid" 2>/dev/null || true
    done
    sleep 2
    for pid in $(marked_processes); do kill -KILL "$pid" 2>/dev/null || true; done
}

interrupted() {
    trap - INT TERM EXIT
    printf '\n==> interrupted\n'
    if [ -n "$running" ]; then kill -TERM "$running" 2>/dev/null || true; fi
    end_leftovers
    exit 130
}
trap interrupted INT TERM
