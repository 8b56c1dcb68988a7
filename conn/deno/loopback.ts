/** Address of the internal server, which nobody but this process may use. */
export const LOOPBACK = "127.0.0.1";
