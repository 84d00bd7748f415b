import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../shared/errors.ts';
import { parseJson } from '../../../shared/json.ts';

const parse = (text: string): unknown => parseJson(Buffer.from(text));

describe('JSON of strangers', () => {
  it('parses what JSON.parse parses, within the depth', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses depth before it parses, in linear time', () => {
    for (const open of ['[', '{"a":', '{"a":[']) expect(() => parse(open.repeat(100_000))).toThrow(/deeper/);
  });

  it('does not count brackets inside texts', () => {
    expect(parse(`{"a":"${'['.repeat(100)}\\"{{{\\\\"}`)).toEqual({ a: `${'['.repeat(100)}"{{{\\` });
  });

  it('refuses a second "alerts" key, and only a key on the top level', () => {
    expect(() => parse('{"alerts":[1], "alerts" : []}')).toThrow(/more than once/);
    expect(parse('{"alerts":[{"alerts":1}],"x":"alerts"}')).toEqual({ alerts: [{ alerts: 1 }], x: 'alerts' });
  });

  it('reads past a byte order mark', () => {
    expect(parse('\uFEFF{"a":1}')).toEqual({ a: 1 });
  });

  it.each(['', '  ', '{', '{"a":1}}', '{"a":NaN}', "{'a':1}", '{"a":1,}', '{"a":"\u0000"}'])(
    'refuses %j',
    (text) => {
      expect(() => parse(text)).toThrow(InvalidInputError);
    },
  );
});
