import { assertEquals } from "@std/assert";
import { isPeerGone } from "../../conn/admission/refusal.ts";
import { assertBytes } from "../_bytes.ts";
import { Client } from "./bun/_client.ts";

/** What a server tells of the client: `null` for what it does not have. */
export interface Told {
  hostname: string | null;
  port: number | null;
}

/** A connection, as its client makes it. */
export interface Exchange {
  /** Each is sent by itself. */
  pieces: readonly Uint8Array[];
  /** Whom the server must see; "real" is the peer, "nobody" a refusal. */
  sees: Told | "real" | "nobody";
  /** What must come back to the last byte. */
  payload: Uint8Array;
  /** The client does not end its direction, so that the server has to close. */
  isSilent?: boolean;
}

/** Waits for a turn of the loop, so that two pieces are two writes. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Makes a connection, and makes sure that the server does with it what it has to. */
export async function play(
  to: Parameters<typeof Client.dial>[0],
  exchange: Exchange,
): Promise<void> {
  const { pieces, sees, payload, isSilent } = exchange;
  const dialled = await Client.dial(to).catch((error) => {
    // Who is refused at once may never hear that it was connected.
    if (sees !== "nobody" || !isPeerGone(error)) throw error;
  });
  if (dialled === undefined) return;
  using client = dialled;
  for (const piece of pieces) {
    const sending = client.send(piece);
    // Who is refused may be so before all is said.
    await (sees === "nobody" ? sending.catch(() => {}) : sending);
    if (pieces.length > 1) await nextTurn();
  }
  if (!isSilent) client.end();
  const received = await client.receiveAll();
  if (sees === "nobody") return assertEquals(received.length, 0);
  const end = received.indexOf(0x0a) + 1;
  const line = new TextDecoder().decode(received.subarray(0, end));
  const { localAddress = "127.0.0.1" } = typeof to === "object" ? to : {};
  const real = { hostname: localAddress, port: client.port };
  assertEquals(JSON.parse(line), sees === "real" ? real : sees);
  assertBytes(received.subarray(end), payload);
}
