/** @module */

import { asking } from "./_client.ts";
import { NO_CHECKSUM } from "./_differences.ts";
import { beside, PYTHON, versionOf } from "./_programs.ts";
import { FIELDS, type Receiver } from "./_receiver.ts";
import { startPlan } from "./_start.ts";

/** aiosmtpd: the answer to EHLO, which has all that it decoded. */
export const receiver: Receiver = {
  name: "aiosmtpd",
  isCheap: true,
  needsRoot: false,
  packages: ["python3-aiosmtpd"],
  programs: [PYTHON, "aiosmtpd"],
  tells: FIELDS,
  differs: NO_CHECKSUM,
  version: () => versionOf("aiosmtpd", "--version"),
  start: () =>
    startPlan({
      configure: ({ port }) =>
        Promise.resolve({
          program: PYTHON,
          args: [beside("_aiosmtpd.py"), String(port)],
        }),
      ask: asking("EHLO client\r\nQUIT\r\n"),
    }),
};
