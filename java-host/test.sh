#!/bin/sh
# Runs the tests of the host, and sums them up in the words of `cargo test`.
set -u
cd "$(dirname "$0")" || exit 1

rm -rf target/surefire-reports
mvn -q -B test
status=$?
cat target/surefire-reports/*.txt 2>/dev/null | awk -F '[:,]' -v status="$status" '
    /^Tests run:/ { run += $2; failed += $4 + $6; skipped += $8 }
    END {
        if (status != 0 && failed == 0) failed = 1
        printf "test result: %s. %d passed; %d failed\n", (failed ? "FAILED" : "ok"), run - failed - skipped, failed
    }
'
exit "$status"
