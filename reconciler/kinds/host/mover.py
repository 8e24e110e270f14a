"""The user who logs in for moves where that is not root: how a host is asked about it, and how it is made. Texts only.

Its right is libvirt's system socket and nothing else: by a polkit rule of ours, without polkit by group libvirt.
"""

READY = "ready"
_ABOUT = """rule=/etc/polkit-1/rules.d/50-reconciler-$1.rules
"""
LOOK = (
    _ABOUT
    + """getent passwd "$1" >/dev/null || { echo absent; exit 0; }
if [ -d /etc/polkit-1/rules.d ]; then grep -qxF "$2" "$rule" 2>/dev/null && echo ready && exit 0
else id -nG "$1" | grep -qw libvirt && echo ready && exit 0; fi
echo "without rights\""""
)
MAKE = (
    _ABOUT
    + """set -e; umask 022
getent passwd "$1" >/dev/null ||
useradd --system --create-home --home-dir "/var/lib/$1" --shell /bin/sh --password '*' "$1"
if [ -d /etc/polkit-1/rules.d ]; then printf '%s\\n' "$2" >"$rule.new"; chmod 644 "$rule.new"
command -v restorecon >/dev/null && restorecon "$rule.new" || true; mv "$rule.new" "$rule"
elif getent group libvirt >/dev/null; then usermod -aG libvirt "$1"
else echo "neither polkit nor a group libvirt gives it libvirt" >&2; exit 3; fi
command -v virsh >/dev/null || exit 0
for n in 1 2 3 4 5 6; do setpriv --reuid="$1" --regid="$(id -g "$1")" --init-groups --reset-env \
timeout 10 virsh -q -c qemu:///system uri >/dev/null 2>&1 && exit 0; sleep 0.5; done
echo "it may not use libvirt's system socket" >&2; exit 4"""
)


def rule(user: str) -> str:
    """The one line of polkit's rule file: that user may manage libvirt, as root may."""
    return (
        'polkit.addRule(function(action, subject) { if (action.id == "org.libvirt.unix.manage" && '
        f'subject.user == "{user}") return polkit.Result.YES; }});'
    )
