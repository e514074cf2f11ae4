import { expect } from 'chai';
import { isRange } from '#config/parse.ts';
import { addressesIn, isPublicAddress } from '#platform/outgoing/addresses.ts';
import { outgoingRules } from '#platform/outgoing/rules.ts';
import { outgoingUrlFault } from '#platform/outgoing/url.ts';

/** The first and last of each range that is no global unicast, and the neighbours that are. */
const special = [
  '0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255', '127.0.0.0', '127.0.0.1', '127.255.255.255',
  '169.254.0.0', '169.254.169.254', '169.254.255.255', '172.16.0.0', '172.31.255.255', '192.0.0.0', '192.0.0.170', '192.0.0.255', '192.0.2.1', '192.31.196.1',
  '192.52.193.1', '192.88.99.1', '192.168.0.0', '192.168.255.255', '192.175.48.1', '198.18.0.0', '198.19.255.255', '198.51.100.1', '203.0.113.255',
  '224.0.0.0', '239.255.255.255', '240.0.0.0', '255.255.255.255',
  '::', '::1', '::8.8.8.8', '::ffff:8.8.8.8', '::ffff:127.0.0.1', '::ffff:0:8.8.8.8', '64:ff9b::8.8.8.8', '64:ff9b::7f00:1', '64:ff9b:1::1', '100::1', '100:0:0:1::1',
  '1fff:ffff::1', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2001:2::1', '2001:10::1', '2001:20::1', '2001:1ff::1', '2001:db8::1', '2002::1', '2002:7f00:1::',
  '2620:4f:8000::1', '3fff::1', '3fff:fff::1', '4000::1', '5f00::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%lo', 'febf::1', 'fec0::1', 'ff00::1', 'ff02::1', 'ffff::1',
  '2606:4700::1111%eth0', '', 'localhost', '1.2.3', '0x7f000001', '2130706433',
];
const open = [
  '1.0.0.0', '1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0',
  '192.0.1.0', '192.0.3.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '203.0.112.255', '203.0.114.0', '223.255.255.255',
  '2001:200::1', '2001:4860:4860::8888', '2001:db7::1', '2003::1', '2606:4700::1111', '2a00:1450:4001::1', '3ffe::1',
];

describe('an address that a user names', () => {
  it('is spoken to only where it is global unicast, whatever its spelling', () => {
    expect(special.filter(isPublicAddress)).to.deep.equal([]);
    expect(open.filter((address) => !isPublicAddress(address))).to.deep.equal([]);
  });

  it('may lie in a range that the deployment allows, which brings no other address with it', () => {
    const isAllowed = addressesIn(['10.20.0.0/16', 'fd12::/16', '192.168.1.7/32']);
    expect(['10.20.0.1', '10.20.255.255', 'fd12::9', '192.168.1.7'].filter((address) => !isAllowed(address))).to.deep.equal([]);
    expect(['10.21.0.1', '::ffff:10.20.0.1', '::ffff:a14:1', 'fd13::9', 'fd12::9%eth0', '192.168.1.8', '8.8.8.8', '', 'x'].filter(isAllowed)).to.deep.equal([]);
  });

  it('lies in ranges of no more than the largest private ones', () => {
    expect(['10.0.0.0/8', '127.0.0.1/32', 'fc00::/7', '::1/128'].filter((range) => !isRange(range))).to.deep.equal([]);
    expect(['0.0.0.0/0', '10.0.0.0/7', '::/0', 'fc00::/6', '10.0.0.0/33', '::1/129', '10.0.0.0', '10.0.0/8', 'localhost/8', '10.0.0.0/ 8', ''].filter(isRange)).to.deep.equal([]);
  });
});

describe('a URL that a user names', () => {
  const production = outgoingRules({ production: true, outgoingAllowedRanges: [] });
  const development = outgoingRules({ production: false, outgoingAllowedRanges: ['127.0.0.0/8'] });

  it('is https, and outside production http too', () => {
    expect(outgoingUrlFault('https://hooks.example.com/in?a=b#c', production)).to.equal(null);
    expect(outgoingUrlFault('http://hooks.example.com/in', production)).to.equal('must be https');
    expect(outgoingUrlFault('http://hooks.example.com/in', development)).to.equal(null);
    for (const url of ['ftp://example.com', 'file:///etc/passwd', 'https://', 'hooks.example.com', '']) expect(outgoingUrlFault(url, development), url).to.equal('must be an https URL');
  });

  it('holds no user name, and no port of another protocol', () => {
    for (const url of ['https://a@example.com', 'https://:b@example.com', 'https://a:b@example.com']) expect(outgoingUrlFault(url, production), url).to.include('user name');
    for (const port of [22, 25, 110, 1023, 2049, 6000, 6667, 10080]) expect(outgoingUrlFault(`https://example.com:${port}`, production), String(port)).to.include('port');
    for (const port of [80, 443, 1024, 8080, 8443, 65_535]) expect(outgoingUrlFault(`https://example.com:${port}`, production), String(port)).to.equal(null);
  });

  it('names no address that is not public, in any of the spellings that mean one', () => {
    for (const host of [
      '127.0.0.1', '127.1', '0177.0.0.1', '2130706433', '0x7f.1', '0x7f000001', '127.0.0.1.', '１２７.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '[0:0:0:0:0:ffff:7f00:1]', '[64:ff9b::7f00:1]', '[fe80::1]',
      '169.254.169.254', '10.0.0.1', '0', 'localhost', 'LOCALHOST', 'localhost.', 'a.localhost',
    ]) expect(outgoingUrlFault(`https://${host}/`, production), host).to.equal('must lead to a public address');
    for (const host of ['1.1.1.1', '[2606:4700::1111]', 'localhost.example.com', 'notlocalhost']) expect(outgoingUrlFault(`https://${host}/`, production), host).to.equal(null);
    expect(outgoingUrlFault('http://localhost:4000/', development)).to.equal(null);
    expect(outgoingUrlFault('http://[::1]:4000/', development)).to.equal('must lead to a public address');
  });
});
