/** The Worker under test; bundled with mod.ts into one module for workerd. */

import {
  accept,
  type AcceptOptions,
  type ByteDuplex,
  ProxyProtocolError,
} from "../../../mod.ts";
import { decideAll } from "../../conn/_trust_cases.ts";

/** A `Socket` of workerd, as far as it is used. */
interface Socket extends ByteDuplex {
  startTls(): Socket;
}

/** Bindings of the service: what it does, and how it accepts. */
interface Env {
  role: "echo" | "describe" | "tell" | "trust" | "startTls";
  options: AcceptOptions;
}

export default {
  async connect(socket: Socket, { role, options }: Env): Promise<void> {
    try {
      const { info, conn } = await accept(socket, options);
      if (role === "echo") {
        await conn.pipeTo(conn.writable);
      } else if (role === "tell") {
        const { remoteAddr } = conn;
        const told = "path" in remoteAddr
          ? { hostname: null, port: null }
          : { hostname: remoteAddr.hostname, port: remoteAddr.port };
        await conn.write(new TextEncoder().encode(JSON.stringify(told) + "\n"));
        await conn.pipeTo(conn.writable);
      } else if (role === "trust") {
        await conn.write(new TextEncoder().encode(decideAll()));
        conn.close();
      } else if (role === "describe") {
        const { hopAddr, remoteAddr, localAddr } = conn;
        const version = info?.version;
        const facts = { version, hopAddr, remoteAddr, localAddr };
        await conn.write(new TextEncoder().encode(JSON.stringify(facts)));
        conn.close();
      } else {
        const tls = conn.raw.startTls();
        await tls.readable.pipeTo(tls.writable);
      }
    } catch (error) {
      const refusal = error instanceof ProxyProtocolError
        ? { code: error.code, hop: error.hop }
        : { error: String(error) };
      console.log(JSON.stringify(refusal));
    }
  },
};
