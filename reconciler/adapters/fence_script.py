"""What runs on a host for its lock, as shell scripts: hold it, check it, end it. Needs sh, flock, timeout and grep.

Texts only; `fence` sends them. The file LOCK says whose turn it is, flock on it says whether that one still lives.
"""

LOCK = "/run/reconciler.lock"
LOST = 93
SAID = "reconciler-fence:"

# LOCK's lines: "RUN STATE UPTIME", then who. STATE is held, or why it ends, which is waited for. A run's processes have
# RECONCILER_RUN; `clear` gives them two seconds to end by themselves; a killed one cannot ask for anything more.
_WORDS = f"""umask 077; f={LOCK}
up() {{ read -r u _ </proc/uptime; echo "$u"; }}
say() {{ printf '%s %s %s\\n%s\\n' "$1" "$2" "$(up)" "$3" >"$f"; }}
marked() {{ grep -lzsxF "RECONCILER_RUN=$1" /proc/[0-9]*/environ | cut -d/ -f3; }}
clear() {{ calm=0; read -r u _ </proc/uptime; t=$((${{u%.*}}+2))
while [ $calm -lt 2 ]; do p=$(marked "$1"); if [ -z "$p" ]; then calm=$((calm+1)); continue; fi; calm=0
read -r u _ </proc/uptime; if [ ${{u%.*}} -ge $t ]; then kill -9 $p; [ ${{u%.*}} -lt $((t+3)) ] || break; fi
sleep 0.02; done 2>/dev/null; }}
"""

HOLD = (
    _WORDS
    + """run=$1; limit=$2; who="$3 since $(date -u '+%F %T UTC'), run $run"; trap : HUP PIPE
exec 9<>"$f" || exit 1
flock -n 9 || { read -r last state _ <"$f"; [ "$state" != held ] && flock -w 8 9; } || { echo locked; exec cat "$f"; }
read -r last state at <"$f"; say "$run" held "$who"
if [ "$state" = held ]; then clear "$last"; at=$(up); fi
echo "held $(up) ${at:-none} ${last:-none} ${state:-none}"
while :; do b=$(exec 9>&-; RECONCILER_BEAT=$run timeout "$limit" head -c1)
case "$?$b" in *.) continue;; 0q) why=released;; 0) why=closed;; 124) why=expired;; *) why=unlocked;; esac; break; done
say "$run" $why "$who"; clear "$run"; say "$run" $why "$who"; echo "ended $why"
"""
)
"""Arguments: run, seconds without a heartbeat that end it, who. Reads `.` as heartbeats and `q` as the end."""

GUARD = f"""{{ read -r r s _ <{LOCK}; }} 2>/dev/null && [ "$r $s" = "$RECONCILER_RUN held" ] && exec "$@"
echo "{SAID} $r $s" >&2; exit {LOST}"""
"""Runs its arguments while the lock names this run. The mark is in its own environment before it looks, so that whoever
takes the lock either finds this process or is found by it."""

END = (
    _WORDS
    + """run=$1; n=0; [ -s "$f" ] && read -r last state _ <"$f" && [ "$state" = held ] || exit 4
[ "$last" = "$run" ] || { tail -n1 "$f"; exit 3; }
while read -r last state _ <"$f"; [ "$last $state" = "$run held" ]; do
exec 9<>"$f"; if flock -n 9; then say "$run" unlocked "$(tail -n1 "$f")"; clear "$run"; exit 0; fi; exec 9>&-
p=$(grep -lzsxF "RECONCILER_BEAT=$run" /proc/[0-9]*/environ | cut -d/ -f3); [ -z "$p" ] || kill -9 $p 2>/dev/null
[ $n -lt 100 ] || exit 5; n=$((n+1)); sleep 0.1; done
clear "$run"
"""
)
"""Ends the lock of exactly the run in its argument, by its heartbeat. Exit 0: ended; 3: another's, printed; 4: none."""
