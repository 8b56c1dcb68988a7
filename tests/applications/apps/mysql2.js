/** A server of `mysql2`: it speaks first, also before a header that waits for the client. */

import assert from "node:assert/strict";
import mysql from "mysql2";
import { called, listen } from "./_kit.js";

function makeServer(see, ready) {
  const server = mysql.createServer();
  let id = 0;
  server.on("connection", (connection) => {
    connection.on("error", () => {});
    connection.on("query", async () => {
      await ready(connection.stream);
      see(connection.stream.remoteAddress);
      connection.writeTextResult([{ answer: 42 }], [{
        ...{ catalog: "def", schema: "", table: "", orgTable: "" },
        ...{ name: "answer", orgName: "", characterSet: 63, columnLength: 11 },
        ...{ columnType: 3, flags: 0, decimals: 0 },
      }]);
    });
    connection.on("ping", () => connection.writeOk());
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: "8.0.0",
      connectionId: ++id,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff ^ 0x800, // without TLS
      authCallback: (_parameters, done) => done(null, undefined),
    });
  });
  return server;
}

async function ask(port) {
  const connection = mysql.createConnection({
    host: "127.0.0.1",
    port,
    user: "a",
    password: "b",
    connectTimeout: 60_000,
  });
  try {
    const rows = await called((done) => connection.query("SELECT 42", done));
    assert.equal(rows[0].answer, 42);
  } finally {
    connection.destroy();
  }
}

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "mysql2": {
    isGreeting: true,
    serve: ({ wrap, see, ready }) =>
      listen(wrap(makeServer(see, ready)._server)),
    ask,
  },
  "mysql2 that greets before the header": {
    serve: ({ wrap, see, ready }) =>
      listen(wrap(makeServer(see, ready)._server, { lazy: true })),
    ask,
  },
};
