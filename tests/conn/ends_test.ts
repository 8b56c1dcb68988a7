import { assertEquals } from "@std/assert";
import { showEnds, toAddress, unmapped } from "../../conn/_ends.ts";

Deno.test("toAddress() reads what runtimes leave out as empty", () => {
  assertEquals(toAddress({ transport: "unix", path: null }), {
    transport: "unix",
    path: "",
  });
  assertEquals(toAddress({ transport: "tcp" }), {
    transport: "tcp",
    hostname: "",
    port: 0,
  });
  assertEquals(toAddress({ transport: "udp", hostname: "::1", port: 53 }), {
    transport: "udp",
    hostname: "::1",
    port: 53,
  });
});

Deno.test("unmapped() leaves a UNIX address as it is", () => {
  const address = { transport: "unix", path: "/run/a.sock" } as const;
  assertEquals(unmapped(address), address);
});

Deno.test("showEnds() shows no address of a UNIX socket", () => {
  const socket = { remoteAddress: "127.0.0.1", remotePort: 1 };
  const end = { transport: "unix", path: "/run/a.sock" } as const;
  showEnds(socket, { remoteAddr: end, localAddr: end });
  assertEquals([socket.remoteAddress, socket.remotePort], [
    undefined,
    undefined,
  ]);
});
