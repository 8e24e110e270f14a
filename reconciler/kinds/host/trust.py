"""The authority whose SSH certificates a host accepts: how the host is asked about it, and how it is told. Texts only.

A drop-in of ours names a file of ours; the file with the key comes last: nothing is trusted before all is checked.
"""

KEY = "/etc/ssh/reconciler_user_ca.pub"
DROP_IN = "/etc/ssh/sshd_config.d/50-reconciler.conf"
_ABOUT = f"""c={DROP_IN}; k={KEY}; line="TrustedUserCAKeys $k"; s=$(command -v sshd || echo /usr/sbin/sshd)
reads() {{ "$s" -T 2>/dev/null | sed -n 's/^trustedusercakeys //p'; }}
"""
LOOK = (
    _ABOUT
    + """if [ "$(cat "$c" 2>/dev/null)" = "$line" ] && [ "$(cat "$k" 2>/dev/null)" = "$1" ]; then
[ "$(reads)" = "$k" ] && echo ready || echo "not read"
elif grep -qiE '^[[:space:]]*include[[:space:]].*sshd_config\\.d/' /etc/ssh/sshd_config; then echo absent
else echo "not included"; fi"""
)
MAKE = (
    _ABOUT
    + """set -e; umask 022
label() { chmod 644 "$1"; command -v restorecon >/dev/null && restorecon "$1" || true; }
undo() { if [ -e "$c.was" ]; then mv "$c.was" "$c"; else rm -f "$c"; fi; echo "$1; it is undone" >&2; exit 4; }
if [ "$(cat "$c" 2>/dev/null)" != "$line" ] || [ ! -e "$k" ] || [ "$(reads)" != "$k" ]; then rm -f "$k"
if [ ! -e "$c" ]; then rm -f "$c.was"; elif [ "$(cat "$c")" != "$line" ]; then cp -p "$c" "$c.was"; fi
printf '%s\\n' "$line" >"$c.new"; label "$c.new"; mv "$c.new" "$c"
why=$("$s" -t 2>&1) || undo "sshd -t says: $why"
[ "$(reads)" = "$k" ] || undo "sshd does not read $c, or another TrustedUserCAKeys comes before it"
for u in ssh sshd; do systemctl is-active -q "$u.service" || continue
why=$(systemctl reload "$u.service" 2>&1) || undo "$u did not reload: $why"; break; done
rm -f "$c.was"; fi
printf '%s\\n' "$1" >"$k.new"; label "$k.new"; mv "$k.new" "$k\""""
)
_DEAF = {
    "not included": (
        f"its sshd reads nothing in {DROP_IN.rpartition('/')[0]}, so it trusts no authority",
        "add `Include /etc/ssh/sshd_config.d/*.conf` as the first line of /etc/ssh/sshd_config there",
    ),
    "not read": (
        f"its sshd trusts another authority than the one in {KEY}",
        f"remove the TrustedUserCAKeys that comes before {DROP_IN} there",
    ),
}


def deaf(trust: str) -> tuple[str, str] | None:
    """Why a host cannot be told of an authority, and what would change that."""
    return _DEAF.get(trust)
