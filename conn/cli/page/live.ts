/** The part of the page that shows connections as they come. */

import type { DecodeOptions } from "../../../codec/mod.ts";
import { printable } from "../show.ts";
import type { Decoder } from "./decoder.ts";
import { byId, goByArrows, row } from "./dom.ts";
import type { ListenEvent, StartEvent } from "../page_events.ts";

/** Most connections that are kept. The oldest are removed. */
const MOST_KEPT = 1000;

/** Shows the connections that a stream of events reports. */
export function startLive(path: string, decoder: Decoder): void {
  const state = byId("state", HTMLElement);
  const rows = byId("connections", HTMLElement);
  const rejectedOnly = byId("rejected-only", HTMLInputElement);
  const source = new EventSource(path);
  let options: DecodeOptions = {};
  let count = 0;
  let where = "";
  const tell = (connected: boolean) =>
    state.textContent = connected
      ? `Listening on ${where}, ${count} connections`
      : "The listener has ended";

  byId("live", HTMLElement).hidden = false;
  source.addEventListener("start", ({ data }) => {
    const start: StartEvent = JSON.parse(data);
    options = start.options;
    where = start.where;
    count = 0;
    rows.replaceChildren(); // after a break all of them come again
    tell(true);
  });
  source.addEventListener("connection", ({ data }) => {
    const seen: ListenEvent = JSON.parse(data);
    count++;
    tell(true);
    rows.prepend(rowOf(seen, decoder, options));
    rows.children[MOST_KEPT]?.remove();
    filter();
  });
  source.addEventListener("error", () => tell(false));
  const filter = () => {
    for (const one of rows.children) {
      if (!(one instanceof HTMLElement)) continue;
      one.hidden = rejectedOnly.checked && !one.classList.contains("rejected");
    }
  };
  rejectedOnly.addEventListener("input", filter);
  byId("clear", HTMLButtonElement).addEventListener(
    "click",
    () => rows.replaceChildren(),
  );
  goByArrows(rows);
}

function rowOf(
  { time, hop, text, bytes, isRejected }: ListenEvent,
  decoder: Decoder,
  options: DecodeOptions,
): HTMLTableRowElement {
  const clock = new Date(time).toLocaleTimeString([], { hour12: false });
  const made = row(clock, hop, printable(text));
  made.tabIndex = 0;
  made.classList.toggle("rejected", isRejected);
  const choose = () => {
    for (const one of made.parentElement?.children ?? []) {
      one.setAttribute("aria-selected", `${one === made}`);
    }
    decoder.show(Uint8Array.fromHex(bytes), options);
  };
  made.addEventListener("click", choose);
  made.addEventListener("keydown", ({ key }) => {
    if (key === "Enter") choose();
  });
  return made;
}
