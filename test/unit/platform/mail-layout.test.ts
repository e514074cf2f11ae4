import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { layOut, type MailContent } from '#platform/mail/layout.ts';
import { checkMail, MailRefused, tellable } from '#platform/mail/mailer.ts';

describe('the layout of a mail', () => {
  const content: MailContent = {
    subject: 'Confirm your address', title: 'One click, and you are in', paragraphs: ['Hello Ada,', 'please confirm that this address is yours.'],
    action: { label: 'Confirm', url: 'https://hive.example.com/verify?token=abc&mail=1' }, code: '123 456', footer: 'You did not ask for this? Then do nothing.',
  };

  it('says everything in the text and in the HTML', () => {
    const { text, html } = layOut(content);
    for (const part of [content.title, ...content.paragraphs, '123 456', 'Confirm']) {
      expect(text).to.include(part);
      expect(html).to.include(part);
    }
    expect(text).to.include('You did not ask for this?');
    expect(text.split('\n')).to.include('https://hive.example.com/verify?token=abc&mail=1');
  });

  it('gives the action as a button and as a plain address', () => {
    const { html, action } = layOut(content);
    expect(html.match(/href="https:\/\/hive\.example\.com\/verify\?token=abc&amp;mail=1"/g)).to.have.length(2);
    expect(html).to.match(/>https:\/\/hive\.example\.com\/verify\?token=abc&amp;mail=1<\/a>/);
    expect(action).to.equal('https://hive.example.com/verify?token=abc&mail=1');
  });

  it('shows whatever a text holds, and lets none of it become HTML', () => {
    const hostile = `<img src=x onerror="alert('1')">&amp;`;
    const { html } = layOut({ subject: hostile, title: hostile, paragraphs: [hostile], action: { label: hostile, url: `https://h.example.com/?a='b'&c=1` }, code: hostile, footer: hostile });
    expect(html).not.to.match(/<img|onerror="/);
    expect(html.match(/&lt;img src=x onerror=&quot;alert\(&#39;1&#39;\)&quot;&gt;&amp;amp;/g)).to.have.length(6);
    expect(html).to.include('href="https://h.example.com/?a=&#39;b&#39;&amp;c=1"');
  });

  it('loads nothing from anywhere and runs nothing', () => {
    const { html } = layOut(content);
    expect(html).not.to.match(/<(script|img|link|iframe|form|object|embed|base)\b|\bsrc=|url\(|@import|\bon[a-z]+=/i);
    expect(html.match(/https?:\/\/[^\s"<&]+/g)?.every((address) => address.startsWith('https://hive.example.com/'))).to.equal(true);
  });

  it('is told to be well in dark mode, and has its colours for it', () => {
    const { html } = layOut(content);
    expect(html).to.include('<meta name="color-scheme" content="light dark">').and.match(/@media \(prefers-color-scheme:dark\)/);
    // Every text that has a colour has a class that dark mode changes, but for the button's, which is white on blue in both.
    const coloured = [...html.matchAll(/<(?!body|div)\w+ ([^>]*)style="[^"]*(?<!background-)color:#(?!ffffff)[^"]*"/g)];
    expect(coloured.length).to.be.greaterThan(4);
    for (const [tag, attributes] of coloured) expect(attributes, tag).to.match(/class="(ink|soft|code|link)"/);
  });

  it('wraps text between words at 76 signs and never inside an address', () => {
    const url = `https://hive.example.com/verify?token=${'t'.repeat(200)}`;
    const { text } = layOut({ ...content, paragraphs: [`${'word '.repeat(60)}end`, 'kept\napart'], action: { label: 'Confirm', url } });
    const lines = text.split('\n');
    expect(lines).to.include(url).and.include('kept').and.include('apart');
    expect(lines.filter((line) => line !== url).every((line) => line.length <= 76)).to.equal(true);
    expect(text.replace(/\s+/g, ' ')).to.include(`${'word '.repeat(60)}end`);
  });

  it('refuses an action that is no web address', () => {
    for (const url of ['javascript:alert(1)', 'data:text/html,x', 'https://h.example.com/\r\nBcc: x', 'https://h.example.com/"><script>', '/relative']) {
      expect(() => layOut({ ...content, action: { label: 'Go', url } }), url).to.throw(/http or https/);
    }
  });

  it('makes one line of a subject, whoever wrote a part of it', () => {
    expect(layOut({ ...content, subject: 'Ada\r\nBcc: mallory@example.com invites you' }).subject).to.equal('Ada Bcc: mallory@example.com invites you');
  });
});

describe('what is handed to a mail provider', () => {
  const mail = { id: newId(), to: 'ada@example.com', subject: 'Hello', text: '', html: '', action: null, code: null };

  it('is refused where it would say more than one address and one subject', () => {
    checkMail(mail);
    const bad = [
      { to: 'ada@example.com\r\nBcc: mallory@example.com' }, { to: 'ada@example.com, mallory@example.com' }, { to: '<ada@example.com>' }, { to: 'Ada <ada@example.com>' },
      { to: 'ada@example.com> SIZE=1' }, { to: '"a b"@example.com' }, { to: 'ada' }, { to: '' }, { to: 'ada@@example.com' }, { to: 'ada\0@example.com' },
      { subject: 'Hello\r\nBcc: mallory@example.com' }, { subject: 'Hello\nthere' }, { subject: 'Hello\u2028there\u0085' }, { subject: '' },
    ];
    for (const part of bad) expect(() => checkMail({ ...mail, ...part }), JSON.stringify(part)).to.throw(MailRefused);
  });

  it('comes back, in a provider\'s words, without addresses and secrets, in one bounded line', () => {
    expect(tellable('550 5.1.1 <ada@example.com>: no such user;\r\n see https://mx.example.net/why?who=ada')).to.equal('550 5.1.1 <(address)>: no such user; see https://mx.example.net/why');
    expect(tellable('x'.repeat(1_000))).to.have.length(301);
  });
});
