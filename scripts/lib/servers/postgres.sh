#!/usr/bin/env bash
# A private PostgreSQL on loopback: postgres.sh DIRECTORY PORT
#
# The superuser is `postgres`, without a password. Data is not synced to disk unless SYNC=on: a killed server loses nothing,
# a machine that loses power does.
. "$(dirname -- "${BASH_SOURCE[0]}")/supervise.sh"
port=$2

for candidate in /usr/lib/postgresql/*/bin; do binaries=$candidate; done
[ -x "${binaries:-}/postgres" ] || binaries=$(dirname -- "$(command -v postgres)")

# The server refuses to run as root. Each of these commands replaces itself by the next one, so that a background job's process
# id is the server's.
as_server=(env "PATH=$binaries:$PATH" LANG=C.UTF-8)
if [ "$(id -u)" = 0 ]; then
    as_server=(setpriv --reuid=postgres --regid=postgres --clear-groups env -i "PATH=$binaries:/usr/bin:/bin" LANG=C.UTF-8)
fi

start_server() {
    mkdir -p "$directory"
    # The data directory's parents must be accessible to the server's user.
    chmod 755 "$directory"
    mkdir -p "$directory/run"
    [ "$(id -u)" != 0 ] || chown postgres:postgres "$directory/run"
    if [ ! -f "$directory/run/data/PG_VERSION" ]; then
        "${as_server[@]}" initdb -D "$directory/run/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
            >"$directory/initdb.log" 2>&1 || return 1
    fi
    # A killed server leaves this file.
    rm -f "$directory/run/data/postmaster.pid"
    "${as_server[@]}" postgres -D "$directory/run/data" -p "$port" -c listen_addresses=127.0.0.1 \
        -c "unix_socket_directories=$directory/run" -c max_connections=200 -c shared_buffers=128MB \
        -c "fsync=${SYNC:-off}" -c "full_page_writes=${SYNC:-off}" -c deadlock_timeout=200ms \
        >>"$directory/server.log" 2>&1 </dev/null &
    server_pid=$!
    local attempt
    for attempt in $(seq 1 300); do
        "${as_server[@]}" pg_isready -q -h 127.0.0.1 -p "$port" && return 0
        kill -0 "$server_pid" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

# Ends connections at once. SIGTERM would wait for clients to disconnect.
stop_server() {
    [ -z "$server_pid" ] && return 0
    kill -CONT "$server_pid" 2>/dev/null
    kill -INT "$server_pid" 2>/dev/null
    wait "$server_pid" 2>/dev/null
    server_pid=
}

# An immediate shutdown: no checkpoint, recovery at the next start. SIGKILL would leave the server's children behind.
kill_server() {
    [ -z "$server_pid" ] && return 0
    kill -QUIT "$server_pid"
    wait "$server_pid" 2>/dev/null
    server_pid=
}

supervise
