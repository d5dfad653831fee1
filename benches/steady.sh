#!/usr/bin/env bash
# What the tests do hundreds of times, ten thousand times: a program that is killed while labels are given, schedules of a store that
# fails in every way, and keys at random in a screen that is served (in an ordinary account, with sshd and strace there).
#
#     benches/steady.sh [TIMES]
set -euo pipefail
cd "$(dirname "$0")/.."
times=${1:-10000}
part() {
  local begun=$SECONDS words=$1
  shift
  "$@" >"target/steady.log" 2>&1 || { tail -n 40 target/steady.log && exit 1; }
  grep -m 1 '^skipped' target/steady.log || printf '%-60s %6s s\n' "$words" $((SECONDS - begun))
}
cargo test --locked --quiet --test it --no-run
part "$times kills while labels are given: none acknowledged is lost" env CASEWORK_KILLS="$times" cargo test --locked --test it crash:: -- --nocapture
part "$times schedules of failing stores: all ends alike" env CASEWORK_SCHEDULES="$times" cargo test --locked --test it simulation:: -- --nocapture
part "$((times / 20)) cuts of the line of a served screen: nothing older than a second is lost" env CASEWORK_CUTS=$((times / 20)) cargo test --locked --test it over_ssh_a_line -- --nocapture
part "$((times * 10)) keys at random in a served screen: no program is executed" env CASEWORK_KEYS=$((times * 10)) cargo test --locked --test it whatever_keys_are_pressed -- --nocapture
