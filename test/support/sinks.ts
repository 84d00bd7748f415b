/**
 * Stand-ins for the providers, each with a ledger of what a person would have seen.
 * They check what the real servers check and answer in their recorded shapes; `script` queues other answers.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Provider } from './provider.ts';
import { PROVIDERS } from './providers.ts';

/** One message as the provider understood it. */
export interface Push {
  /** Method and path with query, as they arrived. */
  readonly call: string;
  readonly title: string;
  readonly text: string;
  /** The provider's own number or, for the webhook, word. */
  readonly priority: number | string;
  readonly link: string | null;
  /** What collapses repeats: ntfy's sequence id, the webhook's idempotency key, null elsewhere. */
  readonly key: string | null;
  readonly headers: http.IncomingHttpHeaders;
  /** The parsed body as it arrived. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly at: Date;
}

/**
 * A scripted answer. `reset` breaks the connection after the body was read (the push counts as seen);
 * `hang` never answers; `drip` starts a good answer that never ends; a status answers with that status and body.
 */
export type SinkAnswer =
  | 'ok'
  | 'reset'
  | 'hang'
  | 'drip'
  | {
      /** Left out for the real answer, late. */
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | object;
      readonly delayMs?: number;
    };

/** A provider for tests: where it is, how our channel is configured for it, and what it was sent. */
export interface Sink {
  readonly url: string;
  /** The variables that configure our channel for this sink. */
  readonly env: Readonly<Record<string, string>>;
  /** What a person would have seen, oldest first. */
  readonly pushes: readonly Push[];
  /** Every request that arrived, seen or not. */
  readonly requests: readonly Push[];
  /** The messages it said yes to, each with its answer; `clear` does not forget them. */
  readonly yeses: ReadonlyArray<{ readonly push: Push; readonly answer: string }>;
  /** Queues answers for the next requests; afterwards the sink says yes again. */
  script(...answers: readonly SinkAnswer[]): void;
  /** Forgets pushes, requests and scripted answers. */
  clear(): void;
  /** Waits until at least `count` pushes were seen. */
  waitFor(count: number, timeoutMs?: number): Promise<readonly Push[]>;
  /** Throws unless exactly `count` pushes were seen, naming them. */
  assertOnly(count: number): void;
  /** Waits `ms` and throws when another push was seen meanwhile. */
  expectNoMore(ms?: number): Promise<void>;
  close(): Promise<void>;
}

/** The stand-in of any type of channel. */
export function startProviderSink(type: keyof typeof PROVIDERS): Promise<Sink> {
  return startSink(PROVIDERS[type]);
}

/** A Gotify server with one application. */
export function startGotifySink(): Promise<Sink> {
  return startSink(PROVIDERS.gotify);
}

/** An ntfy server with one protected topic. */
export function startNtfySink(): Promise<Sink> {
  return startSink(PROVIDERS.ntfy);
}

/** Pushover's API with one application and one user. */
export function startPushoverSink(): Promise<Sink> {
  return startSink(PROVIDERS.pushover);
}

/** Somebody's own receiver for the generic webhook. */
export function startWebhookSink(): Promise<Sink> {
  return startSink(PROVIDERS.webhook);
}

async function startSink(provider: Provider): Promise<Sink> {
  let pushes: Push[] = [];
  let requests: Push[] = [];
  let answers: SinkAnswer[] = [];
  const yeses: Array<{ push: Push; answer: string }> = [];
  let count = 0;

  const handle = async (incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> => {
    const { push, refusal } = provider.read(incoming, await readBody(incoming));
    requests.push(push);
    const answer = answers.shift() ?? 'ok';
    if (answer === 'hang') return;
    if (answer === 'reset') {
      pushes.push(push);
      incoming.socket.resetAndDestroy();
      return;
    }
    if (typeof answer === 'object') {
      await sleep(answer.delayMs ?? 0);
      if (answer.status !== undefined)
        return reply(outgoing, answer.status, answer.body ?? '', answer.headers);
    }
    if (refusal !== null) return reply(outgoing, refusal.status, refusal.body);
    pushes.push(push);
    const yes = provider.yes(push, ++count);
    yeses.push({ push, answer: typeof yes.body === 'string' ? yes.body : JSON.stringify(yes.body) });
    if (answer === 'drip') return drip(outgoing, JSON.stringify(yes.body), yes.status);
    return reply(outgoing, yes.status ?? 200, yes.body, yes.headers);
  };
  const server = http.createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const assertOnly = (expected: number): void => {
    if (pushes.length === expected) return;
    const titles = pushes.map((push) => `\n  ${push.title}`).join('');
    throw new Error(`expected ${expected} pushes, the ${provider.name} sink saw ${pushes.length}:${titles}`);
  };

  return {
    url,
    env: provider.env(url),
    yeses,
    get pushes() {
      return pushes;
    },
    get requests() {
      return requests;
    },
    script: (...next) => void answers.push(...next),
    clear() {
      pushes = [];
      requests = [];
      answers = [];
    },
    async waitFor(expected, timeoutMs = 10_000) {
      const end = Date.now() + timeoutMs;
      while (pushes.length < expected && Date.now() < end) await sleep(20);
      if (pushes.length < expected) assertOnly(expected);
      return pushes;
    },
    assertOnly,
    async expectNoMore(ms = 500) {
      const before = pushes.length;
      await sleep(ms);
      assertOnly(before);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(incoming: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function reply(
  outgoing: http.ServerResponse,
  status: number,
  body: string | object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}

/** The whole answer but its last byte, then white space for as long as anybody listens. */
function drip(outgoing: http.ServerResponse, text: string, status = 200): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' });
  outgoing.write(text.slice(0, -1));
  const timer = setInterval(() => outgoing.write(' '), 20);
  outgoing.on('close', () => clearInterval(timer));
}
