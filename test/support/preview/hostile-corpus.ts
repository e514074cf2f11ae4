/**
 * A corpus of projects that attack the build. Whatever they hold is put on disk as if intake had let it through, and built
 * under the real sandbox: nothing of the host may be read, written or reached, and each build is answered clearly inside
 * its limits.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { createBuilder, type Builder, type BuildRequest, type BuildResult } from '#workers/preview/builder.ts';
import { buildIn, pixel, temporaryFolder, writeFiles, type Files } from './projects.ts';
import { dataDir, ensureSdk, installTimeoutMs, sdkVersion } from './sdk.ts';

export const mebibyte = 1024 * 1024;
export const secret = 'the-secret-beside-the-project';

export type Case = {
  name: string;
  files: Files;
  /** What intake would never write. */
  prepare?: (folder: string, outside: string) => void;
  request?: Partial<BuildRequest>;
  /** 'built', or the code of the failure; two where both are clear answers. */
  outcome: string | readonly string[];
  message?: RegExp;
  check?: (result: BuildResult, bundle: string) => void;
};

/** Code that would show that it ran: it writes where the test looks, and asks for a page of the test's server. */
const attack = (pwned: string, port: number): string =>
  `try{require('fs').writeFileSync(${JSON.stringify(pwned)}+'/'+Math.random(),'x')}catch{};` +
  `try{require('child_process').execSync('curl -s http://127.0.0.1:${port}/')}catch{};try{fetch('http://127.0.0.1:${port}/').catch(()=>{})}catch{};`;

/** @param cases called with code that would show that it ran, and with the folder beside the project that holds `secret.json` and `secret.png` */
export const describeHostile = (title: string, cases: (evil: string, outside: string) => Case[]): void => {
  describe(title, () => {
    const work = temporaryFolder();
    const outside = join(work.path, 'secret');
    const pwned = join(work.path, 'pwned');
    const results = new Map<string, { result: BuildResult; outDir: string; ms: number }>();
    let builder: Builder;
    let server: Server;
    let reached = 0;
    let all: Case[] = [];
    const marked = () => [readdirSync(pwned), reached] as const;

    before(async function () {
      this.timeout(installTimeoutMs);
      await ensureSdk();
      server = createServer((_request, response) => {
        reached += 1;
        response.end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      mkdirSync(pwned, { mode: 0o777 });
      writeFiles(outside, { 'secret.json': JSON.stringify({ secret }), 'secret.png': Buffer.concat([pixel, Buffer.from(secret)]) });
      builder = createBuilder({ dataDir, sdkVersions: [sdkVersion], warm: 0, limits: { files: 3000, fileBytes: 16 * mebibyte, timeoutMs: 20_000 } });
      all = cases(attack(pwned, (server.address() as AddressInfo).port), outside);

      // Two at a time: on two cores the whole corpus takes half as long.
      const queue = all.values();
      const worker = async (): Promise<void> => {
        for (const { name, files, prepare, request } of queue) {
          const folder = join(work.path, `project-${randomUUID()}`);
          writeFiles(folder, files);
          prepare?.(folder, outside);
          const started = performance.now();
          const outDir = join(work.path, `out-${randomUUID()}`);
          try {
            const result = await buildIn(builder, work.path, folder, { ...request, outDir });
            results.set(name, { result, outDir, ms: performance.now() - started });
          } catch (error) {
            throw new Error(`The build of ${name} was not answered.`, { cause: error });
          }
        }
      };
      await Promise.all([worker(), worker()]);
    });
    after(async () => {
      await builder.close();
      await new Promise((resolve) => server.close(resolve));
      work.dispose();
    });

    it('run under bubblewrap, never under the weaker wall', () => {
      expect(builder.sandbox).to.equal('bubblewrap');
    });

    // The list is made before the folders are known, so names and expectations alone are taken from this copy.
    for (const [index, { name, outcome }] of cases('', '/outside').entries()) {
      it(`${name}: ${[outcome].flat().join(' or ')}`, () => {
        const { message, check } = all[index] ?? {};
        const { result, outDir, ms } = results.get(all[index]?.name ?? name) ?? expect.fail('the case was not built');
        expect(result.ok ? 'built' : result.failure.code, JSON.stringify(result.ok ? '' : [result.failure, result.diagnostics])).to.be.oneOf([outcome].flat());
        if (message !== undefined && !result.ok) expect(result.failure.message).to.match(message);
        const bundle = result.ok ? readFileSync(join(outDir, 'bundle.js'), 'utf8') : '';
        check?.(result, bundle);
        expect(ms).to.be.lessThan(25_000);
        const sourceText = Object.values(all[index]?.files ?? {}).join('\n');
        const told = JSON.stringify(result.ok ? result.metadata : result.failure);
        for (const text of [told, ...result.files.map(({ path }) => readFileSync(join(outDir, path), 'utf8'))]) {
          expect(text).to.not.include(secret);
          // Unless the project itself wrote it.
          if (!sourceText.includes(work.path)) expect(text).to.not.include(work.path.slice(1));
        }
      });
    }

    it('run nothing of their own: nothing was written, nobody was called', () => {
      expect(marked()).to.deep.equal([[], 0]);
    });
  });
};
