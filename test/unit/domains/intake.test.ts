import { expect } from 'chai';
import fc from 'fast-check';
import { takeIn } from '#domains/previews/intake.ts';
import { decodeInline } from '#domains/previews/inline.ts';
import { defaultSettings, mergeSettings, readSettings } from '#domains/projects/settings.ts';
import type { PreviewSource, TierLimits, ValidationFault } from '#generated/sdk/types.gen.ts';
import { sha256Hex } from '#platform/crypto.ts';
import { ServiceError } from '#platform/errors.ts';

const limits = { preview_source_files: 10, preview_source_bytes: 1_000 } as TierLimits;
const source = (path: string, more: Partial<PreviewSource> = {}): PreviewSource => ({ path, sha256: sha256Hex(path), size: 10, ...more });
const take = (files: PreviewSource[], choices: Parameters<typeof takeIn>[0] = {}, allowed = limits) => takeIn(choices, files, defaultSettings.preview, {
  limits: allowed, tier: 'free', upgradeTo: (_limit, needed) => (needed <= 1_001 ? 'pro' : null),
});
const refusalOf = (work: () => unknown): ServiceError => {
  try {
    work();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('It was taken, and should not have been.');
};
const faultsOf = (work: () => unknown): string[] => (refusalOf(work).details as ValidationFault[]).map(({ pointer, rule }) => `${pointer} ${rule}`);

describe('the intake of a preview', () => {
  it('lets the request speak before the project, and the project before the default', () => {
    const files = [source('index.js'), source('app.tsx')];
    expect(take(files)).to.include({ sdk_version: '0.88.1', target_platform: 'ios', entry_file: 'index.js', environment: 'development', dev: false, device_type: null });
    expect(take(files, { entry_file: 'app.tsx', target_platform: 'android', environment: 'production', dev: true, device_type: 'phone', sdk_version: null }))
      .to.include({ sdk_version: '0.88.1', target_platform: 'android', entry_file: 'app.tsx', environment: 'production', dev: true, device_type: 'phone' });
  });

  it('writes every path in one Unicode form and counts the bytes', () => {
    const intake = take([source('index.js'), source('cafe\u0301.js')]);
    expect(intake.files.map(({ path }) => path)).to.deep.equal(['index.js', 'caf\u00e9.js']);
    expect(intake.sourceBytes).to.equal(20);
  });

  it('points at each fault', () => {
    expect(faultsOf(() => take([source('index.js'), source('/etc/passwd'), source('a\\b.js')]))).to.deep.equal(['#/body/files/1/path absolute', '#/body/files/2/path backslash']);
    expect(faultsOf(() => take([source('app.js')]))).to.deep.equal(['#/body/entry_file entry_file']);
    expect(faultsOf(() => take([source('index.js')], { sdk_version: '0.0.1' }))).to.deep.equal(['#/body/sdk_version sdk_version']);
    const sha256 = sha256Hex('same');
    expect(faultsOf(() => take([source('index.js', { sha256, size: 1 }), source('b.js', { sha256, size: 2 })]))).to.deep.equal(['#/body/files/1/size size']);
    expect(faultsOf(() => take([source('index.js', { size: 50 * 1024 * 1024 + 1 })], {}, { ...limits, preview_source_bytes: null }))).to.deep.equal(['#/body/files/0/size maximum']);
  });

  it('takes exactly as much as the tier allows', () => {
    const ten = Array.from({ length: 10 }, (_, index) => source(index === 0 ? 'index.js' : `f${index}.js`, { size: 100 }));
    expect(take(ten).files).to.have.length(10);
    expect(refusalOf(() => take([...ten, source('one-more.js')])).details).to.deep.equal({ limit: 'preview_source_files', allowed: 10, used: 11, tier: 'free', upgrade_to: 'pro' });
    expect(refusalOf(() => take([...ten.slice(1), source('index.js', { size: 101 })])).details).to.deep.equal({ limit: 'preview_source_bytes', allowed: 1_000, used: 1_001, tier: 'free', upgrade_to: 'pro' });
    expect(take([...ten, source('one-more.js')], {}, { ...limits, preview_source_files: null, preview_source_bytes: null }).files).to.have.length(11);
  });

  it('answers any paths with a result or with faults, never otherwise', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('index.js', 'a/b.ts', '../x', 'node_modules/x.js')), { maxLength: 10 }), (paths) => {
      try {
        const intake = take(paths.map((path) => source(path)));
        expect(intake.files.map(({ path }) => path)).to.include('index.js');
      } catch (error) {
        expect(error).to.be.instanceOf(ServiceError).and.include({ code: 'VALIDATION_ERROR' });
      }
    }), { seed: 4 });
  });
});

describe('contents sent inline', () => {
  it('come back as they were, by their hash, each once', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (contents) => {
      const { files, contents: kept } = decodeInline(contents.map((content, index) => ({ path: `f${index}.js`, content_base64: Buffer.from(content).toString('base64') })));
      for (const [index, content] of contents.entries()) {
        const sha256 = sha256Hex(content);
        expect(files[index]).to.deep.equal({ path: `f${index}.js`, sha256, size: content.length });
        expect(kept.find((one) => one.sha256 === sha256)?.content.equals(content)).to.equal(true);
      }
      expect(new Set(kept.map(({ sha256 }) => sha256)).size).to.equal(kept.length);
    }), { seed: 5 });
  });

  it('leave what is stored already as it is named', () => {
    expect(decodeInline([source('index.js')])).to.deep.equal({ files: [source('index.js')], contents: [] });
  });

  it('are refused where they are no base64, by their pointer', () => {
    for (const content_base64 of ['!', 'YQ==YQ==', 'Y Q==', 'YR==', 'Y-_=', 'A']) {
      expect(faultsOf(() => decodeInline([source('index.js'), { path: 'a.js', content_base64 }])), content_base64).to.deep.equal(['#/body/files/1/content_base64 contentEncoding']);
    }
  });

  it('may have 5 MiB together, and not a byte more', () => {
    const half = Buffer.alloc(2.5 * 1024 * 1024, 1).toString('base64');
    expect(decodeInline([{ path: 'a.js', content_base64: half }, { path: 'b.js', content_base64: half }]).files).to.have.length(2);
    expect(refusalOf(() => decodeInline([{ path: 'a.js', content_base64: half }, { path: 'b.js', content_base64: half }, { path: 'c.js', content_base64: 'YQ==' }])).code).to.equal('PAYLOAD_TOO_LARGE');
  });
});

describe('the settings of a project', () => {
  it('have a value for everything before anybody sets anything', () => {
    expect(readSettings({})).to.deep.equal(defaultSettings);
  });

  it('change field by field: what is not named stays, whatever was set before', () => {
    const change = fc.record({
      preview: fc.record({ target_platform: fc.constantFrom('ios' as const, 'android' as const), dev: fc.boolean() }, { requiredKeys: [] }),
      ai: fc.record({ enabled: fc.boolean() }, { requiredKeys: [] }),
      notifications: fc.record({ preview_ready: fc.boolean(), preview_failed: fc.boolean() }, { requiredKeys: [] }),
    }, { requiredKeys: [] });
    fc.assert(fc.property(change, change, (first, second) => {
      const once = mergeSettings(readSettings({}), first);
      const twice = mergeSettings(once, second);
      for (const group of ['preview', 'ai', 'notifications'] as const) {
        expect(twice[group]).to.deep.equal({ ...once[group], ...second[group] });
      }
      expect(readSettings(twice)).to.deep.equal(twice);
      expect(mergeSettings(twice, second)).to.deep.equal(twice);
    }), { seed: 6 });
  });
});
