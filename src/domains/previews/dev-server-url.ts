import { BlockList, isIP } from 'node:net';

/** Addresses that only a machine on the caller's own network answers: loopback and private literals. */
const near = new BlockList();
for (const [address, bits] of [['127.0.0.0', 8], ['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16]] as const) near.addSubnet(address, bits, 'ipv4');
near.addAddress('::1', 'ipv6');
near.addSubnet('fc00::', 7, 'ipv6');

/** One label or more before `.local`, as multicast DNS names machines. */
const localName = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+local$/;

/** The host as it stands in the text. */
const written = /^https?:\/\/([^/?#:[\]]+|\[[^\]]*\])(?::\d*)?(?:[/?#]|$)/i;

/**
 * What is wrong with the address of a development server, or null: http or https, without credentials, to loopback, a
 * private literal address or a `.local` name. An address is written plainly: `0177.0.0.1` is loopback to a browser and a public
 * address to others, and a phone is sent there. Nothing is looked up.
 */
export function devServerFault(text: string): string | null {
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must be http or https';
  if (url.username !== '' || url.password !== '') return 'must hold no credentials';
  if (!isNear(url.hostname)) return 'must lead to loopback, a private address or a .local name';
  return written.exec(text)?.[1]?.toLowerCase() === url.hostname ? null : 'must name its host plainly, as every program reads it';
}

function isNear(host: string): boolean {
  if (host === 'localhost') return true;
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  const family = isIP(bare);
  if (family === 0) return localName.test(host);
  // An IPv4 address in IPv6's clothes reaches the same machine: it is refused, since nothing needs to be spelled so.
  return near.check(bare, family === 4 ? 'ipv4' : 'ipv6') && !(family === 6 && bare.startsWith('::ffff:'));
}
