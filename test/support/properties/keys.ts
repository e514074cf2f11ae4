import type { Person } from '../system.ts';

/** Stands for an API key of a person; the real one is made anew for each request. */
export const keyStandIn = '00000000-0000-4000-8000-00000000e001';

/** The id of a new key; one in two is being replaced already. */
export async function keyIdOf({ hive }: Person): Promise<string> {
  const { api_key: key } = await hive.api.createApiKey({ body: { name: 'Made for one request', scopes: ['account:read'] } });
  made += 1;
  if (made % 2 === 0) await hive.api.rotateApiKey({ path: { key_id: key.id }, body: { overlap_seconds: 3600 } });
  return key.id;
}
let made = 0;
