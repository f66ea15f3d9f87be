#!/bin/sh
# Called by `make install` and `make uninstall`: PREFIX, DESTDIR, PYTHON. Caches and records are never touched.
set -eu
cd "$(dirname "$0")/.."
PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
PYTHON=${PYTHON:-python3}
case $PREFIX in
/*) ;;
*) echo "PREFIX must be an absolute path, found $PREFIX" >&2; exit 2 ;;
esac
root=$DESTDIR$PREFIX
home=$PREFIX/lib/ansord
# systemd looks for units in /usr/local/lib and /usr/lib; any other prefix gets them in /etc, from where they work.
case $PREFIX in
/usr | /usr/local) units=$PREFIX/lib/systemd/system; users=$PREFIX/lib/sysusers.d; files=$PREFIX/lib/tmpfiles.d ;;
*) units=/etc/systemd/system; users=/etc/sysusers.d; files=/etc/tmpfiles.d ;;
esac

install_all() {
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "ansord needs Python 3.11 or newer; try: make install PYTHON=python3.12" >&2
        exit 1
    }
    case $("$PYTHON" -c 'import sys; print(sys.base_prefix)') in
    /home/* | /root/*) echo "note: $PYTHON lies in a home directory, which the service may not see (ProtectHome=yes);" \
        "a Python of the system works: make install PYTHON=/usr/bin/python3" >&2 ;;
    esac
    "$PYTHON" -m venv --clear "$DESTDIR$home"
    "$DESTDIR$home/bin/python" -m pip install -qq --disable-pip-version-check ./client .
    if [ -n "$DESTDIR" ]; then # scripts name their interpreter: let it be the one that will be there
        find "$DESTDIR$home/bin" -type f -exec sed -i "1s|^#!$DESTDIR|#!|" {} +
        sed -i "s|$DESTDIR$home|$home|g" "$DESTDIR$home/pyvenv.cfg" "$DESTDIR$home"/bin/activate* || true
    fi
    mkdir -p "$root/bin" "$DESTDIR$units" "$DESTDIR$users" "$DESTDIR$files"
    ln -sf "$home/bin/ansord" "$root/bin/ansord"
    sed "s|@PREFIX@|$PREFIX|g" systemd/ansord.service >"$DESTDIR$units/ansord.service"
    cp systemd/ansord.sysusers "$DESTDIR$users/ansord.conf"
    cp systemd/ansord.tmpfiles "$DESTDIR$files/ansord.conf"
    mkdir -p "$root/share/bash-completion/completions" "$root/share/zsh/site-functions"
    "$DESTDIR$home/bin/python" -I -m ansord completion bash >"$root/share/bash-completion/completions/ansord"
    "$DESTDIR$home/bin/python" -I -m ansord completion zsh >"$root/share/zsh/site-functions/_ansord"
    if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then
        systemd-sysusers ansord.conf
        systemd-tmpfiles --create ansord.conf
        systemctl daemon-reload
    fi
    cat <<END
installed in $root. Now
  systemctl enable --now ansord         starts the daemon, now and at every boot
  usermod -aG ansord-submit USER        lets USER drop subgraphs into /var/spool/ansord
END
}

uninstall_all() {
    if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then
        systemctl disable --now ansord 2>/dev/null || true
    fi
    rm -rf "$DESTDIR$home"
    rm -f "$root/bin/ansord" "$DESTDIR$units/ansord.service" "$DESTDIR$users/ansord.conf" "$DESTDIR$files/ansord.conf"
    rm -f "$root/share/bash-completion/completions/ansord" "$root/share/zsh/site-functions/_ansord"
    if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then
        systemctl daemon-reload
    fi
    echo "uninstalled; /var/cache/ansord, /var/lib/ansord and /var/spool/ansord stay: remove them by hand"
}

case ${1:-} in
install) install_all ;;
uninstall) uninstall_all ;;
*) echo "usage: install.sh install|uninstall" >&2; exit 2 ;;
esac
