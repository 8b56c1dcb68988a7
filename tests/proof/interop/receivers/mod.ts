/**
 * All real servers that our headers are sent to.
 *
 * @module
 */

import { receiver as aiosmtpd } from "./aiosmtpd.ts";
import { receiver as apache } from "./apache.ts";
import { receiver as dnsdistTcp } from "./dnsdist_tcp.ts";
import { receiver as dnsdistUdp } from "./dnsdist_udp.ts";
import { receiver as dovecot } from "./dovecot.ts";
import { receiver as exim } from "./exim.ts";
import { receiver as goProxyproto } from "./go_proxyproto.ts";
import { receiver as gunicorn } from "./gunicorn.ts";
import { receiver as h2o } from "./h2o.ts";
import { receiver as haproxy } from "./haproxy.ts";
import { receiver as lighttpd } from "./lighttpd.ts";
import { receiver as mariadb } from "./mariadb.ts";
import { receiver as nghttpx } from "./nghttpx.ts";
import { receiver as nginxHttp } from "./nginx_http.ts";
import { receiver as nginxStream } from "./nginx_stream.ts";
import { receiver as pdnsRecursorTcp } from "./pdns_recursor_tcp.ts";
import { receiver as pdnsRecursorUdp } from "./pdns_recursor_udp.ts";
import { receiver as postfix } from "./postfix.ts";
import { receiver as squid } from "./squid.ts";
import { receiver as trafficserver } from "./trafficserver.ts";
import { receiver as twisted } from "./twisted.ts";
import { receiver as unboundTcp } from "./unbound_tcp.ts";
import { receiver as unboundUdp } from "./unbound_udp.ts";
import { receiver as varnish } from "./varnish.ts";
import type { Receiver } from "./_receiver.ts";

export type { Receiver } from "./_receiver.ts";
export { missing, rowsOf } from "./_rows.ts";

/** Those of every run first. */
export const receivers: readonly Receiver[] = [
  haproxy,
  nginxHttp,
  nginxStream,
  aiosmtpd,
  unboundTcp,
  unboundUdp,
  apache,
  dnsdistTcp,
  dnsdistUdp,
  dovecot,
  exim,
  goProxyproto,
  gunicorn,
  h2o,
  lighttpd,
  mariadb,
  nghttpx,
  pdnsRecursorTcp,
  pdnsRecursorUdp,
  postfix,
  squid,
  trafficserver,
  twisted,
  varnish,
];
