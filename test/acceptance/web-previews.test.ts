import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { frameTextOf } from '../support/preview/open-web-bundle.ts';
import { useSystem } from '../support/system.ts';

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
});
