import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Worker } from "../runtime.ts";
import { cliUrl } from "./cli_url.ts";

/** Starts the command line by `node:child_process`. */
export function spawnByNode(args: readonly string[]): Worker {
  const child = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(cliUrl()), ...args],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  child.stdin.on("error", () => {}); // of one that has ended
  return {
    output: child.stdout,
    write: (text) => void child.stdin.write(text),
    end: () => void child.stdin.end(),
    kill: () => void child.kill("SIGKILL"),
    ended: new Promise((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("exit", (code, signal) => resolve(signal ?? `code ${code}`));
    }),
  };
}
