# Sourced by ci/setup and ci/check.

# A target without std.
NO_STD_TARGET=thumbv7em-none-eabi

# Another processor, whose programs qemu-user runs.
AARCH64_TARGET=aarch64-unknown-linux-gnu

# Runs the function step_NAME and says how long it took; ends the script where it fails.
step() {
    local begin=$SECONDS status
    printf '\n==> %s\n' "$1"
    # Not in a condition: there bash goes on past a command that failed, `set -e` or not.
    set +e
    (set -e; "step_$1")
    status=$?
    set -e
    if [ "$status" -ne 0 ]; then
        printf '<== %s FAILED after %s s\n' "$1" $((SECONDS - begin)) >&2
        exit "$status"
    fi
    printf '<== %s: %s s\n' "$1" $((SECONDS - begin))
}
