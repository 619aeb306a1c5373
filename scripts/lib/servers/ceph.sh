#!/usr/bin/env bash
# A private Ceph with an S3 gateway on loopback: ceph.sh DIRECTORY S3_PORT MONITOR_PORT
#
# One monitor and one storage daemon with its data in memory, so that a stopped or killed storage daemon loses it: stop, kill and
# freeze affect the gateway only. The storage daemon takes free ports of 6800 to 7568. The access key is "key", the secret key
# "secret".
. "$(dirname -- "${BASH_SOURCE[0]}")/supervise.sh"
port=$2 monitor_port=$3
cluster_pids=()
trap 'stop_cluster' EXIT

export CEPH_ARGS="-c $directory/ceph.conf"

stop_cluster() {
    local pid
    for pid in ${cluster_pids[@]+"${cluster_pids[@]}"}; do
        kill -KILL "$pid" && wait "$pid"
    done 2>/dev/null
    cluster_pids=()
}

write_configuration() {
    local id
    id=$(cat /proc/sys/kernel/random/uuid)
    cat >"$directory/ceph.conf" <<END
[global]
fsid = $id
mon host = v2:127.0.0.1:$monitor_port
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
keyring = $directory/keyring
run dir = $directory/run
admin socket = $directory/run/\$name.asok
log file = $directory/\$name.log
pid file =
mon data = $directory/mon
mon allow pool size one = true
mon warn on insecure global id reclaim allowed = false
mon max pg per osd = 2000
mon data avail warn = 2
mon data avail crit = 1
osd data = $directory/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd op num threads per shard = 1
osd op num shards = 2
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$port
rgw thread pool size = 64
rgw data = $directory/rgw
END
    monmaptool --create --clobber --fsid "$id" --addv a "[v2:127.0.0.1:$monitor_port]" "$directory/monmap" &&
        ceph-mon --mkfs -i a --monmap "$directory/monmap"
}

start_cluster() {
    mkdir -p "$directory"/{mon,osd,run}
    write_configuration >>"$directory/setup.log" 2>&1 || return 1
    ceph-mon -i a -f >>"$directory/setup.log" 2>&1 </dev/null &
    cluster_pids+=($!)
    local id
    id=$(cat /proc/sys/kernel/random/uuid)
    ceph --connect-timeout 30 osd new "$id" >>"$directory/setup.log" 2>&1 &&
        ceph-osd -i 0 --mkfs --osd-uuid "$id" >>"$directory/setup.log" 2>&1 || return 1
    ceph-osd -i 0 -f >>"$directory/setup.log" 2>&1 </dev/null &
    cluster_pids+=($!)
}

start_server() {
    local new=
    if [ ${#cluster_pids[@]} -eq 0 ]; then
        new=yes
        start_cluster || return 1
    fi
    radosgw -n client.rgw -f >>"$directory/gateway.log" 2>&1 </dev/null &
    server_pid=$!
    wait_for_port "$port" || return 1
    if [ -n "$new" ]; then
        radosgw-admin user create --uid tests --display-name Tests --access-key key --secret-key secret \
            >>"$directory/setup.log" 2>&1 || return 1
    fi
}

supervise
