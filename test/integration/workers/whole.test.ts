import { expect } from 'chai';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PreviewBuildError } from '#sdk/index.ts';
import { testFolder } from '../../support/services.ts';
import { until, useSystem, type Person } from '../../support/system.ts';

const fieldNotes = fileURLToPath(new URL('../../../examples/field-notes', import.meta.url));

describe('a worker process beside the real backend', function () {
  this.timeout(180_000);
  const system = useSystem({ workers: 1 });
  let person: Person;
  let projectId: string;
  before(async () => {
    person = await system.current.person('pro');
    projectId = (await person.hive.api.createProject({ body: { name: 'Field Notes' } })).id;
  });

  it('builds the example, takes the same bundle again where nothing has changed, and builds it anew from the sources it has where something has', async () => {
    const first = await person.hive.previews.build(fieldNotes, { projectId, platform: 'ios' });
    const again = await person.hive.previews.build(fieldNotes, { projectId, platform: 'ios' });
    // No module reads it: the bundle is the same, and the build could not know.
    const anew = await person.hive.previews.build(fieldNotes, { projectId, platform: 'ios', env: { PUBLIC_UNREAD: '1' } });
    const hashOf = ({ artifacts }: typeof first): string | undefined => artifacts.find(({ kind, encoding }) => kind === 'bundle' && encoding === 'identity')?.sha256;
    expect([hashOf(again), hashOf(anew)]).to.deep.equal([hashOf(first), hashOf(first)]);
    expect(first.artifacts.filter(({ path }) => path === 'bundle.js').map(({ encoding }) => encoding).sort()).to.deep.equal(['br', 'gzip', 'identity']);
    const logOf = async ({ job }: typeof first): Promise<string[]> => (await person.hive.api.getPreviewLogs({ path: { job_id: job.id } })).items.map(({ message }) => message);
    expect((await logOf(again))[0]).to.contain('nothing has changed');
    const messages = await logOf(anew);
    expect(messages).to.satisfy((all: string[]) => all.some((message) => /0 fetched/u.test(message)), messages.join('\n'));
    expect(messages).to.satisfy((all: string[]) => all.some((message) => /^built: /u.test(message)), messages.join('\n'));
    expect(messages.join('\n')).not.to.contain(testFolder());
  });

  it('tells where a source does not compile', async () => {
    const broken = join(testFolder(), 'broken-app');
    await mkdir(broken, { recursive: true });
    await writeFile(join(broken, 'index.js'), 'import {Text} from "react-native";\nimport _ from "lodash";\nconsole.log(Text, _);\n');
    const error: unknown = await person.hive.previews.build(broken, { projectId, platform: 'ios' }).catch((caught: unknown) => caught);
    if (!(error instanceof PreviewBuildError)) throw error;
    expect(error).to.include({ kind: 'unknown_import', file: 'index.js', line: 2 });
    expect(error.message).to.contain('lodash');
  });

  it('loses no job when it is told to stop in the middle of one, and ends well', async () => {
    const [first] = system.current.workers();
    if (first === undefined) throw new Error('no worker runs');
    let isTold = false;
    const stopped = new Promise<number | null>((resolve) => { first.child.once('exit', (code) => resolve(code)); });
    const built = person.hive.previews.build(fieldNotes, {
      projectId, platform: 'android', dev: true,
      onProgress: ({ stage }) => {
        // Once: progress comes often, and a second signal ends a process at once, as it should.
        if (stage !== 'bundling' || isTold) return;
        isTold = true;
        first.child.kill('SIGTERM');
      },
    });
    await until('the first worker to begin to stop', () => first.log().includes('shutdown.began') || first.child.exitCode !== null);
    await system.current.startWorker();
    const { job } = await built;
    expect(job.status).to.equal('succeeded');
    expect(await stopped).to.equal(0);
  });
});
