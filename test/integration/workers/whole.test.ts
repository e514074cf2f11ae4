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

  it('builds the example, and the same bundle again from what it kept', async () => {
    const first = await person.hive.previews.build(fieldNotes, { projectId, platform: 'ios' });
    const again = await person.hive.previews.build(fieldNotes, { projectId, platform: 'ios' });
    const hashOf = ({ artifacts }: typeof first): string | undefined => artifacts.find(({ kind, encoding }) => kind === 'bundle' && encoding === 'identity')?.sha256;
    expect(hashOf(again)).to.equal(hashOf(first));
    expect(first.artifacts.filter(({ path }) => path === 'bundle.js').map(({ encoding }) => encoding).sort()).to.deep.equal(['br', 'gzip', 'identity']);
    const log = await person.hive.api.getPreviewLogs({ path: { job_id: again.job.id } });
    const messages = log.items.map(({ message }) => message);
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
