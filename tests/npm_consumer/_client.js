/** What the consumers share: a header over a real socket, and the answer to it. */

import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";

/** Nobody could end a program that npx has started: it ends itself. */
setTimeout(() => process.exit(1), 60_000).unref();

/** 192.0.2.7:51234 to 198.51.100.9:8443. */
export const HEADER = "PROXY TCP4 192.0.2.7 198.51.100.9 51234 8443\r\n";

/** Sends a text behind a header; all that comes back. */
export async function ask(port, text) {
  const socket = connect(port, "127.0.0.1").end(HEADER + text);
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk) => answer += chunk);
  await once(socket, "close");
  return answer;
}

/** Asks a server of HTTP that listens on a free port; its answer. Closes it. */
export async function askHttp(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const answer = await ask(
    server.address().port,
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
  );
  server.close();
  return answer;
}
