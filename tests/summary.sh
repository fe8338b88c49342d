#!/bin/sh
# Runs a command of `cargo test`, shows its output as it comes, and ends with why what failed has failed, in a few lines each,
# and one line that sums up all test binaries: `N passed, M failed`. The exit status is the command's.
set -u

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

{ "$@" 2>&1; echo $? >"$scratch/status"; } | tee "$scratch/output"
status=$(cat "$scratch/status")

awk -v status="$status" '
    # The message of a panic follows in the next lines; a binary that crashed has no result line.
    /^---- .* stdout ----$/ { test = $2; shown = 0 }
    / panicked at / && test != "" && shown == 0 { print "failed: " test; shown = 4 }
    shown > 0 { print "    " $0; if (--shown == 0) test = "" }
    /process didn.t exit successfully/ { print "crashed: " $0 }
    /^test result: / {
        for (i = 2; i <= NF; i++) {
            if ($i == "passed;") passed += $(i - 1)
            if ($i == "failed;") failed += $(i - 1)
        }
    }
    END {
        # What did not compile, or crashed, counts too.
        if (status != 0 && failed == 0) failed = 1
        printf "%d passed, %d failed\n", passed, failed
    }
' "$scratch/output"
exit "$status"
