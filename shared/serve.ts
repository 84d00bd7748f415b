/**
 * The one wrapper around functions-framework. It registers the function with the `http` signature (the `cloudevent`
 * signature answers 500 to bad input and cannot reply with an event), reads bodies within limits before the
 * framework's parsers see them, turns an event into an event, and drains on SIGTERM.
 *
 * Answers: 200 and the next event in binary mode, or 204; errors as short JSON (a broker's dispatcher breaks on
 * error bodies over 768 bytes). Every function answers GET /health (alive) and GET /ready (its stores answer).
 */
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  RequestListener,
  Server,
  ServerResponse,
} from 'node:http';
import { randomUUID } from 'node:crypto';
import { http as register } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import type { CloudEvent } from 'cloudevents';
import { readBody } from './body.ts';
import { parseEvent, toHttpMessage } from './cloud-event.ts';
import { AppError, InvalidInputError } from './errors.ts';
import type { FunctionName } from './events.ts';
import { describeError, stackOf } from './log.ts';
import type { Logger } from './log.ts';
import type { Publisher } from './publish.ts';
import { flushSpans, inSpan, toStepSpan } from './trace.ts';

/** A handler's own deadline; shorter than the Trigger's timeout (30 s), so that an answer is always ours. */
const DEADLINE_MS = 25_000;
/** How long in-flight requests may take after SIGTERM. */
const DRAIN_MS = 10_000;
/** Longer than the idle connection time of the proxy in front (knative/serving issue 12414). */
const KEEP_ALIVE_MS = 75_000;
/** Largest error text in an answer, in characters; keeps the whole body under 768 bytes. */
const ERROR_TEXT_LIMIT = 400;

/** What a handler knows of the request around its event. */
export interface Context {
  readonly log: Logger;
  /** Aborted at the function's deadline. */
  readonly signal: AbortSignal;
  /** W3C trace context to put on emitted events. */
  readonly traceparent: string;
  /** `?dry_run`: work on the event's data alone, touch nothing. */
  readonly dryRun: boolean;
}

/** From an event to the next events: the first is the reply, the others are published. */
export type EventHandler = (
  event: CloudEvent<unknown>,
  context: Context,
) => Promise<ReadonlyArray<CloudEvent<unknown>>>;

/** A plain HTTP request for functions that also have routes of their own (receive, console). */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The other end of the connection: on Knative the queue-proxy, so who asked stands in X-Forwarded-For. */
  readonly remoteAddress: string;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

export interface Service {
  readonly name: FunctionName;
  readonly log: Logger;
  /** Of its handlers, when 25 s are not enough; the Trigger's timeout is longer. */
  readonly deadlineMs?: number;
  /** Path → handler for events posted to it; `/` is where Triggers deliver. */
  readonly events: Readonly<Record<string, EventHandler>>;
  /** Every other request; absent means 404. */
  readonly http?: (request: HttpRequest, context: Context) => Promise<HttpReply>;
  /** Told of bodies refused before any handler saw them, with the reason; receive records them. */
  readonly refused?: (path: string, error: AppError) => Promise<void>;
  /** Publishes the events that are not the reply. */
  readonly publisher: Publisher;
  /** Throws when a needed store does not answer. */
  readonly ready: () => Promise<Readonly<Record<string, string>>>;
  /** Closes stores after the last request. */
  readonly close: () => Promise<void>;
}

/** Where a function listens: PORT as Knative sets it (0 picks a free one), on every address unless LISTEN_HOST names one. */
export interface Address {
  readonly port: number;
  readonly host: string | undefined;
}

/** Registers the function and listens. */
export async function serve(service: Service, { port, host }: Address): Promise<Server> {
  register(service.name, (request, response) => answer(service, request, response));
  const server = getTestServer(service.name);
  const [framework] = server.listeners('request') as RequestListener[];
  if (framework === undefined) throw new Error('functions-framework has no request listener');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void enter(service, framework, request, response);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 5_000;
  drainOnSignal(server, service);
  await new Promise<void>((resolve) => server.listen({ port, host }, resolve));
  service.log.info({ port: addressPort(server) }, 'listening');
  return server;
}

/** The raw body of a request, set before the framework runs; its parsers skip a request that is already read. */
interface ReadRequest extends IncomingMessage {
  rawBody?: Buffer;
}

async function enter(
  service: Service,
  framework: RequestListener,
  request: ReadRequest,
  response: ServerResponse,
): Promise<void> {
  const { path } = splitTarget(request.url);
  if (request.method === 'GET' && path === '/health')
    return send(response, { status: 200, ...json({ status: 'ok' }) });
  if (request.method === 'GET' && path === '/ready') return answerReady(service, response);
  try {
    request.rawBody = await readBody(request);
  } catch (error) {
    if (!(error instanceof AppError)) return void response.destroy();
    send(response, errorReply(error, service.log, { path }), true);
    request.resume();
    await service
      .refused?.(path, error)
      .catch((cause: unknown) => service.log.error(describeError(cause), 'refusal not recorded'));
    return;
  }
  framework(request, response);
}

