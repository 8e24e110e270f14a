# In a compute host: save every running guest with its memory, tell their names, and stop libvirtd so that its files can be copied.
for guest in $(virsh list --name); do
    virsh -q managedsave --running "$guest" >&2
    echo "$guest"
done
systemctl stop libvirtd.service
