/**
 * Handlers behind a header are called as by Bun itself: each case is recorded
 * without a proxy and with one, errors that nobody catches included. A program
 * of its own, since `bun test` takes such errors for failures.
 *
 * @module
 */

import assert from "node:assert/strict";
import process from "node:process";
import { proxied } from "../../../conn/bun.ts";
import {
  listen,
  type ListenOptions,
  type PlainHandlers,
  type Socket,
} from "./_bun.ts";
import { Client, concat, KEY_PAIR, utf8, within } from "./_client.ts";
import { HEADER, TRUST } from "./_kit.ts";

interface Case {
  name: string;
  handlers: PlainHandlers;
  listen?: Partial<ListenOptions>;
  /** What the client does after "hello", which comes with the header. */
  talk?: (client: Client) => Promise<void> | void;
}

function fail(): never {
  throw new Error("mistake");
}

async function failLater(): Promise<never> {
  await Promise.resolve();
  throw new Error("late mistake");
}

const greet = (socket: Socket) => void socket.write("hi");
const end = (client: Client) => client.end();
const CASES: Case[] = [
  { name: "an exchange", handlers: { data: greet, error() {} }, talk: end },
  { name: "a reply in end", handlers: { end: greet }, talk: end },
  {
    name: "a reply in end, half-open",
    handlers: {
      end(socket) {
        socket.write("late");
        socket.end();
      },
    },
    listen: { allowHalfOpen: true },
    talk: end,
  },
  {
    name: "a reset",
    handlers: { open: greet, error() {} },
    async talk({ stream }) {
      const { promise, resolve } = Promise.withResolvers<void>();
      stream.write("x", () => resolve());
      await promise;
      Reflect.get(stream, "resetAndDestroy").call(stream);
    },
  },
  ...(["end", "terminate"] as const).flatMap((close) =>
    (["open", "data"] as const).map((name) => ({
      name: `${close}() in ${name}`,
      handlers: { [name]: (socket: Socket) => socket[close]() },
    }))
  ),
  ...(["open", "data", "end", "close"] as const).flatMap((name) => [
    {
      name: `${name} throws`,
      handlers: { [name]: fail, error() {} },
      talk: end,
    },
    {
      name: `${name} throws, no error handler`,
      handlers: { [name]: fail },
      talk: end,
    },
    {
      name: `${name} and error throw`,
      handlers: { [name]: fail, error: fail },
      talk: end,
    },
    {
      name: `${name} rejects`,
      handlers: { [name]: failLater, error() {} },
      talk: end,
    },
  ]),
];
/** Without a proxy `open` comes before the handshake: what it does has another effect. */
const TLS_CASES: Case[] = CASES.filter(({ handlers }) => !handlers.open).map(
  (item) => ({
    ...item,
    name: `${item.name}, in TLS`,
    handlers: { handshake() {}, ...item.handlers },
    listen: { ...item.listen, tls: KEY_PAIR },
  }),
);

let log: string[] = [];
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => log.push(`${event}: ${error}`));
}

const HANDLERS = [
  ...(["open", "data", "end", "close", "error", "handshake"] as const),
];

/** The events of one connection, in their order. */
async function record(item: Case, isProxied: boolean): Promise<string[]> {
  const events: string[] = log = [];
  const closed = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const recorded: Record<string, unknown> = {};
  for (const name of HANDLERS) {
    const handler = item.handlers[name];
    if (handler === undefined && (name === "error" || name === "handshake")) {
      continue;
    }
    recorded[name] = function (socket: Socket, ...args: unknown[]) {
      assert.equal(this, socket);
      const told = name === "open" ? [] : args.map(describe);
      events.push(`${name}(${told.join()})`);
      if (name === "open") opened.resolve();
      if (name === "close") closed.resolve();
      return Reflect.apply(handler ?? (() => {}), socket, [socket, ...args]);
    };
  }
  const listener = listen({
    hostname: "127.0.0.1",
    port: 0,
    ...item.listen,
    socket: isProxied ? proxied(recorded, { trust: TRUST }) : recorded,
  });
  try {
    using client = await (item.listen?.tls
      ? Client.dialTls(listener.port)
      : Client.dial(listener.port));
    const hello = utf8("hello");
    client.stream.write(isProxied ? concat([HEADER, hello]) : hello);
    await within(opened.promise, "open");
    await item.talk?.(client);
    await within(closed.promise, "close");
    const received = new TextDecoder().decode(await client.receiveAll());
    return [...inOrder(events), `received ${received}`];
  } finally {
    listener.stop(true);
  }
}

/**
 * Pieces of data as one, and rejections last: they are told at the end of a
 * turn, in which more happens where the header and the payload came as one.
 */
function inOrder(events: string[]): string[] {
  const isRejection = (event: string) => event.startsWith("unhandled");
  const others = events.filter((event) => !isRejection(event));
  return [
    ...others.join("\n").replaceAll(")\ndata(", "").split("\n"),
    ...events.filter(isRejection),
  ];
}

function describe(value: unknown): string {
  return value instanceof Uint8Array
    ? new TextDecoder().decode(value)
    : String(value);
}

for (const item of [...CASES, ...TLS_CASES]) {
  try {
    const native = await record(item, false);
    assert.deepEqual(await record(item, true), native);
    console.log(`(pass) Bun: as without a proxy: ${item.name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`(fail) Bun: as without a proxy: ${item.name}`, error);
  }
}
