import { PeerServer } from "peer";
import process from "node:process";

const app = PeerServer({ port: Number(process.env.PORT), host: "127.0.0.1" });
app.use((request, response) => response.send(request.socket.remoteAddress));
