/**
 * The one address people use on one machine, as an ingress would be on a cluster: alerts go to receive,
 * `/functions/<name>` straight to that function, everything else to the console.
 */
import {
  Agent,
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GatewayOptions {
  /** Function name → base URL. */
  readonly services: Readonly<Record<string, string>>;
  /** 8080 by default; 0 takes a free one. */
  readonly port?: number;
  readonly host?: string;
}

export interface Gateway {
  readonly url: string;
  close(): Promise<void>;
}

/** Headers that belong to one connection and are not passed on. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Starts the gateway. */
export async function createGateway({
  services,
  port = 8080,
  host = '127.0.0.1',
}: GatewayOptions): Promise<Gateway> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const target = route(incoming.method ?? 'GET', incoming.url ?? '/', services);
    if (target === undefined) refuse(outgoing, 404, 'there is no such function');
    else forward(incoming, outgoing, target, agent);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async close() {
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeIdleConnections();
      await closed;
      agent.destroy();
    },
  };
}

/** The URL behind a path, or undefined when no function of that name has an address. */
export function route(
  method: string,
  path: string,
  services: Readonly<Record<string, string>>,
): string | undefined {
  const direct = /^\/functions\/([a-z-]+)(\/[^?]*)?(\?.*)?$/.exec(path);
  if (direct) {
    const [, name = '', rest = '/', query = ''] = direct;
    return join(services[name], `${rest}${query}`);
  }
  const isAlert = method === 'POST' && path.split('?', 1)[0] === '/api/v1/alerts';
  return join(services[isAlert ? 'receive' : 'console'], path);
}

function join(base: string | undefined, path: string): string | undefined {
  return base === undefined ? undefined : `${base.replace(/\/$/, '')}${path}`;
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, target: string, agent: Agent): void {
  const { remoteAddress = '' } = incoming.socket;
  const before = incoming.headers['x-forwarded-for'];
  const headers = {
    ...withoutHopByHop(incoming.headers),
    'x-forwarded-for': before === undefined ? remoteAddress : `${String(before)}, ${remoteAddress}`,
    'x-forwarded-host': incoming.headers.host ?? '',
    'x-forwarded-proto': 'http',
  };
  const upstream = request(target, { agent, method: incoming.method ?? 'GET', headers });
  upstream.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer.headers));
    answer.on('error', () => outgoing.destroy());
    answer.pipe(outgoing);
  });
  upstream.on('error', () => {
    if (outgoing.headersSent) outgoing.destroy();
    else refuse(outgoing, 502, 'the function does not answer');
  });
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) upstream.destroy();
  });
  incoming.pipe(upstream);
}

function withoutHopByHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
}

function refuse(outgoing: ServerResponse, status: number, error: string): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}
