/** `npm run mock`: the contract's examples, served under the real base path on PORT or 4010. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../contract.ts';
import { createMock } from './front.ts';

const port = Number(process.env['PORT'] ?? 4010);
const host = process.env['HOST'] ?? '127.0.0.1';
const contract = JSON.parse(await readFile(join(import.meta.dirname, '../../generated/openapi.json'), 'utf8')) as Contract;
const server = await createMock(contract);

server.on('error', (error) => {
  console.error(`The mock cannot listen on ${host}:${port}: ${error.message}`);
  process.exit(1);
});
server.listen(port, host, () => {
  const base = `http://${host}:${port}${contract.servers?.[0]?.url ?? ''}`;
  console.log(`The mock of ${contract.info.title} ${contract.info.version} answers at ${base}`);
  console.log(`Try: curl -H 'Authorization: Bearer any' ${base}/projects`);
  console.log("Another documented answer: -H 'Prefer: code=404'");
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
