/** What the system knows of a connection, whatever the runtime of its server. */

/** Where it tells; each look at it takes milliseconds, so all who wait share one. */
const TABLE = "/proc/net/tcp";

/** Between two looks, in ms. */
const GLANCE = 10;

/** Status of an end whose peer has ended its direction. */
const CLOSE_WAIT = "08";

/** The server's end of a TCP connection over IPv4. */
export interface ServerEnd {
  /** Whether the peer has ended its direction. */
  hasPeerEnded: boolean;
  /** Bytes that the server has not read, or that are on their way. */
  unread: number;
}

let next: Promise<string> | undefined;

/** The table as it will be in a moment. */
function look(): Promise<string> {
  next ??= (async () => {
    await new Promise((resolve) => setTimeout(resolve, GLANCE));
    next = undefined; // who comes from now on wants a later one
    return await Deno.readTextFile(TABLE);
  })();
  return next;
}

/** Looks for a server's end; `undefined` when the connection is no more, as after a reset. */
export async function serverEnd(
  serverPort: number,
  clientPort: number,
): Promise<ServerEnd | undefined> {
  const table = await look();
  const server = find(table, serverPort, clientPort);
  if (server === undefined) return undefined;
  const onTheirWay = find(table, clientPort, serverPort)?.unsent ?? 0;
  return {
    hasPeerEnded: server.status === CLOSE_WAIT,
    unread: server.unread + onTheirWay,
  };
}

/** A line of the table. */
interface End {
  status: string;
  unsent: number;
  unread: number;
}

function find(table: string, local: number, remote: number): End | undefined {
  const ends = `:${toHex(local)} [0-9A-F]{8}:${toHex(remote)}`;
  const line = new RegExp(`${ends} (..) ([0-9A-F]{8}):([0-9A-F]{8})`);
  const parts = line.exec(table);
  if (parts === null) return undefined;
  const [, status = "", unsent = "", unread = ""] = parts;
  return {
    status,
    unsent: parseInt(unsent, 16),
    unread: parseInt(unread, 16),
  };
}

function toHex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
