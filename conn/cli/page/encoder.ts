/** The part of the page that makes a header. */

import {
  encode,
  encodeTlvs,
  type ProxyHeader,
  type RawTlv,
  readTlvs,
} from "../../../codec/mod.ts";
import { namedTlvs, readAddress, readTlv } from "../header_text.ts";
import { printable } from "../show.ts";
import { UsageError } from "../usage_error.ts";
import { toCode } from "./code.ts";
import type { Decoder } from "./decoder.ts";
import { byId } from "./dom.ts";

/** Starts to encode what is chosen. */
export function startEncoder(decoder: Decoder): void {
  const form = byId("encoder", HTMLFormElement);
  const verdict = byId("encoder-verdict", HTMLElement);
  const output = byId("encoded", HTMLOutputElement);
  let bytes = new Uint8Array();

  const show = () => {
    verdict.textContent = "";
    verdict.className = "";
    try {
      bytes = encode(header(), {
        checksum: byId("checksum", HTMLInputElement).checked,
      });
      output.value = toCode(bytes, chosen("form"));
    } catch (error) {
      if (!isObjection(error)) throw error;
      bytes = new Uint8Array();
      output.value = "";
      verdict.className = "wrong";
      verdict.textContent = printable(error.message);
    }
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("copy", HTMLButtonElement).addEventListener("click", async () => {
    await navigator.clipboard.writeText(output.value);
    verdict.textContent = "Copied";
  });
  byId("to-decoder", HTMLButtonElement).addEventListener("click", () => {
    decoder.show(bytes);
    byId("input", HTMLTextAreaElement).focus();
  });
  show();
}

function chosen(id: string): string {
  return byId(id, HTMLSelectElement).value;
}

function typed(id: string): string {
  return byId(id, HTMLInputElement).value.trim();
}

/** Whether somebody has typed what cannot be written. */
function isObjection(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof TypeError ||
    error instanceof RangeError;
}

function header(): ProxyHeader {
  const version = chosen("version") === "1" ? 1 : 2;
  const tlvs = readTlvLines(byId("tlvs", HTMLTextAreaElement).value);
  const common = { version, ...(version === 2 && { tlvs }) } as const;
  switch (chosen("kind")) {
    case "LOCAL":
      return { ...common, command: "LOCAL" };
    case "UNKNOWN":
      return {
        ...common,
        command: "PROXY",
        family: "UNSPEC",
        transport: "UNSPEC",
      };
  }
  const transport = chosen("transport") === "dgram" ? "dgram" : "stream";
  return {
    ...common,
    source: readAddress("client", typed("source"), transport),
    destination: readAddress("destination", typed("destination"), transport),
  };
}

/** Lines of `NAME=TEXT`, `NAME=0xHEX` or `xEA=0xHEX`. */
function readTlvLines(text: string): RawTlv[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const isRaw = (line: string) => /^x[\dA-F]{2}=/.test(line);
  const named = lines.filter((line) => !isRaw(line)).map((line) => {
    const equals = line.indexOf("=");
    const name = line.slice(0, Math.max(0, equals)).trim();
    return { name, option: `TLV ${name}`, value: line.slice(equals + 1) };
  });
  return [
    ...readTlvs(encodeTlvs(namedTlvs(named))),
    ...lines.filter(isRaw).map(readTlv),
  ];
}
