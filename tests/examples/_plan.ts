/** How an example of a documentation comment is run, by what is written in it. */

import { type Needs, needsOf } from "./_surroundings.ts";

/** How an example is run. */
export interface Plan {
  /** Whether it is a test, which says itself whether it passes. */
  readonly isTest: boolean;
  /** Whether it is a part of several processes, which tests of their own run. */
  readonly isOfSeveral: boolean;
  /** Runtimes that it runs on. */
  readonly runtimes: readonly string[];
  /** Port that it listens on. */
  readonly listens?: number;
  /** Port that it dials. */
  readonly dials?: number;
  /** What it is spoken to over. */
  readonly protocol: "tcp" | "tls" | "http" | "https" | "udp";
  /** What its comments say that it prints, in this order. */
  readonly prints: readonly string[];
}

const RUNTIMES: Readonly<Record<Needs, readonly string[]>> = {
  any: ["Node", "Deno", "Bun"],
  node: ["Node", "Deno", "Bun"],
  deno: ["Deno"],
  bun: ["Bun"],
  workerd: [], // run by tests/on/workerd
};

/** The first port of a call that listens, or that dials. */
const LISTENS_REGEXP =
  /\b(?:listen\w*|bind|serveHttp)\((?:\{[^}]*?\bport: )?(\d+)/;
const DIALS_REGEXP =
  /\b[cC]onnect\w*\(\{[^}]*?\bport: (\d+)|\b10\.0\.0\.\d+(?:", port: |:)(\d+)/;

/** `console.log(…); // what it prints` */
const PRINTS_REGEXP = /\bconsole\.\w+\([^;]*\);[ \t]*\/\/[ \t]*(.+)/g;

/** Reads how an example is to be run. */
export function planOf(code: string): Plan {
  const listens = portIn(code, LISTENS_REGEXP);
  const dials = portIn(code, DIALS_REGEXP);
  const isTls = code.includes("key.pem");
  const isHttp = /"node:http[s2]?"|serveHttp/.test(code);
  const isUdp = /"node:dgram"|listenDatagram|udpSocket/.test(code);
  const isOfSeveral = /process\.on\("message"|^\/\/ app\.ts/m.test(code);
  const isTest = /\bDeno\.test\(|"(bun|node):test"/.test(code);
  return {
    isTest,
    isOfSeveral,
    // A test is for the runtime whose runner it names.
    runtimes: isOfSeveral
      ? []
      : code.includes('"node:test"')
      ? ["Node"]
      : RUNTIMES[needsOf(code)],
    ...(listens !== undefined && { listens }),
    ...(dials !== undefined && { dials }),
    protocol: isUdp
      ? "udp"
      : isHttp
      ? isTls ? "https" : "http"
      : isTls
      ? "tls"
      : "tcp",
    prints: Array.from(code.matchAll(PRINTS_REGEXP), ([, text = ""]) => text),
  };
}

function portIn(code: string, port: RegExp): number | undefined {
  const [, first, second] = code.match(port) ?? [];
  const text = first ?? second;
  // Port 0 is one that only the example knows: it speaks to itself.
  return text === undefined || text === "0" ? undefined : Number(text);
}

/** Puts other ports into an example, and loopback in place of its networks. */
export function onLoopback(
  code: string,
  ports: Readonly<Record<number, number>>,
): string {
  return code
    .replaceAll(
      /(\bport: |\b(?:listen|bind)\(|\/\/[\d.]+:)(\d+)/g,
      (all, before, port) => {
        const other = ports[port];
        return other === undefined ? all : `${before}${other}`;
      },
    )
    .replaceAll("10.0.0.0/8", "127.0.0.0/8")
    .replaceAll(/\b(10\.0\.0\.\d+|0\.0\.0\.0)\b/g, "127.0.0.1")
    .replaceAll(
      "Deno.listen({ port",
      'Deno.listen({ hostname: "127.0.0.1", port',
    );
}
