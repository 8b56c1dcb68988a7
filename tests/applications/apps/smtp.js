/** `smtp-server`: it speaks first. */

import assert from "node:assert/strict";
import { createTransport } from "nodemailer";
import { SMTPServer } from "smtp-server";
import { createServer as createTlsServer } from "node:tls";
import { CA, KEY_PAIR, listen } from "./_kit.js";

function makeServer(see, options) {
  return new SMTPServer({
    ...KEY_PAIR,
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    ...options,
    onConnect({ remoteAddress }, callback) {
      see(remoteAddress);
      callback();
    },
    onMailFrom(_address, { remoteAddress, secure }, callback) {
      see(remoteAddress);
      // Only those who have begun TLS may send from this address.
      callback(
        options.isTlsNeeded && !secure ? new Error("not secure") : undefined,
      );
    },
    onData(stream, _session, callback) {
      stream.resume().on("end", () => callback(null, "kept"));
    },
  });
}

async function ask(port, options) {
  const transport = createTransport({
    host: "127.0.0.1",
    port,
    tls: CA,
    ...options,
  });
  const { response } = await transport.sendMail({
    from: "a@example.com",
    to: "b@example.com",
    subject: "hello",
    text: "hello ".repeat(10_000),
  });
  assert.match(response, /kept/);
  transport.close();
}

const PLAIN = { disabledCommands: ["STARTTLS"] };

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "smtp-server": {
    isGreeting: true,
    serve: ({ wrap, see }) => listen(wrap(makeServer(see, PLAIN).server)),
    ask: (port) => ask(port, { ignoreTLS: true }),
  },
  "smtp-server with STARTTLS": {
    isGreeting: true,
    serve: ({ wrap, see }) =>
      listen(wrap(makeServer(see, { isTlsNeeded: true }).server)),
    ask: (port) => ask(port, { requireTLS: true }),
  },
  "smtp-server, secure: true": {
    serve: ({ wrap, see }) =>
      listen(
        wrap(makeServer(see, { secure: true, isTlsNeeded: true }).server),
      ),
    ask: (port) => ask(port, { secure: true }),
  },
  "smtp-server behind a server of TLS": {
    async serve({ wrap, see }) {
      const smtp = makeServer(see, {
        secure: true,
        secured: true,
        isTlsNeeded: true,
      });
      const server = createTlsServer(
        KEY_PAIR,
        (socket) => smtp.connect(socket),
      );
      return await listen(wrap(server));
    },
    ask: (port) => ask(port, { secure: true }),
  },
  "smtp-server that greets before the header": {
    async serve({ wrap, see, ready }) {
      const { server } = makeServer(() => {}, PLAIN);
      // Its session keeps the address of the hop: who needs the client asks the socket.
      server.on("connection", async (socket) => {
        await ready(socket);
        see(socket.remoteAddress);
      });
      return await listen(wrap(server, { lazy: true }));
    },
    ask: (port) => ask(port, { ignoreTLS: true }),
  },
};
