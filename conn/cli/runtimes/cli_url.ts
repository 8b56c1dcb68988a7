/** Where the command line is: of the same kind as this file, TypeScript or JavaScript. */
export function cliUrl(): URL {
  const { url } = import.meta;
  return new URL(`../../cli${url.slice(url.lastIndexOf("."))}`, url);
}
