# Sourced: installs the tools that the build and the tests need besides Rust, if they are missing.

# Outside the checkout, so that several clones share it.
cache_dir="${XDG_CACHE_HOME:-$HOME/.cache}/rapidphoto"

# Pinned, so that checks give the same result on all machines.
cargo_deny_version=0.20.2
cargo_fuzz_version=0.13.2
moto_version=5.2.5
awscli_version=1.46.3
schemathesis_version=4.32.5

# Servers under test listen on loopback, which a proxy can't reach.
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
export no_proxy="$NO_PROXY"

# An installed toolchain of the pinned version serves as well, if rustup can't fetch the pinned one.
pinned_rust=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
if ! rustc --version >/dev/null 2>&1 &&
    [ "$(RUSTUP_TOOLCHAIN=stable rustc --version 2>/dev/null | cut -d' ' -f2)" = "$pinned_rust" ]; then
    export RUSTUP_TOOLCHAIN=stable
fi

have_any() {
    local name
    for name in "$@"; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo -- "$@"
    else
        sudo -n -- "$@"
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# install_missing 'command or command=package package' ...
# Installs the packages of each argument of which no command exists.
install_missing() {
    local line commands packages needed=()
    for line in "$@"; do
        read -ra commands <<<"${line%%=*}"
        if ! have_any "${commands[@]}"; then
            read -ra packages <<<"${line#*=}"
            needed+=("${packages[@]}")
        fi
    done
    if [ ${#needed[@]} -eq 0 ]; then return 0; fi
    echo "missing packages: ${needed[*]}"
    if ! have_any apt-get || { [ "$(id -u)" != 0 ] && ! have_any sudo; }; then
        echo "install them manually and try again: this script supports only Debian's apt-get, as root or with sudo" >&2
        return 1
    fi
    apt_get update && apt_get install -y --no-install-recommends "${needed[@]}"
}

install_c_toolchain() {
    install_missing 'cc gcc clang=gcc libc6-dev'
}

# Tests run pages in a real browser (one of them is Uppy, bundled by Node), manipulate a database with the SQLite shell, put real
# proxies in front of a server, start databases, brokers and stores of their own, use the embedded store with the clients of S3 that
# people have, set the clocks of programs, and check metrics with Prometheus' own tool.
install_test_tools() {
    # Debian installs servers here, which is not in the PATH of all users.
    local binaries
    PATH="$PATH:/usr/sbin"
    for binaries in /usr/lib/postgresql/*/bin; do PATH="$PATH:$binaries"; done
    local server new_servers=()
    for server in nginx caddy postgres:postgresql rabbitmq-server radosgw:ceph.target prometheus; do
        have_any "${server%%:*}" || new_servers+=("${server#*:}")
    done
    install_missing 'chromium chromium-browser google-chrome google-chrome-stable=chromium' 'sqlite3=sqlite3' \
        'nginx=nginx' 'caddy=caddy' 'postgres=postgresql' 'rabbitmq-server=rabbitmq-server' 'promtool=prometheus' \
        'radosgw=ceph-mon ceph-osd ceph-common radosgw' 'node=nodejs' 'npm=npm' 'faketime=faketime'
    # Debian starts servers when it installs them. The tests start their own.
    if [ ${#new_servers[@]} -gt 0 ] && [ -d /run/systemd/system ]; then
        as_root systemctl disable --now "${new_servers[@]}"
    fi
    for binaries in /usr/lib/postgresql/*/bin; do PATH="$PATH:$binaries"; done
    # An imitation of AWS, whose environment also has boto3, and a client of S3.
    install_python_tool moto "$moto_version" moto_server server
    install_python_tool awscli "$awscli_version" aws
    install_node_packages UPPY6_PACKAGES clients/uppy
    install_node_packages UPPY5_PACKAGES clients/uppy/test/uppy5
    # Generates requests from the OpenAPI document.
    install_python_tool schemathesis "$schemathesis_version" schemathesis
}

# Servers that scripts/stack runs.
install_stack_tools() {
    local binaries
    PATH="$PATH:/usr/sbin"
    for binaries in /usr/lib/postgresql/*/bin; do PATH="$PATH:$binaries"; done
    install_missing 'postgres=postgresql' 'rabbitmq-server=rabbitmq-server' 'nginx=nginx'
}

# Checkers of files for deployment.
install_deploy_tools() {
    # docker-compose brings Python's yaml along.
    install_missing 'docker-compose=docker-compose python3-yaml'
    install_python_tool check-jsonschema 0.39.0 check-jsonschema
    install_python_tool kubernetes-validate 1.37.0 kubernetes-validate
}

# install_python_tool PACKAGE VERSION COMMAND [EXTRA]
# Adds the command to PATH, in an environment of its own: Debian's Python allows no packages beside those of Debian.
install_python_tool() {
    local home="$cache_dir/tools/$1-$2"
    if [ ! -x "$home/bin/$3" ]; then
        python3 -c 'import ensurepip' >/dev/null 2>&1 || install_missing 'no-command=python3-venv'
        python3 -m venv --clear "$home" && "$home/bin/pip" install -q "$1${4:+[$4]}==$2"
    fi
    PATH="$PATH:$home/bin"
}

# install_node_packages VARIABLE DIR
# Installs what the lock file of DIR pins, outside the checkout, and exports the path of the installation as VARIABLE.
install_node_packages() {
    local home
    home="$cache_dir/tools/node-packages-$(sha256sum "$2/package-lock.json" | cut -c 1-16)"
    if [ ! -e "$home/installed" ]; then
        rm -rf -- "$home"
        mkdir -p "$home"
        cp "$2/package.json" "$2/package-lock.json" "$home"
        npm ci --prefix "$home" --ignore-scripts --no-audit --no-fund --loglevel=error || return 1
        touch "$home/installed"
    fi
    export "$1=$home"
}

# The tools themselves are pinned in clients/typescript.
install_typescript_tools() {
    install_missing 'node=nodejs' 'npm=npm' 'jq=jq'
}

install_walkthrough_tools() {
    install_missing 'curl=curl ca-certificates' 'jq=jq'
}

# install_cargo_tool NAME VERSION
# Adds the tool to PATH. Built once, with few optimisations, because it runs for seconds only.
install_cargo_tool() {
    local home="$cache_dir/tools/$1-$2"
    if [ ! -x "$home/bin/$1" ]; then
        CARGO_TARGET_DIR="$home/build" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
            CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
            cargo install "$1" --version "=$2" --locked --quiet --root "$home"
        rm -rf -- "$home/build"
    fi
    PATH="$home/bin:$PATH"
}

install_cargo_deny() {
    install_cargo_tool cargo-deny "$cargo_deny_version"
}

install_fuzz_tools() {
    # libFuzzer is C++.
    install_missing 'c++ g++ clang++=g++'
    install_cargo_tool cargo-fuzz "$cargo_fuzz_version"
}
