/** What the fuzz tests share: how many runs, hostile text, and mutations of JSON that was seen in the wild. */
import fc from 'fast-check';
import { InvalidInputError } from '../../shared/errors.ts';

/** Time for one property in every commit; a busy machine tries fewer cases, never none. */
const TIME_LIMIT_MS = 5_000;

/** How long one test may take. */
export const patience = { timeout: process.env['FUZZ_RUNS'] === undefined ? 60_000 : 6 * 3_600_000 };

/** Runs of one property: FUZZ_RUNS for a long night, without a limit; else few enough for every commit. */
export function runs(byDefault: number): { numRuns: number; interruptAfterTimeLimit?: number } {
  const asked = process.env['FUZZ_RUNS'];
  return asked === undefined
    ? { numRuns: byDefault, interruptAfterTimeLimit: TIME_LIMIT_MS }
    : { numRuns: Number(asked) };
}

/** What the work answers, or null when it refuses its input in words; any other failure is thrown on. */
export function unlessRefused<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof InvalidInputError && error.message !== '') return null;
    throw error;
  }
}

/** Pieces that parsers, stores and people trip over. */
const PIECES = [
  '\0',
  '\uD800',
  '\uDFFF\uD83D',
  '\u202e',
  '\u200b',
  '\r\n',
  '\u2028',
  '__proto__',
  'constructor',
  'toString',
  "'; drop table episodes; --",
  '${7*7}',
  '{{DATE(2026-01-01)}}',
  '<script>',
  '%00',
  '%E0%A4%A',
  '../../etc/passwd',
  '*',
  '$',
  ':',
  '💥',
  '漢',
  'a'.repeat(300),
  ' ',
  '-1',
  '1e999',
  'NaN',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999+14:00',
];

/** Text of hostile pieces and of anything else. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc
    .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })), { maxLength: 8 })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary-ascii', minLength: 4_000, maxLength: 5_000 }),
);

/** A name as attackers choose them. */
export const hostileName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...PIECES, 'alertname', 'severity', 'namespace', 'pod', 'instance', 'status', 'labels', ''),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

/** Any JSON value, with hostile texts and names in it. */
export const hostileJson: fc.Arbitrary<unknown> = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    hostileText,
    fc.constantFrom<unknown>(null, true, false, 0, -1, 1e308, '', [], {}),
    fc.double(),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(hostileName, tie('tree')), { maxLength: 4 }).map(toRecord),
  ),
})).tree;

/** One change to a JSON value at a place that `seed` picks. */
export interface Mutation {
  readonly seed: number;
  readonly how: 'replace' | 'remove' | 'rename' | 'repeat' | 'add';
  readonly value: unknown;
  readonly name: string;
}

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    seed: fc.nat(),
    how: fc.constantFrom('replace', 'remove', 'rename', 'repeat', 'add'),
    value: hostileJson,
    name: hostileName,
  }),
  { minLength: 1, maxLength: 6 },
);

/** The value with its mutations; the original stays as it is. */
export function mutate(original: unknown, changes: readonly Mutation[]): unknown {
  return changes.reduce<unknown>((value, change) => {
    const places = listPlaces(value);
    const place = places[change.seed % Math.max(places.length, 1)] ?? [];
    return changeAt(value, place, change);
  }, original);
}

type Place = ReadonlyArray<string | number>;

function listPlaces(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [at];
  const entries: ReadonlyArray<readonly [string | number, unknown]> = Array.isArray(value)
    ? value.map((entry, index) => [index, entry] as const)
    : Object.entries(value);
  return [at, ...entries.flatMap(([key, entry]) => listPlaces(entry, [...at, key]))];
}

function changeAt(value: unknown, [key, ...rest]: Place, change: Mutation): unknown {
  if (key === undefined) return changeHere(value, change);
  if (Array.isArray(value)) {
    const list: unknown[] = value;
    return list.map((entry, index) => (index === key ? changeAt(entry, rest, change) : entry));
  }
  return toRecord(
    Object.entries(value ?? {}).flatMap(([name, entry]): Array<[string, unknown]> => {
      if (name !== key) return [[name, entry]];
      if (rest.length > 0) return [[name, changeAt(entry, rest, change)]];
      if (change.how === 'remove') return [];
      return change.how === 'rename' ? [[change.name, entry]] : [[name, changeHere(entry, change)]];
    }),
  );
}

function changeHere(value: unknown, { how, value: given, name }: Mutation): unknown {
  if (how === 'repeat' && Array.isArray(value)) return [...(value as unknown[]), ...(value as unknown[])];
  if (how !== 'add' || typeof value !== 'object' || value === null) return given;
  return Array.isArray(value)
    ? [...(value as unknown[]), given]
    : toRecord([...Object.entries(value), [name, given]]);
}

/** An object whose keys are its own, `__proto__` included. */
function toRecord(entries: ReadonlyArray<readonly [string, unknown]>): Record<string, unknown> {
  return Object.fromEntries(entries);
}
