# In the storage host, where the kernel has NFS: one export. $1 = name of this host, $2 = volume. Untested on machines without NFS.
mkdir -p "/srv/bricks/$2" "/export/$2"
mountpoint -q "/export/$2" || mount --bind "/srv/bricks/$2" "/export/$2"
echo "/export/$2 *(rw,sync,no_root_squash,no_subtree_check,fsid=77)" > /etc/exports
systemctl enable -q --now nfs-server.service
exportfs -ra
