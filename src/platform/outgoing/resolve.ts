import { Resolver } from 'node:dns/promises';

/** The addresses a name has now; throws where it has none or nobody says. */
export type Resolve = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** A name server gets this long twice. */
const bounds = { timeout: 2_500, tries: 2 };
/** What a name may have of them; more are left out. */
const mostAddresses = 8;

/**
 * By the name servers themselves. Not by getaddrinfo: it holds one of the four threads that files and passwords share for
 * as long as the name servers of whoever made a webhook stay silent, and believes /etc/hosts, where private names stand.
 * @param servers in place of the machine's own, as `address:port`
 */
export const resolverOf = (servers: readonly string[] | null = null): Resolve => async (name, signal) => {
  signal.throwIfAborted();
  const resolver = new Resolver(bounds);
  if (servers !== null) resolver.setServers(servers);
  const onAbort = (): void => resolver.cancel();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = [...(four.status === 'fulfilled' ? four.value : []), ...(six.status === 'fulfilled' ? six.value : [])];
    if (found.length === 0 && four.status === 'rejected') throw four.reason as Error;
    return found.slice(0, mostAddresses);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};
