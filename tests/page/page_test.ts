/** The page of `listen --ui`, in a browser: what people see and can press. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { type Browser, launch, type Page } from "puppeteer-core";
import { encode } from "../../codec/mod.ts";
import { PAGE } from "../../conn/cli/page.ts";
import { utf8 } from "../_bytes.ts";
import { captured } from "../_captures.ts";
import { within } from "../_within.ts";
import { DENO, run, start, type Started } from "../cli/_cli.ts";
import { isMissing, start as startSystem } from "../proof/interop/_system.ts";
import { buildModule, buildPage, PAGE_MODULE } from "./build.ts";

const BROWSER = "/usr/bin/chromium-headless-shell";
const isBrowserMissing = isMissing("chromium-headless-shell");

/** A browser, and a page in it whose errors fail the test. */
async function browse(
  url: string,
  work: (page: Page, requests: string[]) => Promise<void>,
): Promise<void> {
  const browser: Browser = await launch({
    executablePath: BROWSER,
    args: ["--no-sandbox"], // which root, as CI has it, cannot use
  });
  const problems: string[] = [];
  const requests: string[] = [];
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(`${error}`));
    page.on("console", (message) => problems.push(message.text()));
    page.on("dialog", (dialog) => problems.push(dialog.message()));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(url);
    await work(page, requests);
  } finally {
    await browser.close();
  }
  assertEquals(problems, []);
}

/** `listen --ui`, where it listens and where its page is. */
async function listen(): Promise<{ cli: Started; port: string; url: string }> {
  const cli = start(DENO, ["--allow-net"], ["listen", "127.0.0.1:0", "--ui"]);
  const [, url = ""] = await cli.err(/Showing headers at (\S+)\n/);
  const [, port = ""] = await cli.err(/Listening on 127\.0\.0\.1:(\d+)\n/);
  return { cli, port, url };
}

async function send(port: string, bytes: Uint8Array): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: +port });
  await conn.write(bytes);
  await conn.closeWrite();
  await conn.read(new Uint8Array(1)).catch(() => {});
}

/** Text of all that a selector finds. */
async function texts(page: Page, selector: string): Promise<string[]> {
  return await page.$$eval(
    selector,
    (found) => found.map((one) => one.textContent ?? ""),
  );
}

async function until(page: Page, selector: string): Promise<void> {
  await within(page.waitForSelector(selector), selector);
}

Deno.test("conn/cli/page.ts is what `deno task page` builds", async () => {
  const built = await buildModule();
  const kept = await Deno.readTextFile(PAGE_MODULE);
  assert(built === kept, "run `deno task page`");
  assertEquals(PAGE, await buildPage());
});

Deno.test({
  name: "listen --ui shows what haproxy sends, byte by byte",
  ignore: isBrowserMissing || isMissing("haproxy"),
  async fn() {
    const { cli, port, url } = await listen();
    await using _ = cli;
    await using haproxy = await startSystem(1, async (places) => {
      const [front = 0] = places.ports;
      const file = `${places.directory}/haproxy.cfg`;
      await Deno.writeTextFile(
        file,
        `
defaults
  mode tcp
  timeout connect 2s
  timeout client 10s
  timeout server 10s
listen front
  bind 127.0.0.1:${front}
  server page 127.0.0.1:${port} send-proxy-v2 proxy-v2-options crc32c
`,
      );
      return {
        program: "haproxy",
        args: ["-db", "-q", "-f", file],
        ready: [front],
      };
    });
    await browse(url, async (page, requests) => {
      await until(page, "#live:not([hidden])");
      using client = await Deno.connect({
        hostname: "127.0.0.1",
        port: haproxy.ports[0] ?? 0,
      });
      const own = client.localAddr.port;
      await until(page, "#connections tr");
      // The first may be of the wait for haproxy: the newest is on top.
      await until(page, `#connections td ::-p-text(127.0.0.1:${own} ->)`);
      await page.click("#connections tr");
      await until(page, "#field-rows tr");
      const fields = await texts(page, "#field-rows tr");
      assertStringIncludes(fields.join("\n"), "source address127.0.0.1");
      assertStringIncludes(fields.join("\n"), `source port${own}`);
      assertStringIncludes(fields.join("\n"), ", right");
      const bytes = await texts(page, "#bytes b");
      assertEquals(
        bytes.slice(0, 16).join(""),
        "0d0a0d0a000d0a515549540a21110013",
      );
      assertEquals(bytes.length, 16 + 12 + 7);
      assert(requests.every((one) => one.startsWith(url) || one === "data:,"));
    });
  },
});

