/**
 * UDP: what real senders send their datagrams to, and clients of them.
 *
 * @module
 */

import { createSocket, type Socket } from "node:dgram";
import { on, once } from "node:events";
import {
  type DatagramSession,
  DatagramSessions,
  type DatagramSessionsOptions,
  decodeDatagram,
} from "../../../mod.ts";
import { utf8 } from "../../_bytes.ts";
import { TRUST } from "../../conn/_loopback.ts";
import { describeHeader, type Ends } from "./_upstream.ts";

/** A bound socket, and its port. */
async function open(
  hostname: string,
  at = 0,
): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket(hostname.includes(":") ? "udp6" : "udp4");
  const isBound = once(socket, "listening");
  socket.bind(at, hostname);
  await isBound;
  return { socket, port: socket.address().port };
}

/** A header with what came behind it. */
export interface Datagram extends ReturnType<typeof decodeDatagram> {
  /** Sends back along the way. */
  reply: (payload: Uint8Array) => void;
}

/** Listens for the datagrams of senders. */
export class DatagramUpstream implements Disposable {
  readonly #socket: Socket;
  readonly #waiting: ((datagram: Datagram) => void)[] = [];

  /** The port to send to. */
  readonly port: number;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.port = port;
    socket.on("message", (message, { port, address }) => {
      this.#waiting.shift()?.({
        ...decodeDatagram(message),
        reply: (payload) => socket.send(payload, port, address),
      });
    });
  }

  /** Listens, on a port of the system's choice unless there is another wish. */
  static async open(at?: number): Promise<DatagramUpstream> {
    const { socket, port } = await open("127.0.0.1", at);
    return new DatagramUpstream(socket, port);
  }

  /** The next datagram that has a payload for somebody who waits. */
  next(): Promise<Datagram> {
    const { promise, resolve } = Promise.withResolvers<Datagram>();
    this.#waiting.push(resolve);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** A client of UDP. */
export interface DatagramClient extends Disposable {
  ends: Ends;
  /** Sends to what it dialled. */
  send: (payload: Uint8Array) => void;
  /** The next answer to it. */
  receive: () => Promise<Uint8Array>;
}

/** A client whose address is known. */
export async function dialDatagram(
  port: number,
  hostname = "127.0.0.1",
): Promise<DatagramClient> {
  const { socket, port: own } = await open(hostname);
  const arrivals = on(socket, "message"); // keeps those that come early
  return {
    ends: {
      client: { transport: "udp", hostname, port: own },
      dialled: { transport: "udp", hostname, port },
    },
    send: (payload) => socket.send(payload, port, hostname),
    receive: async () => {
      const { value } = await arrivals.next();
      if (value === undefined) throw new Error("The client is closed");
      const message: Uint8Array = value[0];
      return message;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

/** What becomes of a datagram that is repeated to its client. */
export async function datagramThroughSender(
  upstream: DatagramUpstream,
  port: number,
  hostname = "127.0.0.1",
): Promise<string> {
  using client = await dialDatagram(port, hostname);
  const arriving = upstream.next();
  client.send(utf8("hello"));
  const { info, payload, reply } = await arriving;
  reply(payload);
  const answer = new TextDecoder().decode(await client.receive());
  return answer === "hello"
    ? describeHeader(info, client.ends)
    : `the answer is ${answer}`;
}

/** Repeats the datagrams of senders, by sessions. */
export class SessionUpstream implements Disposable {
  readonly #socket: Socket;
  readonly #sessions: DatagramSessions;

  /** Sessions of the datagrams that came, in their order. */
  readonly seen: DatagramSession[] = [];

  /** The port to send to. */
  readonly port: number;

  private constructor(
    socket: Socket,
    port: number,
    header: NonNullable<DatagramSessionsOptions["header"]>,
    answer: (payload: Uint8Array) => Uint8Array,
  ) {
    this.#socket = socket;
    this.port = port;
    this.#sessions = new DatagramSessions({ trust: TRUST, header });
    socket.on("message", (message, hop) => {
      const received = this.#sessions.receive(message, hop);
      if (received === undefined) return; // the client waits in vain
      const { session, payload } = received;
      this.seen.push(session);
      const { hostname, port } = session.replyTo;
      socket.send(session.answer(answer(payload)), port, hostname);
    });
  }

  /** Listens; answers are what came, unless there is another wish. */
  static async open(
    header: NonNullable<DatagramSessionsOptions["header"]>,
    answer: (payload: Uint8Array) => Uint8Array = (payload) => payload,
  ): Promise<SessionUpstream> {
    const { socket, port } = await open("127.0.0.1");
    return new SessionUpstream(socket, port, header, answer);
  }

  [Symbol.dispose](): void {
    this.#sessions.close();
    this.#socket.close();
  }
}

/** What becomes of two datagrams of one client, each of which is answered. */
export async function sessionThroughSender(
  { seen }: SessionUpstream,
  port: number,
  payload: Uint8Array = utf8("hello"),
  isAnswer: (answer: Uint8Array) => boolean = (answer) =>
    new TextDecoder().decode(answer) === "hello",
): Promise<string> {
  using client = await dialDatagram(port);
  for (let i = 0; i < 2; i++) {
    client.send(payload);
    const answer = await client.receive();
    if (!isAnswer(answer)) return `the answer is ${answer}`;
  }
  const [first, second] = seen.splice(0);
  if (first?.info === undefined) return "no header";
  const header = describeHeader(first.info, client.ends);
  return first === second
    ? `${header}, one session`
    : `${header}, two sessions`;
}
