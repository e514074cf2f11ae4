/**
 * Which addresses are anybody's on the internet. What users name (webhooks, mirrors) is connected to only where this says
 * so: everything else may be this machine, its network or a cloud's metadata.
 *
 * Node's BlockList does the arithmetic. The ranges are those of the IANA special-purpose registries; for IPv6 the question
 * is turned round, since global unicast is one block (2000::/3) and all else is something special.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';

const special4 = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], // private
  ['100.64.0.0', 10], // shared by the customers of a provider
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local: metadata of clouds
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], ['198.51.100.0', 24], ['203.0.113.0', 24], // documentation
  ['192.31.196.0', 24], ['192.175.48.0', 24], // AS112: answers for private zones
  ['192.52.193.0', 24], // AMT relays
  ['192.88.99.0', 24], // 6to4 relays
  ['198.18.0.0', 15], // benchmarks
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
] as const) special4.addSubnet(network, bits, 'ipv4');

const unicast6 = new BlockList();
unicast6.addSubnet('2000::', 3, 'ipv6');

/** Within global unicast: what leads elsewhere, to an IPv4 address in it (6to4, Teredo) among others. */
const special6 = new BlockList();
for (const [network, bits] of [
  ['2001::', 23], // protocol assignments: Teredo, ORCHID, benchmarks
  ['2001:db8::', 32], ['3fff::', 20], // documentation
  ['2002::', 16], // 6to4
  ['2620:4f:8000::', 48], // AS112
] as const) special6.addSubnet(network, bits, 'ipv6');

/** Whether an address is global unicast. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4: return !special4.check(address, 'ipv4');
    // A zone names an interface of this machine; BlockList does not read it.
    case 6: return !address.includes('%') && unicast6.check(address, 'ipv6') && !special6.check(address, 'ipv6');
    default: return false;
  }
}

/** The addresses of these ranges (CIDR), which the configuration has checked. */
export function addressesIn(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    list.addSubnet(network, Number(bits), isIPv4(network) ? 'ipv4' : 'ipv6');
  }
  return (address) => {
    const family = isIP(address);
    // An IPv4 address in IPv6's clothes is none of a range of IPv4, though BlockList would say so.
    return family === 4 ? list.check(address, 'ipv4') : family === 6 && !address.includes('%') && !mapped.check(address, 'ipv6') && list.check(address, 'ipv6');
  };
}

const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');
