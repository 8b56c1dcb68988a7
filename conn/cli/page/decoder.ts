/** The part of the page that shows a header byte by byte. */

import type { DecodeOptions } from "../../../codec/mod.ts";
import { anatomy, type Field } from "../anatomy.ts";
import { UsageError } from "../usage_error.ts";
import { readTyped } from "../input_bytes.ts";
import { kindOf } from "../../../codec/internal.ts";
import { examine } from "../report.ts";
import { count, printable, showStart } from "../show.ts";
import { sectionTitle } from "./sections.ts";
import { byId, element, goByArrows, row } from "./dom.ts";

/** Bytes in a line. */
const LINE_LENGTH = 16;

/** Most bytes that are drawn. More payload after a header is not useful. */
const MOST_DRAWN = 8192;

/** Distance of colours in degrees, so that neighbours never look alike. */
const HUE_STEP = 137;

/** Shows bytes; `options` are those by which they were received. */
export interface Decoder {
  show(bytes: Uint8Array, options?: DecodeOptions): void;
}

/** Starts to decode what is typed. */
export function startDecoder(): Decoder {
  const input = byId("input", HTMLTextAreaElement);
  const verdict = byId("verdict", HTMLElement);
  const fieldTable = byId("fields", HTMLTableElement);
  const fieldRows = byId("field-rows", HTMLElement);
  const grid = byId("bytes", HTMLElement);

  const show = (bytes: Uint8Array, options: DecodeOptions = {}) => {
    const outcome = examine(bytes, options);
    const fields = outcome.kind === "header" ? anatomy(outcome.info) : [];
    verdict.className = outcome.kind === "refused" ? "wrong" : "";
    switch (outcome.kind) {
      case "header": {
        const { version, raw } = outcome.info;
        const after = bytes.subarray(raw.length);
        verdict.textContent = printable(
          `PROXY v${version} header, ${kindOf(outcome.info)}, ${
            count(raw.length, "byte")
          }; ${count(after.length, "byte")} after it${
            after.length === 0 ? "" : `: ${showStart(after)}`
          }`,
        );
        break;
      }
      case "incomplete":
        verdict.textContent = `Incomplete: ${
          count(bytes.length, "byte")
        }, at least ${outcome.needed} more needed`;
        break;
      case "refused":
        verdict.textContent = printable(
          `Rejected (${outcome.error.code}): ${outcome.error.message}`,
        );
    }
    const wrongAt = outcome.kind === "refused" ? outcome.error.offset : -1;
    drawBytes(grid, bytes.subarray(0, MOST_DRAWN), fields, wrongAt);
    fieldTable.hidden = fields.length === 0;
    fieldRows.replaceChildren(...fields.map(fieldRow));
  };

  const light = (field: string | undefined) => {
    for (const lit of document.querySelectorAll(".lit")) {
      lit.classList.remove("lit");
    }
    if (field === undefined) return;
    for (const part of document.querySelectorAll(`[data-field="${field}"]`)) {
      part.classList.add("lit");
    }
  };
  const fieldOf = (target: EventTarget | null) =>
    target instanceof HTMLElement
      ? target.closest<HTMLElement>("[data-field]")?.dataset["field"]
      : undefined;
  fieldRows.addEventListener("focusin", ({ target }) => light(fieldOf(target)));
  // Not `pointerover`, which also fires for rows that scroll below the pointer.
  document.addEventListener(
    "pointermove",
    ({ target }) => light(fieldOf(target) ?? fieldOf(document.activeElement)),
  );
  goByArrows(fieldRows);

  input.addEventListener("input", () => {
    try {
      show(
        input.value.trim() === ""
          ? new Uint8Array()
          : readTyped(input.value, "either"),
      );
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      show(new Uint8Array());
      verdict.className = "wrong";
      verdict.textContent = printable(error.message);
    }
    if (input.value.trim() === "") verdict.textContent = "";
  });
  return {
    show(bytes, options) {
      input.value = bytes.toHex();
      show(bytes, options);
    },
  };
}

function fieldRow(field: Field, index: number): HTMLTableRowElement {
  const { offset, groups, name, meaning, section, isNested } = field;
  const made = row(
    `${offset}`,
    printable(isNested ? `  ${name}` : name),
    printable(meaning),
    groups.map((group) => group.toHex()).join(" "),
    `${section} ${sectionTitle(section)}`,
  );
  made.tabIndex = 0;
  made.dataset["field"] = `${index}`;
  return made;
}

/** Draws lines with an offset, bytes in the colours of their fields, and text. */
function drawBytes(
  grid: HTMLElement,
  bytes: Uint8Array,
  fields: readonly Field[],
  wrongAt: number,
): void {
  const fieldOf = (at: number) =>
    fields.findLastIndex(({ offset, groups }) =>
      offset <= at &&
      at < offset + groups.reduce((sum, group) => sum + group.length, 0)
    );
  const lines: Node[] = [];
  for (let start = 0; start < bytes.length; start += LINE_LENGTH) {
    const line = bytes.subarray(start, start + LINE_LENGTH);
    lines.push(
      element("span", `${start.toString(16).padStart(4, "0")}  `, "at"),
    );
    line.forEach((byte, i) => {
      const made = element("b", byte.toString(16).padStart(2, "0"));
      const field = fieldOf(start + i);
      if (field >= 0) {
        made.dataset["field"] = `${field}`;
        made.style.setProperty(
          "background",
          `hsl(${field * HUE_STEP % 360} 60% var(--light))`,
        );
      }
      if (start + i === wrongAt) made.className = "wrong";
      lines.push(made);
    });
    for (let i = line.length; i < LINE_LENGTH; i++) {
      lines.push(element("i", "  ")); // so that text is below text
    }
    const text = Array.from(
      line,
      (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
    ).join("");
    lines.push(document.createTextNode(`  ${text}\n`));
  }
  grid.replaceChildren(...lines);
}
