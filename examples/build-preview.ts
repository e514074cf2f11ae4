/**
 * Builds a preview of examples/field-notes with the SDK: `npm exec -- node examples/build-preview.ts [base URL]`, against
 * a running `npm start`.
 */
import { HiveSync } from '#sdk/index.ts';

const baseUrl = process.argv[2] ?? 'http://localhost:4000';
const signIn = await new HiveSync({ baseUrl }).api.loginUser({
  body: { email: 'ada@example.com', password: 'notes-taken-outdoors' },
});
if (signIn.token_type !== 'Bearer') throw new Error('This account asks for a second factor.');
const hive = new HiveSync({ baseUrl, accessToken: signIn.access_token });

const { items: [project] } = await hive.api.listProjects({ query: { limit: 1 } });
if (project === undefined) throw new Error('This account has no project.');
const { url, artifacts } = await hive.previews.build(new URL('field-notes', import.meta.url).pathname, {
  projectId: project.id,
  platform: 'ios',
  onProgress: ({ stage, done, total }) => console.log(stage, `${done}/${total}`),
});
console.log(`${artifacts.length} artifacts; the bundle, for ten minutes: ${url}`);
