import { assertEquals } from "@std/assert";
import { objections } from "./rules.ts";
import { ofComments, ofMarkdown, ofTexts } from "./sentences.ts";

Deno.test("ofMarkdown() gives sentences, cells and items, without code", () => {
  const page = [
    "# A title",
    "",
    "One sentence. Another with `code here`, that",
    "goes over two lines!",
    "",
    "```ts",
    "const refused = 1; // no prose",
    "```",
    "- an [item](https://refused.example)",
    "",
    "| cell | two words |",
  ].join("\n");
  assertEquals(ofMarkdown(page), [
    { line: 1, text: "A title" },
    { line: 3, text: "One sentence." },
    { line: 3, text: "Another with CODE, that goes over two lines!" },
    { line: 9, text: "an item" },
    { line: 11, text: "cell" },
    { line: 11, text: "two words" },
  ]);
});

Deno.test("ofComments() reads blocks and lines, and no text that looks like one", () => {
  const code = [
    "/**",
    " * Returns a thing. See {@link Other}.",
    " *",
    " * @throws {TypeError} for a wrong thing.",
    " */",
    'const url = "https://example.com"; // why it is so',
    "// deno-fmt-ignore",
    "",
  ].join("\n");
  assertEquals(ofComments(code), [
    { line: 2, text: "Returns a thing." },
    { line: 2, text: "See Other." },
    { line: 4, text: "for a wrong thing." },
    { line: 6, text: "why it is so" },
  ]);
});

Deno.test("ofTexts() reads messages, and no names", () => {
  const code =
    'throw new Error(`Cannot read ${name}: expected "a b"`); f("ok");';
  assertEquals(ofTexts(code), [
    { line: 1, text: "Cannot read CODE: expected QUOTE" },
  ]);
});

Deno.test("ofTexts() reads no code after a text within a text", () => {
  const code = 'f(`Cannot read this one${a ? "" : `; ${b}`}`);\n' +
    "g(h => `${h}`); // no text, but code with words";
  assertEquals(ofTexts(code), [
    { line: 1, text: "Cannot read this oneCODE" },
  ]);
});

for (
  const [sentence, count] of [
    ["The listener rejects the connection.", 0],
    ["A refused connection is closed.", 1],
    ["It takes longer than a second.", 0],
    ["It takes the header off.", 1],
    ["The header is in.", 1],
    ["The header is in the buffer.", 0],
    ["It does that too.", 1],
    ["A question mark ends it.", 0],
    [`It is ${"very ".repeat(27)}long.`, 0],
    [`It is ${"very ".repeat(28)}long.`, 1],
  ] as const
) {
  Deno.test(`objections() has ${count} to "${sentence.slice(0, 40)}"`, () => {
    assertEquals(objections(sentence).length, count);
  });
}
