import { assert, assertEquals } from "@std/assert";
import { bufferAfter, sizeAfter } from "../../conn/_buffer_size.ts";

Deno.test("sizeAfter() grows after a read that has filled a buffer, to 64 KiB", () => {
  assertEquals(sizeAfter(256, 255), 256);
  assertEquals(sizeAfter(256, 256), 4096);
  assertEquals(sizeAfter(4096, 4096), 65536);
  assertEquals(sizeAfter(65536, 65536), 65536);
  assertEquals(sizeAfter(40000, 40000), 65536);
});

Deno.test("bufferAfter() keeps a buffer that was not filled", () => {
  const buffer = new Uint8Array(256);
  assert(bufferAfter(buffer, 255) === buffer);
  assertEquals(bufferAfter(buffer, 256).length, 4096);
  const largest = new Uint8Array(65536);
  assert(bufferAfter(largest, 65536) === largest);
});
