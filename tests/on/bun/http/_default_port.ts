/** Prints the port that `Bun.serve` chooses without one, and that of `serveHttp`. */

import { serveHttp } from "../../../../conn/bun.ts";

declare const Bun: {
  serve(options: object): { port: number; stop(all: boolean): Promise<void> };
};

const fetch = () => new Response();
const native = Bun.serve({ fetch });
const ports = [native.port];
await native.stop(true);
for (const options of [{}, { port: "" }]) {
  const ours = serveHttp({ fetch, ...options, proxy: { trust: "any" } });
  ports.push(ours.port ?? NaN);
  await ours.stop(true);
}
console.log(ports.join(" "));
