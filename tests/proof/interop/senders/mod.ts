/** All real senders. */

import type { Driver } from "../_driver.ts";
import { curl } from "./curl.ts";
import { haproxy } from "./haproxy.ts";
import { hitch } from "./hitch.ts";
import { kdig } from "./kdig.ts";
import { nginx } from "./nginx.ts";
import { stunnel } from "./stunnel.ts";
import { varnish } from "./varnish.ts";
import { h2o } from "./h2o.ts";
import { swaks } from "./swaks.ts";
import { dnsdist } from "./dnsdist.ts";
import { trafficserver } from "./trafficserver.ts";
import { goProxyproto } from "./go_proxyproto.ts";

/** In the order of the table. */
export const SENDERS: readonly Driver[] = [
  haproxy,
  nginx,
  curl,
  hitch,
  stunnel,
  kdig,
  swaks,
  varnish,
  h2o,
  dnsdist,
  trafficserver,
  goProxyproto,
];
