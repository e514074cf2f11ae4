import { expect } from 'chai';
import { devServerFault } from '#domains/previews/dev-server-url.ts';

describe('the address of a development server', () => {
  const good = [
    'http://localhost:8081', 'https://127.0.0.1', 'http://127.8.9.1:19000/index.bundle?platform=ios', 'http://10.0.2.2:8081', 'http://172.16.0.1', 'http://172.31.255.254',
    'http://192.168.1.20:8081', 'http://[::1]:8081', 'http://[fd12:3456:789a::1]', 'http://anas-mac.local:8081', 'http://a.b.local',
    'HTTP://LocalHost:8081', 'http://10.0.0.1?platform=ios', 'https://localhost:/x',
  ];
  for (const url of good) it(`may be ${url}`, () => { expect(devServerFault(url)).to.equal(null); });

  const bad: readonly (readonly [string, RegExp])[] = [
    ['exp://192.168.1.20:8081', /http/], ['ftp://10.0.0.1', /http/], ['file:///etc/passwd', /http/], ['http://', /URL/],
    ['http://ana@192.168.1.20', /credentials/], ['http://ana:pw@localhost', /credentials/],
    ['http://example.com', /private/], ['http://8.8.8.8', /private/], ['http://172.32.0.1', /private/], ['http://169.254.169.254', /private/], ['http://0.0.0.0', /private/],
    ['http://[2001:db8::1]', /private/], ['http://[::ffff:8.8.8.8]', /private/], ['http://[::ffff:127.0.0.1]', /private/], ['http://[fe80::1]', /private/], ['http://[::]', /private/],
    ['http://local', /private/], ['http://.local', /private/], ['http://mac.local.example.com', /private/], ['http://localhost.example.com', /private/],
    ['http://10.0.0.1.nip.io', /private/], ['http://134744072', /private/],
    // To a browser all of them are loopback or private, to others not.
    ['http://2130706433/', /plainly/], ['http://0x7f.1/', /plainly/], ['http://0177.0.0.1', /plainly/], ['http://012.0.0.1', /plainly/], ['http://127.1', /plainly/],
    ['http:127.0.0.1', /plainly/], ['http:\\\\127.0.0.1', /plainly/], ['http:///127.0.0.1', /plainly/], ['http://[0:0:0:0:0:0:0:1]', /plainly/], ['http://loc%61lhost', /plainly/],
  ];
  for (const [url, why] of bad) it(`may not be ${url}`, () => { expect(devServerFault(url)).to.match(why); });
});
