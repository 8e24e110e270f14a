# Runs once inside the base image: switches off what a container needs not, so that a host comes up `running`.
systemctl mask -q e2scrub_reap.service e2scrub_all.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    fstrim.timer logrotate.timer systemd-pstore.service getty@tty1.service console-getty.service \
    systemd-networkd-wait-online.service
systemctl disable -q glusterd.service libvirt-guests.service 2>/dev/null || true
systemctl enable -q systemd-networkd.service ssh.service
rm -f /etc/ssh/ssh_host_* /etc/machine-id /etc/resolv.conf /tmp/image-setup.sh
: > /etc/machine-id
: > /etc/resolv.conf
