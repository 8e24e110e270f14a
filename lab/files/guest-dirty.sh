#!/bin/busybox sh
# `dirty MB`: writes so much memory over and over, without end, so that a live move has work to do.
size=${1:-100}
rm -f /dev/shm/dirty
dd if=/dev/urandom of=/dev/shm/seed bs=1M count=4 2>/dev/null
while :; do
    at=0
    while [ "$at" -lt "$size" ]; do
        dd if=/dev/shm/seed of=/dev/shm/dirty bs=1M seek="$at" conv=notrunc 2>/dev/null
        at=$((at + 4))
    done
done
