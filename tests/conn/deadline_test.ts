/** How long is waited, and what is kept of who waits. */

import { assertEquals, assertRejects } from "@std/assert";
import { ProxyProtocolError } from "../../mod.ts";
import { withinLimits } from "../../conn/_deadline.ts";
import { countListeners } from "./_signal.ts";

Deno.test("withinLimits() has one listener on a signal for all who wait, and none for nobody", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const { promise, resolve } = Promise.withResolvers<number>();
  const limits = { timeout: Infinity, signal };
  const waits = [1, 2, 3].map(() => withinLimits(limits, () => promise));
  assertEquals(await withinLimits(limits, () => Promise.resolve(4)), 4);
  assertEquals(listeners.now, 1);
  resolve(5);
  assertEquals(await Promise.all(waits), [5, 5, 5]);
  assertEquals(listeners.now, 0);
});

Deno.test("withinLimits() ends the wait of all when the signal fires, each with what has come", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const never = new Promise<never>(() => {});
  const waits = [1, 2, 3].map((length) => {
    const received = () => new Uint8Array(length);
    return withinLimits({ timeout: Infinity, signal, received }, () => never);
  });
  controller.abort();
  for (const [i, wait] of waits.entries()) {
    const error = await assertRejects(() => wait, ProxyProtocolError);
    assertEquals([error.code, error.offset], ["aborted", i + 1]);
  }
  const late = () =>
    withinLimits({ timeout: Infinity, signal }, () => Promise.resolve(1));
  assertEquals((await assertRejects(late, ProxyProtocolError)).code, "aborted");
});
