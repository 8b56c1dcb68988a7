/** Titles of the specification, edition of 2026/04/27. */
const TITLES: Readonly<Record<string, string>> = {
  "2.1": "Human-readable header format (version 1)",
  "2.2": "Binary header format (version 2)",
  "2.2.1": "PP2_TYPE_ALPN",
  "2.2.2": "PP2_TYPE_AUTHORITY",
  "2.2.3": "PP2_TYPE_CRC32C",
  "2.2.4": "PP2_TYPE_NOOP",
  "2.2.5": "PP2_TYPE_UNIQUE_ID",
  "2.2.6": "The PP2_TYPE_SSL type and subtypes",
  "2.2.7": "The PP2_TYPE_NETNS type",
  "2.2.8": "Reserved type ranges",
};

/** The title of a section; empty for one that has none here. */
export function sectionTitle(section: string): string {
  return TITLES[section] ?? "";
}
