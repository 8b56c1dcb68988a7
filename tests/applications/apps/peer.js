/** PeerServer: it listens in its constructor, before anybody can wrap its server. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { PeerServer } from "peer";
import { WebSocket } from "ws";

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "PeerServer": {
    async serve({ wrap, see }) {
      const { promise, resolve } = Promise.withResolvers();
      const peers = PeerServer({ host: "127.0.0.1", port: 0 }, (server) => {
        resolve(wrap(server));
      });
      peers.on("connection", (client) => {
        see(client.getSocket()._socket.remoteAddress);
      });
      return (await promise).address().port;
    },
    /** Asks for an identity, then joins with it. */
    async ask(port) {
      const response = await fetch(`http://127.0.0.1:${port}/peerjs/id`);
      const id = await response.text();
      const query = `key=peerjs&id=${id}&token=t&version=1`;
      const socket = new WebSocket(`ws://127.0.0.1:${port}/peerjs?${query}`);
      const [message] = await once(socket, "message");
      assert.equal(JSON.parse(message).type, "OPEN");
      socket.close();
    },
  },
};
