/** Headers that real systems write for us; `INTEROP=all` takes all of them. */

import { drive } from "./_driver.ts";
import { isMissing } from "./_system.ts";
import { SENDERS } from "./senders/mod.ts";

const isAll = Deno.env.get("INTEROP") === "all";

for (const sender of SENDERS) {
  if (!sender.isInEveryRun && !isAll) continue;
  Deno.test({
    name: `accept() takes what ${sender.system} sends`,
    ignore: isMissing(...sender.programs),
    fn: (t) => drive(sender, (name, work) => t.step(name, work)),
  });
}
