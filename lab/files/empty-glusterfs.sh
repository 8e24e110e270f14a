# In the storage host: remove every file on the volume, through a client. $1 = name of this host, $2 = volume.
mkdir -p /run/lab-empty
mount -t glusterfs "$1:/$2" /run/lab-empty
find /run/lab-empty -mindepth 1 -maxdepth 1 ! -name .glusterfs -exec rm -rf {} +
umount /run/lab-empty
