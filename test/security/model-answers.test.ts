/** What a model writes ends in Postgres: nothing in it may keep an explanation or a digest from being stored. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readAnswer } from '../../shared/model-answer.ts';
import { createPool } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { createTestDatabase } from '../support/database.ts';
import { hostileJson, hostileText, patience, runs } from '../support/fuzz.ts';

const schema = z.object({ note: z.string(), more: z.unknown() });
let pool: Pool;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'model', size: 1 });
});
afterAll(() => pool.end());

describe('a model’s answer', () => {
  it('is stored whatever characters it is made of', patience, async () => {
    const half = '\uD83D';
    const texts = fc.oneof(hostileText, fc.constantFrom('\0', half, `a${half}b\0c`));
    await fc.assert(
      fc.asyncProperty(texts, hostileJson, async (note, more) => {
        const answer = readAnswer(JSON.stringify({ note, more }), { schema });
        const { note: read } = 'value' in answer ? answer.value : { note: null };
        expect(read).toBe(note.toWellFormed().replaceAll('\0', '\uFFFD'));
        const { rows } = await pool.query<{ note: string }>(`select $1::jsonb ->> 'note' as note`, [
          JSON.stringify({ note: read }),
        ]);
        expect(rows).toEqual([{ note: read }]);
      }),
      runs(300),
    );
  });

  it('that is no JSON is refused in words', () => {
    expect(readAnswer('{"note":"\0"}', { schema })).toMatchObject({ reason: 'invalid-json' });
    expect(readAnswer('', { schema })).toMatchObject({ reason: 'invalid-json' });
  });
});
