#!/bin/busybox sh
# Pid 1 of the lab's guest; `/init poweroff` is what the ACPI power button runs.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
if [ "$1" = poweroff ]; then
    echo "lab: power button" > /dev/console
    sync; umount /mnt 2>/dev/null
    exec poweroff -f
fi

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /run
mount -t devpts pts /dev/pts
mount -t tmpfs -o size=90% shm /dev/shm
exec < /dev/console > /dev/console 2>&1
while read -r module; do insmod "$module"; done < /etc/modules
hostname "guest-$(cat /sys/class/net/eth0/address 2>/dev/null | tr -d : | tail -c 7)"

uptime_ms() { read -r up _ < /proc/uptime; up=${up%.*}${up#*.}0; echo "$up"; }

(   # ten heartbeats a second on the second serial port: counter and uptime
    n=0
    while :; do
        n=$((n + 1)); read -r up _ < /proc/uptime
        echo "$n ${up%.*}${up#*.}0"
        usleep 95000
    done > /dev/ttyS1
) &

for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name")" = org.qemu.guest_agent.0 ] || continue
    qemu-ga -m virtio-serial -p "/dev/${port##*/}" > /tmp/qemu-ga.log 2>&1 &
done
acpid -d -l /dev/null > /dev/null 2>&1 &
ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -f -t 20 -T 1 -A 2 -s /bin/udhcpc-script > /tmp/udhcpc.log 2>&1 &
if mount -t ext4 /dev/vda /mnt 2>/dev/null; then
    echo "boot at $(date +%s) up $(uptime_ms) mac $(cat /sys/class/net/eth0/address)" >> /mnt/boots
    sync
fi
mkdir -p /etc/dropbear
dropbearkey -t ed25519 -f /etc/dropbear/key > /dev/null 2>&1
dropbear -F -E -s -r /etc/dropbear/key > /tmp/dropbear.log 2>&1 &
nc -ll -p 7 -e cat &
dirty_mb=$(sed -n 's/.*lab\.dirty=\([0-9]*\).*/\1/p' /proc/cmdline)
[ -z "$dirty_mb" ] || dirty "$dirty_mb" &

echo "lab: guest is up after $(uptime_ms) ms"
while :; do setsid cttyhack sh; sleep 1; done
