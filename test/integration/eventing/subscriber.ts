/** A subscriber that answers by script: what it says is decided event by event, by the event's subject. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly afterMs?: number;
  /** Says nothing, or hangs up, in place of an answer. */
  readonly instead?: 'hang' | 'reset';
}

export interface Seen {
  readonly path: string;
  readonly subject: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}

export interface Subscriber {
  readonly url: string;
  /** Sets the answer to a subject's events on every path but the dead-letter ones, which always get 200. */
  script(subject: string, reply: Reply | ((seen: Seen, nth: number) => Reply)): void;
  seen(path: string, subject?: string): Seen[];
  /** Resolves once `count` requests came; throws when they did not in time. */
  waitFor(path: string, subject: string | undefined, count: number, withinMs?: number): Promise<Seen[]>;
  close(): Promise<void>;
}

/** Starts a subscriber; the port is free when 0. */
export async function startSubscriber(port = 0, host = '127.0.0.1'): Promise<Subscriber> {
  const all: Seen[] = [];
  const scripts = new Map<string, Reply | ((seen: Seen, nth: number) => Reply)>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const subject = String(request.headers['ce-subject'] ?? '');
      const path = request.url ?? '/';
      const body = Buffer.concat(chunks).toString();
      const one: Seen = { path, subject, headers: request.headers, body, at: Date.now() };
      all.push(one);
      const script = path.startsWith('/dead/') ? { status: 200 } : (scripts.get(subject) ?? {});
      const reply = typeof script === 'function' ? script(one, seen(path, subject).length) : script;
      if (reply.instead === 'hang') return;
      if (reply.instead === 'reset') request.socket.destroy();
      else {
        setTimeout(
          () => response.writeHead(reply.status ?? 204, reply.headers).end(reply.body),
          reply.afterMs ?? 0,
        );
      }
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(port, host, resolve);
  await promise;

  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    script: (subject, reply) => void scripts.set(subject, reply),
    seen,
    async waitFor(path, subject, count, withinMs = 5_000) {
      const until = Date.now() + withinMs;
      while (seen(path, subject).length < count) {
        if (Date.now() > until) {
          throw new Error(`${seen(path, subject).length} of ${count} requests on ${path} in ${withinMs} ms`);
        }
        await sleep(10);
      }
      return seen(path, subject);
    },
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };

  function seen(path: string, subject?: string): Seen[] {
    return all.filter((one) => one.path === path && (subject === undefined || one.subject === subject));
  }
}
