import { isIP } from 'node:net';
import type { OutgoingRules } from './rules.ts';

/**
 * Above the well-known ports, those whose servers take the lines of an HTTP request for commands of their own: browsers
 * refuse them too (Fetch Standard, "bad port").
 */
const badPorts = new Set([1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080]);

const isPort = (port: number): boolean => port === 80 || port === 443 || (port >= 1024 && !badPorts.has(port));

/**
 * What is wrong with a URL that a user names, as the end of a sentence that begins with "The URL", or null. Names are not
 * looked up: whatever they stand for is judged whenever somebody connects to it.
 */
export function outgoingUrlFault(text: string, rules: OutgoingRules): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return 'must be an https URL';
  if (url.protocol === 'http:' && !rules.allowsHttp) return 'must be https';
  if (url.username !== '' || url.password !== '') return 'must hold no user name or password';
  if (url.port !== '' && !isPort(Number(url.port))) return 'must name port 80, 443 or one from 1024 that no other protocol is known by';
  const address = addressOf(url);
  return address === null || rules.admits(address) ? null : 'must lead to a public address';
}

/** The address that a URL's host is, where it is one and no name to be looked up: as it stands there, or loopback for `localhost` (RFC 6761). */
export function addressOf({ hostname }: Pick<URL, 'hostname'>): string | null {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname.replace(/\.$/, '');
  if (isIP(host) !== 0) return host;
  return host === 'localhost' || host.endsWith('.localhost') ? '127.0.0.1' : null;
}
