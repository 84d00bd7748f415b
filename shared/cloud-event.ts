/**
 * Reads a CloudEvent from an HTTP request, strictly. The SDK alone accepts events without an id, of any version, and
 * leaves data unparsed for unusual spellings of the content type; here those are refused or repaired.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { CloudEvent, HTTP } from 'cloudevents';
import { InvalidInputError } from './errors.ts';
import { parseJson } from './json.ts';

/** Attribute names may only hold lower-case letters and digits (CloudEvents 1.0, naming); data_base64 is the one exception. */
const ATTRIBUTE_NAME = /^([a-z0-9]+|data_base64)$/;

/** Parses binary or structured mode; throws {@link InvalidInputError} when it is no valid CloudEvent 1.0. */
export function parseEvent(headers: IncomingHttpHeaders, body: Buffer): CloudEvent<unknown> {
  const contentType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (contentType === 'application/cloudevents-batch+json') {
    throw new InvalidInputError(
      'batches of events are not accepted; send one event a request',
      'unsupported-media-type',
    );
  }
  const structured = contentType === 'application/cloudevents+json';
  if (structured) checkStructured(parseJson(body));
  else if (headers['ce-id'] === undefined)
    throw new InvalidInputError('not a CloudEvent: the ce-id header is missing');
  // An empty body is an event without data (a PingSource may send one); other data must be JSON.
  const data = structured || body.length === 0 ? undefined : parseJson(body);
  try {
    const read = structured
      ? HTTP.toEvent<unknown>({
          headers: { 'content-type': 'application/cloudevents+json' },
          body: body.toString('utf8'),
        })
      : HTTP.toEvent<unknown>({ headers: { ...headers, 'content-type': 'application/json' }, body: '' });
    if (Array.isArray(read)) throw new InvalidInputError('batches of events are not accepted');
    const event = new CloudEvent<unknown>(structured ? read : { ...read, data }, false);
    // validate() throws for missing attributes but only answers false for another version.
    if (!event.validate()) throw new InvalidInputError('not a CloudEvent of version 1.0');
    const { data: _data, ...attributes } = event;
    if (Object.values(attributes).some((value) => isUnstorable(value)))
      throw new InvalidInputError('not a CloudEvent: an attribute holds NUL or half a character');
    return event;
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    throw new InvalidInputError(
      `not a valid CloudEvent: ${cause instanceof Error ? cause.message.slice(0, 160) : 'unreadable'}`,
    );
  }
}

/** An event as an HTTP message in binary mode: attributes in `ce-` headers, data as the JSON body. */
export function toHttpMessage(event: CloudEvent<unknown>): { headers: Record<string, string>; body: string } {
  const message = HTTP.binary(event);
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, String(value)]),
  );
  return { headers, body: typeof message.body === 'string' ? message.body : '' };
}

function checkStructured(parsed: unknown): void {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new InvalidInputError('not a CloudEvent: the body is no object');
  if (!Object.hasOwn(parsed, 'id')) throw new InvalidInputError('not a CloudEvent: "id" is missing');
  const bad = Object.keys(parsed).find((name) => !ATTRIBUTE_NAME.test(name));
  if (bad !== undefined)
    throw new InvalidInputError(
      'not a CloudEvent: an attribute name holds more than lower-case letters and digits',
    );
}

/** Attributes must not hold either (CloudEvents 1.0, type system), and Postgres stores neither. */
function isUnstorable(value: unknown): boolean {
  return typeof value === 'string' && (value.includes('\0') || !value.isWellFormed());
}
