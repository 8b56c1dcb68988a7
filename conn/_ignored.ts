import type { ProxyInfo } from "../codec/mod.ts";

/** Headers that came with `header: "ignore"`: what they say is told to nobody. */
export const IGNORED: WeakSet<ProxyInfo> = new WeakSet();
