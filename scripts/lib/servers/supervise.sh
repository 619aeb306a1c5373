# Sourced by the scripts of this directory, each of which runs one private server on loopback:
#
#   NAME.sh DIRECTORY PORT...
#
# The script starts the server and prints "ready". It then reads commands from standard input, one a line, and answers each
# with "ok" or "failed": stop, start, kill (SIGKILL), freeze and thaw (SIGSTOP and SIGCONT). At the end of the input it stops
# the server and removes DIRECTORY, unless KEEP_DIRECTORY is set. A caller that dies closes its end of the pipe, so that no
# server outlives it.
#
# The sourcing script defines start_server, which sets server_pid, and may redefine the other functions.
set -uo pipefail
# Ctrl-C in a terminal reaches the whole process group; the end of the input follows.
trap '' INT

directory=$1
server_pid=

wait_for_port() {
    local attempt
    for attempt in $(seq 1 600); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        kill -0 "$server_pid" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

wait_for_end() {
    local attempt
    for attempt in $(seq 1 600); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

stop_server() {
    [ -z "$server_pid" ] && return 0
    kill -TERM "$server_pid" 2>/dev/null
    kill -CONT "$server_pid" 2>/dev/null
    wait_for_end "$server_pid" || kill -KILL "$server_pid" 2>/dev/null
    wait "$server_pid" 2>/dev/null
    server_pid=
}

kill_server() {
    [ -z "$server_pid" ] && return 0
    kill -KILL "$server_pid"
    wait "$server_pid" 2>/dev/null
    server_pid=
}

freeze_server() { kill -STOP "$server_pid"; }
thaw_server() { kill -CONT "$server_pid"; }

supervise() {
    if ! start_server; then
        echo failed
        tail -n 50 "$directory"/*.log >&2 2>/dev/null
        stop_server
        exit 1
    fi
    echo ready
    local command
    while read -r command; do
        case $command in
        stop | start | kill | freeze | thaw) "${command}_server" && echo ok || echo failed ;;
        *) echo failed ;;
        esac
    done
    stop_server
    [ -n "${KEEP_DIRECTORY:-}" ] || rm -rf -- "$directory"
}
