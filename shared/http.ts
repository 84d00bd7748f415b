/**
 * The one file for outgoing HTTP.
 *
 * Its invariant: an answer is returned, anything else is an HttpFailure that says whether the other side may have
 * taken the request all the same. A refusal (status outside 2xx) counts as an answer even when its body breaks,
 * drips or is too long. Errors name protocol and host only, because paths, queries and headers hold secrets.
 * Redirects are never followed and link-local addresses (cloud metadata) are never connected to.
 */
import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import net, { type LookupFunction } from 'node:net';

import { InvalidInputError } from './errors.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BODY_BYTES = 64 * 1024;
const MAX_RETRY_AFTER_MS = 3_600_000;
/** Below the 5 s after which many servers (Node's among them) close an idle connection. */
const IDLE_SOCKET_MS = 4_000;

/** What to send and how long to wait for the whole answer. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For connecting, sending and reading the answer together; 10 s unless told. */
  readonly timeoutMs?: number;
  /** How much of the answer's body is read; 64 KiB unless told. */
  readonly maxBodyBytes?: number;
  readonly signal?: AbortSignal;
}

/** An answer; its status may be any but 3xx. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** `connect`: the request was not sent in full; `reset`: the connection broke after that; `timeout` covers aborts. */
export type HttpFailureKind = 'connect' | 'timeout' | 'reset' | 'redirect' | 'too-large';

/** No usable answer; `outcomeUnknown` is set when the request may have been carried out all the same. */
export class HttpFailure extends Error {
  readonly kind: HttpFailureKind;
  readonly outcomeUnknown: boolean;

  constructor(kind: HttpFailureKind, message: string, outcomeUnknown: boolean) {
    super(message);
    this.name = 'HttpFailure';
    this.kind = kind;
    this.outcomeUnknown = outcomeUnknown;
  }
}

/** Sends one request and reads its answer; throws HttpFailure, or InvalidInputError for a request that cannot be sent. */
export async function request(options: HttpRequest): Promise<HttpResponse> {
  const url = parseUrl(options.url);
  const headers = checkedHeaders(options.headers ?? {});
  const where = `${url.protocol}//${url.host}`;
  if (options.signal?.aborted === true)
    throw new HttpFailure('timeout', `${where} was not asked: aborted`, false);
  if (isBlocked(url.hostname.replace(/^\[|\]$/g, ''))) {
    throw new HttpFailure('connect', `${where} is an address that is never connected to`, false);
  }

  return await new Promise<HttpResponse>((resolve, reject) => {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
    const chunks: Buffer[] = [];
    let response: http.IncomingMessage | undefined;

    const [client, agent] = url.protocol === 'https:' ? [https, httpsAgent] : [http, httpAgent];
    const outgoing = client.request(url, { method: options.method, headers, agent });
    const onAbort = (): void => giveUp('timeout', 'the call was aborted');
    const timer = setTimeout(() => giveUp('timeout', `no full answer within ${timeoutMs} ms`), timeoutMs);
    options.signal?.addEventListener('abort', onAbort, { once: true });

    function release(): void {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    }

    function finish(answer: http.IncomingMessage): void {
      release();
      const body = Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8');
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
    }

    function giveUp(kind: HttpFailureKind, what: string): void {
      const status = response?.statusCode;
      if (response !== undefined && kind !== 'redirect' && !isSuccess(status)) {
        finish(response);
      } else {
        release();
        // Once the last byte is with the operating system the other side may act on it, answer or not.
        const outcomeUnknown = kind !== 'redirect' && (outgoing.writableFinished || isSuccess(status));
        reject(new HttpFailure(kind, `${where}: ${what}`, outcomeUnknown));
      }
      outgoing.destroy();
    }

    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const kind = outgoing.writableFinished ? 'reset' : 'connect';
      giveUp(
        kind,
        `${kind === 'reset' ? 'the connection broke' : 'no connection'} (${error.code ?? error.name})`,
      );
    });
    outgoing.on('response', (answer) => {
      response = answer;
      const status = answer.statusCode ?? 0;
      if (status >= 300 && status < 400) return giveUp('redirect', `answered with a redirect (${status})`);
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > maxBodyBytes) giveUp('too-large', `the answer is longer than ${maxBodyBytes} bytes`);
      });
      answer.on('end', () => finish(answer));
      answer.on('error', () => giveUp('reset', 'the connection broke during the answer'));
    });
    outgoing.end(options.body);
  });
}

/** Milliseconds asked for by a `Retry-After` header (seconds or HTTP date), at most one hour; undefined without a usable one. */
export function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  const value = header?.trim() ?? '';
  if (value === '') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

function parseUrl(input: URL | string): URL {
  // URL.parse instead of the constructor: the constructor's error carries the whole input.
  const url = input instanceof URL ? input : URL.parse(input);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidInputError('the request needs an absolute http or https URL');
  }
  return url;
}

function checkedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\t\x20-\x7e]*$/.test(value)) {
      throw new InvalidInputError(`the header ${name} has characters that are not allowed in a header`);
    }
  }
  return { 'user-agent': 'alertgest', ...headers };
}

function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

/** Link-local ranges and the metadata addresses outside them; private networks stay allowed, home labs live there. */
const blocked = new net.BlockList();
blocked.addSubnet('169.254.0.0', 16, 'ipv4');
blocked.addAddress('100.100.100.200', 'ipv4');
blocked.addSubnet('fe80::', 10, 'ipv6');
blocked.addAddress('fd00:ec2::254', 'ipv6');

function isBlocked(address: string): boolean {
  const family = net.isIP(address);
  return family !== 0 && blocked.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Checks what a name resolved to at the moment of connecting, so a changing DNS answer cannot slip past. */
const lookup: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, options, (error, found, family) => {
    const addresses = Array.isArray(found) ? found.map((entry) => entry.address) : [found];
    if (error === null && addresses.some(isBlocked)) {
      const refusal = Object.assign(new Error('a blocked address'), { code: 'EBLOCKED' });
      return callback(refusal, found, family);
    }
    return callback(error, found, family);
  });
};

const httpAgent = new http.Agent({ keepAlive: true, timeout: IDLE_SOCKET_MS, lookup });
const httpsAgent = new https.Agent({ keepAlive: true, timeout: IDLE_SOCKET_MS, lookup });
