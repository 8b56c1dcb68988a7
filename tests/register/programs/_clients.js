/** Clients of the servers here: with a header, and without one. */

import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

const HEADER = "PROXY TCP4 192.0.2.7 198.51.100.9 51234 443\r\n";
export const REQUEST =
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/** Sends a request; resolves to what comes after the head, or "nothing". */
function ask(place, header, { tls = false, inside = false }) {
  return new Promise((resolve) => {
    let answer = "";
    const end = () => resolve(answer.split("\r\n\r\n").at(-1) || "nothing");
    const socket = connect(place);
    socket.on("error", end).on("close", end);
    if (!inside) socket.write(header);
    const conn = tls
      ? connectTls({ socket, rejectUnauthorized: false })
      : socket;
    conn.on("error", end).on("data", (chunk) => answer += chunk);
    conn.on("end", end);
    conn.write(inside ? header + REQUEST : REQUEST);
  });
}

/** Prints what a server answers a client with a header, and one without. */
export async function show(name, place, options = {}) {
  const [shown, rejected] = [
    await ask(place, HEADER, options),
    await ask(place, "", options),
  ];
  console.log(`${name}: ${shown}, without a header ${rejected}`);
}