async function answer(service: Service, request: ReadRequest, response: ServerResponse): Promise<void> {
  const { path, query } = splitTarget(request.url);
  const { log } = service;
  try {
    const body = request.rawBody ?? Buffer.alloc(0);
    const handler = service.events[path];
    const isEvent = handler !== undefined && request.method === 'POST';
    const event = isEvent ? parseEvent(request.headers, body) : undefined;
    const { method = 'GET', headers } = request;
    const given = readTraceparent(event?.['traceparent'] ?? headers['traceparent']);
    const work = async (traceparent: string): Promise<HttpReply> => {
      const context: Context = {
        log: log.child({ trace_id: traceparent.split('-')[1] }),
        signal: AbortSignal.timeout(service.deadlineMs ?? DEADLINE_MS),
        traceparent,
        dryRun: query.has('dry_run') && query.get('dry_run') !== 'false',
      };
      if (event !== undefined && handler !== undefined) {
        const [reply, ...others] = await handler(event, context);
        await service.publisher.publish(others);
        return reply === undefined ? { status: 204 } : { status: 200, ...toHttpMessage(reply) };
      }
      if (service.http === undefined) {
        throw handler === undefined
          ? new InvalidInputError(`nothing is at ${path}; POST a CloudEvent to /`, 'not-found')
          : new InvalidInputError('POST a CloudEvent here', 'method-not-allowed');
      }
      const { remoteAddress = '' } = request.socket;
      return service.http({ method, path, query, headers, body, remoteAddress }, context);
    };
    const traceparent = given ?? makeTraceparent();
    // Who only reads moves no notice.
    const isStep = method !== 'GET' && method !== 'HEAD';
    const span = toStepSpan(service.name, path, event);
    const reply = isStep ? inSpan({ ...span, traceparent, isRoot: given === null }, work) : work(traceparent);
    send(response, await reply);
  } catch (error) {
    send(response, errorReply(error, log, { path }));
  }
}

/** Path and query of a request's target. Not by `new URL`, which throws for targets such as `//`. */
function splitTarget(target = '/'): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?');
  if (mark === -1) return { path: target, query: new URLSearchParams() };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark)) };
}

/** The answer for a failure: an expected one by its reason, anything else 500 and an error line. */
export function errorReply(error: unknown, log: Logger, fields: Record<string, unknown> = {}): HttpReply {
  if (!(error instanceof AppError)) {
    log.error({ ...fields, ...describeError(error), stack: stackOf(error) }, 'request failed');
    return { status: 500, ...json({ error: 'internal error; see the log', reason: 'bug' }) };
  }
  log[error.retryable ? 'warn' : 'info']({ ...fields, ...describeError(error) }, 'request refused');
  return {
    status: error.status,
    ...json({ error: error.message.slice(0, ERROR_TEXT_LIMIT), reason: error.reason }),
  };
}

/** A JSON reply's headers and body. */
export function json(value: unknown): { headers: Record<string, string>; body: string } {
  return { headers: { 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(value) };
}

async function answerReady(service: Service, response: ServerResponse): Promise<void> {
  try {
    send(response, { status: 200, ...json({ status: 'ready', ...(await service.ready()) }) });
  } catch (error) {
    send(response, errorReply(error, service.log, { path: '/ready' }));
  }
}

function send(response: ServerResponse, reply: HttpReply, close = false): void {
  if (response.headersSent || response.destroyed) return;
  // A known length spares the chunked encoding; 204 must not carry one.
  const length = reply.status === 204 ? {} : { 'content-length': Buffer.byteLength(reply.body ?? '') };
  response.writeHead(reply.status, {
    ...reply.headers,
    ...length,
    ...(close ? { connection: 'close' } : {}),
  });
  response.end(reply.body);
}

function readTraceparent(value: unknown): string | null {
  return typeof value === 'string' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(value) ? value : null;
}

function makeTraceparent(): string {
  // Made of UUIDs, whose randomness comes from a cache: a call for random bytes each time costs 20 µs.
  const [trace, span] = [randomUUID(), randomUUID()].map((id) => id.replaceAll('-', ''));
  return `00-${trace}-${span?.slice(-16)}-01`;
}

function drainOnSignal(server: Server, service: Service): void {
  const stop = (signal: string): void => {
    service.log.info({ signal }, 'draining');
    const timer = setTimeout(() => {
      service.log.warn({ drainMs: DRAIN_MS }, 'requests still open after the drain time');
      process.exit(1);
    }, DRAIN_MS);
    timer.unref();
    server.close(() => {
      Promise.all([service.close(), flushSpans()]).then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
    // A kept-alive connection that was busy at the signal becomes idle later.
    setInterval(() => server.closeIdleConnections(), 50).unref();
    server.closeIdleConnections();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.on('unhandledRejection', (error) => {
    service.log.fatal({ ...describeError(error), stack: stackOf(error) }, 'unhandled rejection');
    process.exit(1);
  });
}

function addressPort(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
