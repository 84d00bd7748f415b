import { describe, expect, it } from 'vitest';

import { readEnvelope, toHeaders, withAttributes } from '../../../../eventing/local/envelope.ts';
import { InvalidInputError } from '../../../../shared/errors.ts';

const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const event = { specversion: '1.0', id: '1', source: '/s', type: 't' };

function readStructured(fields: object) {
  return readEnvelope(STRUCTURED, Buffer.from(JSON.stringify({ ...event, ...fields })));
}

describe('readEnvelope', () => {
  it('keeps the bytes of binary data as they are', () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't', 'ce-n': '5' };
    const body = Buffer.from('{ "spaced" : 1 }');
    const envelope = readEnvelope({ ...headers, 'content-type': 'application/json;charset=UTF-8' }, body);

    expect(envelope.body).toBe(body);
    expect(toHeaders(envelope)).toEqual({ ...headers, 'content-type': 'application/json;charset=UTF-8' });
  });

  it.each([
    [{ data: { a: 1 } }, '{"a":1}', 'application/json'],
    [{ data: 0 }, '0', 'application/json'],
    [{ data: 'text', datacontenttype: 'text/plain' }, 'text', 'text/plain'],
    [{ data: 'text', datacontenttype: 'application/json' }, '"text"', 'application/json'],
    [{ data_base64: 'aGk=', datacontenttype: 'text/plain' }, 'hi', 'text/plain'],
    [{}, '', undefined],
  ])('turns structured %j into data %j', (fields, body, contentType) => {
    const envelope = readStructured(fields);

    expect(envelope.body.toString()).toBe(body);
    expect(envelope.attributes['datacontenttype']).toBe(contentType);
  });

  it('reads extensions of any simple type as text', () => {
    expect(readStructured({ count: 5, flag: false, gone: null }).attributes).toMatchObject({
      count: '5',
      flag: 'false',
    });
    expect(readStructured({ gone: null }).attributes).not.toHaveProperty('gone');
  });

  it.each<[string, object]>([
    ['no id', { id: undefined }],
    ['an empty id', { id: '' }],
    ['no type', { type: null }],
    ['an empty source', { source: '' }],
    ['another version', { specversion: '0.3' }],
    ['a time that is none', { time: 'yesterday' }],
    ['an attribute that is an object', { deep: {} }],
    ["an attribute that is a method's name", { toString: 'x' }],
    ['an attribute name with an underscore', { my_ext: 'x' }],
  ])('refuses an event with %s', (_, fields) => {
    expect(() => readStructured(fields)).toThrow(InvalidInputError);
  });

  it('carries tracing headers and no others', () => {
    const headers = {
      ...STRUCTURED,
      traceparent: '00-a',
      'x-request-id': 'r',
      authorization: 'secret',
      cookie: 'c',
    };

    expect(readEnvelope(headers, Buffer.from(JSON.stringify(event))).carried).toEqual({
      traceparent: '00-a',
      'x-request-id': 'r',
    });
  });
});

describe('withAttributes', () => {
  it('sets and removes without touching the original', () => {
    const before = readStructured({ one: '1', two: '2' });
    const after = withAttributes(before, { one: undefined, three: '3' });

    expect(after.attributes).toMatchObject({ two: '2', three: '3' });
    expect(after.attributes).not.toHaveProperty('one');
    expect(before.attributes).toMatchObject({ one: '1' });
  });
});
