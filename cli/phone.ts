/**
 * A phone for machines without one: an address that the webhook channel posts to. It shows each piece of news once, as a
 * provider that collapses repeats would, and counts what it was sent.
 */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { SEVERITIES } from '../shared/severity.ts';
import type { Push } from './card.ts';

const BODY_LIMIT = 1024 * 1024;

/** A text from outside may not steer the terminal it is shown on. */
const text = z
  .string()
  .transform((value) => stripVTControlCharacters(value).replaceAll(/[^\P{Cc}\n]/gu, ' '));
/** The part of the webhook channel's document that is shown. */
const pushSchema = z.object({
  noticeKey: z.string(),
  title: text,
  body: text,
  severity: z.enum(SEVERITIES),
  priority: z.string(),
  resolved: z.boolean(),
  link: text.nullable(),
});

export interface Phone {
  /** The value of WEBHOOK_URL. */
  readonly url: string;
  /** Different pieces of news shown. */
  readonly pushes: number;
  close(): Promise<void>;
}

/** Starts the phone; `onPush` hears of each piece of news once, with its number. */
export async function startPhone(onPush: (push: Push, number: number) => void): Promise<Phone> {
  const seen = new Set<string>();
  const take = async (incoming: IncomingMessage): Promise<number> => {
    const push = pushSchema.safeParse(await readJson(incoming));
    if (!push.success) return 400;
    if (!seen.has(push.data.noticeKey)) {
      seen.add(push.data.noticeKey);
      onPush(push.data, seen.size);
    }
    return 200;
  };
  const server = createServer((incoming, outgoing) => {
    take(incoming).then(
      (status) => outgoing.writeHead(status).end(),
      () => outgoing.destroy(),
    );
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/push`,
    get pushes() {
      return seen.size;
    },
    async close() {
      const { promise: closed, resolve: done } = Promise.withResolvers<void>();
      server.close(() => done());
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Error('too large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return null;
  }
}
