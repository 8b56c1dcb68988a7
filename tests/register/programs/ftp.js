import FtpServer from "ftp-srv";
import process from "node:process";

const ftp = new FtpServer({
  url: `ftp://127.0.0.1:${process.env.PORT}`,
  pasv_url: "127.0.0.1",
  anonymous: true,
});
ftp.on("login", ({ connection }, resolve) => {
  console.log("client", connection.ip);
  resolve({ root: "." });
});
await ftp.listen();
