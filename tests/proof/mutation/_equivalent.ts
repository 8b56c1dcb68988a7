/** Mutants of the codec that nobody can tell from it. */

import type { Mutant } from "./_mutants.ts";

/** A mutant, and why it changes nothing that can be seen. */
export interface Equivalent extends Omit<Mutant, "line"> {
  reason: string;
}

export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: "codec/_endpoints.ts",
    before:
      "for (let i = 0; i < 4; i++) head[end - 4 + i] = head[second + i]!;",
    after: "for (let i = 0; i < 5; i++) head[end - 4 + i] = head[second + i]!;",
    reason: "the port is written there next",
  },
  {
    file: "codec/_endpoints.ts",
    before:
      "for (let i = 0; i < 4; i++) head[end - 4 + i] = head[second + i]!;",
    after:
      "for (let i = 0; i <= 4; i++) head[end - 4 + i] = head[second + i]!;",
    reason: "the port is written there next",
  },
  {
    file: "codec/_endpoints.ts",
    before: "const head = newBlock(FIXED_LENGTH + 2 * UNIX_PATH_LENGTH);",
    after: "const head = newBlock(FIXED_LENGTH + 3 * UNIX_PATH_LENGTH);",
    reason: "more room than is used",
  },
  {
    file: "codec/_endpoints.ts",
    before:
      'if (bytes.indexOf(0, 1) >= 0) refuse(field, "NUL behind the first byte");',
    after:
      'if (bytes.indexOf(0, 1) >= 1) refuse(field, "NUL behind the first byte");',
    reason: "it is looked for from 1 on",
  },
  {
    file: "codec/_v1.ts",
    before: "let at = 0;",
    after: "let at = 1;",
    reason: "the first byte has been looked at",
  },
  {
    file: "codec/_field_scanner.ts",
    before: "missing = 0;",
    after: "missing = 1;",
    reason: "begin() sets it",
  },
  {
    file: "codec/_field_scanner.ts",
    before: "number = 0;",
    after: "number = 1;",
    reason: "set before it is read",
  },
  {
    file: "codec/_field_scanner.ts",
    before: "value = (value < 0 ? 0 : value * 10) + byte - ZERO;",
    after: "value = (value < 1 ? 0 : value * 10) + byte - ZERO;",
    reason: "a digit behind 0 has been refused",
  },
  {
    file: "codec/_field_scanner.ts",
    before: "let value = -1;",
    after: "let value = -2;",
    reason: "any number below 0 says that there is no digit",
  },
  {
    file: "codec/_parse_ip.ts",
    before: "for (let i = 0; i < text.length; i++) {",
    after: "for (let i = 0; i <= text.length; i++) {",
    reason: "no code comes behind the end, and the separator is written there",
  },
  {
    file: "codec/_v2.ts",
    before: "for (let i = length; i < FIXED_LENGTH; i++) head.bytes[i] = 0;",
    after: "for (let i = length; i <= FIXED_LENGTH; i++) head.bytes[i] = 0;",
    reason: "of a header that is cut, no more than the fixed part is read",
  },
  {
    file: "codec/_v2.ts",
    before: "return bytes.length <= COPIED_LENGTH ? head.view : viewOf(bytes);",
    after: "return bytes.length < COPIED_LENGTH ? head.view : viewOf(bytes);",
    reason: "a view of the same bytes",
  },
  {
    file: "codec/_v2.ts",
    before: "for (let i = 0; i < NUMBERS_END; i++) head.bytes[i] = bytes[i]!;",
    after: "for (let i = 0; i <= NUMBERS_END; i++) head.bytes[i] = bytes[i]!;",
    reason: "a byte more is copied",
  },
  {
    file: "codec/_parse_ip.ts",
    before: "): 0 | 4 | 16 {",
    after: "): 0 | 5 | 16 {",
    reason: "a type",
  },
  {
    file: "codec/types.ts",
    before: 'tlvs?: "strict" | "lenient";',
    after: 'tlvs?: "strict" & "lenient";',
    reason: "a type",
  },
  {
    file: "codec/_decimal.ts",
    before: "const LEAST: readonly number[] = [1, 0, 10, 100, 1000, 10000];",
    after: "const LEAST: readonly number[] = [2, 0, 10, 100, 1000, 10000];",
    reason: "the number of no digits is 0",
  },
  {
    file: "codec/_scan.ts",
    before:
      "const accepts = (version: 1 | 2) => versions?.includes(version) ?? true;",
    after:
      "const accepts = (version: 1 & 2) => versions?.includes(version) ?? true;",
    reason: "a type",
  },
  {
    file: "codec/_wire.ts",
    before: "export const PORTS_LENGTH: number = 2 * 2;",
    after: "export const PORTS_LENGTH: number = 2 + 2;",
    reason: "the same number",
  },
  {
    file: "codec/tlvs/vendors.ts",
    before: 'info: Pick<ProxyInfo, "version" | "rest">,',
    after: 'info: Pick<ProxyInfo, "version" & "rest">,',
    reason: "a type",
  },
];
