/** The engine's one HTTP client: a POST that always comes back with an answer or a reason why there is none. */
import { Agent, request, type IncomingHttpHeaders } from 'node:http';

/** What came back from a POST; `status` is undefined when nothing did. */
export type Answer =
  | { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
  | { readonly status: undefined; readonly error: string };

export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Sender {
  send(url: URL, message: Message, timeoutMs: number, signal?: AbortSignal): Promise<Answer>;
  close(): void;
}

/** Creates a client that keeps its connections. */
export function createSender(): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 256 });
  return {
    send: (url, message, timeoutMs, signal) => post(agent, url, message, timeoutMs, signal),
    close: () => agent.destroy(),
  };
}

function post(
  agent: Agent,
  url: URL,
  { headers, body }: Message,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const outgoing = request(url, {
    agent,
    method: 'POST',
    headers: { ...headers, 'content-length': body.length },
    ...(signal && { signal }),
  });
  const timer = setTimeout(() => outgoing.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  const fail = (error: Error): void => {
    clearTimeout(timer);
    resolve({ status: undefined, error: error.message });
  };
  outgoing.on('error', fail);
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on('error', fail);
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      clearTimeout(timer);
      resolve({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        body: Buffer.concat(chunks),
      });
    });
  });
  outgoing.end(body);
  return promise;
}
