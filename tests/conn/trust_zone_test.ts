/** Zone ids in the entries of a trust list. */

import { assertThrows } from "@std/assert";
import { readTrust } from "../../conn/admission/trust.ts";

// `10.0.0.0/1%6` was to be `/16`: half of all addresses are trusted instead.
for (
  const entry of [
    "10.0.0.0/1%6",
    "::/0%",
    "10.0.0.0/8%eth0",
    "fe80::/10%eth0",
    "10.0.0.1%",
    "10.0.0.0%/8",
  ]
) {
  Deno.test(`readTrust() takes no zone where none can be: ${entry}`, () => {
    assertThrows(() => readTrust([entry]), TypeError, "Cannot read trust[0]");
  });
}
