import { describe, expect, it } from 'vitest';
import { parseEvent, toHttpMessage } from '../../../shared/cloud-event.ts';
import { createEvent } from '../../../shared/events.ts';

const attributes = {
  'ce-id': '1',
  'ce-specversion': '1.0',
  'ce-source': '/test',
  'ce-type': 'dev.alertgest.digest.due',
};
const binary = (headers: Record<string, string>, body = '') =>
  parseEvent({ ...attributes, ...headers }, Buffer.from(body));
const structured = (event: object) =>
  parseEvent(
    { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
    Buffer.from(JSON.stringify(event)),
  );

describe('an event in binary mode', () => {
  it('may come without data, as from a PingSource that has none', () => {
    expect(binary({}).data).toBeUndefined();
  });

  it.each([
    'application/json',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/vnd.x+json',
  ])('has its data parsed under the content type %s', (contentType) => {
    expect(binary({ 'content-type': contentType }, '{"a":1}').data).toEqual({ a: 1 });
  });

  it('comes back as it was sent', () => {
    const event = createEvent(
      'dev.alertgest.digest.due',
      { cluster: 'test', name: 'console' },
      'w',
      'due',
      { from: 'x' },
      { severity: 'info' },
    );
    const { headers, body } = toHttpMessage(event);
    expect(parseEvent(headers, Buffer.from(body))).toMatchObject({
      id: 'w.due',
      subject: 'w',
      data: { from: 'x' },
      severity: 'info',
    });
  });
});

describe('what is no event of version 1.0', () => {
  it.each([
    ['without an id', () => parseEvent({ ...attributes, 'ce-id': undefined }, Buffer.alloc(0)), /ce-id/],
    ['of another version', () => binary({ 'ce-specversion': '9.9' }), /version/],
    ['with data that is no JSON', () => binary({}, '{'), /not valid JSON/],
    [
      'structured without an id',
      () => structured({ specversion: '1.0', type: 'x', source: '/x' }),
      /"id" is missing/,
    ],
    [
      'with an attribute that would shadow a method',
      () => structured({ id: '1', specversion: '1.0', type: 'x', source: '/x', toString: 1 }),
      /attribute name/,
    ],
    [
      'with NUL in its subject, which Postgres cannot be asked for',
      () => structured({ id: '1', specversion: '1.0', type: 'x', source: '/x', subject: 'a\0' }),
      /NUL/,
    ],
    [
      'in a batch',
      () => parseEvent({ 'content-type': 'application/cloudevents-batch+json' }, Buffer.from('[]')),
      /batch/,
    ],
  ])('is refused in words: %s', (_what, parse, problem) => {
    expect(parse).toThrow(problem);
  });
});
