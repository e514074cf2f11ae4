/**
 * Takes webhooks: `npm exec -- node examples/webhook-receiver.ts secret.txt 8787`, with the secret in that file. What it does and
 * why: docs/webhooks.md.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import type { PreviewSucceededMessage, TaskCreatedMessage, WebhookTestMessage } from '#sdk/index.ts';

/** Those that this receiver does something about; it asked for no others. */
type Message = PreviewSucceededMessage | TaskCreatedMessage | WebhookTestMessage;

const [secretFile = 'secret.txt', port = '8787'] = process.argv.slice(2);
const webhook = new Webhook(readFileSync(secretFile, 'utf8').trim());
/** Events that were taken. Keep them where your work is kept, in the same transaction, so that a restart forgets none. */
const taken = new Set<string>();
const bodyBytes = 1024 * 1024;

function take(message: Message): void {
  if (taken.has(message.id)) return;
  taken.add(message.id);
  switch (message.type) {
    case 'preview.succeeded': return console.log('preview', message.data.job_id, message.data.target_platform);
    case 'task.created': return console.log('task', message.data.task.title);
    case 'webhook.test': return console.log('test', message.data.message);
    default: // A type that came to be after this was written: taken, and left alone.
  }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > bodyBytes) request.destroy();
    else chunks.push(chunk);
  });
  request.on('end', () => {
    try {
      // The bytes as they came: parsed and written anew they would have another signature.
      const body = Buffer.concat(chunks).toString('utf8');
      const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': signature = '' } = request.headers as Record<string, string>;
      take(webhook.verify(body, { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }) as Message);
      // At once: what takes long is put on a queue of your own.
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(error instanceof WebhookVerificationError ? 401 : 500).end();
    }
  });
});
server.listen(Number(port), () => console.log('listening'));
