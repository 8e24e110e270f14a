# In the storage host: one GlusterFS volume fit for VM disks. $1 = name of this host, $2 = volume.
for _ in $(seq 100); do gluster volume list > /dev/null 2>&1 && break; sleep 0.1; done
if ! gluster volume info "$2" > /dev/null 2>&1; then
    mkdir -p "/srv/bricks/$2"
    gluster --mode=script volume create "$2" "$1:/srv/bricks/$2" force
    # No client-side caches: a guest that moved must read what it wrote on the other host. Dead clients lose their
    # locks within seconds, so that a test of a power cut need not wait for minutes.
    while read -r option value; do gluster --mode=script volume set "$2" "$option" "$value" > /dev/null; done <<OPTIONS
performance.quick-read off
performance.read-ahead off
performance.io-cache off
performance.stat-prefetch off
performance.open-behind off
performance.write-behind off
network.remote-dio enable
network.ping-timeout 10
server.tcp-user-timeout 10
server.keepalive-time 5
OPTIONS
fi
gluster volume status "$2" > /dev/null 2>&1 || gluster --mode=script volume start "$2"
for _ in $(seq 100); do gluster volume status "$2" 2>/dev/null | grep -q '^Brick.* Y ' && exit 0; sleep 0.1; done
echo "the brick of volume $2 did not come up" >&2
exit 1
