/** All applications. */

const FILES = [
  ...["ws", "socket_io", "grpc", "smtp", "aedes", "ssh2", "mysql2"],
  ...["ftp_srv", "peer", "sticky"],
];

/** All cases by name. */
export async function loadCases() {
  const modules = await Promise.all(
    FILES.map((file) => import(`./${file}.js`)),
  );
  return Object.assign({}, ...modules.map(({ cases }) => cases));
}
