/**
 * A small S3 store for tests, in a process of its own: real sockets, real signatures, real failures.
 *
 *     node main.ts <data folder> <bucket> <access key> <secret key> <region> [port]
 *
 * Prints one line of JSON when it listens: {"port", "controlPort"}. Ends when its standard input closes, so that it
 * never outlives the test that started it. On the control port: POST /fault (a `Fault` or null), POST /clock
 * ({"offsetMs"}), GET /counts.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { Faults } from './faults.ts';
import { Objects } from './objects.ts';
import { serve, type Served } from './operations.ts';

const [dataDir = '', bucket = '', accessKey = '', secretKey = '', region = '', port = '0'] = process.argv.slice(2);
let clockOffsetMs = 0;
const served: Served = {
  objects: new Objects(dataDir),
  faults: new Faults(),
  bucket,
  credentials: { accessKey, secretKey, region },
  now: () => Date.now() + clockOffsetMs,
};

async function control(request: IncomingMessage): Promise<string> {
  const body = await text(request);
  switch (`${request.method} ${request.url}`) {
    case 'POST /fault':
      served.faults.set(JSON.parse(body));
      return 'null';
    case 'POST /clock':
      clockOffsetMs = (JSON.parse(body) as { offsetMs: number }).offsetMs;
      return 'null';
    case 'GET /counts': return JSON.stringify(served.faults.counts);
    default: throw new Error(`no such control: ${request.method} ${request.url}`);
  }
}

const listen = async (server: Server, wanted: number): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const store = createServer((request, response) => void serve(served, request, response));
const controls = createServer((request, response) => {
  control(request).then(
    (body) => response.end(body),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
process.stdin.resume().on('close', () => process.exit(0));
console.log(JSON.stringify({ port: await listen(store, Number(port)), controlPort: await listen(controls, 0) }));
