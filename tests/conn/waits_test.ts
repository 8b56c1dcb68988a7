/** How long is waited, and what is kept of who waits. */

import { assertEquals, assertRejects } from "@std/assert";
import { ProxyProtocolError } from "../../mod.ts";
import { Waits } from "../../conn/admission/waits.ts";
import { within } from "../_within.ts";
import { countListeners } from "./_signal.ts";

const NEVER = () => new Promise<never>(() => {});

/** Codes of the refusals, in the order in which they come. */
function codesOf(waiting: readonly Promise<unknown>[], seen: string[] = []) {
  return Promise.all(waiting.map((one, i) =>
    one.catch((error) => {
      seen.push(`${i} ${error instanceof ProxyProtocolError && error.code}`);
    })
  )).then(() => seen);
}

Deno.test("Waits.within() gives each its own deadline, whoever is through before", async () => {
  const waits = new Waits({ timeout: 50, signal: undefined });
  const through = await waits.within(() => Promise.resolve("first"));
  assertEquals(through, "first");
  const start = performance.now();
  const waiting = [waits.within(NEVER)];
  await within(new Promise((resolve) => setTimeout(resolve, 25)), "a timer");
  waiting.push(waits.within(NEVER));
  const late = performance.now();
  const seen = await within(codesOf(waiting), "both deadlines");
  assertEquals(seen, ["0 timeout", "1 timeout"]);
  assertEquals(performance.now() - start >= 49, true);
  assertEquals(performance.now() - late >= 49, true);
  waits.close();
});

Deno.test("Waits.within() without a deadline outlasts those that have one", async () => {
  const controller = new AbortController();
  const waits = new Waits({ timeout: 10, signal: controller.signal });
  const endless = waits.within(NEVER, undefined, Infinity);
  const seen: string[] = [];
  const all = codesOf([endless, waits.within(NEVER)], seen);
  await assertRejects(() => waits.within(NEVER), ProxyProtocolError, "10 ms");
  assertEquals(seen, ["1 timeout"]);
  controller.abort();
  assertEquals(await within(all, "the abort"), ["1 timeout", "0 aborted"]);
  await assertRejects(() => waits.within(NEVER), ProxyProtocolError, "aborted");
  waits.close();
});

Deno.test("Waits.begin() may be called by who is told of a limit", async () => {
  const waits = new Waits({ timeout: 20, signal: undefined });
  const { promise, resolve } = Promise.withResolvers<void>();
  const told: string[] = [];
  waits.begin(({ code }) => {
    told.push(code);
    waits.begin(({ code }) => {
      told.push(code);
      waits.begin(({ code }) => {
        told.push(code);
        resolve();
      });
    });
    waits.abort();
  });
  const start = performance.now();
  await within(promise, "the last deadline");
  assertEquals(told, ["timeout", "aborted", "timeout"]);
  assertEquals(performance.now() - start >= 38, true);
  waits.close(); // the sanitizer of resources would find a timer
});

Deno.test("Waits.abort() ends the waits of now and no later ones", async () => {
  const waits = new Waits({ timeout: 60_000, signal: undefined });
  const waiting = [waits.within(NEVER), waits.within(NEVER)];
  waits.abort();
  assertEquals(await codesOf(waiting), ["0 aborted", "1 aborted"]);
  assertEquals(await waits.within(() => Promise.resolve(1)), 1);
  waits.close();
});

Deno.test("Waits.abort() leaves no timer behind, and one runs for who comes later", async () => {
  const waits = new Waits({ timeout: 20, signal: undefined });
  await waits.within(() => Promise.resolve());
  waits.abort();
  await assertRejects(() => waits.within(NEVER), ProxyProtocolError, "20 ms");
  await waits.within(() => Promise.resolve());
  waits.abort(); // the sanitizer of resources would find the timer
});

Deno.test("Waits.close() leaves no timer behind, at once or after the last wait", async () => {
  const waits = new Waits({ timeout: 60_000, signal: undefined });
  await waits.within(() => Promise.resolve());
  const { promise, resolve } = Promise.withResolvers<string>();
  const last = waits.within(() => promise);
  waits.close(); // the sanitizer of resources would find the timer
  resolve("through");
  assertEquals(await last, "through");
});

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

Deno.test("Waits.within() says what each has received when the signal fires", async () => {
  const controller = new AbortController();
  const waits = new Waits({ timeout: Infinity, signal: controller.signal });
  const pending = [1, 2, 3].map((length) =>
    waits.within(NEVER, { received: new Uint8Array(length) })
  );
  controller.abort();
  for (const [i, wait] of pending.entries()) {
    const error = await assertRejects(() => wait, ProxyProtocolError);
    assertEquals([error.code, error.offset], ["aborted", i + 1]);
  }
});
