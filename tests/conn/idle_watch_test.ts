/** When a relay has been idle for long enough, by a clock of the test. */

import { assertEquals } from "@std/assert";
import { IdleWatch } from "../../conn/sending/idle_watch.ts";

/** Runs with `setInterval` in the hands of the test. */
function withTimer(
  test: (timer: { look(): void; interval: number; isOn: boolean }) => void,
): void {
  const { setInterval, clearInterval } = globalThis;
  const timer = { look: () => {}, interval: 0, isOn: false };
  Object.assign(globalThis, {
    setInterval(look: () => void, interval: number): number {
      Object.assign(timer, { look, interval, isOn: true });
      return 1;
    },
    clearInterval: () => void (timer.isOn = false),
  });
  try {
    test(timer);
  } finally {
    Object.assign(globalThis, { setInterval, clearInterval });
  }
}

Deno.test("IdleWatch ends a relay after four looks at which nothing had moved", () => {
  withTimer((timer) => {
    let moved = 0;
    const errors: Error[] = [];
    new IdleWatch(1000, () => moved, (error) => errors.push(error));
    assertEquals(timer.interval, 250);
    for (const bytes of [1, 0, 0, 0, 1, 0, 0, 0]) {
      moved += bytes;
      timer.look();
    }
    assertEquals([errors, timer.isOn], [[], true]);
    timer.look();
    assertEquals(errors.map(({ name, message }) => [name, message]), [
      ["TimeoutError", "Cannot relay: no payload for 1000 ms"],
    ]);
    assertEquals(timer.isOn, false);
  });
});

Deno.test("IdleWatch has no timer without a time, and none after stop()", () => {
  withTimer((timer) => {
    new IdleWatch(Infinity, () => 0, () => {});
    assertEquals(timer.isOn, false);
    const watch = new IdleWatch(1, () => 0, () => {});
    assertEquals(timer.isOn, true);
    watch.stop();
    assertEquals(timer.isOn, false);
  });
});
