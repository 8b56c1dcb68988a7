/**
 * The recursor of PowerDNS, which answers `who.` with what it was told.
 *
 * @module
 */

import { askDnsOverTcp, askDnsOverUdp } from "./_dns.ts";
import {
  NO_CHECKSUM,
  NO_UNIX,
  NO_UNSPEC,
  onlyVersion,
} from "./_differences.ts";
import { versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

/** Without the cache, which has the answer to somebody else. */
const configuration = (directory: string, port: number) => `
local-address=127.0.0.1:${port}
socket-dir=${directory}
daemon=no
threads=1
security-poll-suffix=
disable-packetcache=yes
dnssec=off
hint-file=${directory}/hints
proxy-protocol-from=127.0.0.0/8
allow-from=127.0.0.0/8, 192.0.2.0/24, 2001:db8::/32
lua-dns-script=${directory}/who.lua
`;

/** It asks for the root when it starts, which is to stay on loopback. */
const HINTS = `
. 3600 IN NS root.
root. 3600 IN A 127.0.0.1
`;

const SCRIPT = `
local names = {[1] = "alpn", [2] = "authority", [5] = "unique_id"}
function preresolve(dq)
  if dq.qname:toString() ~= "who." then return false end
  local text = "src=" .. dq.remoteaddr:toString() .. " sport=" .. dq.remoteaddr:getPort()
    .. " dst=" .. dq.localaddr:toString() .. " dport=" .. dq.localaddr:getPort()
  for _, value in pairs(dq:getProxyProtocolValues()) do
    local name = names[value:getType()]
    if name then text = text .. " " .. name .. "=" .. value:getContent() end
  end
  dq:addAnswer(pdns.TXT, '"' .. text .. '"')
  return true
end
`;

/** The recursor over one of its carriers. */
export function pdnsRecursor(carrier: "TCP" | "UDP"): Receiver {
  return {
    name: `pdns-recursor over ${carrier}`,
    isCheap: false,
    isUdp: carrier === "UDP",
    needsRoot: false,
    packages: ["pdns-recursor"],
    programs: ["pdns_recursor"],
    tells: ["src", "sport", "dst", "dport", "alpn", "authority", "unique_id"],
    differs: { ...NO_CHECKSUM, ...NO_UNSPEC, ...onlyVersion(2), ...NO_UNIX },
    version: () => versionOf("pdns_recursor", "--version"),
    start: () =>
      startPlan({
        async configure({ directory, port }) {
          await write(
            `${directory}/recursor.conf`,
            configuration(directory, port),
          );
          await write(`${directory}/hints`, HINTS);
          await write(`${directory}/who.lua`, SCRIPT);
          return {
            program: "pdns_recursor",
            args: [`--config-dir=${directory}`],
          };
        },
        ask: carrier === "TCP" ? askDnsOverTcp : askDnsOverUdp,
      }),
  };
}
