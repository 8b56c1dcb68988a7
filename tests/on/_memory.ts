/** Connections whose infos and errors are spoilt, and those that come after them. */

import { strict as assert } from "node:assert";
import {
  type Address,
  decodeDatagram,
  encode,
  encodeDatagram,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../mod.ts";
import { concat, utf8 } from "../_bytes.ts";
import { within } from "../_within.ts";
import { isSpoilt, spoil } from "./_spoil.ts";
import { Client } from "./bun/_client.ts";

const CLIENT = {
  source: { transport: "tcp", hostname: "192.0.2.1", port: 1111 },
  destination: { transport: "tcp", hostname: "198.51.100.1", port: 2222 },
} as const;

/** Headers that are accepted: without TLVs, with those of each kind, without addresses. */
const ACCEPTED: readonly Uint8Array[] = [
  encode(CLIENT),
  utf8("PROXY TCP4 192.0.2.1 198.51.100.1 1111 2222\r\n"),
  utf8("PROXY UNKNOWN\r\n"),
  utf8("PROXY UNKNOWN and more\r\n"),
  encode({ command: "LOCAL" }),
  encode({
    ...CLIENT,
    tlvs: {
      AUTHORITY: "sni.example",
      UNIQUE_ID: utf8("id"),
      NOOP: new Uint8Array(),
      xE0: utf8("value"),
      SSL: true,
      SSL_CLIENT: 7,
      SSL_VERIFY: 0,
      SSL_CLIENT_CERT: utf8("certificate"),
    },
  }, { checksum: true }),
];

/** What is rejected: at its first byte, within its header, at its deadline. */
const REJECTED: readonly { bytes: Uint8Array; ends: boolean }[] = [
  { bytes: utf8("GET / HTTP/1.1\r\n\r\n"), ends: false },
  { bytes: encode(CLIENT).subarray(0, 20), ends: true },
  { bytes: utf8("PROXY TCP4 192.0.2.1"), ends: true },
  { bytes: encode(CLIENT).subarray(0, 27), ends: false },
  { bytes: new Uint8Array(), ends: false },
];

/** What a deadline must cover on a busy machine, and is waited for, in ms. */
export const TIMEOUT = 800;

const PAYLOAD = utf8("the payload");

/** How often all of it is done. */
const ROUNDS = 2;

/** What a connection has come to. */
type Outcome =
  | { info: ProxyInfo | undefined; payload: Uint8Array }
  | ProxyProtocolError;

/** What the connections of a listener have come to, by the port of their client. */
export class Outcomes {
  readonly #byPort = new Map<number, PromiseWithResolvers<Outcome>>();

  #of(port: number): PromiseWithResolvers<Outcome> {
    const outcome = this.#byPort.get(port) ??
      Promise.withResolvers<Outcome>();
    this.#byPort.set(port, outcome);
    return outcome;
  }

  #settle(hop: Address | undefined, outcome: Outcome): void {
    assert(hop?.port !== undefined);
    this.#of(hop.port).resolve(outcome);
  }

  /** Takes what `onReject` is told, or `accept` throws. */
  readonly reject = (error: unknown): void => {
    assert(error instanceof ProxyProtocolError);
    this.#settle(error.hop, error);
  };

  /** Takes the end of a connection that was accepted, with all that was read. */
  end(
    hop: Address | undefined,
    info: ProxyInfo | undefined,
    payload: Uint8Array,
  ): void {
    this.#settle(hop, { info, payload });
  }

  /** Sends bytes to a port, and waits for what becomes of it. */
  async visit(
    port: number,
    bytes: Uint8Array,
    ends: boolean,
    isTls: boolean,
  ): Promise<Outcome> {
    using client = await (isTls ? Client.dialTls(port) : Client.dial(port));
    const { promise } = this.#of(client.port);
    if (bytes.length > 0) await client.send(bytes);
    if (ends) client.end();
    const outcome = await within(promise, "an outcome");
    this.#byPort.delete(client.port); // which may be used again
    return outcome;
  }
}

/** What an info says, as text of its own. */
function textOf(info: ProxyInfo | undefined): string {
  return JSON.stringify(
    [info, info?.rest],
    (_, value) =>
      value instanceof Uint8Array ? `bytes ${Array.from(value)}` : value,
  );
}

/** What an error says. */
function textOfError({ code, offset, received, version }: ProxyProtocolError) {
  return JSON.stringify([code, offset, Array.from(received), version]);
}

/** Spoils all that a listener hands out, again and again; it must not mind. */
export async function assertOwnMemory(
  outcomes: Outcomes,
  port: number,
  isTls = false,
): Promise<void> {
  const visit = (bytes: Uint8Array, ends: boolean) =>
    outcomes.visit(port, bytes, ends, isTls);
  const said = new Map<string, string>();
  const check = (name: string, text: string) => {
    assert.equal(text, said.get(name) ?? text, name);
    said.set(name, text);
  };
  let transferred = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // Some of them wait for their deadline, so they all come at first.
    const rejecting = REJECTED.map(({ bytes, ends }) => visit(bytes, ends));
    for (const [i, bytes] of ACCEPTED.entries()) {
      const accepted = await visit(concat([bytes, PAYLOAD]), true);
      assert(!(accepted instanceof ProxyProtocolError));
      const { info, payload } = accepted;
      assert(info !== undefined && !isSpoilt(info));
      assert.deepEqual(Array.from(info.raw), Array.from(bytes));
      assert.deepEqual(Array.from(payload), Array.from(PAYLOAD));
      check(`accepted ${i}`, textOf(info));
      transferred += spoil(info);
    }
    for (const [i, error] of (await Promise.all(rejecting)).entries()) {
      assert(error instanceof ProxyProtocolError && !isSpoilt(error));
      check(`rejected ${i}`, textOfError(error));
      transferred += spoil(error);
    }
    spoilDatagrams(check);
  }
  // A run in which nothing was transferred would prove nothing.
  assert(transferred >= ROUNDS * (ACCEPTED.length + REJECTED.length));
}

function spoilDatagrams(check: (name: string, text: string) => void): void {
  for (const [i, header] of ACCEPTED.entries()) {
    if (header[0] === 0x50) continue; // v1 has no datagrams
    const { info, payload } = decodeDatagram(concat([header, PAYLOAD]));
    assert.deepEqual(Array.from(payload), Array.from(PAYLOAD));
    check(`datagram ${i}`, textOf(info));
    const sent = encodeDatagram(info, PAYLOAD.slice());
    assert.deepEqual(Array.from(sent.subarray(-PAYLOAD.length)), [...PAYLOAD]);
    spoil(info, sent);
  }
  try {
    decodeDatagram(utf8("GET /"));
    assert.fail("It is no header");
  } catch (error) {
    assert(error instanceof ProxyProtocolError && !isSpoilt(error));
    check("datagram rejected", textOfError(error));
    spoil(error);
  }
}
