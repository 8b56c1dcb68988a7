/** The page of `listen --ui`: what happens in the browser. */

import { byId } from "./dom.ts";
import { startDecoder } from "./decoder.ts";
import { startEncoder } from "./encoder.ts";
import { startLive } from "./live.ts";

const decoder = startDecoder();
startEncoder(decoder);
const { events } = document.documentElement.dataset;
if (events === undefined) {
  byId("state", HTMLElement).textContent =
    "Everything happens in this page: nothing is sent anywhere.";
} else startLive(events, decoder);
