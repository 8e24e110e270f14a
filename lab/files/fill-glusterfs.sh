# In the storage host: make the volume hold what was kept, or nothing, through a client. $1 = this host, $2 = volume, $3 = kept name.
mkdir -p /run/lab-fill
mount -t glusterfs "$1:/$2" /run/lab-fill
find /run/lab-fill -mindepth 1 -maxdepth 1 ! -name .glusterfs -exec rm -rf {} +
[ -z "$3" ] || cp -r --preserve=mode,ownership,timestamps --sparse=always "/srv/bricks/.kept/$3/." /run/lab-fill/
umount /run/lab-fill
