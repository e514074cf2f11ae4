import { BlockList, isIP } from 'node:net';
import type { Request } from 'express';

/**
 * Whose X-Forwarded-* headers are believed. Without a trusted proxy they are not even looked at: anybody can write one.
 */
export interface Proxies {
  readonly isTrusted: (address: string) => boolean;
  readonly hasAny: boolean;
}

/** Compiles TRUSTED_PROXIES (addresses and CIDR ranges). Throws on one that is neither, naming it. */
export function compileProxies(list: readonly string[]): Proxies {
  const trusted = new BlockList();
  for (const entry of list) {
    const [address = '', prefix] = entry.split('/');
    const version = isIP(address);
    const bits = prefix === undefined ? (version === 6 ? 128 : 32) : Number(prefix);
    if (version === 0 || !Number.isInteger(bits) || bits < 0 || bits > (version === 6 ? 128 : 32)) {
      throw new Error(`TRUSTED_PROXIES: "${entry}" is neither an address nor a range.`);
    }
    trusted.addSubnet(address, bits, version === 6 ? 'ipv6' : 'ipv4');
  }
  return {
    hasAny: list.length > 0,
    isTrusted: (address) => {
      const plain = plainAddress(address);
      const version = isIP(plain);
      return version !== 0 && trusted.check(plain, version === 6 ? 'ipv6' : 'ipv4');
    },
  };
}

/** IPv4 mapped into IPv6 is the IPv4 address; a zone is nobody's business. */
export function plainAddress(address: string): string {
  const bare = address.startsWith('::ffff:') ? address.slice(7) : address;
  const zone = bare.indexOf('%');
  return zone === -1 ? bare : bare.slice(0, zone);
}

/** The client's address and scheme: the socket's own, or what the nearest untrusted hop is said to be. */
export function clientOf(req: Request, proxies: Proxies): { readonly ip: string; readonly isHttps: boolean } {
  const own = plainAddress(req.socket.remoteAddress ?? '');
  const isTls = 'encrypted' in req.socket && req.socket.encrypted === true;
  if (!proxies.hasAny || !proxies.isTrusted(own)) return { ip: own, isHttps: isTls };
  return { ip: nearestUntrusted(req, proxies, own), isHttps: isTls || forwardedScheme(req) === 'https' };
}

/** Walks X-Forwarded-For from the right as long as each hop is trusted; garbage ends the walk. */
function nearestUntrusted(req: Request, proxies: Proxies, own: string): string {
  const header = req.headers['x-forwarded-for'];
  const hops = (Array.isArray(header) ? header.join(',') : header ?? '').split(',').slice(-32);
  let nearest = own;
  for (const hop of hops.reverse()) {
    const address = plainAddress(hop.trim());
    if (isIP(address) === 0) return nearest;
    nearest = address;
    if (!proxies.isTrusted(address)) return nearest;
  }
  return nearest;
}

/** What the last proxy said, which is the trusted one. */
function forwardedScheme(req: Request): string {
  const header = req.headers['x-forwarded-proto'];
  return (Array.isArray(header) ? header.join(',') : header ?? '').split(',').at(-1)?.trim().toLowerCase() ?? '';
}
