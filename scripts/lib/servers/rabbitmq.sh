#!/usr/bin/env bash
# A private RabbitMQ on loopback: rabbitmq.sh DIRECTORY AMQP_PORT DISTRIBUTION_PORT EPMD_PORT
#
# The user is `guest` with the password `guest`, or those in BROKER_USER and BROKER_PASSWORD.
. "$(dirname -- "${BASH_SOURCE[0]}")/supervise.sh"
port=$2 distribution_port=$3 epmd_port=$4
epmd_pid=
# The name server of Erlang, which the broker does not stop.
trap '[ -z "$epmd_pid" ] || kill "$epmd_pid"' EXIT

export HOME="$directory/home" LANG=C.UTF-8
export RABBITMQ_NODENAME="rabbit$port@localhost" RABBITMQ_DIST_PORT="$distribution_port"
export ERL_EPMD_PORT="$epmd_port" ERL_EPMD_ADDRESS=127.0.0.1
# Not the machine's configuration.
export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$directory/rabbitmq.conf"
export RABBITMQ_ADVANCED_CONFIG_FILE="$directory/none.config" RABBITMQ_ENABLED_PLUGINS_FILE="$directory/plugins"
export RABBITMQ_MNESIA_BASE="$directory/mnesia" RABBITMQ_LOG_BASE="$directory/log"
export RABBITMQ_GENERATED_CONFIG_DIR="$directory/generated" RABBITMQ_PID_FILE="$directory/pid" ERL_CRASH_DUMP="$directory/crash.dump"
# A quorum queue of a single node may stay without a leader after a restart, and then stores nothing
# (https://github.com/rabbitmq/rabbitmq-server/issues/10070): its only member is told to become the leader. Without spaces,
# because the broker's script splits the arguments.
elect='spawn(fun()->F=fun(G)->timer:sleep(500),catch([ra:trigger_election({N,node()})||{N,follower}<-ets:tab2list(ra_state)]),G(G)end,F(F)end).'
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 -eval $elect"

start_server() {
    mkdir -p "$directory"/{home,mnesia,log,generated}
    cat >"$directory/rabbitmq.conf" <<END
listeners.tcp.1 = 127.0.0.1:$port
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 1GB
log.console = false
default_user = ${BROKER_USER:-guest}
default_pass = ${BROKER_PASSWORD:-guest}
END
    chmod 600 "$directory/rabbitmq.conf"
    echo '[].' >"$directory/plugins"
    if [ -z "$epmd_pid" ]; then
        epmd -port "$epmd_port" -address 127.0.0.1 >/dev/null 2>&1 </dev/null &
        epmd_pid=$!
        # A broker that is faster than its name server does not start.
        until (exec 3<>"/dev/tcp/127.0.0.1/$epmd_port") 2>/dev/null; do
            kill -0 "$epmd_pid" || return 1
            sleep 0.1
        done
    fi
    # With this variable the script replaces itself by the broker, so that the process id is the broker's.
    RUNNING_UNDER_SYSTEMD=1 /usr/lib/rabbitmq/bin/rabbitmq-server >>"$directory/server.log" 2>&1 </dev/null &
    server_pid=$!
    wait_for_port "$port"
}

supervise
