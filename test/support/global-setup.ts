import { stopTestServices } from './services.ts';
import { dropTemplate } from './database.ts';

/** Services start at the first test that asks for them; here they end, and what a test left open is found out. */
export async function mochaGlobalTeardown(): Promise<void> {
  await dropTemplate();
  await stopTestServices();
  // This timer does not keep the process running: it fires only if something else still does, which is a leak.
  setTimeout(() => {
    process.stderr.write(`The tests left something open: ${process.getActiveResourcesInfo().join(', ')}\n`);
    process.exit(1);
  }, 3_000).unref();
}
