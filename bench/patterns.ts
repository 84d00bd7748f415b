/**
 * Patterns: the labelled corpus through the command line's `explain`, as a person would run it, scored in pairs by the
 * corpus' own scorer where python3 is there, else by the same sums here. Precision: merged pairs that are one issue;
 * recall: pairs of one issue that were merged. Pairs that touch an ambiguous group of the same family are left out.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Progress, Report } from './report.ts';

const ROOT = resolve(import.meta.dirname, '..');
const CORPUS = resolve(ROOT, '../shared/corpora/patterns.jsonl');
const SCORER = resolve(ROOT, '../shared/corpora/score_patterns.py');

interface Labelled {
  readonly id: string;
  readonly group_id: string;
  readonly family: string;
  readonly ambiguous: boolean;
  readonly alert: object;
}

interface Score {
  readonly precision: number;
  readonly recall: number;
}

/** Scores the corpus; says so when it is not there. */
export async function measurePatterns(progress: Progress): Promise<Report> {
  if (!existsSync(CORPUS))
    return toReport(['no corpus beside the project: nothing was scored'], 0, undefined);
  const gold = parseLines<Labelled>(readFileSync(CORPUS, 'utf8'));
  progress(`patterns: ${gold.length} alerts through explain`);
  const startedAt = performance.now();
  const patterns = await explain(gold);
  const elapsedMs = performance.now() - startedAt;
  progress('patterns: scoring');
  const hashes = new Map(gold.map(({ id }, index) => [id, patterns[index] ?? '']));
  const scored = scoreWithPython(hashes);
  return toReport(
    [
      `${gold.length} labelled alerts through \`alertgest explain\` in ${(elapsedMs / 1_000).toFixed(1)} s`,
      scored === undefined ? 'scored here (no python3)' : 'scored by score_patterns.py',
    ],
    gold.length,
    scored ?? scorePairs(gold, hashes),
  );
}

async function explain(gold: readonly Labelled[]): Promise<string[]> {
  const child = spawn(process.execPath, [join(ROOT, 'cli/main.ts'), 'explain'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(gold.map(({ alert }) => `${JSON.stringify(alert)}\n`).join(''));
  const answers = parseLines<{ pattern?: string }>(await text(child.stdout));
  if (answers.length !== gold.length)
    throw new Error(`explain answered ${answers.length} lines for ${gold.length} alerts`);
  return answers.map(({ pattern }, index) => pattern ?? `unusable ${index}`);
}

function scoreWithPython(hashes: ReadonlyMap<string, string>): Score | undefined {
  if (!existsSync(SCORER)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-bench-'));
  const file = join(folder, 'patterns.jsonl');
  writeFileSync(file, [...hashes].map(([id, hash]) => `${JSON.stringify({ id, hash })}\n`).join(''));
  const { status, stdout } = spawnSync('python3', [SCORER, CORPUS, file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true, force: true });
  return status === 0 ? (JSON.parse(stdout) as Score) : undefined;
}

function scorePairs(gold: readonly Labelled[], hashes: ReadonlyMap<string, string>): Score {
  let right = 0;
  let merged = 0;
  let same = 0;
  for (const [index, a] of gold.entries()) {
    for (const b of gold.slice(index + 1)) {
      if (a.family === b.family && (a.ambiguous || b.ambiguous)) continue;
      const isSame = a.group_id === b.group_id;
      const isMerged = hashes.get(a.id) === hashes.get(b.id);
      if (isSame) same++;
      if (isMerged) merged++;
      if (isSame && isMerged) right++;
    }
  }
  return { precision: merged === 0 ? 1 : right / merged, recall: same === 0 ? 1 : right / same };
}

function toReport(notes: readonly string[], alerts: number, score: Score | undefined): Report {
  return {
    name: 'patterns',
    notes,
    columns: ['alerts', 'precision', 'recall'],
    rows: score === undefined ? [] : [[String(alerts), score.precision, score.recall]],
    verdicts:
      score === undefined
        ? []
        : [
            { what: 'precision', value: score.precision, goal: ['>=', 0.99] },
            { what: 'recall', value: score.recall, goal: ['>=', 0.97] },
          ],
  };
}

function parseLines<T>(lines: string): T[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
