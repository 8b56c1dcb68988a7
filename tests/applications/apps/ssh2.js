/** `ssh2`: both sides speak first. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import ssh2 from "ssh2";
import { called, listen, pattern } from "./_kit.js";

const { privateKey: hostKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "pkcs1", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "ssh2": {
    isGreeting: true,
    async serve({ wrap, see }) {
      const ssh = new ssh2.Server({ hostKeys: [hostKey] });
      ssh.on("connection", (client, { ip }) => {
        see(ip);
        client.on("error", () => {});
        client.on("authentication", (context) => context.accept());
        client.on("session", (accept) => {
          accept().on("exec", (accept) => {
            const stream = accept();
            stream.on("data", (data) => stream.write(data));
            stream.on("end", () => {
              stream.exit(0);
              stream.end();
            });
          });
        });
      });
      // Its own server is out of reach.
      const server = createServer((socket) => ssh.injectSocket(socket));
      return await listen(wrap(server));
    },
    async ask(port) {
      const client = new ssh2.Client();
      try {
        const ready = once(client, "ready");
        client.connect({
          host: "127.0.0.1",
          port,
          username: "a",
          readyTimeout: 60_000,
          password: "b",
        });
        await ready;
        const stream = await called((done) => client.exec("echo", done));
        const chunks = [];
        stream.on("data", (chunk) => chunks.push(chunk));
        stream.end(pattern(300_000));
        await once(stream, "close");
        assert.equal(Buffer.concat(chunks).compare(pattern(300_000)), 0);
      } finally {
        client.end();
      }
    },
  },
};
