import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMatcher, matchesAll, parseMatchers } from '../../../shared/matchers.ts';
import { AppError } from '../../../shared/errors.ts';

function parts(text: string): string[] {
  return parseMatchers(text).map(({ name, operator, value }) => `${name} ${operator} ${value}`);
}

describe('matchers', () => {
  it.each([
    ['severity=critical', ['severity = critical']],
    ['severity = "critical"', ['severity = critical']],
    ['{severity="critical",namespace=~"db|mysql"}', ['severity = critical', 'namespace =~ db|mysql']],
    ['a!="x, y" , b!~"z",', ['a != x, y', 'b !~ z']],
    [String.raw`a="say \"hi\"\n\q"`, ['a = say "hi"\n\\q']],
    ['a=', ['a = ']],
    ['a=""', ['a = ']],
    ['a=b=c', ['a = b=c']],
    ['"service.name"="api"', ['service.name = api']],
    ['{ "schlüssel"=~"wert.*", b=c }', ['schlüssel =~ wert.*', 'b = c']],
    ['größe=wert', ['größe = wert']],
    [String.raw`"a"="\u00e9\x41"`, ['a = éA']],
  ])('%s reads as %j', (text, expected) => {
    expect(parts(text)).toEqual(expected);
  });

  it.each([
    '',
    '{}',
    'severity',
    '="x"',
    'a="x',
    'a="x" b="y"',
    'a=~"("',
    'a="b"}x',
    '"a"="\\q"',
    'a=~"(?<=x)y"',
    `a="${'x'.repeat(1_001)}"`,
  ])('%s is refused in words', (text) => {
    expect(() => parseMatchers(text)).toThrow(AppError);
  });

  it('are anchored, and a missing label is an empty one', () => {
    const holds = (text: string, labels: Record<string, string>) => matchesAll(parseMatchers(text), labels);
    expect(holds('a=~"b"', { a: 'abc' })).toBe(false);
    expect(holds('a=~".*b.*"', { a: 'abc' })).toBe(true);
    expect(holds('a=~"b|c"', { a: 'bx' })).toBe(false);
    expect(holds('a=""', {})).toBe(true);
    expect(holds('a!="x"', {})).toBe(true);
    expect(holds('a=~".+"', {})).toBe(false);
    expect(holds('a=~"x.y"', { a: 'x\ny' })).toBe(false);
    expect(holds('toString=""', {})).toBe(true);
  });

  it('answer at once whatever the pattern', () => {
    const [matcher] = parseMatchers('a=~"(a+)+b"');
    const began = performance.now();
    expect(matcher?.matches({ a: 'a'.repeat(4_000) })).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('that are formatted read back as they were', () => {
    fc.assert(
      fc.property(
        fc.string({
          minLength: 1,
          unit: fc.constantFrom('a', 'Z', '_', '.', ' ', '"', '\\', ',', '{', '=', 'é', '\n'),
        }),
        fc.constantFrom('=' as const, '!=' as const),
        fc.string({ unit: fc.constantFrom('a', '"', '\\', ',', '{', '}', ' ', '=', '~', 'é', '\n') }),
        (name, operator, value) => {
          const text = formatMatcher({ name, operator, value });
          expect(parts(text)).toEqual([`${name} ${operator} ${value}`]);
        },
      ),
    );
  });

  it('never throw anything but words', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab{}=!~,"\\ \n(|)*'.split('')) }), (text) => {
        expect(outcomeOf(text)).toMatch(/^(read|words)$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

function outcomeOf(text: string): string {
  try {
    return parseMatchers(text).length > 0 ? 'read' : 'nothing';
  } catch (error) {
    return error instanceof AppError ? 'words' : String(error);
  }
}
