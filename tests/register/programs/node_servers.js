/** A server of each module of Node. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import process from "node:process";
import tls from "node:tls";
import { show } from "./_clients.js";

const KEYS = { key: readFileSync("key.pem"), cert: readFileSync("cert.pem") };
const answer = ({ socket }, response) => response.end(socket.remoteAddress);
const greet = (socket) => {
  socket.on("error", () => {});
  socket.end(socket.remoteAddress);
};

const SERVERS = {
  net: net.createServer(greet),
  http: http.createServer(answer),
  https: https.createServer(KEYS, answer),
  tls: tls.createServer(KEYS, greet),
  http2: http2.createSecureServer({ ...KEYS, allowHTTP1: true }, answer),
};

for (const [name, server] of Object.entries(SERVERS)) {
  server.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const isTls = !["net", "http"].includes(name);
  await show(name, server.address(), { tls: isTls });
  server.close();
}

// Of HTTP/2 without TLS: the session shows its client.
const plain = http2.createServer().listen(0, "127.0.0.1");
await once(plain, "listening");
plain.on("session", ({ socket }) => {
  console.log("http2 without TLS:", socket.remoteAddress);
  process.exit();
});
const client = net.connect(plain.address());
client.write("PROXY TCP4 192.0.2.7 198.51.100.9 51234 443\r\n");
client.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
