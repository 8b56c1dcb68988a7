/** @module */

import { isIP } from "node:net";
import {
  type ProxyInfo,
  ProxyProtocolError,
  readTlvs,
} from "../../../codec/mod.ts";
import { BLOCK_LENGTHS } from "../../codec/_hex.ts";
import { commonFacts, exploded, type Facts } from "./_facts.ts";
import type { Peer } from "./_compare.ts";
import {
  LONE_LF,
  NO_CHECKSUM,
  NO_TLVS,
  NO_UNDEFINED_LOCAL,
  type Rules,
  SHOWS_LOCAL,
  withWord,
  withWords,
} from "./_rules.ts";

/** What its addresses are in memory: 16 bytes. */
function octetsOf(hostname: string): string {
  const text = hostname.includes(":") ? hostname : `::ffff:${hostname}`;
  return exploded(text).replaceAll(":", "");
}

/** It drops the values of padding. */
function tlvsOf({ rest }: ProxyInfo): string {
  try {
    return Array.from(readTlvs(rest), ({ type, value }) => {
      const kept = type === 0x04 ? "" : value.toHex();
      return `${Uint8Array.of(type).toHex()}:${kept}`;
    }).join(" ");
  } catch (error) {
    if (error instanceof ProxyProtocolError) return "malformed";
    throw error;
  }
}

function factsOf(info: ProxyInfo): Facts {
  const tlvs = info.version === 2 ? tlvsOf(info) : "";
  return { ...commonFacts(info, octetsOf), tlvs };
}

/** The block that a family nibble stands for, whatever the transport. */
function blockOfFamily(header: Uint8Array): number {
  const family = (header[13] ?? 0) & 0xf0;
  return BLOCK_LENGTHS.get(family | 1) ?? 0;
}

function announced(header: Uint8Array): number {
  return (header[14] ?? 0) << 8 | (header[15] ?? 0);
}

/** Whether an address block is told of in a header that has no addresses. */
function isIgnoredBlock(info: ProxyInfo, header: Uint8Array): boolean {
  return info.version === 2 && info.source === undefined &&
    blockOfFamily(header) > 0;
}

/** The IPv4 address of a mapped one. */
function unmapped(word: string): string {
  if (isIP(word) !== 6) return word;
  const groups = exploded(word);
  if (!groups.startsWith("0000:".repeat(5) + "ffff:")) return word;
  return Uint8Array.fromHex(groups.slice(-9).replace(":", "")).join(".");
}

/** Whether it is an address to Go, too, which knows zones only elsewhere. */
function isIpText(word: string): boolean {
  return isIP(word) !== 0 && !word.includes("%");
}

const RULES: Rules = {
  accepts: [
    {
      name: "takes any word that begins with PROXY",
      why: "2.1: exactly one space behind PROXY",
      undo: (header) =>
        withWords(header, ([first = "", ...words]) => [
          first.startsWith("PROXY") ? "PROXY" : first,
          ...words,
        ]),
    },
    {
      name: "takes more words behind the ports",
      why: "2.1: CRLF behind the destination port",
      undo: (header) =>
        withWords(
          header,
          (words) => words[1] === "UNKNOWN" ? words : words.slice(0, 6),
        ),
    },
    {
      name: "takes ports as Go reads numbers",
      why: "2.1: a decimal integer without leading zeroes",
      undo: (header) =>
        withWord(
          header,
          [4, 5],
          (word) =>
            /^[+-]?\d+$/.test(word) ? `${Math.abs(Number(word))}` : word,
        ),
    },
    {
      name: "takes a mapped IPv6 address in TCP4",
      why: "2.1: the family dictates the format of the addresses",
      undo: (header) =>
        withWord(
          header,
          [2, 3],
          (word, protocol) => protocol === "TCP4" ? unmapped(word) : word,
        ),
    },
    {
      name: "takes any word as an address in TCP6",
      why: "2.1: 128 bits of hexadecimal digits",
      undo: (header) =>
        withWord(
          header,
          [2, 3],
          (word, protocol) =>
            protocol === "TCP6" && !isIpText(word) ? "::" : word,
        ),
    },
    {
      name: "takes an undefined family or transport",
      why: "2.2: other values must be rejected",
      undo: (header) => {
        const byte = header[13];
        if (header[0] !== 0x0d || byte === undefined) return header;
        const isDefined = BLOCK_LENGTHS.has(byte);
        return isDefined ? header : header.with(13, 0);
      },
    },
    NO_CHECKSUM,
    NO_TLVS,
  ],
  refuses: [
    LONE_LF,
    NO_UNDEFINED_LOCAL,
    {
      name: "takes no PROXY with UNSPEC",
      why: "2.2: a receiver is free to accept it",
      applies: ({ command, family, transport, version }) =>
        version === 2 && command === "PROXY" && family === "UNSPEC" &&
        transport === "UNSPEC",
    },
    {
      name: "wants the address block of LOCAL, or of a transport of UNSPEC",
      why: "2.2: both are accepted without addresses",
      applies: (info, header) =>
        isIgnoredBlock(info, header) &&
        announced(header) < blockOfFamily(header),
    },
    {
      name: "takes no mapped IPv6 address in TCP6",
      why: "2.1: it is an IPv6 address",
      applies: ({ version, source, destination }) =>
        version === 1 &&
        [source, destination].some((end) =>
          end?.hostname !== undefined &&
          end.hostname.startsWith("::ffff:") && end.hostname.includes(".")
        ),
    },
  ],
  reads: [
    {
      name: "shows UNKNOWN as LOCAL",
      why: "2.1: v1 has no command",
      applies: ({ version, family }, { name, theirs }) =>
        version === 1 && family === "UNSPEC" && name === "command" &&
        theirs === "LOCAL",
    },
    SHOWS_LOCAL,
    {
      name: "reads TLVs of LOCAL of an undefined family or transport",
      why: "2.2: no family says where they begin",
      applies: ({ command, raw }, { name }) =>
        command === "LOCAL" && name === "tlvs" &&
        !BLOCK_LENGTHS.has(raw[13] ?? 0),
    },
    {
      name: "shows the addresses of an address block without a transport",
      why: "2.2: the receiver ignores the addresses of UNSPEC",
      applies: (info, { name }) =>
        ["source", "destination"].includes(name) &&
        isIgnoredBlock(info, info.raw),
    },
    {
      name: "has no abstract UNIX paths",
      why: "2.2: 108 bytes, of which the first may be a NUL",
      applies: ({ family }, { name, ours, theirs }) =>
        family === "UNIX" && ["source", "destination"].includes(name) &&
        ours?.startsWith("00") === true && theirs === "",
    },
  ],
};

/** Where Debian keeps the sources of packages for Go. */
export const GOPATH = "/usr/share/gocode";

/** Its own sources there. */
export const GO_SOURCES: string =
  `${GOPATH}/src/github.com/pires/go-proxyproto`;

/** go-proxyproto, as the program it was compiled to. */
export function goProxyproto(program: string): Peer {
  return {
    name: "go-proxyproto",
    program,
    args: [],
    factsOf,
    rules: RULES,
  };
}
