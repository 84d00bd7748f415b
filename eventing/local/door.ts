/** The broker's HTTP side: `POST /<namespace>/<broker>`, with the ingress' own answers to everything else. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { InvalidInputError } from '../../shared/errors.ts';
import { readEnvelope, type Envelope } from './envelope.ts';
import type { Exchange } from './exchange.ts';
import type { Ledger } from './ledger.ts';

/** Creates the request handler; `exchanges` is keyed by `<namespace>/<broker>`, and `/` means the first. */
export function createDoor(exchanges: ReadonlyMap<string, Exchange>, ledger: Ledger) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'OPTIONS') return answer(response, 200, { allow: 'POST, OPTIONS' });
    if (request.method !== 'POST') return answer(response, 405, { allow: 'POST, OPTIONS' });
    const path = (request.url ?? '/').split('?', 1)[0]?.slice(1) ?? '';
    const exchange = path === '' ? exchanges.values().next().value : exchanges.get(path);
    if (!exchange) return answer(response, path.split('/').length === 2 ? 404 : 400);

    const left = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) left.abort();
    });
    let event: Envelope;
    try {
      event = readEnvelope(request.headers, await readBody(request));
    } catch (error) {
      if (!(error instanceof InvalidInputError)) return answer(response, 500);
      ledger.record('rejected', undefined, { status: 400, detail: error.message });
      return answer(response, 400, {}, error.message);
    }
    answer(response, await exchange.publish(event, left.signal));
  };
}

function answer(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  text = '',
): void {
  response.writeHead(status, headers).end(text);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
