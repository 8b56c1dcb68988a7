/** How long is waited, and what is kept of who waits. */

import { assertEquals, assertRejects } from "@std/assert";
import { ProxyProtocolError } from "../../mod.ts";
import { Waits } from "../../conn/_waits.ts";
import { countListeners } from "./_signal.ts";

Deno.test("Waits have one listener on a signal, and none once nobody will wait", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const { promise, resolve } = Promise.withResolvers<number>();
  const waits = new Waits({ timeout: Infinity, signal });
  const pending = [1, 2, 3].map(() => waits.within(() => promise));
  assertEquals(await waits.within(() => Promise.resolve(4)), 4);
  assertEquals(listeners.now, 1);
  resolve(5);
  assertEquals(await Promise.all(pending), [5, 5, 5]);
  waits.close();
  assertEquals(listeners.now, 0);
});

Deno.test("Waits end for all when the signal fires, each with what has come", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const waits = new Waits({ timeout: Infinity, signal });
  const never = new Promise<never>(() => {});
  const pending = [1, 2, 3].map((length) =>
    waits.within(() => never, { received: new Uint8Array(length) })
  );
  controller.abort();
  for (const [i, wait] of pending.entries()) {
    const error = await assertRejects(() => wait, ProxyProtocolError);
    assertEquals([error.code, error.offset], ["aborted", i + 1]);
  }
  const late = () => waits.within(() => Promise.resolve(1));
  assertEquals((await assertRejects(late, ProxyProtocolError)).code, "aborted");
});
