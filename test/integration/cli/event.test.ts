import { afterAll, beforeAll, expect, it } from 'vitest';
import { reserveServices, startFunctions } from '../../../eventing/local/functions.ts';
import type { Functions } from '../../../eventing/local/functions.ts';
import { EVENTS } from '../../../shared/events.ts';
import { request } from '../../../shared/http.ts';
import { runCli } from '../../support/cli.ts';
import { createTestDatabase } from '../../support/database.ts';

const databaseUrl = await createTestDatabase();
const CONSUMED = Object.entries(EVENTS).flatMap(([type, { consumedBy }]) =>
  consumedBy.slice(0, 1).map((name): [string, string] => [type, name]),
);

let functions: Functions;

beforeAll(async () => {
  functions = await startFunctions({
    services: await reserveServices([...new Set(CONSUMED.map(([, name]) => name))]),
    sink: 'http://127.0.0.1:9',
    env: { DATABASE_URL: databaseUrl, ALLOW_UNAUTHENTICATED: 'true', APP_LOG_LEVEL: 'silent' },
  });
});
afterAll(() => functions.stop());

it.each(CONSUMED)('%s is taken by %s?dry_run', async (type, name) => {
  const { code, stdout, stderr } = await runCli(['event', type]);
  expect(code).toBe(0);
  expect(stderr).toContain(`/functions/${name}?dry_run`);
  const { status, body } = await request({
    method: 'POST',
    url: `${functions.urls[name] ?? ''}/?dry_run`,
    headers: { 'content-type': 'application/cloudevents+json' },
    body: stdout,
  });
  expect([status, body.includes('"error"')]).toEqual([type.endsWith('.ping') ? 204 : 200, false]);
});

it('lists the catalogue without a type', async () => {
  const { code, stdout } = await runCli(['event']);
  expect(code).toBe(0);
  for (const type of Object.keys(EVENTS)) expect(stdout).toContain(type);
});
