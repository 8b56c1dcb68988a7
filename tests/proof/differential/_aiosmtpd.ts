/** @module */

import {
  type ProxyInfo,
  readTlvs,
  tlvName,
  tlvType,
} from "../../../codec/mod.ts";
import { textBytes } from "../fuzz/_outcome.ts";
import { PYTHON } from "../interop/receivers/_programs.ts";
import type { Peer } from "./_compare.ts";
import { commonFacts, exploded, type Facts } from "./_facts.ts";
import {
  hasAddresses,
  hasGoodTlvs,
  LONE_LF,
  NO_CHECKSUM,
  NO_TLVS,
  NO_UNDEFINED_LOCAL,
  type Rules,
  SHOWS_LOCAL,
  withWord,
} from "./_rules.ts";

/** TLVs as it shows them: a number only where it is a part of SSL. */
function tlvFacts({ tlvs, tlv_loc }: ProxyInfo): Facts {
  const facts: Facts = {};
  for (const [name, value] of Object.entries(tlvs)) {
    facts[`tlv ${name}`] = value instanceof Uint8Array
      ? value.toHex()
      : typeof value === "string"
      ? textBytes(value).toHex()
      : name === "CRC32C"
      ? Number(value).toString(16).padStart(8, "0")
      : `${value}`;
  }
  for (const [name, at] of Object.entries(tlv_loc)) {
    facts[`at ${name}`] = `${at}`;
  }
  return facts;
}

function factsOf(info: ProxyInfo): Facts {
  return {
    ...commonFacts(info, exploded),
    rest: info.rest.toHex(),
    // It tells no start where there are no addresses, or no TLVs.
    ...(info.rest.length > 0 && hasAddresses(info)
      ? { tlv_start: `${info.tlv_start}` }
      : {}),
    ...tlvFacts(info),
  };
}

/** It has no names for the types of the later editions. */
function renamed(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).map(([key, value]) => {
      const [kind, name] = key.split(" ");
      const type = name?.startsWith("x") ? tlvType(name) : undefined;
      return [type === undefined ? key : `${kind} ${tlvName(type)}`, value];
    }),
  );
}

/** Types at the outer level, and in every SSL TLV. */
function levelsOf({ rest }: ProxyInfo): { outer: number[]; inner: number[] } {
  const outer = Array.from(readTlvs(rest));
  const inner = outer.filter(({ type }) => type === 0x20)
    .flatMap(({ value }) => Array.from(readTlvs(value.subarray(5))));
  const typesOf = (list: typeof outer) => list.map(({ type }) => type);
  return { outer: typesOf(outer), inner: typesOf(inner) };
}

const isSub = (type: number) => type > 0x20 && type < 0x30;

/** It shows the TLVs, and where they are. */
const isTlv = (name: string) => /^(tlv|at|tlvs)\b/.test(name);

const RULES: Rules = {
  accepts: [
    {
      name: "takes any word from TCP to 4 or 6",
      why: "2.1: only TCP4 and TCP6 are allowed",
      undo: (header) =>
        withWord(
          header,
          [1],
          (word) => word.replace(/^TCP.*(?=[46]$)/s, "TCP"),
        ),
    },
    {
      name: "takes ports as Python reads numbers",
      why: "2.1: a decimal integer without leading zeroes",
      undo: (header) =>
        withWord(header, [4, 5], (word) =>
          /^[1-9]/.test(word)
            // deno-lint-ignore no-control-regex -- what Python takes for blanks
            ? word.replace(/[\s\x1c-\x1f\x85]+$/, "").replace(
              /(?<=\d)_(?=\d)/g,
              "",
            )
            : word),
    },
    NO_CHECKSUM,
    NO_TLVS,
  ],
  refuses: [LONE_LF, NO_UNDEFINED_LOCAL, {
    name: "wants the address block of LOCAL",
    why: "2.2: the family of LOCAL is ignored",
    applies: ({ command, raw, tlv_start }) =>
      command === "LOCAL" && /^[123][12]$/.test(raw.subarray(13, 14).toHex()) &&
      tlv_start === 16,
  }],
  reads: [
    SHOWS_LOCAL,
    {
      name: "takes addresses without a transport for TLVs",
      why: "2.2: a family has its addresses, TLVs come after them",
      applies: ({ raw }, { name }) =>
        (isTlv(name) || name === "rest" || name === "tlv_start") &&
        /^[123]0$/.test(raw.subarray(13, 14).toHex()),
    },
    {
      name: "says where TLVs begin behind the block of LOCAL",
      why: "2.2: a receiver must discard the protocol block of LOCAL",
      applies: ({ command, tlv_start = 16 }, { name, theirs }) =>
        command === "LOCAL" && name === "tlv_start" &&
        theirs === `${tlv_start}` &&
        tlv_start > 16,
    },
    {
      name: "gives up TLVs of which some are malformed",
      why: "no address block says where they begin: what can be read is kept",
      applies: (info, { name }, { theirs }) =>
        isTlv(name) && !hasAddresses(info) && !hasGoodTlvs(info) &&
        theirs.tlvs !== undefined,
    },
    {
      name: "takes a TLV that ends within its length, and values of any length",
      why: "2.2: a TLV takes 3 bytes; 2.2.3, 2.2.5: lengths of values",
      applies: (info, { name }) =>
        isTlv(name) && !hasAddresses(info) && !hasGoodTlvs(info),
    },
    {
      name: "counts sub-TLVs of SSL from 8 bytes too far in front",
      why: "its manual: offsets count from the first TLV",
      applies: ({ tlvs }, { name, ours, theirs }) =>
        tlvs.SSL === true && name.startsWith("at ") &&
        Number(ours) - Number(theirs) === 8,
    },
    {
      name: "mixes the parts of two SSL TLVs",
      why: "of two SSL TLVs the last one counts alone",
      applies: (info, { name }) =>
        isTlv(name) &&
        levelsOf(info).outer.filter((type) => type === 0x20).length > 1,
    },
    {
      name: "takes types of outside inside SSL, and SSL inside SSL",
      why: "2.2.6: what is in SSL are its subtypes",
      applies: (info, { name }) =>
        isTlv(name) && !levelsOf(info).inner.every(isSub),
    },
    {
      name: "takes subtypes of SSL beside SSL for parts of it",
      why: "2.2.6: what is in SSL are its subtypes",
      applies: (info, { name }) => {
        const { outer } = levelsOf(info);
        return isTlv(name) && outer.includes(0x20) && outer.some(isSub);
      },
    },
  ],
};

/** aiosmtpd, whose shape the TLVs here have. */
export const aiosmtpd: Peer = {
  name: "aiosmtpd",
  program: PYTHON,
  args: [new URL("_aiosmtpd.py", import.meta.url).pathname],
  factsOf,
  renamed,
  rules: RULES,
};
