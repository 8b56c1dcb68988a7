/** `@grpc/grpc-js`, which is given connections by an injector. */

import assert from "node:assert/strict";
import grpc from "@grpc/grpc-js";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { called, KEY_PAIR, listen } from "./_kit.js";

const plain = { serialize: (text) => Buffer.from(text), deserialize: String };

/** A service without a file of protobuf. */
const SERVICE = {
  Shout: {
    path: "/Test/Shout",
    requestStream: false,
    responseStream: false,
    requestSerialize: plain.serialize,
    requestDeserialize: plain.deserialize,
    responseSerialize: plain.serialize,
    responseDeserialize: plain.deserialize,
  },
};

const INSECURE = grpc.ServerCredentials.createInsecure();
/** With few authorities: see `faults.js` for what Deno makes of those of the package. */
const SECURE = () =>
  grpc.ServerCredentials.createSsl(KEY_PAIR.cert, [{
    private_key: KEY_PAIR.key,
    cert_chain: KEY_PAIR.cert,
  }]);

/** What takes connections. */
function injector(credentials, see) {
  const server = new grpc.Server();
  server.addService(SERVICE, {
    Shout(call, callback) {
      see(call.getPeer().replace(/:\d+$/, ""));
      callback(null, call.request.toUpperCase());
    },
  });
  return server.createConnectionInjector(credentials);
}

async function ask(port, credentials) {
  const client = new grpc.Client(`127.0.0.1:${port}`, credentials, {
    "grpc.ssl_target_name_override": "localhost",
    "grpc.enable_retries": 0,
  });
  try {
    const answer = await called((callback) =>
      client.makeUnaryRequest(
        ...["/Test/Shout", plain.serialize, plain.deserialize, "who"],
        { deadline: Date.now() + 60_000 },
        callback,
      )
    );
    assert.equal(answer, "WHO");
  } finally {
    client.close();
  }
}

const askInsecure = (port) => ask(port, grpc.credentials.createInsecure());
const askSecure = (port) =>
  ask(port, grpc.credentials.createSsl(KEY_PAIR.cert));

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "grpc-js": {
    async serve({ wrap, see }) {
      const grpc = injector(INSECURE, see);
      const server = createServer((socket) => grpc.injectConnection(socket));
      return await listen(wrap(server));
    },
    ask: askInsecure,
  },
  "grpc-js, TLS by its injector": {
    async serve({ wrap, see }) {
      const grpc = injector(SECURE(), see);
      const server = createServer((socket) => grpc.injectConnection(socket));
      return await listen(wrap(server));
    },
    ask: askSecure,
  },
  "grpc-js behind a server of TLS": {
    async serve({ wrap, see }) {
      const grpc = injector(INSECURE, see);
      const options = { ...KEY_PAIR, ALPNProtocols: ["h2"] };
      const server = createTlsServer(
        options,
        (socket) => grpc.injectConnection(socket),
      );
      return await listen(wrap(server));
    },
    ask: askSecure,
  },
};
