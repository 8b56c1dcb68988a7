#!/usr/bin/env bash
# Installs from Debian's packages the real servers of the tests, the browser, what
# checks metrics and units, and the compiler of the bench: those of every run, or
# with --all also the others. None of their services is started.
set -euo pipefail

packages=(
  chromium-headless-shell curl gcc golang-github-pires-go-proxyproto-dev
  golang-go haproxy hitch
  knot-dnsutils libc6-dev libnginx-mod-stream nginx-light prometheus
  python3-aiosmtpd python3-prometheus-client stunnel4 swaks systemd unbound
)
# Only exim4-daemon-heavy reads headers, and it conflicts with postfix: it is
# unpacked into a directory of its own, where the driver looks for it.
exim=
if [ "${1:-}" = --all ]; then
  packages+=(
    adduser apache2 dnsdist dovecot-imapd gunicorn h2o lighttpd
    mariadb-server nghttp2-proxy pdns-recursor postfix
    python3-twisted squid trafficserver varnish
  )
  exim=/opt/exim4-daemon-heavy
fi

has_exim() { [ -x "$exim/usr/sbin/exim4" ] && id Debian-exim > /dev/null 2>&1; }
if dpkg -s "${packages[@]}" > /dev/null 2>&1; then
  if [ -z "$exim" ] || has_exim; then exit; fi
fi

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null
  as_root chmod +x "$policy"
  trap 'as_root rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
as_root apt-get update
as_root apt-get install -y --no-install-recommends "${packages[@]}"

if [ -n "$exim" ] && ! has_exim; then
  downloads=$(mktemp -d)
  (cd "$downloads" && apt-get download exim4-daemon-heavy)
  libraries=$(dpkg-deb -f "$downloads"/*.deb Depends |
    sed 's/exim4-base[^,]*, //')
  as_root apt-get satisfy -y --no-install-recommends "$libraries"
  as_root dpkg -x "$downloads"/*.deb "$exim"
  rm -r "$downloads"
  # The tests start it as root, who needs no setuid.
  as_root chmod u-s "$exim/usr/sbin/exim4"
  # The user whose name is compiled in, as exim4-base makes it.
  as_root adduser --quiet --system --group --no-create-home \
    --home /var/spool/exim4 --allow-bad-names Debian-exim
fi
