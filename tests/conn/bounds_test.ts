/** What tens of thousands of connections leave in a listener: nothing that grows with them. */

import { assert, assertEquals } from "@std/assert";
import { type Address, ProxyProtocolError } from "../../mod.ts";
import { Admission } from "../../conn/admission/admission.ts";
import { Gate } from "../../conn/admission/gate.ts";
import { readOptions } from "../../conn/admission/policy.ts";
import type { ListenerOptions } from "../../conn/types.ts";
import { type Wait, Waits } from "../../conn/admission/waits.ts";
import { utf8 } from "../_bytes.ts";
import { Random } from "../proof/fuzz/_random.ts";
import { TestClock } from "./_test_clock.ts";

const WAITS = 40_000;
const REJECTED = 12_000;
const TIMEOUT = 1000;
const SEED = 20260427;

/** How many waits can be reached from a list. */
function countWaits(waits: Waits): number {
  let count = 0;
  for (let wait = waits.oldest; wait; wait = wait.newer) count++;
  return count;
}

/** A list on a clock of its own. */
function onClock(): { clock: TestClock; waits: Waits } {
  const clock = new TestClock();
  const limits = { timeout: TIMEOUT, signal: undefined };
  return { clock, waits: new Waits(limits, false, clock) };
}

function assertUnlinked(all: readonly Wait[]): void {
  for (const wait of all) {
    assertEquals([wait.isOver, wait.older, wait.newer], [
      true,
      undefined,
      undefined,
    ]);
  }
}

Deno.test(`Waits keep nothing of ${WAITS} waits that ended in any order, and run one timer for all`, () => {
  const { clock, waits } = onClock();
  const random = new Random(SEED);
  const all: Wait[] = [];
  const open: Wait[] = [];
  while (all.length < WAITS) {
    const wait = waits.begin(() => assert(false, "nobody is late"));
    all.push(wait);
    open.push(wait);
    assert(clock.timers <= 1);
    if (random.oneIn(3)) continue;
    const at = random.below(open.length);
    const [ended] = open.splice(at, 1, ...open.splice(-1));
    if (ended !== undefined) assertEquals(waits.end(ended), true);
  }
  assertEquals(countWaits(waits), all.filter(({ isOver }) => !isOver).length);
  for (const wait of all) waits.end(wait);
  assertEquals(waits.oldest, undefined);
  assertUnlinked(all);
  clock.pass(2 * TIMEOUT);
  assertEquals(clock.timers, 0);
  // One that found nobody waiting any more, not one for each.
  assertEquals(clock.starts, 1);
});

Deno.test(`Waits reject ${WAITS} that are late at once, each once, and keep none of them`, () => {
  const { clock, waits } = onClock();
  const codes = new Map<string, number>();
  const all = Array.from(
    { length: WAITS },
    () =>
      waits.begin(({ code }) => codes.set(code, (codes.get(code) ?? 0) + 1)),
  );
  clock.pass(TIMEOUT - 1);
  assertEquals(codes.size, 0);
  clock.pass(1);
  assertEquals([...codes], [["timeout", WAITS]]);
  assertEquals(waits.oldest, undefined);
  assertUnlinked(all);
  assertEquals([clock.timers, clock.starts], [0, 1]);
});

/** What becomes of connections, one after the other. */
class Listener {
  readonly clock: TestClock = new TestClock();
  readonly gate: Gate<string>;
  readonly reported: Map<string, number> = new Map();
  closed = 0;

  constructor(options: Partial<ListenerOptions<string>>) {
    const policy = readOptions<string>({
      trust: ["10.0.0.1"],
      timeout: TIMEOUT,
      onReject: ({ code }) =>
        this.reported.set(code, (this.reported.get(code) ?? 0) + 1),
      ...options,
    });
    this.gate = new Gate(policy, false, this.clock);
  }

  /** A connection of a hop. */
  dial(port: number, hostname = "10.0.0.1"): Admission<string> {
    const hop: Address = { transport: "tcp", hostname, port };
    const admission = new Admission(this.gate, hop, {
      conn: "",
      failure: undefined,
      ownEnd: () => hop,
      show() {},
      admit() {},
      refuse: (error) => {
        assert(error instanceof ProxyProtocolError);
        this.closed++;
      },
    });
    admission.begin();
    return admission;
  }
}

const MAX_PENDING = 100;

/** How all of them are rejected, and by which code. */
const WAYS: Record<
  string,
  { code: string; dial(listener: Listener, port: number): void }
> = {
  "that are silent, over maxPending": {
    code: "overload",
    dial: (listener, port) => void listener.dial(port),
  },
  "with a wrong header": {
    code: "signature",
    dial: (listener, port) => void listener.dial(port).push(utf8("GET /")),
  },
  "that are not trusted": {
    code: "untrusted",
    dial: (listener, port) => void listener.dial(port, "192.0.2.1"),
  },
  "that end within their header": {
    code: "incomplete",
    dial(listener, port) {
      const admission = listener.dial(port);
      admission.push(utf8("PROXY TCP4"));
      admission.end();
    },
  },
  "that end without a byte": {
    code: "empty",
    dial: (listener, port) => void listener.dial(port).end(),
  },
  "that are late": {
    code: "timeout",
    dial(listener, port) {
      listener.dial(port);
      listener.clock.pass(TIMEOUT);
    },
  },
};

for (const [name, { code, dial }] of Object.entries(WAYS)) {
  Deno.test(`a listener keeps a count and no more of ${REJECTED} connections ${name}`, () => {
    const listener = new Listener({ maxPending: MAX_PENDING });
    const { clock, gate } = listener;
    for (let i = 0; i < REJECTED; i++) {
      dial(listener, 1 + i);
      assert(gate.stats.pending <= MAX_PENDING);
      assert(clock.timers <= 1);
    }
    assertEquals(countWaits(gate.waits), gate.stats.pending);
    const pending = code === "overload" ? MAX_PENDING : 0;
    assertEquals(gate.stats, {
      accepted: 0,
      direct: 0,
      local: 0,
      pending,
      rejected: { [code]: REJECTED - pending },
    });
    assertEquals(listener.closed, REJECTED - pending);
    assertEquals(
      [...listener.reported],
      code === "empty" ? [] : [[code, REJECTED - pending]],
    );
    gate.waits.abort();
    gate.waits.close();
    assertEquals(gate.waits.oldest, undefined);
    assertEquals(clock.timers, 0);
  });
}
