/** @module */

import { concat } from "@std/bytes";
import { utf8 } from "../../../_bytes.ts";
import { receive } from "../../../conn/_loopback.ts";
import { dial, isReset, sendHeader } from "./_client.ts";
import {
  NO_CHECKSUM,
  NO_PIECES_OF_SIGNATURE,
  NO_UDP,
  NO_UNSPEC,
} from "./_differences.ts";
import { outcomeOf } from "./_facts.ts";
import { giveTo, isRoot, run, versionOf } from "./_programs.ts";
import type { Receiver, Sent } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

const configuration = (directory: string, port: number) => `
[mysqld]
${isRoot ? "user = mysql" : ""}
datadir = ${directory}/data
socket = ${directory}/s.sock
pid-file = ${directory}/m.pid
bind-address = 127.0.0.1
port = ${port}
proxy-protocol-networks = 127.0.0.0/8
skip-name-resolve
innodb-buffer-pool-size = 8M
performance-schema = OFF
max-connect-errors = 1000000
`;

/**
 * A login of user `u`: protocol 4.1 with an authentication of its own, at most
 * 16 MB in a packet, UTF-8, no answer to the challenge.
 */
const LOGIN = concat([
  Uint8Array.fromHex("0082080000000001" + "21" + "00".repeat(23)),
  utf8("u\0\0"),
]);

/** A packet: its length, its number, and what it holds. */
function packet(sequence: number, bytes: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(bytes.length, 0, 0, sequence), bytes]);
}

async function receivePacket(conn: Deno.Conn): Promise<string> {
  const [low = 0, middle = 0] = await receive(conn, 4);
  const bytes = await receive(conn, low + 256 * middle);
  return new TextDecoder("latin1").decode(bytes);
}

/** It greets before it has seen a header. */
async function ask(port: number, sent: Sent): Promise<string> {
  using conn = await dial(port);
  try {
    await receivePacket(conn);
    await sendHeader(conn, sent, packet(1, LOGIN));
    const answer = await receivePacket(conn);
    const src = /(?:Host |@)'(.*?)'/.exec(answer)?.[1];
    return outcomeOf(
      src === undefined ? {} : { src },
      conn.localAddr.port,
    );
  } catch (error) {
    if (isReset(error)) return "refused";
    throw error;
  }
}

/** MariaDB, which speaks first: whom it does not let in. */
export const receiver: Receiver = {
  name: "mariadb",
  isCheap: false,
  needsRoot: false,
  packages: ["mariadb-server"],
  programs: ["mariadbd", "mariadb-install-db"],
  tells: ["src"],
  differs: {
    ...NO_PIECES_OF_SIGNATURE,
    ...NO_CHECKSUM,
    ...NO_UDP,
    ...NO_UNSPEC,
    "v2 UNIX": {
      outcome: "src=localhost",
      note: "treats UNIX clients as clients on its own host",
    },
  },
  version: () => versionOf("mariadbd", "--version"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const file = `${directory}/mariadb.cnf`;
        await write(file, configuration(directory, port));
        await giveTo("mysql", directory);
        await run("mariadb-install-db", [
          `--defaults-file=${file}`,
          "--auth-root-authentication-method=normal",
          "--skip-test-db",
        ]);
        return { program: "mariadbd", args: [`--defaults-file=${file}`] };
      },
      ask,
    }),
};
