import { Hono } from "hono";
import { getConnInfo } from "hono/bun";

const app = new Hono();
app.get("/", (context) => context.text(getConnInfo(context).remote.address));
export default app; // which Bun serves, on PORT
