import type { ProxyInfo } from "../../codec/mod.ts";

/** Headers received with `header: "discard"`: nothing of them may be passed on. */
export const DISCARDED: WeakSet<ProxyInfo> = new WeakSet();
