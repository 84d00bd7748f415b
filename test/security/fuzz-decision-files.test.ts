/** Files of decisions that somebody edited: read or refused in words, in bounded time; what is written reads back as it was. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFile, writeFile } from '../../functions/console/api/decision-file.ts';
import { AppError, InvalidInputError } from '../../shared/errors.ts';
import { hostileJson, hostileText, patience, runs } from '../support/fuzz.ts';

describe('a file of decisions', () => {
  const file = [
    'version: 1',
    'decisions:',
    '  - pattern: v1:0123456789abcdef',
    '    kind: ignore',
    '    until: 2030-01-01T00:00:00.000Z',
    '    alertname: DiskFull',
    '    severity: warning',
    '    identity: { alertname: DiskFull, node: nas }',
    '',
  ].join('\n');
  const PIECES = [
    '\0',
    '- ',
    ': ',
    '&a ',
    '*a',
    '!!set ',
    '{',
    '[',
    '"',
    '<<: ',
    '__proto__: ',
    '\n',
    '? ',
    '|',
  ];
  const edited = fc
    .array(fc.tuple(fc.nat(), fc.nat(12), fc.oneof(fc.constantFrom(...PIECES), hostileText)), {
      maxLength: 4,
    })
    .map((edits) =>
      edits.reduce((now, [at, cut, put]) => {
        const place = at % (now.length + 1);
        return now.slice(0, place) + put + now.slice(place + cut);
      }, file),
    );

  it('with edits is read or refused in words', patience, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          edited,
          hostileText,
          hostileJson.map((value) => JSON.stringify(value) ?? ''),
        ),
        async (text) => {
          const entries = await readFile(text).catch((error: unknown) => {
            if (error instanceof AppError) return [];
            throw error;
          });
          for (const { pattern } of entries) expect(pattern).toMatch(/^v\d+:[0-9a-f]+$/);
          expect(Object.keys(Object.prototype)).toEqual([]);
        },
      ),
      runs(400),
    );
  });

  it(
    'of many keys, of aliases of aliases or nested without end is refused within seconds',
    patience,
    async () => {
      const bombs = [
        `version: 1\ndecisions: []\n${Array.from({ length: 60_000 }, (_, key) => `k${key}: 1`).join('\n')}\nk1: 2`,
        `a: &a [x]\nb: [*a, *a]\nversion: 1\ndecisions: []`,
        `decisions: ${'['.repeat(100_000)}`,
        `decisions: ${'{a: '.repeat(100_000)}`,
      ];
      for (const bomb of bombs) {
        const startedAt = performance.now();
        await expect(readFile(bomb)).rejects.toBeInstanceOf(InvalidInputError);
        expect(performance.now() - startedAt).toBeLessThan(4_000);
      }
    },
  );

  it('that is written reads back as it was, whatever the texts', patience, async () => {
    const storable = hostileText.map((text) => text.slice(0, 900).toWellFormed().replaceAll('\0', '').trim());
    await fc.assert(
      fc.asyncProperty(storable, storable, storable, async (name, note, value) => {
        const row = {
          pattern: 'v1:0123456789abcdef',
          kind: 'ignore' as const,
          until: null,
          note: note === '' ? null : note,
          actor: 'fuzz',
          generation: 1,
          alertname: name === '' ? 'x' : name,
          severity: 'warning' as const,
          namespace: null,
          cluster: null,
          title: '',
          identity: { alertname: value },
          kept: {},
          dropped: {},
        };
        const [entry] = await readFile(await writeFile([row]));
        expect(entry).toMatchObject({ note: row.note, alertname: row.alertname, identity: row.identity });
      }),
      runs(200),
    );
  });
});
