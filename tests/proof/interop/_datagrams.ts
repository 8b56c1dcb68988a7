/**
 * UDP: what real senders send their datagrams to, and clients of them.
 *
 * @module
 */

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { decodeDatagram } from "../../../mod.ts";
import { utf8 } from "../../_bytes.ts";
import { describeHeader, type Ends } from "./_upstream.ts";

type Arrival = [message: Uint8Array, from: RemoteInfo];

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
  /** The answer to it. */
  receive: () => Promise<Uint8Array>;
}

/** A client whose address is known. */
export async function dialDatagram(
  port: number,
  hostname = "127.0.0.1",
): Promise<DatagramClient> {
  const { socket, port: own } = await open(hostname);
  const answers: Promise<Arrival> = once(socket, "message").then(
    ([message, from]) => [message, from],
  );
  return {
    ends: {
      client: { transport: "udp", hostname, port: own },
      dialled: { transport: "udp", hostname, port },
    },
    send: (payload) => socket.send(payload, port, hostname),
    receive: async () => (await answers)[0],
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
