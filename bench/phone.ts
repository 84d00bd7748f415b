/** Where pushes go in a bench. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

const messageSchema = z.object({
  title: z.string(),
  priority: z.number(),
  extras: z
    .object({
      'client::notification': z.object({ click: z.object({ url: z.string() }).optional() }).optional(),
    })
    .optional(),
});

export interface PhonePush {
  readonly title: string;
  readonly priority: number;
  readonly link: string | null;
  readonly at: number;
}

export interface Phone {
  /** The variables that make it a Gotify channel. */
  readonly env: Readonly<Record<string, string>>;
  /** The pushes with their link and when they came (`performance.now()`), oldest first. */
  readonly pushes: ReadonlyArray<PhonePush>;
  close(): void;
}

/** A Gotify that takes everything and notes when. */
export async function startPhone(): Promise<Phone> {
  const pushes: PhonePush[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const at = performance.now();
      const { title, priority, extras } = messageSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
      const link = extras?.['client::notification']?.click?.url ?? null;
      pushes.push({ title, priority, link, at });
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ id: pushes.length }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    env: { GOTIFY_URL: `http://127.0.0.1:${port}`, GOTIFY_TOKEN: 'bench-token-of-no-value' },
    pushes,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
