import { assertEquals } from "@std/assert";
import { IdleTable } from "../../conn/datagram/idle_table.ts";
import { TestClock } from "./_test_clock.ts";

function table(idleTimeout: number, maxSize: number) {
  const clock = new TestClock();
  const ended: string[] = [];
  const entries = new IdleTable<string>(
    { idleTimeout, maxSize, onEnd: (value) => ended.push(value) },
    clock,
  );
  return { clock, ended, entries };
}

Deno.test("IdleTable ends an entry after its idle time, without a use", () => {
  const { clock, ended, entries } = table(100, 9);
  entries.add("a", "A");
  clock.pass(99);
  assertEquals(ended, []);
  clock.pass(1);
  assertEquals(ended, ["A"]);
  assertEquals(entries.size, 0);
  assertEquals(entries.use("a"), undefined);
});

Deno.test("IdleTable keeps an entry that is used", () => {
  const { clock, ended, entries } = table(100, 9);
  entries.add("a", "A");
  for (let i = 0; i < 10; i++) {
    clock.pass(60);
    assertEquals(entries.use("a"), "A");
  }
  clock.pass(99);
  assertEquals(ended, []);
  clock.pass(1);
  assertEquals(ended, ["A"]);
});

Deno.test("IdleTable ends what was idle for longest when it is full", () => {
  const { ended, entries } = table(Infinity, 2);
  entries.add("a", "A");
  entries.add("b", "B");
  entries.use("a");
  entries.add("c", "C");
  assertEquals(ended, ["B"]);
  assertEquals(entries.use("a"), "A");
  assertEquals(entries.size, 2);
});

Deno.test("IdleTable runs one timer for all entries, and none without", () => {
  const { clock, ended, entries } = table(100, 1000);
  for (let i = 0; i < 500; i++) {
    entries.add(`${i}`, `${i}`);
    clock.pass(0.1);
  }
  assertEquals(clock.timers, 1);
  clock.pass(200);
  assertEquals(ended.length, 500);
  assertEquals(clock.timers, 0);
  entries.add("again", "again");
  assertEquals(clock.timers, 1);
  entries.clear();
  assertEquals(clock.timers, 0);
  assertEquals(ended.length, 501);
  assertEquals(table(Infinity, 1).clock.timers, 0);
});

Deno.test("IdleTable does not find an entry whose timer is late", () => {
  const { clock, ended, entries } = table(100, 9);
  entries.add("a", "A");
  clock.now = () => 100;
  assertEquals(entries.use("a"), undefined);
  assertEquals(ended, ["A"]);
});

Deno.test("IdleTable ends nothing for a key without an entry", () => {
  const { ended, entries } = table(Infinity, 2);
  entries.add("a", "A");
  entries.end("b");
  entries.end("a");
  entries.end("a");
  assertEquals(ended, ["A"]);
});
