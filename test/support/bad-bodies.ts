/**
 * The exact requests of bad.jsonl: what bad_materialise.py makes of a row, and the raw connections it leaves to us
 * (slow, short, broken chunks). Generated JSON is spaced as Python's json.dumps spaces it, so lengths agree.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** How a row's body is made when it is too big or too odd to be listed. */
type Recipe =
  | { readonly kind: 'string'; readonly field: string; readonly bytes: number }
  | {
      readonly kind: 'alerts';
      readonly count: number;
      readonly bad_at?: number;
      readonly distinct_names?: boolean;
    }
  | { readonly kind: 'labels'; readonly count: number }
  | { readonly kind: 'nest'; readonly open: string; readonly close: string; readonly depth: number }
  | { readonly kind: 'nest-in-annotation'; readonly depth: number }
  | { readonly kind: 'pad'; readonly bytes: number }
  | { readonly kind: 'gzip-bomb'; readonly bytes: number }
  | { readonly kind: 'slow'; readonly bytes_per_s: number; readonly seconds: number }
  | { readonly kind: 'short'; readonly declared: number; readonly sent: number }
  | { readonly kind: 'bad-chunk' };

export interface BadRow {
  readonly id: string;
  readonly title: string;
  readonly content_type: string | null;
  /** Null stands for a connection that ends without an answer. */
  readonly expect_status: ReadonlyArray<number | null>;
  readonly invariants: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body_b64?: string;
  readonly gen?: Recipe;
}

export interface Answer {
  /** Null when the connection ended without an answer. */
  readonly status: number | null;
  readonly body: string;
  readonly tookMs: number;
}

/** The bytes of a row's body; null for rows that need a raw connection. */
export function toBody({ body_b64, gen }: BadRow): Buffer | null {
  if (body_b64 !== undefined) return Buffer.from(body_b64, 'base64');
  if (gen === undefined) throw new Error('the row has neither a body nor a recipe');
  switch (gen.kind) {
    case 'string': {
      const alert = makeAlert(0);
      const [section, key] = gen.field.split('.') as ['labels' | 'annotations', string];
      alert[section][key] = 'x'.repeat(gen.bytes);
      return toBytes(wrap([alert, makeAlert(1)]));
    }
    case 'alerts': {
      const alerts: unknown[] = Array.from({ length: gen.count }, (_, i) =>
        makeAlert(i, gen.distinct_names === true ? `Alert${i}` : undefined),
      );
      if (gen.bad_at !== undefined) alerts[gen.bad_at] = { status: 7, labels: null };
      return toBytes(wrap(alerts));
    }
    case 'labels': {
      const alert = makeAlert(0);
      for (let i = 0; i < gen.count; i++) alert.labels[`l${i}`] = String(i);
      return toBytes(wrap([alert]));
    }
    case 'nest':
      return Buffer.from(gen.open.repeat(gen.depth) + gen.close.repeat(gen.depth));
    case 'nest-in-annotation':
      return Buffer.from(
        '{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"X"},"annotations":{"a":' +
          `${'{"a":'.repeat(gen.depth)}1${'}'.repeat(gen.depth)}}}]}`,
      );
    case 'pad':
      return Buffer.concat([Buffer.alloc(gen.bytes, ' '), toBytes(wrap([makeAlert(0)]))]);
    case 'gzip-bomb':
      return gzipSync(Buffer.alloc(gen.bytes, '0'), { level: 9 });
    default:
      return null;
  }
}

/** Sends a row to `url` and answers what came back. */
export function sendRow(url: string, token: string, row: BadRow): Promise<Answer> {
  const body = toBody(row);
  return body === null ? sendRaw(url, token, row) : sendBody(url, token, row, body);
}

function sendBody(url: string, token: string, row: BadRow, body: Buffer): Promise<Answer> {
  const { ':method': method = 'POST', ...headers } = row.headers ?? {};
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const finish = (status: number | null, text: string): void =>
    resolve({ status, body: text, tookMs: performance.now() - startedAt });
  const outgoing = request(
    url,
    {
      method,
      agent: false,
      headers: {
        ...headers,
        ...(row.content_type === null ? {} : { 'content-type': row.content_type }),
        'content-length': body.length,
        authorization: `Bearer ${token}`,
      },
    },
    (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => (text += chunk));
      incoming.on('close', () => finish(incoming.statusCode ?? null, text));
    },
  );
  // A server that refuses early may cut the rest of the body off; its answer counts all the same.
  outgoing.on('error', () => finish(null, ''));
  outgoing.end(body);
  return promise;
}

async function sendRaw(url: string, token: string, row: BadRow): Promise<Answer> {
  const { gen } = row;
  const { hostname, port, pathname } = new URL(url);
  const startedAt = performance.now();
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => (text += chunk));
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
  const head = (framing: string): string =>
    `POST ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: ${row.content_type ?? ''}\r\n` +
    `Authorization: Bearer ${token}\r\n${framing}\r\n\r\n`;
  const body = JSON.stringify(wrap([makeAlert(0)]));
  switch (gen?.kind) {
    case 'slow':
      await drip(socket, head(`Content-Length: ${body.length}`), body, gen);
      break;
    case 'short':
      socket.end(head(`Content-Length: ${gen.declared}`) + body.slice(0, gen.sent));
      break;
    case 'bad-chunk':
      socket.end(`${head('Transfer-Encoding: chunked')}xyz\r\n${body}\r\n0\r\n\r\n`);
      break;
    default:
      throw new Error(`no raw connection for ${row.id}`);
  }
  await closed;
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  return {
    status: status === undefined ? null : Number(status),
    // The answer may come in chunks; its JSON is one of them.
    body: /\{.*\}/s.exec(text.slice(text.indexOf('\r\n\r\n')))?.[0] ?? '',
    tookMs: performance.now() - startedAt,
  };
}

/** Sends a byte now and then, until all are sent or the other side hangs up. */
async function drip(
  socket: Socket,
  head: string,
  body: string,
  { bytes_per_s, seconds }: Extract<Recipe, { kind: 'slow' }>,
): Promise<void> {
  socket.write(head);
  const { promise, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(body[sent++] ?? '');
    if (sent >= bytes_per_s * seconds) socket.end();
  }, 1_000 / bytes_per_s);
  socket.on('close', () => {
    clearInterval(timer);
    resolve();
  });
  await promise;
}

function makeAlert(index: number, name = 'KubePodNotReady') {
  const number = String(index).padStart(5, '0');
  const pod = `api-server-7d9f8c6b5-${number}`;
  const labels: Record<string, string> = {
    alertname: name,
    severity: 'warning',
    namespace: 'production',
    pod,
  };
  const annotations: Record<string, string> = {
    summary: 'Pod has been in a non-ready state',
    description: `Pod production/${pod} has been in a non-ready state for longer than 15 minutes.`,
  };
  return {
    status: 'firing',
    labels,
    annotations,
    startsAt: '2024-01-15T02:30:00Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus:9090/graph',
    fingerprint: index.toString(16).padStart(16, '0'),
  };
}

function wrap(alerts: readonly unknown[]): object {
  return {
    version: '4',
    groupKey: '{}:{}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'overnight-digest',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager:9093',
    alerts,
  };
}

function toBytes(value: unknown): Buffer {
  return Buffer.from(spaced(value));
}

function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${spaced(inner)}`);
  return `{${entries.join(', ')}}`;
}