Deno.test({
  name: "listen --ui shows rejected peers, and hostile text as text",
  ignore: isBrowserMissing,
  async fn() {
    const { cli, port, url } = await listen();
    await using _ = cli;
    const hostile = encode({
      source: { transport: "tcp", hostname: "192.0.2.1", port: 1 },
      destination: { transport: "tcp", hostname: "192.0.2.2", port: 2 },
      tlvs: {
        AUTHORITY: "<img src=x onerror=alert(1)><script>alert(2)</script>",
        xEA: new Uint8Array(3900).fill(0x3c),
      },
    });
    await send(port, hostile); // before the page is there
    await browse(url, async (page) => {
      await until(page, "#connections tr");
      await send(port, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
      await until(page, "#connections tr.rejected");
      const rows = await texts(page, "#connections tr");
      assertStringIncludes(rows[0] ?? "", "an HTTP request");
      assertStringIncludes(rows[1] ?? "", "<script>alert(2)</script>");
      assertEquals(await page.$$("#connections img, #connections script"), []);

      await page.click("#rejected-only");
      assertEquals(
        (await page.$$("#connections tr:not([hidden])")).length,
        1,
      );
      await page.click("#rejected-only");
      // By the keyboard alone: to the older row, and into it.
      await page.focus("#connections tr");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await until(page, "#field-rows tr");
      const fields = (await texts(page, "#field-rows tr")).join("\n");
      assertStringIncludes(fields, "<script>alert(2)</script>");
      assertEquals((await page.$$("#bytes b")).length, hostile.length);
      assertEquals(await page.$$("#field-rows img, #field-rows script"), []);

      await page.focus("#field-rows tr:nth-child(5)");
      assertEquals((await page.$$("#bytes b.lit")).length, 4);
      await page.keyboard.press("ArrowDown");
      assertEquals(
        await texts(page, "#field-rows tr.lit td:nth-child(2)"),
        ["destination address"],
      );
      await page.hover("#bytes b");
      assertEquals(
        await texts(page, "#field-rows tr.lit td:nth-child(2)"),
        ["signature"],
      );
    });
  },
});

Deno.test("listen --ui serves its page to this machine alone", async () => {
  const { cli, url } = await listen();
  await using _ = cli;
  const ask = async (path: string, host?: string) => {
    const { port } = new URL(url);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: +port });
    await conn.write(
      utf8(
        `GET ${path} HTTP/1.0\r\nHost: ${host ?? `localhost:${port}`}\r\n\r\n`,
      ),
    );
    return new TextDecoder().decode(
      await within(new Response(conn.readable).bytes(), path),
    );
  };
  assertMatch(await ask("/"), /^HTTP\/1\.1 200 OK\r\n[^]*<html data-events=/);
  assertMatch(await ask("/page.ts"), /^HTTP\/1\.1 404 /);
  // What a page of elsewhere asks when its own name leads to 127.0.0.1.
  for (const path of ["/", "/events"]) {
    assertMatch(await ask(path, "rebinding.example"), /^HTTP\/1\.1 403 /);
  }
  cli.kill("SIGTERM");
  assertEquals((await cli.ended()).code, 0);
});

Deno.test("listen --ui says when the port of its page is taken", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, err } = await run(
    ["listen", "127.0.0.1:0", "--ui", `${taken.addr.port}`],
  );
  assertEquals(code, 1);
  assertMatch(err, /\nCannot serve the page: .*(EADDRINUSE|in use)/);
  const { code: wrong } = await run(["listen", "127.0.0.1:0", "--ui", "65536"]);
  assertEquals(wrong, 2);
});

Deno.test({
  name: "the page decodes and encodes without a server",
  ignore: isBrowserMissing,
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".html" });
    try {
      await Deno.writeTextFile(file, PAGE);
      await browse(`file://${file}`, async (page, requests) => {
        assertEquals(await page.$$("#live:not([hidden])"), []);
        const { header } = captured("haproxy-v2-all");
        await page.type("#input", header.toHex());
        await until(page, "#field-rows tr");
        assertStringIncludes(
          (await texts(page, "#verdict"))[0] ?? "",
          "PROXY v2 header, PROXY INET STREAM",
        );
        await page.click("#input", { count: 3 }); // selects it
        await page.type(
          "#input",
          "PROXY TCP4 192.0.2.1 192.0.2.2 01 443\\r\\n",
        );
        assertStringIncludes(
          (await texts(page, "#verdict.wrong"))[0] ?? "",
          "Rejected (port)",
        );
        assertEquals((await texts(page, "#bytes .wrong")).length, 1);

        for (
          const [form, start] of [
            ["hex", "0d0a0d0a000d0a515549540a2111001100"],
            ["c", "static const unsigned char header[33] = {"],
            ["go", "header := []byte{"],
            ["python", 'header = bytes.fromhex("0d0a'],
            ["shell", "{ printf '\\015\\012"],
          ] as const
        ) {
          await page.select("#form", form);
          const [code = ""] = await texts(page, "#encoded");
          assert(code.startsWith(start.slice(0, 20)), code);
        }
        await page.type("#source", "x");
        assertStringIncludes(
          (await texts(page, "#encoder-verdict.wrong"))[0] ?? "",
          "Cannot",
        );
        assertEquals(requests.filter((one) => !one.startsWith("file:")), []);
      });
    } finally {
      await Deno.remove(file);
    }
  },
});
