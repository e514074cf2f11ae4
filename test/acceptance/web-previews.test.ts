import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { frameTextOf } from '../support/preview/open-web-bundle.ts';
import { useSystem } from '../support/system.ts';

const screenPath = 'src/screens/NoteListScreen.tsx';
const sample = fileURLToPath(new URL('../../examples/field-notes', import.meta.url));

describe('previews for the web over the wire', function () {
  this.timeout(180_000);
  const system = useSystem({ workers: 1 });

  it('are built, and run in the page that is sent to anybody', async () => {
    const ada = await system.current.person();
    const { id: projectId } = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const built = await ada.hive.previews.build(sample, { projectId, platform: 'web' });
    expect(built.job).to.include({ status: 'succeeded', target_platform: 'web' });
    expect(new Set(built.artifacts.map(({ kind }) => kind))).to.deep.equal(new Set(['bundle', 'source_map', 'metadata', 'log']));
    const { view_url: url } = await ada.hive.api.createPreviewToken({ path: { job_id: built.job.id } });
    const page = await (await fetch(url)).text();
    expect(page).to.include('<iframe').and.to.include('sandbox="allow-scripts"');
    const shown = await frameTextOf(url, 'What did you see today?');
    if (shown === null) return;
    expect(shown.text).to.include('Kingfisher by the weir');
    expect(shown.errors).to.deep.equal([]);
  });

  it('follow the edits of a live session in the page that is open, by themselves', async () => {
    const ada = await system.current.person();
    const { id: projectId } = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const { job } = await ada.hive.previews.build(sample, { projectId, platform: 'web' });
    const { live_session: { id }, view_url: viewUrl, deep_link: link } = await ada.hive.api.createLiveSession({ body: { job_id: job.id } });
    expect(link).to.equal(null);
    const screen = readFileSync(`${sample}/${screenPath}`, 'utf8');
    const edit = (base: number, words: string) => async (): Promise<unknown> => ada.hive.api.pushLiveChanges({
      path: { live_id: id },
      body: { base_revision: base, changes: [{ path: screenPath, content_base64: Buffer.from(screen.replace('What did you see today?', words)).toString('base64') }] },
    });
    const shown = await frameTextOf(viewUrl, 'What did you see today?', [
      { does: edit(0, 'Seen while you edit'), shows: 'Seen while you edit' }, { does: edit(1, 'And once more'), shows: 'And once more' },
    ]);
    await ada.hive.api.endLiveSession({ path: { live_id: id } });
    if (shown === null) return;
    expect(shown.text).to.include('Kingfisher by the weir').and.to.not.include('What did you see today?');
    expect(shown.errors).to.deep.equal([]);
  });
});
