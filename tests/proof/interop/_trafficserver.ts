/** Where Traffic Server is to find its files: what differs is below a folder of the run. */
export function runroot(directory: string): string {
  return `
prefix: /usr
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/sbin
includedir: /usr/include
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
sysconfdir: ${directory}/etc
datadir: ${directory}/cache
localstatedir: ${directory}/var
runtimedir: ${directory}/run
logdir: ${directory}/log
cachedir: ${directory}/cache
`;
}
