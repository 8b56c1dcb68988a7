#!/usr/bin/env bash
# Installs the real servers of the tests from Debian's packages: those of every
# run, or with --all also the others. None of their services is started.
set -euo pipefail

packages=(
  curl haproxy hitch knot-dnsutils libnginx-mod-stream nginx-light
  python3-aiosmtpd stunnel4 swaks unbound
)
if [ "${1:-}" = --all ]; then
  packages+=(
    apache2 dnsdist dovecot-imapd gcc
    golang-github-pires-go-proxyproto-dev golang-go gunicorn h2o libc6-dev
    lighttpd mariadb-server nghttp2-proxy pdns-recursor postfix
    python3-twisted squid trafficserver varnish
  )
fi
dpkg -s "${packages[@]}" > /dev/null 2>&1 && exit

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
