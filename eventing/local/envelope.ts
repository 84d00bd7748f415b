/**
 * An event on its way through the broker: attributes as strings and data as bytes that nobody here parses.
 * Incoming events may be binary or structured; they travel on in binary mode, as with Knative's own broker.
 */
import type { IncomingHttpHeaders } from 'node:http';

import { CloudEvent } from 'cloudevents';

import { InvalidInputError } from '../../shared/errors.ts';

/** A CloudEvent whose data stays closed. */
export interface Envelope {
  /** Context attributes and extensions by lower-case name; `datacontenttype` among them. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The few request headers that a broker hands on: tracing and request ids. */
  readonly carried: Readonly<Record<string, string>>;
}

const CARRIED = /^(?:x-request-id|traceparent|tracestate|knative-.*|x-b3-.*)$/;

/** Whether headers announce an event, in whichever mode; a batch does not count, brokers refuse it. */
export function announcesEvent(headers: IncomingHttpHeaders): boolean {
  return isStructured(headers) || headers['ce-specversion'] !== undefined;
}

/** Reads an event from a request or a reply; throws an InvalidInputError for anything that is not a valid one. */
export function readEnvelope(headers: IncomingHttpHeaders, body: Buffer): Envelope {
  if (!announcesEvent(headers)) throw new InvalidInputError('neither a binary nor a structured CloudEvent');
  const parsed = isStructured(headers) ? readStructured(body) : readBinary(headers, body);
  validate(parsed.attributes);
  const carried: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && CARRIED.test(name)) carried[name] = value;
  }
  return { ...parsed, carried };
}

/** The headers of an event in binary mode. */
export function toHeaders({ attributes, carried }: Envelope): Record<string, string> {
  const headers: Record<string, string> = { ...carried };
  for (const [name, value] of Object.entries(attributes)) {
    headers[name === 'datacontenttype' ? 'content-type' : `ce-${name}`] = value;
  }
  return headers;
}

/** The same event with attributes set, or with those set to undefined left out. */
export function withAttributes(
  envelope: Envelope,
  changes: Readonly<Record<string, string | undefined>>,
): Envelope {
  const attributes: Record<string, string> = { ...envelope.attributes };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete attributes[name];
    else attributes[name] = value;
  }
  return { ...envelope, attributes };
}

function isStructured(headers: IncomingHttpHeaders): boolean {
  return mediaType(headers) === 'application/cloudevents+json';
}

function mediaType(headers: IncomingHttpHeaders): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function readBinary(headers: IncomingHttpHeaders, body: Buffer): Omit<Envelope, 'carried'> {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('ce-') && typeof value === 'string') attributes[name.slice(3)] = value;
  }
  const contentType = headers['content-type'];
  if (contentType !== undefined) attributes['datacontenttype'] = contentType;
  return { attributes, body };
}

function readStructured(body: Buffer): Omit<Envelope, 'carried'> {
  let event: unknown;
  try {
    event = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new InvalidInputError(`structured event is not JSON: ${String(cause)}`);
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw new InvalidInputError('structured event is not a JSON object');
  }
  const { data, data_base64, ...context } = event as Record<string, unknown>;
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(context)) {
    if (value === null) continue;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw new InvalidInputError(`attribute ${name} is neither a string, a number nor a boolean`);
    }
    attributes[name] = String(value);
  }
  if (data !== undefined) attributes['datacontenttype'] ??= 'application/json';
  return { attributes, body: readData(data, data_base64, attributes['datacontenttype'] ?? '') };
}

function readData(data: unknown, base64: unknown, contentType: string): Buffer {
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  if (data === undefined) return Buffer.alloc(0);
  if (typeof data === 'string' && !/[/+]json\b/i.test(contentType)) return Buffer.from(data);
  return Buffer.from(JSON.stringify(data));
}

/** The SDK accepts an empty or missing id (and makes one up), and answers false for a wrong specversion. */
function validate(attributes: Readonly<Record<string, string>>): void {
  for (const name of ['id', 'source', 'type', 'specversion']) {
    if (!attributes[name]) throw new InvalidInputError(`CloudEvent has no ${name}`);
  }
  const badName = Object.keys(attributes).find((name) => !/^[a-z0-9]+$/.test(name));
  if (badName !== undefined) throw new InvalidInputError(`attribute name ${badName} is not a-z and 0-9`);
  let valid: boolean;
  try {
    valid = new CloudEvent<unknown>({ ...attributes }, false).validate();
  } catch (cause) {
    throw new InvalidInputError(
      `not a valid CloudEvent: ${cause instanceof Error ? cause.message : 'unknown'}`,
    );
  }
  if (!valid) throw new InvalidInputError('not a valid CloudEvent 1.0');
}
