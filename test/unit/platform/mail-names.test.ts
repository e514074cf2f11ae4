import { expect } from 'chai';
import { nameInMail } from '#platform/mail/names.ts';

describe('a name in a mail', () => {
  for (const name of ['Pollen', 'Field Notes 2.0', 'Ada & Ben\'s <b>team</b>', 'Bienen – Überblick', '蜂の巣', 'R&D / iOS', 'v1.2']) {
    it(`is said as it is: ${name}`, () => expect(nameInMail(name, 'a team')).to.equal(name));
  }
  for (const name of ['https://evil.example', 'Win at evil.example now', 'www.evil', 'call me@evil.example', 'evil。example.com', 'EVIL.COM', 'münchen.de', 'javascript://x']) {
    it(`is left out where a mail program would make a link of it: ${name}`, () => expect(nameInMail(name, 'a team')).to.equal('a team'));
  }
  it('holds no control character, no line break and nothing that turns text around', () => {
    expect(nameInMail('Pol\u0007len\r\n\u2028Bcc: x\u202egnp\u0000', 'a team')).to.equal('Pol len Bcc: x gnp');
    for (const empty of ['', ' \n\t', '\u200b\u2060']) expect(nameInMail(empty, 'a team')).to.equal('a team');
  });
});
