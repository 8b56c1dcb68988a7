/** The Worker under test; bundled with mod.ts into one module for workerd. */

import {
  accept,
  type AcceptOptions,
  type ByteDuplex,
  type ProxiedConn,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../../mod.ts";
import { decideAll } from "../../conn/_trust_cases.ts";
import { askedOptions } from "../_asked.ts";
import { seeConn } from "../_seen.ts";
import { toRejected, type Watched, withFarewell } from "../_service.ts";
import { answer } from "../_verdict.ts";

/** A `Socket` of workerd, as far as it is used. */
interface Socket extends ByteDuplex {
  startTls(): Socket;
}

/** Bindings of the service: what it does, and how it accepts. */
interface Env {
  role: "echo" | "describe" | "tell" | "trust" | "startTls";
  options: AcceptOptions;
  name: string;
  watched: Watched | null;
  /** Answers for who watches. */
  control: { fetch(url: string): Promise<Response> };
}

/** Tells what happens of a service that is watched, and does what it is told. */
class Watch {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  note(fact: object): void {
    if (this.#env.watched === null) return;
    console.log(JSON.stringify({ service: this.#env.name, ...fact }));
  }

  /** Waits for what the one who watches says. */
  async #ask(question: string): Promise<string> {
    const { control, name } = this.#env;
    const url = `http://control/${encodeURIComponent(name)}/${question}`;
    return await (await control.fetch(url)).text();
  }

  async options(): Promise<AcceptOptions> {
    const { options, watched } = this.#env;
    const { verify, asked, hasSignal } = watched ?? {};
    return {
      ...options,
      ...askedOptions(asked),
      ...(hasSignal && { signal: await this.#signal() }),
      ...(verify && {
        verify: (_info: ProxyInfo, conn: ProxiedConn) => {
          this.note({ verified: seeConn(conn) });
          return verify === "later"
            ? this.#ask("verdict").then(answer)
            : answer(verify);
        },
      }),
    };
  }

  async #signal(): Promise<AbortSignal> {
    const firing = new AbortController();
    if (await this.#ask("has-fired") === "true") firing.abort();
    // Nobody hears it when the connection is through.
    else this.#ask("firing").then(() => firing.abort(), () => {});
    return firing.signal;
  }
}

async function tell(conn: ProxiedConn, { watched }: Env): Promise<void> {
  const { remoteAddr } = conn;
  const told = "path" in remoteAddr
    ? { hostname: null, port: null }
    : { hostname: remoteAddr.hostname, port: remoteAddr.port };
  await conn.write(new TextEncoder().encode(JSON.stringify(told) + "\n"));
  const payload = watched === null ? conn : conn.pipeThrough(withFarewell());
  await payload.pipeTo(conn.writable);
}

export default {
  async connect(socket: Socket, env: Env): Promise<void> {
    const { role } = env;
    const watch = new Watch(env);
    try {
      const options = await watch.options();
      watch.note({ arrived: true });
      const { info, conn } = await accept(socket, options);
      if (role === "echo") {
        await conn.pipeTo(conn.writable);
      } else if (role === "tell") {
        watch.note({ served: seeConn(conn) });
        await tell(conn, env);
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
      if (env.watched !== null) {
        return watch.note({ rejected: toRejected(error) });
      }
      const refusal = error instanceof ProxyProtocolError
        ? { code: error.code, hop: error.hop }
        : { error: String(error) };
      console.log(JSON.stringify(refusal));
    }
  },
};
