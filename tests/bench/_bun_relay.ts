/** Passes each connection on, with its header, on Bun. */

import { type BunSocket, proxied, relay } from "../../conn/bun.ts";
import { connect, listen, type Socket } from "../on/bun/_bun.ts";
import { args, isOurs, OPTIONS, serveAt } from "./_server.ts";

const target = { hostname: "127.0.0.1", port: +(args[0] ?? 0) };

const ours = proxied<BunSocket>({
  open: (socket) => void relay(socket, target, { send: 2 }),
}, OPTIONS);

/** One end of a connection, and what it has not taken. */
interface End {
  socket?: Socket;
  other?: End;
  unsent: Uint8Array[];
}

const ends = new WeakMap<Socket, End>();

function flush({ socket, other, unsent }: End): void {
  for (let bytes = unsent[0]; socket && bytes; bytes = unsent[0]) {
    const count = Math.max(socket.write(bytes), 0);
    if (count < bytes.length) {
      unsent[0] = bytes.subarray(count);
      other?.socket?.pause();
      return;
    }
    unsent.shift();
    if (unsent.length === 0) other?.socket?.resume();
  }
}

const copy = {
  data(socket: Socket, bytes: Uint8Array) {
    const other = ends.get(socket)?.other;
    if (other === undefined) return;
    other.unsent.push(bytes);
    if (other.unsent.length === 1) flush(other);
  },
  drain(socket: Socket) {
    const end = ends.get(socket);
    if (end) flush(end);
  },
  end: (socket: Socket) => ends.get(socket)?.other?.socket?.shutdown(),
  // Of an end that was shut down first, end is not told.
  close: (socket: Socket) => ends.get(socket)?.other?.socket?.shutdown(),
};

const bare = {
  ...copy,
  open(socket: Socket) {
    const front: End = { socket, unsent: [] };
    const back: End = { other: front, unsent: [] };
    front.other = back;
    ends.set(socket, front);
    connect({
      ...target,
      allowHalfOpen: true,
      socket: {
        ...copy,
        open(socket) {
          back.socket = socket;
          ends.set(socket, back);
          flush(back);
        },
      },
    });
  },
};

const { port } = listen({
  hostname: "127.0.0.1",
  port: 0,
  allowHalfOpen: true,
  socket: isOurs ? ours : bare,
});
serveAt(port);
