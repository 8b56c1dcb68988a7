/**
 * dnsdist, which answers `who.` with what it was told.
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

/** The answer is in the form of the wire: a length and the text. */
const configuration = (port: number) => `
setSecurityPollSuffix("")
setLocal("127.0.0.1:${port}")
setACL({"127.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"})
setProxyProtocolACL({"127.0.0.0/8"})
local names = {[1] = "alpn", [2] = "authority", [5] = "unique_id"}
addAction(QNameRule("who."), LuaAction(function(dq)
  local text = "src=" .. dq.remoteaddr:toString() .. " sport=" .. dq.remoteaddr:getPort()
    .. " dst=" .. dq.localaddr:toString() .. " dport=" .. dq.localaddr:getPort()
  for type, value in pairs(dq:getProxyProtocolValues()) do
    if names[type] then text = text .. " " .. names[type] .. "=" .. value end
  end
  return DNSAction.SpoofRaw, string.char(#text) .. text
end))
`;

/** dnsdist over one of its carriers. */
export function dnsdist(carrier: "TCP" | "UDP"): Receiver {
  return {
    name: `dnsdist over ${carrier}`,
    isCheap: false,
    isUdp: carrier === "UDP",
    needsRoot: false,
    packages: ["dnsdist"],
    programs: ["dnsdist"],
    tells: ["src", "sport", "dst", "dport", "alpn", "authority", "unique_id"],
    differs: { ...NO_CHECKSUM, ...NO_UNSPEC, ...onlyVersion(2), ...NO_UNIX },
    version: () => versionOf("dnsdist", "-V"),
    start: () =>
      startPlan({
        async configure({ directory, port }) {
          const file = `${directory}/dnsdist.lua`;
          await write(file, configuration(port));
          return {
            program: "dnsdist",
            args: ["--supervised", "--disable-syslog", "-C", file],
          };
        },
        ask: carrier === "TCP" ? askDnsOverTcp : askDnsOverUdp,
      }),
  };
}
