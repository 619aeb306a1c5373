# Sourced by .ci/run: runs named steps and prints their times. The first failure ends the run; leftover processes are ended.

# All processes started by a step inherit this variable, which identifies them even if their parent has exited.
mark="run-$$-$RANDOM$RANDOM"
export CI_RUN_MARK="$mark"
running=

# step TITLE COMMAND...
step() {
    local title=$1 started=$SECONDS status=0
    shift
    printf '\n==> %s\n    $ %s\n' "$title" "$*"
    # Runs in the background, because bash handles signals only between foreground commands.
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
    # Unset, so that the search does not match its own processes.
    (unset CI_RUN_MARK && grep -slzxF "CI_RUN_MARK=$mark" /proc/[0-9]*/environ | cut -d/ -f3) || true
}

end_leftovers() {
    local pid leftovers
    # Child processes of a browser exit a moment after it.
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
