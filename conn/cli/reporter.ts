/** What is printed of connections. */

import { formatAddress } from "../../codec/mod.ts";
import { type Ended, LOG_FORMS, type LogForm } from "./conn_log.ts";
import { boundedWarn, type CliIo } from "./io.ts";
import { lineQueue } from "./line_queue.ts";
import { refusalText } from "./seen.ts";
import type { Reporter } from "./services.ts";
import { count } from "./show.ts";

/** Warns of rejections and failures, and says nothing of other connections. */
export function failuresReporter(io: CliIo): Reporter {
  const say = boundedWarn(io);
  return {
    say,
    rejected: (error) =>
      void say(
        `Refused ${error.hop ? formatAddress(error.hop) : "a connection"} ${
          refusalText(error)
        }`,
      ),
    async ended({ client, hop, target, ended, reason }) {
      if (ended === "limit") await say(`Closed ${hop} (limit): ${reason}`);
      if (ended !== "grace" && ended !== "failed") return;
      const why = ended === "grace" ? "closed at the end of --grace" : reason;
      await say(`Cannot relay ${client} to ${target}: ${why}`);
    },
  };
}

/** Logs every connection by `write`; all else is a warning. */
export function logReporter(
  io: CliIo,
  form: LogForm,
  write: (text: string) => Promise<void>,
): Reporter {
  const say = boundedWarn(io);
  const queue = lineQueue(
    (text) => write(text).catch(() => {}), // the reader has ended: relaying continues
    (missing) =>
      void say(`${count(missing, "line")} of the log left out: nobody read it`),
  );
  const log = (ended: Ended) => queue(LOG_FORMS[form](ended));
  return {
    say,
    rejected: (error, target) =>
      void log({
        time: new Date().toISOString(),
        hop: error.hop ? formatAddress(error.hop) : "-",
        target,
        sent: 0,
        received: 0,
        duration: 0,
        ended: "rejected",
        code: error.code,
        reason: refusalText(error),
      }),
    ended: log,
  };
}
