import { isIP } from 'node:net';

/** Whom an anonymous limit is counted for: an IPv4 address, or the /64 that one IPv6 customer holds. */
export function addressGroup(ip: string): string {
  if (isIP(ip) !== 6) return ip;
  const [left = '', right] = ip.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const whole = right === undefined ? head : [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return `${whole.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '').toLowerCase()).join(':')}::/64`;
}
