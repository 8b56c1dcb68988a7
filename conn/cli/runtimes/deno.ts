import { toAddress } from "../../_ends.ts";
import { accept } from "../../accept.ts";
import { proxied } from "../../proxied.ts";
import { relay } from "../../relay.ts";
import type { Runtime } from "../runtime.ts";

/** Deno, by its own listeners: `node:net` never accepts again after it had no descriptors left. */
export const DENO: Runtime = {
  listen(where) {
    const listener = Deno.listen(where);
    return Promise.resolve({
      addr: toAddress(listener.addr),
      async accept() {
        const tcp = await listener.accept();
        return {
          hop: toAddress(tcp.remoteAddr),
          receive: (options) => accept(tcp, options),
        };
      },
      close: () => listener.close(),
    });
  },
  serve(where, options, handle) {
    const listener = proxied(Deno.listen(where), options);
    (async () => {
      for await (const conn of listener) {
        handle({
          info: conn.info,
          hop: conn.hopAddr,
          relay: (to, options) => relay(conn, () => Deno.connect(to), options),
        });
      }
    })();
    return Promise.resolve({
      addr: toAddress(listener.addr),
      stats: listener.stats,
      close: () => listener.close(),
    });
  },
};
