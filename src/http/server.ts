import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';

export interface ServerOptions {
  /** Connections held at once; more are closed at the door. */
  readonly maxConnections?: number;
}

/**
 * A node:http server with bounds: 15 s for headers, 16 KiB of them, 100 of them; a request whole within 16 minutes (the
 * longest upload, whose own deadline is shorter); idle connections kept for 65 s, longer than the 60 s a load balancer
 * commonly keeps them, so that it is never us who close under a request.
 */
export function createServer(app: RequestListener, { maxConnections = 20_000 }: ServerOptions = {}): Server {
  const server = createHttpServer({
    headersTimeout: 15_000,
    requestTimeout: 16 * 60_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: 16 * 1024,
    // A request without Host is refused by Node; one with two lengths or encodings as well.
    requireHostHeader: true,
    // Two of a header that may come once (Authorization, say) are not silently one: together they are no credential.
    joinDuplicateHeaders: true,
    insecureHTTPParser: false,
    noDelay: true,
  }, app);
  server.maxHeadersCount = 100;
  server.maxConnections = maxConnections;
  // The pipeline says "go on" when it is about to read: a refused upload is never sent.
  server.on('checkContinue', app);
  server.on('clientError', answerClientError);
  return server;
}

/** What never became a request: the parser refused it. Answered in our shape where the connection still takes it. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const message = isTooLarge ? 'The headers are larger than 16 KiB.' : 'This is not a request we can read.';
  const body = JSON.stringify({ ok: false, data: null, error: { code: 'VALIDATION_ERROR', message, details: null } });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
    + `Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Starts to listen; resolves with the port once it does. */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/**
 * Stops taking connections, ends idle ones at once and busy ones when their request is answered, and cuts what is left
 * after `timeoutMs`. Event streams end by the application's `shutdown` signal. Say "not ready" some seconds before, so that the load balancer looks elsewhere.
 */
export async function drain(server: Server, timeoutMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
    // A connection whose request ends now becomes idle, and would be kept for the next request otherwise.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}
