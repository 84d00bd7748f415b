import { afterAll, beforeAll, expect, it } from 'vitest';
import { takeEvenly, toExampleCases } from '../../../cli/model-cases.ts';
import { toTable } from '../../../cli/bench.ts';
import { rank } from '../../../cli/model-score.ts';
import type { ModelScore } from '../../../cli/model-score.ts';
import { createPool } from '../../../shared/postgres/pool.ts';
import { runCli } from '../../support/cli.ts';
import { createTestDatabase } from '../../support/database.ts';
import { startModelStub } from '../../support/model-stub.ts';
import type { ModelStub } from '../../support/model-stub.ts';

const answer = {
  category: 'storage',
  suggestedSeverity: 'warning',
  summary: 'Something is wrong.',
  explanation: 'The facts say no more.',
  nextStep: 'Check the log.',
  confidence: 0.3,
};

let stub: ModelStub;
beforeAll(async () => {
  stub = await startModelStub(['good:1b', 'bad:1b']);
  // The good one takes the category that the rules found; the bad one talks.
  stub.usually(({ model, messages }) => {
    if (model === 'bad:1b') return 'invalid-json';
    const category = /RULES\ncategory: (\w+)/.exec(messages[1]?.content ?? '')?.[1] ?? 'meta';
    return { json: { ...answer, category } };
  });
});
afterAll(() => stub.close());

it('ranks the models that are there by agreement', async () => {
  const env = { OLLAMA_BASE_URL: stub.url };
  const { code, stdout, stderr } = await runCli(
    ['bench', 'models', '--examples', '--cases', '12', '--json'],
    { env },
  );
  expect([code, stderr.includes('100 %')]).toEqual([0, true]);
  const [first, second] = JSON.parse(stdout) as ModelScore[];
  expect(first).toMatchObject({ model: 'good:1b', cases: 12, usable: 12, category: 1 });
  expect(second).toMatchObject({ model: 'bad:1b', usable: 0, category: 0, failures: { 'invalid-json': 12 } });
});

it('takes what people decided here for labels', async () => {
  const url = await createTestDatabase();
  const pool = createPool({ url, name: 'test', size: 1 });
  for (const [pattern, kind] of [
    ['v1:a', 'ignore'],
    ['v1:b', 'important'],
  ] as const) {
    await pool.query(
      `insert into patterns (pattern, alertname, severity, title, identity, kept, dropped, heartbeat, own, first_seen, last_seen, generation)
       values ($1, 'A', 'warning', 't', '{}', '{}', '{}', false, false, now(), now(), 1)`,
      [pattern],
    );
    await pool.query(
      `insert into episodes (key, pattern, alertname, severity, own, labels, annotations, generator_url, flags, starts_at, received_at, last_seen)
       values ($1, $1, 'A', 'warning', false, '{"alertname":"A"}', '{}', '', '{}', now(), now(), now())`,
      [pattern],
    );
    await pool.query(
      `insert into decisions (pattern, kind, actor, generation, decided_at) values ($1, $2, 'test', 1, now())`,
      [pattern, kind],
    );
  }
  await pool.end();
  const env = { OLLAMA_BASE_URL: stub.url, DATABASE_URL: url };
  const { code, stdout } = await runCli(['bench', 'models', '--models', 'good:1b', '--json'], { env });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([{ cases: 2, category: null, concern: 0.5 }]);
});

it('says what is missing', async () => {
  expect(await runCli(['bench', 'models'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('OLLAMA_BASE_URL'),
  });
  expect(await runCli(['bench', 'cakes'], { env: { OLLAMA_BASE_URL: stub.url } })).toMatchObject({ code: 2 });
});

it('takes cases evenly and shows a table', () => {
  expect(takeEvenly([1, 2, 3, 4, 5, 6], 3)).toEqual([1, 3, 5]);
  expect(toExampleCases().length).toBeGreaterThan(50);
  const score: ModelScore = {
    model: 'm',
    cases: 4,
    usable: 3,
    category: 0.5,
    concern: null,
    medianMs: 1_250,
    slowestMs: 9_000,
    promptTokens: 400,
    outputTokens: 80,
    failures: { timeout: 1 },
  };
  expect(toTable([score])).toContain('m      3/4     50 %      –        1.3 s   9.0 s');
  expect(rank([score, { ...score, model: 'n', category: 0.75 }]).map(({ model }) => model)).toEqual([
    'n',
    'm',
  ]);
});
