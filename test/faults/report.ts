/** The reporter of `make faults`: each row as it ends, and docs/faults.md at the end. */
import { writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

import { MATRIX } from './matrix.ts';
import type { FaultRow } from './matrix.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = resolve(ROOT, 'docs/faults.md');

interface Outcome {
  readonly file: string;
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  readonly seconds: number;
}

/** What a row came to. */
interface RowResult {
  readonly row: FaultRow;
  readonly result: 'passed' | 'failed' | 'skipped' | 'not run';
  readonly tests: number;
  readonly seconds: number;
}

/** Tells each row as it ends, and writes the page. */
export class FaultReport implements Reporter {
  readonly #outcomes: Outcome[] = [];
  #startedAt = 0;

  onTestRunStart(): void {
    this.#startedAt = performance.now();
  }

  onTestCaseResult(test: TestCase): void {
    const file = relative(ROOT, test.module.moduleId);
    const { state } = test.result();
    const seconds = (test.diagnostic()?.duration ?? 0) / 1_000;
    this.#outcomes.push({ file, name: toWritten(file, test), state, seconds });
    const rows = MATRIX.filter((row) => isOf(row, file, toWritten(file, test)));
    if (rows.length === 0) return;
    const numbers = rows.map(({ row }) => toNumber(row)).join(' ');
    const sign = state === 'passed' ? 'ok  ' : state === 'failed' ? 'FAIL' : '-   ';
    process.stdout.write(`${sign} ${numbers.padEnd(4)} ${seconds.toFixed(1).padStart(6)} s  ${test.name}\n`);
    if (state === 'failed')
      for (const { message, stack } of test.result().errors ?? [])
        process.stdout.write(`${stack ?? message}\n`.replaceAll(/^/gm, '     '));
  }

  async onTestRunEnd(modules: readonly TestModule[], errors: readonly { message: string }[]): Promise<void> {
    for (const { message } of errors) process.stdout.write(`FAIL ${message}\n`);
    for (const module of modules)
      for (const { message } of module.errors())
        process.stdout.write(`FAIL ${module.moduleId}: ${message}\n`);
    const results = MATRIX.map((row) => this.#toResult(row));
    const minutes = (performance.now() - this.#startedAt) / 60_000;
    const count = (result: RowResult['result']): number =>
      results.filter((each) => each.result === result).length;
    process.stdout.write(
      `\n${count('passed')} rows passed, ${count('failed')} failed, ${count('skipped')} skipped, ${count('not run')} not run; ${minutes.toFixed(1)} min\n`,
    );
    // Part of the matrix is no report on it.
    if (count('not run') > 0) return;
    const options = await resolveConfig(PAGE);
    writeFileSync(PAGE, await format(toPage(results, minutes), { ...options, parser: 'markdown' }));
  }

  #toResult(row: FaultRow): RowResult {
    const own = this.#outcomes.filter(({ file, name }) => isOf(row, file, name));
    const seconds = own.reduce((sum, each) => sum + each.seconds, 0);
    const has = (state: Outcome['state']): boolean => own.some((each) => each.state === state);
    const result = has('failed')
      ? 'failed'
      : has('passed')
        ? 'passed'
        : own.length > 0
          ? 'skipped'
          : 'not run';
    return { row, result, tests: own.length, seconds };
  }
}

function isOf({ tests }: FaultRow, file: string, name: string): boolean {
  return tests.some((test) => test.file === file && name.startsWith(test.name));
}

/** A test's name as its file writes it: of `test.each` the one with placeholders. */
function toWritten(file: string, { name }: TestCase): string {
  const patterns = MATRIX.flatMap(({ tests }) => tests).filter(
    (test) => test.file === file && /[$%]/.test(test.name),
  );
  const written = patterns.find((pattern) => toExpression(pattern.name).test(name));
  return written?.name ?? name;
}

function toExpression(name: string): RegExp {
  const parts = name
    .split(/\$\w+|%\w/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.+')}`);
}

function toPage(results: readonly RowResult[], minutes: number): string {
  const rows = results.map(
    ({ row: { row, fault, expected, tests, limit }, result, tests: count, seconds }) => {
      const files = [
        ...new Set(tests.map(({ file }) => file.replace(/^test\//, '').replace(/\.test\.ts$/, ''))),
      ];
      const cells = [
        toNumber(row),
        fault,
        expected,
        `${files.join(', ')} (${count})`,
        result,
        seconds.toFixed(1),
        limit ?? '',
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '/')).join(' | ')} |`;
    },
  );
  return `# Faults

What may break, what is true all the same, and the tests that prove it: real PostgreSQL, Redis and Alertmanager, every
function a process of its own, providers that keep ledgers. Written by \`make faults\`, last in ${minutes.toFixed(1)} minutes. After each
fault an audit compares the database with the ledgers: everything is final, everything sent was seen, and nothing else was.

| row | fault | what must be true | tests | result | seconds | limits of the test |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function toNumber(row: number): string {
  return `F${String(row).padStart(2, '0')}`;
}
