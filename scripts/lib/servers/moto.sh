#!/usr/bin/env bash
# A private imitation of AWS on loopback, for SQS, SNS, EventBridge and S3: moto.sh DIRECTORY PORT
. "$(dirname -- "${BASH_SOURCE[0]}")/supervise.sh"
port=$2

start_server() {
    mkdir -p "$directory"
    moto_server -H 127.0.0.1 -p "$port" >>"$directory/server.log" 2>&1 </dev/null &
    server_pid=$!
    wait_for_port "$port"
}

supervise
