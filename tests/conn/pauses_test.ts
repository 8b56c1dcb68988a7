import { assertEquals } from "@std/assert";
import { Pauses } from "../../conn/native/pauses.ts";
import { countListeners } from "./_signal.ts";
import { holdTimers } from "./_timers.ts";

Deno.test("Pauses.take() does not wait once its signal has fired, nor listens to it", async () => {
  using timers = holdTimers();
  const closing = new AbortController();
  const listeners = countListeners(closing.signal);
  const pauses = new Pauses(closing.signal);
  const paused = pauses.take();
  assertEquals(listeners.now, 1);
  closing.abort();
  await paused;
  await pauses.take();
  assertEquals(listeners.now, 0);
  assertEquals(timers.delays.length, 1);
});
