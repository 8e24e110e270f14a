# In a compute host, once: what every host has at first. $1 = libvirt network.
virsh -q net-destroy default 2>/dev/null || true
virsh -q net-undefine default 2>/dev/null || true
virsh -q net-define /dev/stdin <<XML
<network><name>$1</name><forward mode='bridge'/><bridge name='br0'/></network>
XML
virsh -q net-autostart "$1"
virsh -q net-start "$1"
virsh -q pool-define-as default dir --target /var/lib/libvirt/images
virsh -q pool-autostart default
virsh -q pool-start default
