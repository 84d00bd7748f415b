/**
 * Runs the benches in turn, prints a table each, writes all of them to dist/bench.json and renews docs/performance.md.
 * Run: node bench/main.ts [name …], e.g. `node bench/main.ts ingest`; without names, all but `growth`, which takes minutes
 * and knows `--days 30`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../build/bundle.ts';
import { measureBacktest } from './backtest.ts';
import { measureColdStart } from './cold-start.ts';
import { measureDigest } from './digest.ts';
import { measureEnvelope } from './envelope.ts';
import { measureGrowth } from './growth.ts';
import { measureHistoryCost } from './history-cost.ts';
import { measureIngest } from './ingest.ts';
import { measureLatency } from './latency.ts';
import { measureLinkPage } from './link-page.ts';
import { measureLookup } from './lookup.ts';
import { measureMemory } from './memory.ts';
import { renewPage } from './page.ts';
import { measurePatterns } from './patterns.ts';
import { showProgress, toText } from './report.ts';
import type { Progress, Report } from './report.ts';
import { readRulesCorpus, scoreRules, toConfusion } from './rules.ts';
import { measureStorm } from './storm.ts';

const DIST = resolve(import.meta.dirname, '../dist');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { days: { type: 'string', default: '30' } },
});

const BENCHES: Readonly<Record<string, (progress: Progress) => Promise<Report> | Report>> = {
  patterns: measurePatterns,
  rules: measureRules,
  ingest: (progress) => measureIngest(progress, DIST),
  'cold-start': (progress) => measureColdStart(progress, DIST),
  memory: (progress) => measureMemory(progress, DIST),
  latency: (progress) => measureLatency(progress, DIST),
  storm: (progress) => measureStorm(progress, DIST),
  'history-cost': measureHistoryCost,
  lookup: measureLookup,
  'link-page': (progress) => measureLinkPage(progress, DIST),
  backtest: measureBacktest,
  envelope: measureEnvelope,
  digest: measureDigest,
  growth: (progress) => measureGrowth(progress, Number(values.days)),
};
/** The benches that run what the build makes. */
const NEED_DIST: ReadonlySet<string> = new Set([
  'ingest',
  'cold-start',
  'memory',
  'latency',
  'storm',
  'link-page',
]);

async function main(names: readonly string[]): Promise<void> {
  const chosen = names.length === 0 ? Object.keys(BENCHES).filter((name) => name !== 'growth') : names;
  const unknown = chosen.filter((name) => BENCHES[name] === undefined);
  if (unknown.length > 0) {
    console.error(`no bench is called ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
    process.exitCode = 64;
    return;
  }
  if (chosen.some((name) => NEED_DIST.has(name))) await bundle(DIST);
  const reports: Report[] = [];
  for (const name of chosen) {
    const report = await BENCHES[name]?.(showProgress);
    if (report === undefined) continue;
    reports.push(report);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
    console.log(toText(report));
  }
  mkdirSync(DIST, { recursive: true });
  const at = new Date().toISOString();
  const machine = { node: process.version, processors: cpus().length, model: cpus()[0]?.model ?? '' };
  writeFileSync(resolve(DIST, 'bench.json'), `${JSON.stringify({ at, machine, reports }, null, 2)}\n`);
  renewPage(reports, { at, ...machine });
}

/** The rule table against hand-labelled rules, with their expressions and without. */
function measureRules(): Report {
  const rules = readRulesCorpus() ?? [];
  const scores = [true, false].map((withExpr) => ({
    title: withExpr ? 'with expressions' : 'without expressions',
    ...scoreRules(rules, withExpr),
  }));
  return {
    name: 'rules',
    notes: [
      rules.length === 0 ? 'no corpus beside the project: nothing was scored' : 'macro-F1 of the category',
      ...scores.flatMap((score) => (rules.length === 0 ? [] : ['', score.title, ...toConfusion(score)])),
    ],
    columns: ['rules', 'count', 'lenient', 'strict'],
    rows: scores.map(({ title, rules: count, lenient, strict }) => [title, String(count), lenient, strict]),
    verdicts:
      rules.length === 0
        ? []
        : scores.flatMap(({ title, lenient, strict }) =>
            (
              [
                ['lenient', lenient, 0.93],
                ['strict', strict, 0.88],
              ] as const
            ).map(([how, value, goal]) => ({
              what: `macro-F1, ${how}, ${title}`,
              value: Number(value.toFixed(4)),
              // The goal is for what an alert carries: labels and annotations, no expression.
              goal: title.startsWith('without') ? (['>=', goal] as const) : null,
            })),
          ),
  };
}

await main(positionals);
