"""A host's certificates for QEMU's own TLS: the command that looks at them where QEMU does, and its answer. Pure.

Chooses nothing; and no private key is ever read out, only the public half it belongs to.
"""

import re

from reconciler.kinds.lease.state import Papers

LOOK = r"""export LC_ALL=C SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/nonexistent
no() { echo "wrong $*"; exit 0; }
set_in() { sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*\"\{0,1\}\([^\"#]*\)\"\{0,1\}.*/\1/p" \
/etc/libvirt/qemu.conf 2>/dev/null | tail -n1; }
d=$(set_in migrate_tls_x509_cert_dir)
[ -n "$d" ] || { d=/etc/pki/libvirt-migrate; [ -d "$d" ] || d=$(set_in default_tls_x509_cert_dir); }
[ -n "$d" ] || d=/etc/pki/qemu
echo "folder $d"
for n in ca-cert server-cert server-key client-cert client-key; do
[ -s "$d/$n.pem" ] || no "has no $d/$n.pem"; done
command -v openssl >/dev/null || no "has no openssl to check the certificates in $d with"
echo "authority $(sed -n '/BEGIN CERT/,/END CERT/p' "$d/ca-cert.pem" | sha256sum | cut -c1-32)"
u=$(set_in user)
[ -n "$u" ] || for n in libvirt-qemu qemu; do getent passwd $n >/dev/null && u=$n && break; done
for n in server client; do c="$d/$n-cert.pem" k="$d/$n-key.pem"
openssl verify -no_check_time -purpose ssl$n -CAfile "$d/ca-cert.pem" "$c" >/dev/null 2>&1 ||
no "has a $c that $d/ca-cert.pem did not sign as a TLS $n's"
[ "$(openssl x509 -in "$c" -noout -pubkey 2>&1)" = "$(openssl pkey -in "$k" -passin pass: -pubout 2>/dev/null)" ] ||
no "has a $k that is encrypted or another certificate's"
case "$u" in ''|root|*[!a-z0-9_-]*) ;; *)
setpriv --reuid="$u" --regid="$(id -g "$u")" --init-groups test -r "$k" 2>/dev/null ||
no "has a $k that QEMU (user $u) may not read";; esac
done
for n in ca server client; do for w in startdate enddate; do
t=$(date -ud "$(openssl x509 -in "$d/$n-cert.pem" -noout -$w | cut -d= -f2)" +%s) && echo "$w $t"; done; done
a="$2"; [ -n "$a" ] || a=$(echo "$SSH_CONNECTION" | cut -d' ' -f3)
openssl x509 -in "$d/server-cert.pem" -noout -checkhost "$1" | grep -q 'does match' && echo "covers $1"
openssl x509 -in "$d/server-cert.pem" -noout -checkip "$a" | grep -q 'does match' && echo "covers $a"
exit 0"""


def read_papers(text: str) -> Papers:
    """What the host said of its certificates; `since` and `until` are when the whole chain is valid."""

    def said(word: str) -> list[str]:
        return re.findall(rf"^{word} (.*\S)\s*$", text, re.M)

    return Papers(
        folder=next(iter(said("folder")), ""),
        authority=next(iter(said("authority")), ""),
        since=max((int(t) for t in said("startdate")), default=0),
        until=min((int(t) for t in said("enddate")), default=0),
        covers=tuple(said("covers")),
        wrong=next(iter(said("wrong")), "" if said("folder") else "did not say"),
    )
