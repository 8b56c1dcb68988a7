/** `ftp-srv`: it speaks first, and data come by connections of their own. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Client } from "basic-ftp";
import {
  connectForPassiveTransfer,
  parsePasvResponse,
} from "basic-ftp/dist/transfer.js";
import FtpServer from "ftp-srv";
import Passive from "ftp-srv/src/connector/passive.js";
import { CA, KEY_PAIR, listen, pattern } from "./_kit.js";

const CONTENT = pattern(300_000);

const SILENT = Object.fromEntries(
  ["trace", "debug", "info", "warn", "error", "child"].map((name) => [
    name,
    () => SILENT,
  ]),
);

/**
 * Servers of data are made for each transfer, and let in only the address of
 * the client: behind a balancer they need a header as well.
 */
const wraps = new WeakMap();
const { setupServer, waitForConnection } = Passive.prototype;
Passive.prototype.setupServer = async function () {
  return wraps.get(this.server)(await setupServer.call(this));
};

/**
 * Its 5 s are too few where all applications run at once. With TLS they stay: an
 * attempt that fails is made again.
 */
Passive.prototype.waitForConnection = function () {
  const isLong = !this.connection.secure;
  return waitForConnection.call(this, isLong ? { timeout: 60_000 } : {});
};

async function serve({ wrap, see }, options) {
  const ftp = new FtpServer({
    url: "ftp://127.0.0.1:0",
    pasv_url: "127.0.0.1",
    anonymous: true,
    log: SILENT,
    ...options,
  });
  // It tries ports one after the other, each closed again before it is used:
  // two servers that begin at once take the same.
  ftp.getNextPasvPort = () => Promise.resolve(0);
  wraps.set(ftp, wrap);
  const root = mkdtempSync(join(tmpdir(), "ftp-"));
  process.on("exit", () => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "file"), CONTENT);
  ftp.on("login", ({ connection }, resolve) => {
    see(connection.ip);
    resolve({ root });
  });
  return await listen(wrap(ftp.server));
}

/** Gets a file; its data come by way of the balancer as well. */
async function ask(port, { balance }, options) {
  const client = new Client(60_000);
  client.prepareTransfer = async (ftp) => {
    const answer = await ftp.request("PASV");
    const port = await balance(parsePasvResponse(answer.message).port);
    await connectForPassiveTransfer("127.0.0.1", port, ftp);
    return answer;
  };
  try {
    await client.access({ host: "127.0.0.1", port, ...options });
    const target = new PassThrough();
    const [content] = await Promise.all([
      buffer(target),
      client.downloadTo(target, "file"),
    ]);
    assert.equal(content.compare(CONTENT), 0);
  } finally {
    client.close();
  }
}

/** @type {Record<string, import("./_kit.js").Case>} */
export const cases = {
  "ftp-srv": { isGreeting: true, serve, ask },
  "ftp-srv with AUTH TLS": {
    isGreeting: true,
    // It answers, then begins TLS: a ClientHello that comes in between is a
    // command to it, which is every third.
    attempts: 30,
    serve: (stage) => serve(stage, { tls: KEY_PAIR }),
    ask: (port, stage) => ask(port, stage, { secure: true, secureOptions: CA }),
  },
};
