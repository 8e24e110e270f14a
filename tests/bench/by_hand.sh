#!/bin/sh
# The practice's own steps for one live move, as an administrator's script: key, copy, firewall, migrate, look, remove.
# usage: by_hand.sh KEY KNOWN_HOSTS VM SOURCE_ADDRESS DESTINATION_ADDRESS DESTINATION_FQDN
set -eu
key=$1 known=$2 vm=$3 src=$4 dst=$5 fqdn=$6
on() { host=$1; shift; ssh -i "$key" -o UserKnownHostsFile="$known" -o BatchMode=yes "root@$host" "$@"; }
on "$src" "rm -f /root/.ssh/bench; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/bench -C bench-move"
public=$(on "$src" cat /root/.ssh/bench.pub)
on "$dst" "echo '$public' >>/root/.ssh/authorized_keys"
on "$src" "ssh-keyscan -t ed25519 $fqdn >>/root/.ssh/known_hosts 2>/dev/null"
on "$src" "ssh -i /root/.ssh/bench -o BatchMode=yes root@$fqdn true"
on "$dst" "firewall-cmd -q --zone=FedoraServer --add-port=49152-49216/tcp"
on "$src" "virsh migrate --live --p2p --persistent --undefinesource $vm 'qemu+ssh://root@$fqdn/system?keyfile=/root/.ssh/bench'"
on "$dst" "virsh list --all; virsh dominfo $vm; virsh autostart $vm"
on "$src" "virsh list --all"
on "$dst" "firewall-cmd -q --zone=FedoraServer --remove-port=49152-49216/tcp"
on "$dst" "sed -i '/bench-move/d' /root/.ssh/authorized_keys"
on "$src" "rm -f /root/.ssh/bench /root/.ssh/bench.pub; sed -i '/$fqdn/d' /root/.ssh/known_hosts"
