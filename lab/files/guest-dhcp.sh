#!/bin/busybox sh
# udhcpc's hook: takes the address and keeps announcing it, so that hosts know it without being the DHCP server.
case "$1" in
    deconfig) ip addr flush dev "$interface" ;;
    bound | renew)
        ip addr flush dev "$interface"
        ip addr add "$ip/${mask:-24}" dev "$interface"
        [ -z "$router" ] || ip route replace default via "${router%% *}"
        echo "lab: address $ip" > /dev/console
        if [ -f /run/announcer ]; then kill "$(cat /run/announcer)" 2>/dev/null; fi
        (while :; do arping -q -U -c 1 -I "$interface" "$ip"; sleep 3; done) > /dev/null 2>&1 &
        echo $! > /run/announcer
        ;;
esac
