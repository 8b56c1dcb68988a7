import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeDatagram,
  encodeDatagram,
  ProxyProtocolError,
} from "../../mod.ts";
import { CAPTURES } from "../_captures.ts";

for (const { id, header, payload } of CAPTURES) {
  if (!id.includes("-udp-") && !id.includes("doh")) continue;
  Deno.test(`decodeDatagram() reads ${id} and its payload`, () => {
    const { info, payload: rest } = decodeDatagram(
      Uint8Array.of(...header, ...payload),
    );
    assertEquals(info.raw, header);
    assertEquals(rest, payload);
    assertEquals(
      encodeDatagram(info, payload),
      Uint8Array.of(...header, ...payload),
    );
  });
  Deno.test(`decodeDatagram() refuses ${id} that ends within its header`, () => {
    for (let length = 0; length < header.length; length++) {
      const error = assertThrows(
        () => decodeDatagram(header.subarray(0, length)),
        ProxyProtocolError,
      );
      assertEquals(error.code, length === 0 ? "empty" : "incomplete");
      assertEquals(error.offset, length);
    }
  });
}

Deno.test("decodeDatagram() gives an empty payload where there is none", () => {
  const datagram = encodeDatagram({ command: "LOCAL" }, new Uint8Array());
  assertEquals(decodeDatagram(datagram).payload, new Uint8Array());
});

Deno.test("decodeDatagram() takes the leniencies of decode()", () => {
  const line = new TextEncoder().encode("PROXY UNKNOWN\r\nx");
  assertEquals(decodeDatagram(line).payload, new TextEncoder().encode("x"));
  assertThrows(
    () => decodeDatagram(line, { versions: [2] }),
    ProxyProtocolError,
  );
});

Deno.test("decodeDatagram() and encodeDatagram() refuse options that are none", () => {
  const datagram = encodeDatagram({ command: "LOCAL" }, new Uint8Array());
  assertThrows(
    () => decodeDatagram(datagram, JSON.parse('{ "chekcsum": "ignore" }')),
    TypeError,
    'unknown option "chekcsum", did you mean "checksum"?',
  );
  assertThrows(
    () =>
      encodeDatagram(
        { command: "LOCAL" },
        datagram,
        JSON.parse('{ "checksums": true }'),
      ),
    TypeError,
    'unknown option "checksums", did you mean "checksum"?',
  );
});
