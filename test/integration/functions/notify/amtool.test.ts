/** Our routes beside Alertmanager's own: `amtool config routes test` is asked where each alert goes. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchesAll, parseMatchers } from '../../../../shared/matchers.ts';
import { readRoutes } from '../../../../functions/notify/routes-file.ts';
import { answerFor } from '../../../../functions/notify/routes.ts';

const run = promisify(execFile);
const isHere = spawnSync('amtool', ['--version']).status === 0;
if (!isHere) process.stderr.write('routes: not compared, amtool is not on PATH\n');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'routes-'));
});
afterAll(() => rm(folder, { recursive: true }));

let count = 0;

/** Writes a configuration and gives a way to ask where labels go. */
async function askAmtool(route: object, receivers: readonly string[]) {
  const file = join(folder, `${++count}.yml`);
  await writeFile(file, JSON.stringify({ route, receivers: receivers.map((name) => ({ name })) }));
  return async (labels: Readonly<Record<string, string>>): Promise<string> => {
    const words = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const { stdout } = await run('amtool', ['config', 'routes', 'test', `--config.file=${file}`, ...words]);
    return stdout.trim();
  };
}

const TEXTS = [
  'severity="critical"',
  'severity = critical ',
  'namespace=~"db|mysql"',
  'namespace=~db|mysql',
  'namespace!~"kube-.*"',
  'team=""',
  'team!=""',
  '{severity="warning",team="db"}',
  'note="a,b"',
  String.raw`note="say \"hi\""`,
  String.raw`note="back\\slash"`,
  'note=~"a.b"',
  'note=~".*\\\\d+"',
  'severity=~"crit"',
  'severity=~"(?i)CRITICAL"',
];
const LABELS: ReadonlyArray<Record<string, string>> = [
  { severity: 'critical', namespace: 'db' },
  { severity: 'critical', namespace: 'kube-system', team: 'db' },
  { severity: 'warning', namespace: 'mysql', team: 'db' },
  { note: 'a,b' },
  { note: 'say "hi"' },
  { note: 'back\\slash' },
  { note: 'axb', team: 'web' },
];

const NAMES = ['ops', 'db', 'web', 'storage'];

interface Tree {
  readonly receiver: string;
  readonly matchers: readonly string[];
  readonly isContinued: boolean;
  readonly routes: readonly Tree[];
}

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    receiver: fc.constantFrom(...NAMES),
    matchers: fc.subarray(['severity="critical"', 'namespace=~"db|mysql"', 'team="db"', 'team=""'], {
      maxLength: 2,
    }),
    isContinued: fc.boolean(),
    routes: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      fc.constant([]),
      fc.array(tie('tree'), { maxLength: 4 }),
    ),
  }),
}));

/** A root has no matchers and no continue. */
function toAlertmanager({ receiver, routes }: Tree): object {
  return { receiver, routes: routes.map((route) => toBranch(route)) };
}

function toBranch({ receiver, matchers, isContinued, routes }: Tree): object {
  return { receiver, matchers, continue: isContinued, routes: routes.map((route) => toBranch(route)) };
}

function toOurs(root: Tree): object {
  const toRoute = ({ receiver, matchers, isContinued, routes }: Tree): object => ({
    channels: [receiver],
    matchers,
    continue: isContinued,
    routes: routes.map((route) => toRoute(route)),
  });
  return { ...toRoute(root), matchers: [] };
}

describe.skipIf(!isHere)('amtool', () => {
  it('sends every combination of matchers and labels where we do', { timeout: 120_000 }, async () => {
    for (const text of TEXTS) {
      const ask = await askAmtool({ receiver: 'other', routes: [{ receiver: 'taken', matchers: [text] }] }, [
        'other',
        'taken',
      ]);
      for (const labels of LABELS) {
        const ours = matchesAll(parseMatchers(text), labels) ? 'taken' : 'other';
        expect(`${text} ${JSON.stringify(labels)} → ${ours}`).toBe(
          `${text} ${JSON.stringify(labels)} → ${await ask(labels)}`,
        );
      }
    }
  });

  it('goes through trees of routes as we do', { timeout: 120_000 }, async () => {
    const trees = fc.sample(tree, { numRuns: 25, seed: 20260329 });
    for (const root of trees) {
      const ask = await askAmtool(toAlertmanager(root), NAMES);
      const read = readRoutes(JSON.stringify({ routes: [toOurs(root)] }), new Set(NAMES));
      if (!('file' in read)) throw new Error(JSON.stringify(read));
      for (const labels of LABELS.slice(0, 4)) {
        const { channels } = answerFor(read.file, NAMES, labels, new Date(0));
        const theirs = new Set((await ask(labels)).split(',').map((name) => name.trim()));
        expect([...channels.keys()]).toEqual([...theirs]);
      }
    }
  });
});
