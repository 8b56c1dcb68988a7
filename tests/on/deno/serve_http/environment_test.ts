/** What the environment says: where to listen, whom to believe, what is permitted. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { freePort } from "../../../_ports.ts";
import { run } from "./_program.ts";

/** Serves one request of a client, and prints where and what. */
const PROGRAM = `
import { Client, serve, withInner } from "KIT";
try {
  const { opened: server, servers } = withInner(() =>
    serve((_, { remoteAddr }) => new Response(remoteAddr.hostname), OPTIONS)
  );
  server.finished.catch(() => {});
  console.log("addr", JSON.stringify(server.addr), servers.length);
  const { addr } = server;
  const client = "path" in addr
    ? new Client(await Deno.connect({ transport: "unix", path: addr.path }))
    : await Client.dial({ addr });
  if ("path" in addr) await client.send(HEADER);
  console.log("body", (await client.ask("/", { headers: EXTRA })).body);
  client.conn.close();
  await server.shutdown();
  console.log("later", Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response()).addr.port !== addr.port);
  Deno.exit();
} catch (error) {
  console.log(error.name, error.message);
  Deno.exit(1);
}
`;

/** The program, with options of the server and headers of the request. */
function program(options = "", extra = ""): string {
  return `import { HEADER } from "KIT";\n` +
    PROGRAM.replace("OPTIONS", `{ ${options} }`)
      .replace("EXTRA", JSON.stringify(extra));
}

Deno.test("DENO_SERVE_ADDRESS moves the public listener, and nothing else", async () => {
  const port = freePort();
  const folder = await Deno.makeTempDir();
  const trust = `proxy: { trust: "any" }`;
  const path = `${folder}/socket`;
  const addresses = {
    [`tcp:127.0.0.1:${port}`]: `"port":${port}`,
    [`unix:${path}`]: `"path":${JSON.stringify(path)}`,
  };
  for (const [value, shown] of Object.entries(addresses)) {
    const env = { DENO_SERVE_ADDRESS: value };
    const { code, stdout, stderr } = await run(program(trust), ["-A"], env);
    assertEquals(code, 0, stdout + stderr);
    assertStringIncludes(stdout, shown);
    assertStringIncludes(stdout, "body 192.0.2.7");
    assertStringIncludes(stdout, "later true");
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("DENO_SERVE_ADDRESS that has moved another server moves none here", async () => {
  const port = freePort();
  const { code, stdout, stderr } = await run(
    `const first = Deno.serve(() => new Response("first"));
     console.log("first", first.addr.port);
     const { serve } = await import("KIT");
     const server = serve(() => new Response("second"));
     console.log("second", server.addr.port !== first.addr.port);
     await server.shutdown();
     await first.shutdown();`,
    ["-A"],
    { DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` },
  );
  assertEquals(code, 0, stderr);
  assertEquals(stdout, `first ${port}\nsecond true\n`);
});

Deno.test("DENO_SERVE_ADDRESS that is not supported, or not to be read, is an error", async () => {
  const port = freePort();
  const cases: [value: string, options: string[], text: string][] = [
    [
      "vsock:1:5000",
      ["-A", "--unstable-vsock"],
      "Cannot serve on DENO_SERVE_ADDRESS",
    ],
    [
      `duplicate,tcp:127.0.0.1:${port}`,
      ["-A"],
      "Cannot serve on DENO_SERVE_ADDRESS",
    ],
    [
      `tcp:127.0.0.1:${port}`,
      ["--allow-net", "--allow-read"],
      "allow it with --allow-env=DENO_SERVE_ADDRESS",
    ],
    ["tcp:192.0.2.1:80", ["-A"], "AddrNotAvailable"],
  ];
  for (const [value, options, text] of cases) {
    const { code, stdout } = await run(program(), options, {
      DENO_SERVE_ADDRESS: value,
    });
    assertEquals(code, 1, stdout);
    assertStringIncludes(stdout, text);
  }
});

Deno.test("serveHttp() needs no permission to read the environment", async () => {
  const { code, stdout, stderr } = await run(program(), [
    "--allow-net",
    "--allow-read",
  ]);
  assertEquals(code, 0, stdout + stderr);
  assertStringIncludes(stdout, "body 192.0.2.7");
});

Deno.test("serveHttp() names the permission that it lacks", async () => {
  for (const net of ["127.0.0.1:0", "localhost"]) {
    const { stdout } = await run(program(), [
      `--allow-net=${net}`,
      "--allow-read",
    ]);
    assertStringIncludes(stdout, "NotCapable");
    assertStringIncludes(stdout, "add 127.0.0.1 to --allow-net");
  }
  const { code } = await run(program(), [
    "--allow-net=127.0.0.1",
    "--allow-read",
  ]);
  assertEquals(code, 0);
});

/** Serves a client that names another address in a header of its request. */
const NAMED = "X-Deno-Client-Address: 203.0.113.9:9\r\n";

Deno.test("serveHttp() serves nobody where clients may name their own address", async () => {
  const env = { DENO_TRUST_PROXY_HEADERS: "1" };
  const { code, stdout } = await run(program("", NAMED), ["-A"], env);
  assertEquals(code, 1, stdout);
  assert(!stdout.includes("body"), stdout);
  // Unheard, the error ends the process.
  for (const options of [["-A"], ["--allow-net", "--allow-read"]]) {
    const { code, stderr } = await run(
      `import { serve } from "KIT"; serve(() => new Response());`,
      options,
      env,
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, "DENO_TRUST_PROXY_HEADERS=1");
  }
});

Deno.test("serveHttp() passes x-deno-client-address on as any other header", async () => {
  const { code, stdout } = await run(program("", NAMED));
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "body 192.0.2.7");
});
