# shellcheck shell=bash
# Sourced by the scripts of this folder, which set `top` first.

# One ccache for every clone of the tree: paths inside it don't count.
export CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1

product=(certmgrd certmgrctl certmgr-keyd certmgr-responder certmgr-tls-responder certmgr-install certmgr-port certmgr_provider)

# build PRESET [target…]: quiet when it goes well, the whole log of the failing step when not.
build() {
    local preset=$1 log
    shift
    log=$(mktemp)
    if ! { cmake --preset "$preset" -S "$top" && cmake --build "$top/build/$preset" --target "${@:-all}"; } >"$log" 2>&1; then
        grep -A 30 -m 1 -E '^FAILED|CMake Error|error:' "$log" >&2 || tail -n 30 "$log" >&2
        rm -f "$log"
        echo "building the preset $preset failed, see above" >&2
        return 1
    fi
    rm -f "$log"
}
