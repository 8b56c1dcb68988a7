/** What the servers are set to; the scenarios rely on it. */
export const OPTIONS = { trust: ["127.0.0.1"], timeout: 400 };
