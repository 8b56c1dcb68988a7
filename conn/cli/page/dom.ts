/** What the page needs of the document. Text of peers is only ever text. */

/** Returns the element of an id, of the class that it is known to have. */
export function byId<T extends HTMLElement>(
  id: string,
  kind: new () => T,
): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${id}`);
}

/** Makes an element with text, which is never read as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  text: string,
  className = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== "") made.className = className;
  return made;
}

/** Makes a row of a table. */
export function row(...cells: readonly string[]): HTMLTableRowElement {
  const made = document.createElement("tr");
  made.append(...cells.map((cell) => element("td", cell)));
  return made;
}

/** Lets the arrow keys go from row to row; the others are left to the browser. */
export function goByArrows(rows: HTMLElement): void {
  rows.addEventListener("keydown", (event) => {
    const at = document.activeElement;
    if (!(at instanceof HTMLElement) || at.parentElement !== rows) return;
    const next = event.key === "ArrowDown"
      ? at.nextElementSibling
      : event.key === "ArrowUp"
      ? at.previousElementSibling
      : null;
    if (!(next instanceof HTMLElement)) return;
    event.preventDefault();
    next.focus();
  });
}
