/**
 * A free port for a server that is about to start. It lies below those that the system hands out to connections
 * (Linux: 32768 and above, others 49152 and above), so that no connection takes it before the server listens.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;
const ATTEMPTS = 100;

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${FIRST_PORT} and ${LAST_PORT}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
