/** The domain of a sender like `HiveSync <no-reply@example.com>`: what Message-IDs end in. */
export const domainOf = (from: string): string => /@([^\s@<>]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
