/**
 * The headers that every receiver gets, and what is to come of them.
 *
 * @module
 */

import { encode, type ProxyHeader } from "../../../../mod.ts";
import { utf8 } from "../../../_bytes.ts";
import type { Facts, Outcome, Sent } from "./_receiver.ts";

export const INET = {
  source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
  destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
} as const;

export const INET6 = {
  source: { transport: "tcp", hostname: "2001:db8::1", port: 56324 },
  destination: { transport: "tcp", hostname: "2001:db8::2", port: 443 },
} as const;

const UDP = {
  source: { ...INET.source, transport: "udp" },
  destination: { ...INET.destination, transport: "udp" },
} as const;

const UNIX = {
  source: { transport: "unix", path: "/run/client" },
  destination: { transport: "unix", path: "/run/server" },
} as const;

const TLVS: ProxyHeader["tlvs"] = {
  ALPN: "h2",
  AUTHORITY: "sni.example",
  UNIQUE_ID: utf8("id-7"),
  SSL: true,
  SSL_CLIENT: 0x07,
  SSL_VERIFY: 0,
  SSL_VERSION: "TLSv1.3",
  SSL_CN: "client.example",
  SSL_CIPHER: "TLS_AES_256_GCM_SHA384",
};

const SAYS_INET: Facts = {
  src: "192.0.2.1",
  sport: "56324",
  dst: "198.51.100.1",
  dport: "443",
};

const SAYS_INET6: Facts = {
  src: "2001:db8::1",
  sport: "56324",
  dst: "2001:db8::2",
  dport: "443",
};

const SAYS_UNIX: Facts = { src: "/run/client", dst: "/run/server" };

const SAYS_TLVS: Facts = {
  alpn: "h2",
  authority: "sni.example",
  unique_id: "id-7",
  ssl_version: "TLSv1.3",
  ssl_cn: "client.example",
  ssl_cipher: "TLS_AES_256_GCM_SHA384",
};

/** Which header it is. */
export type InputName =
  | "v1 TCP4"
  | "v1 TCP6"
  | "v1 UNKNOWN"
  | "v2 TCP4"
  | "v2 TCP6"
  | "v2 TCP4 with a checksum"
  | "v2 TCP4 with a wrong checksum"
  | "v2 TCP4 with TLVs and a checksum"
  | "v2 UDP4"
  | "v2 UNIX"
  | "v2 UNSPEC"
  | "v2 LOCAL"
  | "v1 TCP4 in two pieces"
  | "v2 TCP4 in two pieces"
  | "v2 TCP4 with its signature in two pieces";

/** A header that is sent. */
export interface Input extends Sent {
  name: InputName;
  /** What the specification lets one expect. */
  outcome: Outcome;
  /** All that the header says. */
  facts: Facts;
}

/** All of them. */
export const INPUTS: readonly Input[] = [
  told("v1 TCP4", encode({ version: 1, ...INET }), SAYS_INET),
  told("v1 TCP6", encode({ version: 1, ...INET6 }), SAYS_INET6),
  real("v1 UNKNOWN", encode({ version: 1 })),
  told("v2 TCP4", encode(INET), SAYS_INET),
  told("v2 TCP6", encode(INET6), SAYS_INET6),
  told("v2 TCP4 with a checksum", encode(INET, { checksum: true }), SAYS_INET),
  {
    name: "v2 TCP4 with a wrong checksum",
    header: withWrongEnd(encode(INET, { checksum: true })),
    outcome: "refused",
    facts: SAYS_INET,
  },
  told(
    "v2 TCP4 with TLVs and a checksum",
    encode({ ...INET, tlvs: TLVS }, { checksum: true }),
    { ...SAYS_INET, ...SAYS_TLVS },
  ),
  told("v2 UDP4", encode(UDP), SAYS_INET),
  told("v2 UNIX", encode(UNIX), SAYS_UNIX),
  real("v2 UNSPEC", encode({ command: "PROXY", family: "UNSPEC" })),
  real("v2 LOCAL", encode({ command: "LOCAL" })),
  cut("v1 TCP4 in two pieces", encode({ version: 1, ...INET }), 8),
  cut("v2 TCP4 in two pieces", encode(INET), 20),
  cut("v2 TCP4 with its signature in two pieces", encode(INET), 8),
];

function told(
  name: InputName,
  header: Uint8Array<ArrayBuffer>,
  facts: Facts,
): Input {
  return { name, header, outcome: "told", facts };
}

function real(name: InputName, header: Uint8Array<ArrayBuffer>): Input {
  return { name, header, outcome: "real", facts: {} };
}

/** One that every receiver should wait for (section 2). */
function cut(
  name: InputName,
  header: Uint8Array<ArrayBuffer>,
  at: number,
): Input {
  return { ...told(name, header, SAYS_INET), cut: at };
}

/** The last byte is one of the checksum, the only TLV. */
function withWrongEnd(
  header: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  header[header.length - 1]! ^= 1;
  return header;
}
