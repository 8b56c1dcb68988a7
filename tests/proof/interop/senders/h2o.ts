/** h2o: version 1 to what it is a reverse proxy of. */

import { HAS_IPV6, send } from "../../../conn/_loopback.ts";
import { utf8 } from "../../../_bytes.ts";
import { dial, throughHttpSender } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { start } from "../_system.ts";
import { Upstream } from "../_upstream.ts";

/** Dials with a header of ours, whose client has another family than the port. */
async function dialAsInet6(port: number) {
  const dialled = await dial(port);
  await send(
    dialled.conn,
    utf8("PROXY TCP6 2001:db8::1 2001:db8::2 1111 80\r\n"),
  );
  return dialled;
}

export const h2o: Driver = {
  system: "h2o",
  direction: "sender",
  programs: ["h2o"],
  version: ["h2o", "--version"],
  isInEveryRun: false,
  async run(attempt) {
    using upstream = new Upstream();
    await using running = await start(
      2,
      async ({ directory, ports: [plain = 0, behind = 0] }) => {
        const listen = (host: string, port: number, options = "") => `
listen:
  host: "${host}"
  port: ${port}
  ${options}`;
        const file = `${directory}/h2o.yaml`;
        await Deno.writeTextFile(
          file,
          `
${Deno.uid() === 0 ? "user: root" : ""}
num-threads: 1
pid-file: ${directory}/h2o.pid
${listen("127.0.0.1", plain)}
${HAS_IPV6 ? listen("::1", plain) : ""}
${listen("127.0.0.1", behind, "proxy-protocol: ON")}
hosts:
  default:
    paths:
      /:
        proxy.reverse.url: http://127.0.0.1:${upstream.port}/
        proxy.proxy-protocol: ON
        proxy.timeout.keepalive: 0
`,
        );
        return { program: "h2o", args: ["-c", file], ready: [plain, behind] };
      },
    );
    const [plain = 0, behind = 0] = running.ports;
    await attempt({
      input: "v1 TCP4",
      expected: "v1 INET STREAM, client -> dialled",
      see: () => throughHttpSender(upstream, dial(plain)),
    });
    if (HAS_IPV6) {
      await attempt({
        input: "v1 TCP6",
        expected: "v1 INET6 STREAM, client -> dialled",
        see: () => throughHttpSender(upstream, dial(plain, "::1")),
      });
    }
    await attempt({
      input: "v1 of mixed families",
      expected: "refused: address",
      see: () => throughHttpSender(upstream, dialAsInet6(behind)),
      note:
        "mixed families in a TCP6 line, which the specification forbids (`mixedTcp6` accepts them)",
    });
    await attempt({
      input: "v1 of mixed families, `mixedTcp6` on",
      expected: "v1 INET6 STREAM, [2001:db8::1]:1111 -> dialled",
      see: () =>
        throughHttpSender(upstream, dialAsInet6(behind), "/", {
          mixedTcp6: true,
        }),
    });
  },
};
