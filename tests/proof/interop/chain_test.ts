/** Chains of real parts, and real senders before our server on every runtime. */

import { RUNTIMES } from "../../on/_servers.ts";
import { drive } from "./_driver.ts";
import { isMissing } from "./_system.ts";
import { chain } from "./senders/chain.ts";
import { sendTo } from "./senders/to_runtimes.ts";

Deno.test({
  name: "relay() keeps through a chain of real parts what haproxy loses",
  ignore: isMissing(...chain.programs),
  fn: (t) => drive(chain, (name, work) => t.step(name, work)),
});

for (const runtime of Object.keys(RUNTIMES)) {
  Deno.test({
    name: `our server on ${runtime} sees the client behind haproxy and nginx`,
    ignore: isMissing("haproxy", "nginx"),
    fn: (t) => sendTo(runtime, (name, work) => t.step(name, work)),
  });
}
