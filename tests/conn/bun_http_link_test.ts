/** How long the port of a connection to the inner server is that of its client. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { setImmediate } from "node:timers/promises";
import { HttpLink, type LinkOwner } from "../../conn/bun/http/link.ts";
import { Links } from "../../conn/bun/http/links.ts";
import type { DialEvents, NativeSocket } from "../../conn/bun/http/runtime.ts";
import { utf8 } from "../_bytes.ts";
import { TestClock } from "./_test_clock.ts";

/** A socket that notes what is done with it. */
class Socket<D> implements NativeSocket<D> {
  readonly calls: string[] = [];
  readonly localPort: number;
  remotePort: number | undefined = 1;
  /** How many bytes it takes. */
  room = Infinity;

  constructor(public data: D, localPort = 0) {
    this.localPort = localPort;
  }

  write(bytes: string | Uint8Array | ArrayBuffer): number {
    if (!(bytes instanceof Uint8Array)) throw new TypeError("Not bytes");
    const count = Math.min(bytes.length, this.room);
    this.room -= count;
    const taken = new TextDecoder().decode(bytes.subarray(0, count));
    if (count > 0) this.calls.push(`write ${taken}`);
    return count;
  }

  readonly #note = (name: string) => () => void this.calls.push(name);
  pause: () => void = this.#note("pause");
  resume: () => void = this.#note("resume");
  flush: () => void = this.#note("flush");
  end: () => void = this.#note("end");
  shutdown: () => void = this.#note("shutdown");
  terminate: () => void = this.#note("terminate");
  ref: () => void = this.#note("ref");
  unref: () => void = this.#note("unref");
}

const HOP = { transport: "tcp", hostname: "127.0.0.1", port: 5 } as const;

/** A link with all around it, of which nothing is real. */
class Stage implements LinkOwner {
  readonly clock = new TestClock();
  readonly links = new Links(this.clock);
  readonly client = new Socket<unknown>(undefined);
  dials = 0;
  forgotten = 0;

  /** A client that was let in. */
  begin(client: Socket<unknown> = this.client): HttpLink {
    return new HttpLink(this, client, {
      info: undefined,
      hop: HOP,
      shown: undefined,
      isAwaited: false,
      conn: client,
    });
  }

  dial(): void {
    this.dials++;
  }

  opened(): void {}

  forget(): void {
    this.forgotten++;
  }
}

/** Opens a connection of a link to the inner server, from a port. */
function connect(link: HttpLink, port: number): Socket<DialEvents> {
  const target = new Socket<DialEvents>(link, port);
  link.opened(target);
  return target;
}

Deno.test("HttpLink: the port is the client's before the first byte is sent", () => {
  const stage = new Stage();
  const link = stage.begin();
  link.sent(utf8("first"));
  let owner: unknown;
  const target = new Socket<DialEvents>(link, 7);
  const { calls } = target;
  target.write = () => {
    owner = stage.links.get(7);
    calls.push("write");
    return "first".length;
  };
  link.opened(target);
  assertStrictEquals(owner, link);
  assertEquals(calls, ["write"]);
});

Deno.test("HttpLink: the port stays the client's until the server has closed its end", () => {
  const stage = new Stage();
  const link = stage.begin();
  const target = connect(link, 7);
  link.sent(utf8("request"));
  link.clientEnded();
  link.clientClosed();
  // Ended, and read, but not closed.
  assertEquals(target.calls, ["write request", "shutdown", "resume"]);
  assertStrictEquals(stage.links.get(7), link);
  link.received(utf8("answer")); // to nobody
  assertStrictEquals(stage.links.get(7), link);
  let atEnd: unknown;
  target.end = () => atEnd = stage.links.get(7);
  link.ended();
  assertEquals(atEnd, undefined); // given up before it is closed
  assertEquals(stage.forgotten, 0);
  link.closed(undefined);
  assertEquals([stage.forgotten, stage.clock.timers], [1, 0]);
  assertEquals(stage.client.calls, []);
});

Deno.test("HttpLink: the port is nobody's when the system has closed our end, whatever the runtime says", () => {
  const stage = new Stage();
  const link = stage.begin();
  const target = connect(link, 7);
  assertStrictEquals(stage.links.get(7), link);
  target.remotePort = undefined;
  assertEquals(stage.links.get(7), undefined);
});

