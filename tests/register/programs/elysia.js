import { Elysia } from "elysia";
import process from "node:process";

new Elysia()
  .get("/", ({ request, server }) => server.requestIP(request).address)
  .listen({ port: Number(process.env.PORT), hostname: "127.0.0.1" });
