/** Stands for the first preview. */
import type { Environment } from '#config/environment.ts';

export default async function firstPreview(env: Environment, say: (line: string) => void): Promise<void> {
  say(`first preview on ${env.baseUrl}`);
}