Deno.test("HttpLink: a server that does not hear of the end is reset after 200 ms, and the port not used for 1 s", async () => {
  const stage = new Stage();
  const { clock, links } = stage;
  const link = stage.begin();
  const target = connect(link, 7);
  link.clientClosed();
  clock.pass(199);
  assertStrictEquals(links.get(7), link);
  let atReset: unknown[] = [];
  target.terminate = () => atReset = [links.get(7), links.isQuarantined(7)];
  clock.pass(1);
  assertEquals(atReset, [undefined, true]);
  link.closed(undefined);
  assertEquals(stage.forgotten, 1);

  // The system gives the port to the next one, which dials again.
  const second = stage.begin(new Socket<unknown>(undefined));
  second.sent(utf8("secret"));
  const held = connect(second, 7);
  assertEquals([stage.dials, held.calls], [1, []]);
  assertEquals(links.get(7), undefined);
  const other = connect(second, 8);
  assertEquals(other.calls, ["write secret"]);
  assertStrictEquals(links.get(8), second);

  clock.pass(999);
  assertEquals(links.isQuarantined(7), true);
  clock.pass(1);
  assertEquals(held.calls, ["end"]);
  // A loop that was blocked runs its timers before it hears of the reset.
  assertEquals(links.isQuarantined(7), true);
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  assertEquals(links.isQuarantined(7), false);
});

Deno.test("HttpLink: a port that another connection has by now stays with that", () => {
  const stage = new Stage();
  const first = stage.begin();
  connect(first, 7);
  const second = stage.begin(new Socket<unknown>(undefined));
  connect(second, 7);
  first.closed(undefined);
  assertStrictEquals(stage.links.get(7), second);
});

Deno.test("HttpLink: a client that has gone before sends nothing, and its port is free", () => {
  const stage = new Stage();
  const link = stage.begin();
  link.sent(utf8("request"));
  link.clientClosed();
  assertEquals(stage.forgotten, 0);
  const target = connect(link, 7);
  assertEquals(target.calls, ["terminate"]);
  assertEquals(stage.links.get(7), undefined);
  link.closed(undefined);
  assertEquals(stage.forgotten, 1);
});

Deno.test("HttpLink: a client without a server is closed", () => {
  const stage = new Stage();
  const link = stage.begin();
  link.failed();
  assertEquals(stage.client.calls, ["terminate"]);
  link.clientClosed();
  assertEquals(stage.forgotten, 1);
});

Deno.test("HttpLink: the end of the server is passed on after all that it has sent", () => {
  const stage = new Stage();
  const { client, clock } = stage;
  const link = stage.begin();
  const target = connect(link, 7);
  client.room = 2;
  link.received(utf8("answer"));
  link.ended();
  assertEquals(client.calls, ["write an"]);
  link.closed(new Error("reset, after its end")); // changes nothing
  client.room = Infinity;
  link.clientDrained();
  // Not closed: a reset could overtake the answer. But not for ever.
  assertEquals(client.calls, ["write an", "write swer", "shutdown", "resume"]);
  link.sent(utf8("too late"));
  assertEquals(target.calls, ["end"]);
  clock.pass(2000);
  assertEquals(client.calls.at(-1), "terminate");
  link.clientClosed();
  assertEquals([stage.forgotten, clock.timers], [1, 0]);
});

Deno.test("HttpLink: a client that ends after the server is closed at once", () => {
  const stage = new Stage();
  const link = stage.begin();
  connect(link, 7);
  link.ended();
  link.closed(undefined);
  link.clientEnded();
  assertEquals(stage.client.calls, ["shutdown", "resume", "end"]);
});

Deno.test("HttpLink: a reset by the server is passed on", () => {
  const stage = new Stage();
  const link = stage.begin();
  connect(link, 7);
  link.closed(new Error("reset"));
  assertEquals(stage.client.calls[0], "terminate");
  assertEquals(stage.links.get(7), undefined);
  link.clientClosed();
  assertEquals(stage.forgotten, 1);
});

Deno.test("HttpLink: what is read waits for what can be written, both ways", () => {
  const stage = new Stage();
  const { client } = stage;
  const link = stage.begin();
  const target = connect(link, 7);
  client.room = target.room = 0;
  const much = new Uint8Array(1 << 16);
  link.sent(much);
  link.received(much);
  const without = ({ calls }: Socket<unknown>) =>
    calls.filter((call) => !call.startsWith("write"));
  assertEquals([without(client), without(target)], [["pause"], ["pause"]]);
  client.room = target.room = Infinity;
  link.drained();
  assertEquals(without(client), ["pause", "resume"]);
  link.clientDrained();
  assertEquals(without(target), ["pause", "resume"]);
});
