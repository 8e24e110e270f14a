# Runs once inside the image of hosts with their own kernel, after image-setup.sh: a small initramfs, a console without login, NFS 4.2.
cat > /etc/initramfs-tools/conf.d/lab <<CONF
MODULES=list
COMPRESS=gzip
FSTYPE=ext4
CONF
printf '%s\n' virtio_pci virtio_blk virtio_net ext4 crc32c_generic > /etc/initramfs-tools/modules
update-initramfs -u -k all
printf '%s\n' br_netfilter nfs nfsd > /etc/modules-load.d/lab.conf
mkdir -p /etc/nfs.conf.d /srv/bricks /export
cat > /etc/nfs.conf.d/lab.conf <<CONF
[nfsd]
vers3=n
lease-time=30
grace-time=30
CONF
systemctl mask -q serial-getty@ttyS0.service nfs-blkmap.service
systemctl disable -q nfs-server.service
printf '/dev/vda / ext4 defaults 0 1\n' > /etc/fstab
rm -f /tmp/emulated-setup.sh
