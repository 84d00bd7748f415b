/**
 * Runs the benches in turn, prints a table each and writes all of them to dist/bench.json.
 * Run: node bench/main.ts [name …], e.g. `node bench/main.ts ingest`; without names, all.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { bundle } from '../build/bundle.ts';
import { measureColdStart } from './cold-start.ts';
import { showProgress, toText } from './report.ts';
import type { Progress, Report } from './report.ts';

const DIST = resolve(import.meta.dirname, '../dist');

const BENCHES: Readonly<Record<string, (progress: Progress) => Promise<Report>>> = {
  'cold-start': (progress) => measureColdStart(progress, DIST),
};

async function main(names: readonly string[]): Promise<void> {
  const chosen = names.length === 0 ? Object.keys(BENCHES) : names;
  const unknown = chosen.filter((name) => BENCHES[name] === undefined);
  if (unknown.length > 0) {
    console.error(`no bench is called ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
    process.exitCode = 64;
    return;
  }
  if (!existsSync(resolve(DIST, 'main.cjs')) || process.env['BENCH_REUSE_DIST'] !== 'true') await bundle(DIST);
  const reports: Report[] = [];
  for (const name of chosen) {
    const report = await BENCHES[name]?.(showProgress);
    if (report === undefined) continue;
    reports.push(report);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
    console.log(toText(report));
  }
  mkdirSync(DIST, { recursive: true });
  const machine = { node: process.version, processors: cpus().length, model: cpus()[0]?.model ?? '' };
  writeFileSync(
    resolve(DIST, 'bench.json'),
    `${JSON.stringify({ at: new Date().toISOString(), machine, reports }, null, 2)}\n`,
  );
}

await main(process.argv.slice(2));
