import { PassThrough, Readable } from 'node:stream';
import { expect } from 'chai';
import { askSecret, InputAborted, readSecret, type Terminal } from '#platform/secret-input.ts';

class FakeTerminal extends PassThrough implements Terminal {
  readonly modes: boolean[] = [];
  setRawMode(isRaw: boolean): void {
    this.modes.push(isRaw);
  }
}

describe('a secret that is typed', () => {
  const ask = async (...typed: (string | Buffer)[]): Promise<{ secret: string | Error; shown: string; modes: boolean[] }> => {
    const terminal = new FakeTerminal();
    let shown = '';
    const asked = askSecret('Password: ', terminal, (text) => { shown += text; }).catch((error: unknown) => error as Error);
    for (const part of typed) terminal.write(part);
    return { secret: await asked, shown, modes: terminal.modes };
  };

  it('is never shown, ends with the line, and leaves the terminal as it was', async () => {
    const { secret, shown, modes } = await ask('correct ', 'horse', '\r');
    expect(secret).to.equal('correct horse');
    expect(shown).to.equal('Password: \n');
    expect(modes).to.deep.equal([true, false]);
  });

  it('is asked for again at the same terminal', async () => {
    const terminal = new FakeTerminal();
    for (const secret of ['first', 'second']) {
      const asked = askSecret('', terminal, () => undefined);
      terminal.write(`${secret}\n`);
      expect(await asked).to.equal(secret);
    }
  });

  it('can be mended: backspace, and all of it again', async () => {
    expect((await ask('horsf\u007fe\n')).secret).to.equal('horse');
    expect((await ask('a\u007f\u007f\u007fhorse\n')).secret).to.equal('horse');
    expect((await ask('nonsense\u0015horse\n')).secret).to.equal('horse');
    expect((await ask('zebré', '\b', 'a\n')).secret).to.equal('zebra');
  });

  it('takes a character whose bytes come apart', async () => {
    const bytes = Buffer.from('schönes 🐎\n');
    expect((await ask(bytes.subarray(0, 4), bytes.subarray(4, 11), bytes.subarray(11))).secret).to.equal('schönes 🐎');
  });

  it('can be broken off, and the terminal is as it was', async () => {
    for (const end of ['\u0003', '\u0004']) {
      const { secret, modes } = await ask('hor', end);
      expect(secret).to.be.instanceOf(InputAborted);
      expect(modes).to.deep.equal([true, false]);
    }
  });
});

describe('a secret from standard input', () => {
  const read = (...parts: (string | Buffer)[]): Promise<string | null> => readSecret(Readable.from(parts.map((part) => Buffer.from(part))));

  it('is its one line, spaces and all', async () => {
    expect(await read('correct ', 'horse\n')).to.equal('correct horse');
    expect(await read(' correct horse \r\n')).to.equal(' correct horse ');
    expect(await read('correct horse')).to.equal('correct horse');
  });

  it('is none where there is no line, more than one, or no end', async () => {
    for (const parts of [[''], ['\n'], ['one\ntwo\n'], ['x'.repeat(5_000)]]) expect(await read(...parts)).to.equal(null);
  });
});
